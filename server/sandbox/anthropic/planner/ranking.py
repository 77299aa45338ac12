"""Which of the active campaigns brings back the least for its money, or the most: what "the worst one" means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from server.sandbox.anthropic.planner import naming
from server.sandbox.anthropic.planner.naming import Campaign
from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import money, ratio

Row = Mapping[str, Any]

WASTES = re.compile(r"\bwast|\blos(?:e|es|ing) money\b|\bburn", re.IGNORECASE)
_WORST = re.compile(
    r"\b(?:worst|weakest|least (?:profitable|efficient)|most wasteful|lowest[- ]roas)\b|\bwastes? the most\b",
    re.IGNORECASE,
)
_BEST = re.compile(r"\b(?:best|strongest|most (?:profitable|efficient)|highest[- ]roas)\b", re.IGNORECASE)
_MEANT_TO_SELL = frozenset({"sales", "app_promotion", None})
_MAY_SELL = frozenset({"traffic"})
"""Judged where what they brought was worth something."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """`rows` are of the campaigns that are meant to sell, worst first; `others` of those that are not."""

    rows: Sequence[Row]
    others: Sequence[Row]
    running: Mapping[tuple[object, object], Campaign]
    found: Mapping[str, Any]


def active(asked: Asked) -> Ranking:
    """Active campaigns with spend, by ROAS; of two with the same the one that spent more is worse."""
    words = _words(asked)
    insights, campaigns = asked.calls(
        ("get_insights", asked.period.arguments | {"breakdown": "campaign"} | naming.platform(words.lower())),
        ("list_campaigns", {"status": "ACTIVE"}),
    )
    if problem := next((each.problem() for each in (insights, campaigns) if each.is_error), None):
        raise Said(problem)
    running = {_key(each): each for each in campaigns.items}
    spent = [row for row in insights.data["rows"] if _key(row) in running and row["spend"] > 0]
    currencies = {row["currency"] for row in spent if re.search(rf"\b{re.escape(row['currency'])}\b", words)}
    spent = [row for row in spent if not currencies or row["currency"] in currencies]
    sells = [row for row in spent if _sells(running[_key(row)].get("objective"), row)]
    return Ranking(
        sorted(sells, key=lambda row: (row["roas"] or 0, -row["spend"])),
        [row for row in spent if row not in sells],
        running,
        insights.data,
    )


def superlative(asked: Asked) -> tuple[Campaign, str] | None:
    """The worst or the best one where that is what is asked for, and why it is that one."""
    worst = _WORST.search(asked.words) is not None
    if not worst and not _BEST.search(asked.words):
        return None
    asked = replace(asked, earlier=asked.before[-1:])  # the question whose answer it is about
    ranking = active(asked)
    must_waste = worst and WASTES.search(_words(asked)) is not None
    rows = [row for row in ranking.rows if wasteful(row) or not must_waste]
    if not rows:
        raise Said(f"No active campaign fits that in {asked.period}, so I ask for no change.")
    row = rows[0] if worst else rows[-1]
    word = "lowest" if worst else "highest"
    why = (
        f"**{row['campaign_name']}** has the {word} ROAS of the active campaigns in {asked.period}: "
        f"{ratio(row['roas'])} on {money(row['spend'], row['currency'])} of spend. So that is the one I take."
    )
    return ranking.running[_key(row)], why


def wasteful(row: Row) -> bool:
    return (row["roas"] or 0) < 1


def _words(asked: Asked) -> str:
    return "\n".join([*(each.words for each in asked.earlier), asked.words])


def _sells(objective: object, row: Row) -> bool:
    return objective in _MEANT_TO_SELL or (objective in _MAY_SELL and row["conversion_value"] > 0)


def _key(row: Row) -> tuple[object, object]:
    return row.get("platform"), row.get("campaign_id")
