"""Answers made of insights: spend and what came of it, by campaign, platform or day."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from server.sandbox.anthropic.planner import naming, periods, visits
from server.sandbox.anthropic.planner import ranking as ranked
from server.sandbox.anthropic.planner.periods import Period
from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import count, listed, money, percent, plain, ratio

Row = Mapping[str, Any]

_FIGURES = (
    ("Spend", lambda row: money(row["spend"], row["currency"])),
    ("Conversions", lambda row: count(row["conversions"])),
    ("Value", lambda row: money(row["conversion_value"], row["currency"])),
    ("ROAS", lambda row: ratio(row["roas"])),
    ("Per conversion", lambda row: money(_each(row["spend"], row["conversions"]), row["currency"])),
    ("CTR", lambda row: percent(row["ctr"])),
    ("CPC", lambda row: money(row["cpc"], row["currency"])),
)


def _each(spend: float, number: float) -> float | None:
    return spend / number if number else None


_KEYS = {
    "campaign": (
        ("Campaign", lambda row: plain(row.get("campaign_name"))),
        ("Platform", lambda row: plain(row.get("platform"))),
    ),
    "platform": (("Platform", lambda row: plain(row.get("platform"))),),
    "day": (("Day", lambda row: plain(row.get("day"))),),
    "": (("Currency", lambda row: plain(row.get("currency"))),),
}
_WORD = re.compile(r"[^\W\d]+")
_MOST_WASTEFUL = 10
_OFFER = "Tell me which to pause, or say “pause all campaigns with ROAS below 1”; you confirm each change."
_GENERAL = frozenset(
    """how what which did do does was were are is i we my our me much spend spent cost roas results result revenue value
    conversions conversion clicks impressions ctr cpc numbers figures insights report performance performing show give
    tell last past previous this days day week weeks month months today yesterday since until per by for in on of the a
    to and over all each campaign campaigns platform platforms account accounts meta facebook google daily total best
    worst top please have had ads ad trend so far currently doing going""".split()  # noqa: SIM905 - one is readable
)
"""Words that name no campaign."""


def performance(asked: Asked) -> str:
    """How everything, one platform or one campaign did; where only visits are known, what they paid."""
    if _only_visits(asked):
        return visits.total(asked)
    period = asked.period
    lower = asked.words.lower()
    arguments = period.arguments | naming.platform(lower)
    breakdown = _breakdown(lower)
    subject = "All accounts"
    if "platform" in arguments:
        subject = f"All {arguments['platform'].title()} accounts"
    if _names_one(asked):
        campaign = naming.campaign(asked)
        arguments = period.arguments | {"campaign_id": campaign["campaign_id"]}
        subject = f"**{campaign['name']}**"
    if breakdown:
        arguments |= {"breakdown": breakdown}
    found = asked.read("get_insights", **arguments)
    return _report(found, breakdown, f"{subject}, {period}", best=_best(lower))


def waste(asked: Asked) -> str:
    """Active campaigns that brought back less than they cost; where only visits are known, what each brought."""
    if _only_visits(asked):
        return visits.revenue(asked)
    ranking, period = ranked.active(asked), asked.period
    rows = [row for row in ranking.rows if ranked.wasteful(row)]
    others = [row["campaign_name"] for row in ranking.others if ranked.wasteful(row)]
    aside = f"\n\nNot judged by ROAS, as they are not meant to sell: {'; '.join(others)}." if others else ""
    aside += _notes(ranking.found)
    if not rows:
        return f"No active campaign spent more than it brought back in {period}.{aside}"
    worst = rows[0]
    lead = (
        f"**{worst['campaign_name']}** wastes the most in {period}: it spent "
        f"{money(worst['spend'], worst['currency'])} at a ROAS of {ratio(worst['roas'])}."
    )
    more = f"{len(rows)} active campaigns have a ROAS below 1:" if len(rows) > 1 else "It is the only one below 1:"
    shown = listed(rows, (*_KEYS["campaign"], *_FIGURES), _MOST_WASTEFUL)
    offer = "" if asked.more else f"\n\n{_OFFER}"
    return f"{lead}\n\n{more}\n\n{shown}{aside}{offer}"


def comparison(asked: Asked) -> str:
    """Of platforms, or of spans of days where two are named."""
    if len(spans := periods.spans(asked.words)) > 1:
        return _spans(asked, spans)
    period = asked.period
    found = asked.read("get_insights", **period.arguments, breakdown="platform")
    report = _report(found, "platform", f"The platforms, {period}", best=None)
    return f"{_winners(found['rows'])}{report}"


def _spans(asked: Asked, spans: Sequence[Period]) -> str:
    """Figures of each, side by side."""
    only = naming.platform(asked.words.lower())
    results = asked.calls(*(("get_insights", span.arguments | only) for span in spans))
    if problem := next((each.problem() for each in results if each.is_error), None):
        raise Said(problem)
    rows = [
        row | {"days": f"{span.since} to {span.until}"}
        for span, found in zip(spans, results, strict=True)
        for row in found.data["totals"]
    ]
    rows.sort(key=lambda row: str(row["currency"]))
    days = ("Days", lambda row: plain(row["days"]))
    notes = dict.fromkeys(_notes(found.data) for found in results)
    return f"Side by side:\n\n{listed(rows, (days, *_FIGURES))}{''.join(notes)}"


def _only_visits(asked: Asked) -> bool:
    return "get_insights" not in asked.conversation.tools and "query_metrics" in asked.conversation.tools


def _winners(rows: Sequence[Row]) -> str:
    """Ratios can be compared within a currency, and there only roughly: attribution differs."""
    said = []
    for currency in sorted({row["currency"] for row in rows}):
        ranked = sorted(
            (row for row in rows if row["currency"] == currency and row["roas"] is not None),
            key=lambda row: -row["roas"],
        )
        if len(ranked) > 1:
            first, *others = (f"{row['platform'].title()} {ratio(row['roas'])}" for row in ranked)
            said.append(f"In {currency} the ROAS is {first} against {' and '.join(others)}.")
    if not said:
        return ""
    return f"{' '.join(said)} Each platform counts conversions its own way.\n\n"


def _report(found: Mapping[str, Any], breakdown: str, subject: str, *, best: bool | None) -> str:
    rows: Sequence[Row] = [row for row in found["rows"] if row["spend"] > 0 or breakdown != "campaign"]
    if not rows:
        return f"Nothing was spent, so there are no figures. ({subject}){_notes(found)}"
    if breakdown == "campaign":
        by_worth = (lambda row: row["roas"] or 0) if best is not None else (lambda row: row["spend"])
        rows = sorted(rows, key=by_worth, reverse=best is not False)
    totals = "; ".join(
        f"{money(row['spend'], row['currency'])} spent, ROAS {ratio(row['roas'])}" for row in found["totals"]
    )
    lead = f"{subject}: {totals}."
    if best is not None and breakdown == "campaign":
        word = "best" if best else "weakest"
        lead = f"**{rows[0]['campaign_name']}** has the {word} ROAS ({ratio(rows[0]['roas'])}). {lead}"
    return f"{lead}\n\n{listed(rows, (*_KEYS[breakdown], *_FIGURES), 40)}{_notes(found)}"


def _notes(found: Mapping[str, Any]) -> str:
    notes = [
        f"Missing: {plain(gap['platform'])} account {plain(gap['account_id'])}, because {gap['message']}"
        for gap in found.get("gaps", ())
    ]
    if len({row["currency"] for row in found.get("totals", ())}) > 1:
        notes.append("Currencies are not added up.")
    if found.get("next_cursor") or found.get("left_out"):
        notes.append("There are more rows than I was shown.")
    return "".join(f"\n\n{note}" for note in notes)


def _names_one(asked: Asked) -> bool:
    """Whether it is about one campaign: by a name in the words, or by "it"."""
    if naming.refers_back(asked.words):
        return True
    if not set(_WORD.findall(asked.words.lower())) - _GENERAL:
        return False
    known = asked.rows("list_campaigns")
    return bool(naming.surely_named(asked.words, known))


def _breakdown(lower: str) -> str:
    for breakdown, words in {
        "day": (
            "per day",
            "by day",
            "each day",
            "daily spend",
            "day by day",
            "trend",
            "every day",
            "a day",
            "which day",
            "what day",
        ),
        "platform": ("per platform", "by platform", "each platform"),
        "campaign": ("campaign", "best", "worst", "top", "weakest"),
    }.items():
        if any(word in lower for word in words):
            return breakdown
    return ""


def _best(lower: str) -> bool | None:
    if any(word in lower for word in ("best", "top", "strongest")):
        return True
    return False if any(word in lower for word in ("worst", "weakest", "bottom")) else None
