"""The page that tells what the assistant used this month, and what that costs."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.web.card import money_text
from server.web.people import People
from tools.authority import Principal

PAGE = "/usage"


class Usage:
    def __init__(self, people: People) -> None:
        self._people = people

    async def shown(self, request: Request, person: Principal) -> Response:
        told = await self._people.call(person, "get_usage", {})
        share, included, budget = told["cachedShare"], told.get("turnsIncluded"), told.get("budget")
        return await self._people.page(
            request,
            person,
            "usage.html",
            since=dt.datetime.fromisoformat(told["since"]),
            tiles=(
                ("Turns", f"{told['turns']:,}"),
                ("Tokens", f"{_sent(told) + told['outputTokens']:,}"),
                ("From cache", "–" if share is None else f"{share:.0%}"),
                ("Cost", "–" if told["cost"] is None else money_text(told["cost"], "USD")),
            ),
            meters=[
                each
                for each in (
                    _meter("Turns of the plan", told["turns"], included, "{:,}"),
                    _meter("Budget of the month", told["cost"], budget, "${:,.2f}"),
                )
                if each
            ],
            tokens=(
                ("Read anew", told["inputTokens"]),
                ("Read from cache", told["cacheReadTokens"]),
                ("Written to cache", told["cacheWriteTokens"]),
                ("Answered", told["outputTokens"]),
            ),
            unpriced=told["cost"] is None,
        )


def _sent(told: Mapping[str, Any]) -> int:
    return sum(int(told[name]) for name in ("inputTokens", "cacheReadTokens", "cacheWriteTokens"))


def _meter(label: str, used: float | None, most: float | None, written: str) -> Mapping[str, Any] | None:
    """A part of a hundred, for a bar; nothing where there is no limit or no figure."""
    if used is None or not most:
        return None
    share = min(100.0, 100 * used / most)
    return {
        "label": label,
        "said": f"{written.format(used)} of {written.format(most)}",
        "share": round(share, 1),
        "tone": "bad" if share >= 100 else "warn" if share >= 80 else "accent",
    }
