"""The page where people connect ad platforms, see whether the connections work, and disconnect them."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from server.web.confirming import DIGEST, Question, answered
from server.web.connections import connection_card
from server.web.forms import form
from server.web.people import People
from tools.authority import Principal
from tools.errors import CapabilityError

PAGE = "/integrations"


def integration_routes(people: People, clock: Callable[[], dt.datetime]) -> list[BaseRoute]:
    pages = Integrations(people, clock)
    return [
        Route(PAGE, people.only(pages.listed)),
        Route(PAGE, people.only(pages.connect), methods=["POST"]),
        Route(f"{PAGE}/{{connection_id}}/test", people.only(pages.test), methods=["POST"]),
        Route(f"{PAGE}/{{connection_id}}/delete", people.only(pages.delete), methods=["POST"]),
    ]


class Integrations:
    def __init__(self, people: People, clock: Callable[[], dt.datetime]) -> None:
        self._people, self._clock = people, clock

    async def listed(self, request: Request, person: Principal) -> Response:
        query = request.query_params
        return await self._shown(request, person, marked=query.get("connection"), did=query.get("did"))

    async def connect(self, request: Request, person: Principal) -> Response:
        """Success is shown by another request, so that reloading does not connect twice. Nothing of a refused form is
        shown again, not even the name: that is where a token lands when it is pasted into the wrong field."""
        sent: dict[str, str] = {}
        try:
            sent = await form(request)
            created = await self._people.call(person, "create_connection", sent)
        except CapabilityError as error:
            return await self._shown(request, person, problem=error, connecting=sent.get("platform", "meta"))
        return RedirectResponse(f"{PAGE}?connection={created['id']}&did=connected#main", 303)

    async def test(self, request: Request, person: Principal) -> Response:
        connection_id = request.path_params["connection_id"]
        try:
            health = await self._people.call(person, "test_connection", {"connectionId": connection_id})
        except CapabilityError as error:
            return await self._shown(request, person, marked=connection_id, problem=error)
        return await self._shown(request, person, marked=connection_id, health=health)

    async def delete(self, request: Request, person: Principal) -> Response:
        connection_id = request.path_params["connection_id"]
        question = Question(
            capability="delete_connection",
            arguments={"connectionId": connection_id},
            heading="Disconnect",
            yes="Disconnect",
            no="Keep it",
            back=f"{PAGE}?connection={connection_id}",
            above=(PAGE, "Integrations"),
            icon="link-2-off",
            about=connection_id,
        )
        try:
            digest = (await form(request)).get(DIGEST)
            answer = await answered(self._people, request, person, question, digest)
        except CapabilityError as error:
            return await self._shown(request, person, marked=connection_id, problem=error)
        if isinstance(answer, Response):
            return answer
        return RedirectResponse(f"{question.back}&did=disconnected", 303)

    async def _shown(
        self,
        request: Request,
        person: Principal,
        *,
        marked: str | None = None,
        did: str | None = None,
        health: Mapping[str, Any] | None = None,
        problem: CapabilityError | None = None,
        connecting: str | None = None,
    ) -> Response:
        """The list, the connection it is about first; a problem with connecting stands at its form."""
        rows = (await self._people.call(person, "list_connections", {}))["items"]
        missing = self._people.missing(person, "create_connection", "test_connection", "delete_connection")
        return await self._people.page(
            request,
            person,
            "integrations.html",
            status=problem.status if problem else 200,
            connections=[connection_card(row, self._clock()) for row in sorted(rows, key=lambda r: r["id"] != marked)],
            marked=marked,
            gone=bool(marked) and problem is None and all(row["id"] != marked for row in rows),
            did=did,
            health=health,
            problem=problem,
            refused=None if missing else "google" if connecting == "google" else connecting and "meta",
            missing=missing,
        )
