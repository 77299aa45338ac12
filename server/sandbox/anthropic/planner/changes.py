"""Answers that ask for a change: the tool proposes it, a person decides, and what came of it is told."""

import re
from collections.abc import Mapping
from typing import Any

from server.sandbox.anthropic.planner import naming, ranking
from server.sandbox.anthropic.planner.results import Result
from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import listed, many, money, plain

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_PERCENT = re.compile(rf"{_NUMBER}\s*(?:%|percent\b)")
_TO = re.compile(rf"\b(?:to|at|of)\s+[$€£¥]?\s*{_NUMBER}(?!\s*(?:%|percent|\d))")
_A_DAY = re.compile(rf"[$€£¥]?\s*{_NUMBER}\s*(?:[A-Z]{{3}}\s*)?(?:a|per)\s+day\b")
_BY = re.compile(rf"\bby\s+[$€£¥]?\s*{_NUMBER}(?!\s*(?:%|percent|\d))")
_ONLY = re.compile(
    rf"(?:\b(?:it|that|this|no|actually|rather|sorry)\b,?\s*[$€£¥]?|[$€£¥])\s*{_NUMBER}|{_NUMBER}\W+instead\b",
    re.IGNORECASE,
)
"""An amount with nothing that says what it is: it takes the place of one that was said before."""
_NEGATIVE = re.compile(r"(?<![\w|])[-−]\d+(?:[.,]\d+)*")
_STOPS = re.compile(r"\b(pause|stop|disable|halt|(turn|switch)\b.*\boff|take\b.*\b(out of service|off ?line|down))\b",
                    re.IGNORECASE)  # fmt: skip
_SPENT = re.compile(rf"\b(?:spent|spend(?:ing|s)?|costs?)\b[^.\d]{{0,30}}?[$€£¥]?\s*{_NUMBER}", re.IGNORECASE)
_DOWN = re.compile(r"\b(lower|decrease|reduce|cut|drop|less|down|halve)\b", re.IGNORECASE)
_NEW_NAME = re.compile(r"\b(?:to|as|it)\s+[\"“”«»']?([^\"“”«»'\n]+?)[\"“”«»']?\s*[.!]?$", re.IGNORECASE)
_CALLED = re.compile(r"(?:called|named|name)\s+[\"“«']?([^\"“”«»'\n,]+?)[\"”»']?(?=\s+(?:with|on|for|at|in)\b|[,.!]|$)",
                     re.IGNORECASE)  # fmt: skip
_QUOTED = re.compile(r"[\"“«]([^\"“”«»\n]+)[\"”»]")
_BUDGET = re.compile(rf"(?:budget\s*(?:of|:|is|to)?|with|at|for)\s*[$€£¥]?\s*{_NUMBER}|[$€£¥]\s*{_NUMBER}|"
                     rf"{_NUMBER}\s*(?:a|per)\s+day|^{_NUMBER}$", re.IGNORECASE | re.MULTILINE)  # fmt: skip
_BELOW = re.compile(
    rf"(?:below|under|less than|lower than|<)\s*(?:an?\s+)?(?:roas\s+(?:of\s+)?)?{_NUMBER}", re.IGNORECASE
)
_OBJECTIVES = ("sales", "leads", "traffic", "awareness", "engagement", "app_promotion")


def status(asked: Asked) -> str:
    wanted = "PAUSED" if _STOPS.search(asked.words) else "ACTIVE"
    if campaign_id := naming.untried(asked):
        return _told(asked.propose("update_campaign", {"campaign_id": campaign_id, "status": wanted}), {})
    found, why = _meant(asked)
    if found["status"] == wanted:
        return f"**{found['name']}** is {wanted} already; I left it alone."
    return _update(asked, found, {"status": wanted}, why)


def budget(asked: Asked) -> str:
    found, why = _meant(asked)
    before = found.get("daily_budget")
    if below := _NEGATIVE.search(asked.words):
        return f"A daily budget cannot be {below[0]}. To what amount should it be set?"
    wanted = _amount(_without(asked.words, found["name"]), before)
    if wanted is None:
        shown = money(before, found["currency"]) if before is not None else "not set on the campaign"
        return f"The daily budget of **{found['name']}** is {shown}. To what amount, or by how many percent?"
    return _update(asked, found, {"daily_budget": wanted}, why)


def rename(asked: Asked) -> str:
    new = _NEW_NAME.search(asked.words)
    if new is None:
        found = naming.campaign(asked)
        return f"What should **{found['name']}** be called?"
    target = Asked(asked.conversation, asked.words[: new.start()])
    found, why = _meant(target)
    return _update(asked, found, {"name": new[1].strip()}, why)


def archive(asked: Asked) -> str:
    found, why = _meant(asked)
    for_good = re.search(r"\barchive\b|for good|permanently", asked.words, re.IGNORECASE)
    arguments = {"campaign_id": found["campaign_id"]} | ({"mode": "archive"} if for_good else {})
    return _told(asked.propose("delete_campaign", arguments, why), found)


