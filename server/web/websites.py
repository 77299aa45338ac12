"""The page of websites whose visitors are counted: whether events arrive, and the snippet that makes them."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.web.card import Standing
from server.web.people import People
from tools.authority import Principal
from tools.errors import CapabilityError
from tools.pixel.install import Framework

PAGE = "/websites"
ROWS = 20
FRAMEWORKS = {
    Framework.HTML: "Any website",
    Framework.WORDPRESS: "WordPress",
    Framework.SHOPIFY: "Shopify",
    Framework.TAG_MANAGER: "Google Tag Manager",
    Framework.NEXTJS: "Next.js",
    Framework.REACT: "React",
    Framework.VUE: "Vue or Nuxt",
}
_STANDINGS = {
    "receiving": Standing("Receiving", "good", "circle-check", ""),
    "waiting": Standing("Waiting for the first event", "warn", "clock", ""),
    "stale": Standing("Nothing for a day", "bad", "circle-alert", ""),
}
_WELL = "Events arrive: ask the assistant who comes, from where, and what it brings."
_UNTOLD = Standing("Not known now", "plain", "circle-help", "")


@dataclass(frozen=True, slots=True)
class Website:
    id: str
    name: str
    domain: str
    time_zone: str
    currency: str
    created: dt.datetime
    standing: Standing
    next: str  # what to do now
    events: int | None  # of the last day
    waits: bool  # for its first event
    snippet: str | None
    where: str
    allowed: str  # what a Content-Security-Policy has to say


class Websites:
    def __init__(self, people: People) -> None:
        self._people = people

    async def listed(self, request: Request, person: Principal) -> Response:
        query = request.query_params
        return await self.shown(
            request, person, marked=query.get("website"), did=query.get("did"), framework=query.get("framework")
        )

    async def shown(
        self,
        request: Request,
        person: Principal,
        *,
        marked: str | None = None,
        did: str | None = None,
        framework: str | None = None,
        problem: CapabilityError | None = None,
    ) -> Response:
        """The list; what was just done, or asked to be looked at, is told at the website it is about."""
        cursor = request.query_params.get("cursor")
        query = {"limit": str(ROWS)} | ({"cursor": cursor} if cursor else {})
        found = await self._people.call(person, "list_websites", query)
        older = found.get("next_cursor")
        chosen = {marked: framework if framework in FRAMEWORKS else Framework.HTML}
        return await self._people.page(
            request,
            person,
            "websites.html",
            status=problem.status if problem else 200,
            websites=await asyncio.gather(
                *(self._website(person, row, chosen.get(row["id"], Framework.HTML)) for row in found["items"])
            ),
            marked=marked,
            did=did,
            problem=problem,
            frameworks=FRAMEWORKS,
            framework=chosen[marked],
            newest=PAGE if cursor else None,
            older=older and f"{PAGE}?cursor={older}",
            missing=self._people.missing(person, "create_website"),
        )

    async def _website(self, person: Principal, row: Mapping[str, Any], framework: str) -> Website:
        """Where the analytics cannot answer, the website is listed all the same."""
        named = {"websiteId": row["id"]}
        snippet, state = await asyncio.gather(
            self._people.tried(person, "get_install_snippet", named | {"framework": framework}),
            self._people.tried(person, "check_installation", named),
        )
        tag = {} if isinstance(snippet, CapabilityError) else snippet
        return Website(
            id=row["id"],
            name=row["name"],
            domain=row["domain"],
            time_zone=row["time_zone"],
            currency=row["currency"],
            created=dt.datetime.fromisoformat(row["createdAt"]),
            **_told(state),
            snippet=tag.get("snippet"),
            where=tag.get("where", ""),
            allowed=tag.get("csp", ""),
        )


def _told(state: Mapping[str, Any] | CapabilityError) -> dict[str, Any]:
    if isinstance(state, CapabilityError):
        return {"standing": _UNTOLD, "next": f"{state.message} {state.fix}", "events": None, "waits": False}
    standing = _STANDINGS.get(state["status"], _UNTOLD)
    waits, events = state["status"] == "waiting", state.get("events_24h", 0)
    well = standing.tone == "good" and events and not state.get("dropped")
    return {"standing": standing, "next": _WELL if well else state["next"], "events": events, "waits": waits}
