"""The page for whoever builds on Adwright: where MCP, REST and the command line begin, and the keys for them."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from server.web.card import Standing
from server.web.forms import form
from server.web.people import People
from tools.authority import Principal, Role, Scope
from tools.errors import CapabilityError

PAGE = "/developers"
_TIMES = ("expiresAt", "lastUsedAt")
_WORKS = Standing("Works", "good", "circle-check", "")
_EXPIRED = Standing("Expired", "plain", "clock", "")
_REVOKED = Standing("Revoked", "plain", "ban", "")


def developer_routes(people: People, clock: Callable[[], dt.datetime]) -> list[BaseRoute]:
    pages = Developers(people, clock)
    return [
        Route(PAGE, people.only(pages.listed)),
        Route(PAGE, people.only(pages.create), methods=["POST"]),
        Route(f"{PAGE}/keys/{{key_id}}/revoke", people.only(pages.revoke), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class KeyLine:
    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    direct: bool
    standing: Standing
    created: dt.datetime
    expires: dt.datetime | None
    used: dt.datetime | None


class Developers:
    def __init__(self, people: People, clock: Callable[[], dt.datetime]) -> None:
        self._people, self._clock = people, clock

    async def listed(self, request: Request, person: Principal) -> Response:
        return await self._shown(request, person, did=request.query_params.get("did"))

    async def create(self, request: Request, person: Principal) -> Response:
        """The answer shows the key: it is in no address, and no other page can show it."""
        sent: dict[str, str] = {}
        try:
            sent = await form(request)
            created = await self._people.call(person, "create_api_key", sent)
        except CapabilityError as error:
            return await self._shown(request, person, problem=error, typed=sent)
        return await self._shown(request, person, created=created)

    async def revoke(self, request: Request, person: Principal) -> Response:
        try:
            await self._people.call(person, "revoke_api_key", {"key_id": request.path_params["key_id"]})
        except CapabilityError as error:
            return await self._shown(request, person, problem=error)
        return RedirectResponse(f"{PAGE}?did=revoked#keys", 303)

    async def _shown(
        self,
        request: Request,
        person: Principal,
        *,
        did: str | None = None,
        created: Mapping[str, Any] | None = None,
        problem: CapabilityError | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        missing = self._people.missing(person, "list_api_keys")
        rows = [] if missing else (await self._people.call(person, "list_api_keys", {}))["items"]
        return await self._people.page(
            request,
            person,
            "developers.html",
            status=problem.status if problem else 201 if created else 200,
            url=self._people.public_url(person),
            keys=[self._line(row) for row in rows],
            scopes=[scope.value for scope in Scope if scope in person.scopes],
            owner=person.role is Role.OWNER,
            missing=missing,
            did=did,
            created=created,
            problem=problem,
            typed=typed or {},
        )

    def _line(self, row: Mapping[str, Any]) -> KeyLine:
        expires, used = (dt.datetime.fromisoformat(row[at]) if at in row else None for at in _TIMES)
        over = expires is not None and expires <= self._clock()
        return KeyLine(
            id=row["id"],
            name=row["name"],
            prefix=row["prefix"],
            scopes=tuple(row["scopes"]),
            direct=row["policy"] == "direct",
            standing=_REVOKED if "revokedAt" in row else _EXPIRED if over else _WORKS,
            created=dt.datetime.fromisoformat(row["createdAt"]),
            expires=expires,
            used=used,
        )