def create(asked: Asked) -> str:
    lower = asked.words.lower()
    named = _QUOTED.search(asked.words) or _CALLED.search(asked.words)
    objective = next((each for each in _OBJECTIVES if each in lower or each.rstrip("s") in lower.split()), None)
    amount = _BUDGET.search(asked.words)
    missing = [
        word
        for word, there in (("a name (in quotes)", named), ("an objective", objective), ("a daily budget", amount))
        if not there
    ]
    if named is None or objective is None or amount is None:
        return f"For a new campaign I still need {' and '.join(missing)}. What should I take?"
    arguments: dict[str, Any] = {
        "name": named[1].strip(),
        "objective": objective,
        "daily_budget": _number(next(group for group in amount.groups() if group)),
    } | naming.platform(lower)
    arguments |= _account(asked, arguments.get("platform"))
    if arguments.get("platform") == "google" and asked.takes("create_campaign", "eu_political_ads"):
        arguments["eu_political_ads"] = _political(lower)
    return _told(asked.propose("create_campaign", arguments), None)


def pause_low(asked: Asked) -> str:
    """One proposal for all of them, where there is a tool for it."""
    below = _BELOW.search(asked.words)
    if below is None:
        return "Below which ROAS should I pause campaigns?"
    period, spent = asked.period, _SPENT.search(asked.words)
    least = _number(spent[1]) if spent else 1
    arguments = (
        period.arguments | {"roas_below": _number(below[1]), "min_spend": least} | naming.platform(asked.words.lower())
    )
    result = asked.propose("pause_low_roas_campaigns", arguments)
    if result.is_error:
        return result.problem()
    columns = (
        ("Campaign", lambda row: plain(row.get("campaign_id"))),
        ("Platform", lambda row: plain(row.get("platform"))),
        ("Outcome", lambda row: plain(row.get("message") or row.get("status"))),
    )
    done = result.data
    that = f" that spent {spent[1]} or more" if spent else ""
    lead = f"Paused {many(done['paused'], 'campaign')} with a ROAS below {below[1]}{that} in {period}:"
    return f"{lead}\n\n{listed(done['receipts'], columns, 50)}"


def _meant(asked: Asked) -> tuple[naming.Campaign, str]:
    """The campaign, and why it is that one where the person did not name it."""
    return ranking.superlative(asked) or (naming.campaign(asked), "")


def _update(asked: Asked, found: Mapping[str, Any], change: dict[str, Any], why: str = "") -> str:
    arguments = {"campaign_id": found["campaign_id"]} | change
    return _told(asked.propose("update_campaign", arguments, why), found)


def _told(result: Result, before: Mapping[str, Any] | None) -> str:
    if result.is_error:
        stays = f"**{before['name']}** stays as it is: " if before and result.turned_down else ""
        return f"{stays}{result.problem()}"
    now = result.data
    if before is None:
        return f"Created **{now['name']}** ({now['campaign_id']}), {now['status']}:\n\n{listed([now], naming.COLUMNS)}"
    changed = [
        f"{words} {was} → {became}"
        for (words, was), (_, became) in zip(_shown(before), _shown(now), strict=True)
        if was != became
    ]
    return f"**{now['name']}** is changed: {'; '.join(changed) or 'it was so already'}."


def _shown(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("status", plain(row.get("status"))),
        ("daily budget", money(row.get("daily_budget"), row.get("currency"))),
        ("name", str(row.get("name"))),
    ]


def _amount(words: str, before: object) -> float | int | None:
    """What the budget should be; a share or a difference needs the budget that it changes."""
    down = _DOWN.search(words) is not None
    to, by, share = _TO.search(words) or _A_DAY.search(words), _BY.search(words), _PERCENT.search(words)
    if to is None and by is None and share is None:
        to = _ONLY.search(words)
    if to is not None:
        return _number(next(filter(None, to.groups())))
    factor = 1 + (-1 if down else 1) * _number(share[1]) / 100 if share else None
    if re.search(r"\bdouble\b", words, re.IGNORECASE):
        factor = 2
    if re.search(r"\bhalve\b|\bhalf\b", words, re.IGNORECASE):
        factor = 0.5
    if factor is None and by is None:
        return None
    if not isinstance(before, int | float):
        raise Said("This campaign has no daily budget of its own, so I cannot change it by a share of it.")
    wanted = before * factor if factor is not None else before + (-1 if down else 1) * _number(by[1] if by else "0")
    return _tidy(round(wanted, 2))


def _account(asked: Asked, wanted: str | None) -> dict[str, str]:
    """The account that is named, where there are several; otherwise the person is asked."""
    rows = [row for row in asked.rows("list_connections") if wanted in {None, row["platform"]}]
    accounts = [(row["platform"], account) for row in rows for account in row["accounts"] if account["active"]]
    if len(accounts) <= 1:
        return {}
    lower = asked.words.lower()
    named = [
        (where, account)
        for where, account in accounts
        if account["account_id"].lower() in lower or account["name"].lower() in lower
    ]
    if len(named) == 1:
        return {"platform": named[0][0], "account_id": named[0][1]["account_id"]}
    columns = (
        ("Account", lambda row: plain(row["name"])),
        ("Id", lambda row: plain(row["account_id"])),
        ("Currency", lambda row: plain(row["currency"])),
    )
    raise Said(f"{listed([account for _, account in accounts], columns)}\n\nIn which account should I create it?")


def _political(lower: str) -> bool:
    if "not political" in lower or "no political" in lower or re.search(r"\bno\b", lower):
        return False
    if re.search(r"\byes\b|\bpolitical\b", lower):
        return True
    raise Said("Google asks for a legal statement: will it show political ads in the EU, yes or no?")


def _without(words: str, name: str) -> str:
    """A name may hold numbers of its own."""
    return re.sub(re.escape(name), " ", words, flags=re.IGNORECASE)


def _number(written: str) -> float | int:
    return _tidy(float(written.replace(",", "")))


def _tidy(value: float) -> float | int:
    return int(value) if value == int(value) else value
