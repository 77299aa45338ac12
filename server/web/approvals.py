"""What agents and keys want to change: the inbox over all faces, one approval, its card for the panel, the decision."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from server.web.card import FACES, STANDINGS, Card, card
from server.web.forms import form
from server.web.people import People
from server.web.rendering import Renderer
from tools.authority import Principal
from tools.errors import CapabilityError

PAGE = "/approvals"
RECENT = 30
MOST_WAITING = 100
_FILTERS = ("via", "status")


class Approvals:
    def __init__(self, people: People, renderer: Renderer) -> None:
        self._people, self._renderer = people, renderer

    async def listed(self, request: Request, person: Principal) -> Response:
        """Those that wait stand first, all of them; the rest newest first, a page at a time."""
        query = request.query_params
        asked, cursor = {name: query[name] for name in _FILTERS if query.get(name)}, query.get("cursor")
        waiting: Mapping[str, Any] = {}
        if not cursor and asked.get("status", "pending") == "pending":
            newest = {"status": "pending", "limit": str(MOST_WAITING)}
            waiting = await self._people.call(person, "list_approvals", asked | newest)
        recent: Mapping[str, Any] = {"items": ()}
        if asked.get("status") != "pending":
            page = {"limit": str(RECENT)} | ({"cursor": cursor} if cursor else {})
            recent = await self._people.call(person, "list_approvals", asked | page)
        older = recent.get("next_cursor")
        return await self._people.page(
            request,
            person,
            "approvals.html",
            waiting=[card(item) for item in waiting["items"]] if waiting else None,
            hidden="next_cursor" in waiting,
            recent=[card(item) for item in recent["items"] if item["status"] != "pending"],
            asked=asked,
            faces=FACES,
            standings=STANDINGS,
            newest=_address(asked) if cursor else None,
            older=older and _address(asked | {"cursor": older}),
        )

    async def one(self, request: Request, person: Principal) -> Response:
        return await self._shown(request, person, await self._look(request, person))

    async def card(self, request: Request, person: Principal) -> Response:
        """The card alone, as <approval-card> shows it wherever it stands."""
        return self._renderer.page(
            "card.html", person=person, **self._values(person, await self._look(request, person))
        )

    async def decide(self, decision: str, request: Request, person: Principal) -> Response:
        """The form's way, for browsers without scripts: decide, then show the same card again."""
        approval_id, problem = request.path_params["approval_id"], None
        try:
            await self._people.call(person, decision, await form(request) | {"approval_id": approval_id})
        except CapabilityError as error:
            problem = error
        shown = await self._look(request, person)
        if problem is not None and shown.status == "pending":
            return await self._shown(request, person, shown, problem)
        return RedirectResponse(f"{PAGE}/{approval_id}", 303)  # decided now, or by someone else before

    async def _look(self, request: Request, person: Principal) -> Card:
        named = {"approval_id": request.path_params["approval_id"]}
        return card(await self._people.call(person, "get_approval", named))

    async def _shown(
        self, request: Request, person: Principal, shown: Card, problem: CapabilityError | None = None
    ) -> Response:
        return await self._people.page(
            request,
            person,
            "approval.html",
            status=problem.status if problem else 200,
            **self._values(person, shown, problem),
        )

    def _values(self, person: Principal, shown: Card, problem: CapabilityError | None = None) -> dict[str, Any]:
        missing = self._people.missing(person, "approve", shown.capability)
        return {"card": shown, "problem": problem, "missing": missing}


def _address(query: Mapping[str, str]) -> str:
    return f"{PAGE}?{urlencode(query)}" if query else PAGE
