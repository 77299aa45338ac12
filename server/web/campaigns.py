"""The page of campaigns over all platforms, with what they spent and brought, and what could not be read."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from server.web.card import PLATFORMS, Standing, money_text
from server.web.people import People
from tools.authority import Principal
from tools.errors import CapabilityError
from tools.fields import Status

PAGE = "/campaigns"
ROWS = 100
MOST_SEARCHED, MOST_FOUND = 5000, 200
"""A text is looked for in so many names, and so many of those that have it are shown."""

_SUMS = (
    ("Ad spend", "spend", ""),
    ("Conversion value", "conversion_value", ""),
    ("ROAS", "roas", ".2f"),
    ("Conversions", "conversions", ",.0f"),
    ("Click rate", "ctr", ".2%"),
)
_FILTERS = ("platform", "status")
_STANDINGS = {
    Status.ACTIVE: Standing("Active", "good", "circle-check", ""),
    Status.PAUSED: Standing("Paused", "plain", "clock", ""),
    Status.ARCHIVED: Standing("Archived", "plain", "ban", ""),
}


@dataclass(frozen=True, slots=True)
class CampaignRow:
    id: str
    name: str
    platform: str
    account: str
    standing: Standing
    budget: str | None
    shared: bool
    spend: str | None  # of the days the page tells
    roas: str | None
    spent: float
    currency: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A sum in each currency: they are never added up, so that the one with most campaigns stands large."""

    name: str
    shown: str
    others: tuple[str, ...]


class Figures:
    """What the platforms report of the last days; without them the campaigns are listed all the same."""

    def __init__(self, told: Mapping[str, Any] | CapabilityError) -> None:
        self.problem = told if isinstance(told, CapabilityError) else None
        self.told: Mapping[str, Any] = {} if isinstance(told, CapabilityError) else told
        self._rows = {(row["account_id"], row["campaign_id"]): row for row in self.told.get("rows", ())}
        self.complete = "next_cursor" not in self.told

    def of(self, campaign: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self._rows.get((campaign["account_id"], campaign["campaign_id"]))

    @property
    def currencies(self) -> list[str]:
        """The one with most campaigns first."""
        counted = Counter(row["currency"] for row in self.told.get("rows", ()))
        return [currency for currency, _ in counted.most_common()]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        sums = sorted(self.told.get("totals", ()), key=lambda each: _place(self.currencies, each["currency"]))
        return tuple(_tile(*each, sums) for each in _SUMS) if sums else ()

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        if not self.told:
            return None
        return dt.date.fromisoformat(self.told["since"]), dt.date.fromisoformat(self.told["until"])


class Campaigns:
    def __init__(self, people: People) -> None:
        self._people = people

    async def listed(self, request: Request, person: Principal) -> Response:
        query = {name: value for name, value in request.query_params.items() if value.strip()}
        text = query.get("q", "").strip()
        same = {name: query[name] for name in _FILTERS if name in query}
        listed, told = await asyncio.gather(
            self._campaigns(person, same, text, query.get("cursor")), self._told(person, same)
        )
        found, problem = ({"items": []}, listed) if isinstance(listed, CapabilityError) else (listed, None)
        figures, asked = Figures(told), same | ({"q": text} if text else {})
        matching = [row for row in found["items"] if text.casefold() in row["name"].casefold()]
        older = found.get("next_cursor")
        rows = [_row(row, figures) for row in matching[: MOST_FOUND if text else ROWS]]
        if not older and "cursor" not in query:  # everything is here, so that an order of our own hides nothing
            rank = {currency: at for at, currency in enumerate(figures.currencies)}
            rows.sort(key=lambda row: (row.standing.tone != "good", rank.get(row.currency, len(rank)), -row.spent))
        return await self._people.page(
            request,
            person,
            "campaigns.html",
            campaigns=rows,
            matching=len(matching),
            figures=figures,
            problem=problem,
            gaps=_gaps((found, figures.told)),
            platforms=PLATFORMS,
            statuses=[status.value for status in Status],
            asked=asked,
            age=max((each["cache"]["ageSeconds"] for each in (found, figures.told) if "cache" in each), default=0),
            newest=_address(asked) if "cursor" in query else None,
            older=older and _address(asked | {"cursor": older}),
            connected=bool(rows) or await self._connected(person),
        )

    async def _campaigns(
        self, person: Principal, same: Mapping[str, str], text: str, cursor: str | None
    ) -> dict[str, Any] | CapabilityError:
        page = {"limit": str(MOST_SEARCHED if text else ROWS)} | ({"cursor": cursor} if cursor else {})
        return await self._people.tried(person, "list_campaigns", {**same, **page})

    async def _told(self, person: Principal, same: Mapping[str, str]) -> dict[str, Any] | CapabilityError:
        wanted = {name: same[name] for name in ("platform",) if name in same}
        return await self._people.tried(person, "get_insights", {"breakdown": "campaign"} | wanted)

    async def _connected(self, person: Principal) -> bool:
        return bool((await self._people.call(person, "list_connections", {}))["items"])


def _address(query: Mapping[str, str]) -> str:
    return f"{PAGE}?{urlencode(query)}" if query else PAGE


def _row(campaign: Mapping[str, Any], figures: Figures) -> CampaignRow:
    currency, told, budget = campaign["currency"], figures.of(campaign), campaign.get("daily_budget")
    spent = told["spend"] if told else 0 if figures.told and figures.complete else None
    roas = told["roas"] if told else None
    return CampaignRow(
        id=campaign["campaign_id"],
        name=campaign["name"],
        platform=PLATFORMS.get(campaign["platform"], campaign["platform"]),
        account=campaign["account_id"],
        standing=_STANDINGS.get(campaign["status"])
        or Standing(campaign["platform_status"], "plain", "circle-help", ""),
        budget=None if budget is None else money_text(budget, currency),
        shared=campaign.get("budget_shared", False),
        spend=None if spent is None else money_text(spent, currency),
        roas=None if roas is None else _ratio(roas, ".2f"),
        spent=spent or 0,
        currency=currency,
    )


def _place(currencies: list[str], currency: str) -> int:
    return currencies.index(currency) if currency in currencies else len(currencies)


def _tile(name: str, field: str, written: str, sums: Sequence[Mapping[str, Any]]) -> Tile:
    """`written`: as a format; without one it is money, which says its currency by itself."""
    said = [
        (each["currency"], _ratio(each[field], written) if written else money_text(each[field], each["currency"]))
        for each in sums
    ]
    (_, first), *others = said
    return Tile(name, first, tuple(f"{currency} {text}" if written else text for currency, text in others))


def _ratio(value: float | None, written: str) -> str:
    return "–" if value is None else format(value, written)


def _gaps(answers: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Each missing account once, whichever answers lack it."""
    every = [gap for answer in answers for gap in answer.get("gaps", ())]
    return list({(gap["connectionId"], gap.get("account_id")): gap for gap in every}.values())
