"""Whoever is signed in, and what they do through the registry: what every page for them needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from server.identity.sessions import Sessions
from server.web.rendering import Renderer
from server.web.shell import Answers, Shell
from tools import ids
from tools.authority import Principal, Scope
from tools.codec import from_strings
from tools.errors import CapabilityError, InvalidArguments, MissingAuthorization, NotFound, SessionExpired
from tools.invoke import Door

PersonsPage = Callable[[Request, Principal], Awaitable[Response]]
MOST_WAITING = 99
"""What the badge counts to."""


class People:
    def __init__(self, door: Door, sessions: Sessions, renderer: Renderer, answers: Answers) -> None:
        self._door, self._sessions, self._renderer, self._answers = door, sessions, renderer, answers

    def only(self, page: PersonsPage) -> Callable[[Request], Awaitable[Response]]:
        """Hand the page its person, or send the browser to sign in and come back."""

        async def endpoint(request: Request) -> Response:
            try:
                return await page(request, await self._sessions.principal(request.scope))
            except (MissingAuthorization, SessionExpired) as error:
                query = {"why": "needed" if isinstance(error, MissingAuthorization) else "ended"}
                if request.method == "GET":
                    query["next"] = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/sign-in?{urlencode(query)}", 303)
            except (NotFound, InvalidArguments) as error:
                raise HTTPException(404) from error
            except CapabilityError as error:
                return self._renderer.message(request, error.status, error.message, error.fix, code=error.code)

        return endpoint

    async def call(
        self,
        person: Principal,
        name: str,
        arguments: Mapping[str, str],
        *,
        preview: bool = False,
        expect_digest: str | None = None,
    ) -> dict[str, Any]:
        """What a page or its form asks for, in strings; raises CapabilityErrors."""
        capability = self._door.registry[name]
        output = await self._door.invoke(
            capability,
            self._door.context(person, ids.request_id()),
            lambda: from_strings(capability, arguments),
            preview=preview,
            expect_digest=expect_digest,
        )
        return output.wire()

    def public_url(self, person: Principal) -> str:
        return self._door.context(person, ids.request_id()).public_url

    async def tried(
        self, person: Principal, name: str, arguments: Mapping[str, str]
    ) -> dict[str, Any] | CapabilityError:
        """For what a page can do without: the problem is part of what it shows. A question of ours that makes no sense
        is raised all the same."""
        try:
            return await self.call(person, name, arguments)
        except InvalidArguments:
            raise
        except CapabilityError as problem:
            return problem

    async def page(
        self, request: Request, person: Principal, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """A page inside the shell."""
        waiting, model = await asyncio.gather(self._waiting(person), self._answers())
        shell = Shell(path=request.url.path, waiting=waiting, model=model or "", once=request.method == "POST")
        return self._renderer.page(template, person=person, status=status, shell=shell, **values)

    async def _waiting(self, person: Principal) -> int:
        """A badge that cannot be told is no reason to show no page."""
        try:
            listed = await self.call(person, "list_approvals", {"status": "pending", "limit": str(MOST_WAITING)})
        except CapabilityError:
            return 0
        return len(listed["items"])

    def missing(self, person: Principal, *names: str) -> list[str]:
        """The scopes that these capabilities need and the person does not have; a name that is gone needs none."""
        needed: set[Scope | None] = {c.scope for name in names if (c := self._door.registry.get(name)) is not None}
        return sorted(scope.value for scope in needed - person.scopes if scope is not None)
