"""Whom a payment is credited to, worked out one payment at a time with whole numbers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.server.analytics.pipes.asked import SESSION, Asked, money, rounded
from tests.server.analytics.pipes_revenue.expected_money import ratio, spend
from tests.server.analytics.pipes_revenue.expected_series import Rows, views_since, with_customers

DAY, QUARTER = 86_400_000, 900_000  # milliseconds; a quarter of an hour
MODELS = ("first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based")


@dataclass(frozen=True, order=True)
class Touch:
    started: int
    session: str
    channel: str
    source: str = ""
    medium: str = ""
    campaign: str = ""
    campaign_id: str = ""
    path: str = ""


NONE = Touch(0, "", "unattributed")


def weights(model: str, path: Sequence[Touch], half_life: float) -> list[int]:
    n = len(path)
    if model == "linear":
        return [1] * n
    if model == "time_decay":
        ages = [(touch.started - path[-1].started) / (half_life * DAY) for touch in path]
        return [max(1, int(np.rint(np.exp2(age) * 1e12))) for age in ages]
    if model == "position_based":
        return [1] * n if n < 3 else [2 * (n - 2), *[1] * (n - 2), 2 * (n - 2)]
    speaking = [number for number, touch in enumerate(path) if touch.channel != "direct"]
    chosen = {"first_touch": 0, "last_touch": n - 1, "last_non_direct": speaking[-1] if speaking else n - 1}[model]
    return [int(number == chosen) for number in range(n)]


def credited(units: int, parts: list[int]) -> list[int]:
    """What the first touches have together is cut, not rounded: nothing is left over."""
    whole, sign = sum(parts), -1 if units < 0 else 1
    sums = [sign * (abs(units) * sum(parts[: number + 1]) // whole) for number in range(len(parts))]
    return [later - before for later, before in zip(sums, [0, *sums], strict=False)]


def touches(asked: Asked, since: int) -> dict[tuple[str, str], list[Touch]]:
    views = views_since(asked, since)
    found: dict[tuple[str, str], list[Touch]] = defaultdict(list)
    for first in views.drop_duplicates(SESSION).itertuples():
        campaign = f"{first.campaign_platform}:{first.campaign_id}" if first.campaign_id else ""
        touch = Touch(
            *(first.ms, first.session_id, first.channel, first.utm_source or first.referrer_host),
            *(first.utm_medium, first.utm_campaign, campaign, first.path),
        )
        found[first.website_id, first.visitor_id].append(touch)
    return found


def paths(asked: Asked) -> list[tuple[Any, list[Touch]]]:
    """Payments of the range, each with the sessions it is credited to."""
    window = float(asked.values.get("lookback_days", "30")) * DAY
    every = with_customers(asked, asked.owned("visitor_payments"))
    originals: dict[tuple[str, str], tuple[int, str, str]] = {}
    for row in every[(every["kind"] != "refund") & (every["transaction_id"] != "")].itertuples():
        key, own = (row.website_id, row.transaction_id), (row.ms, row.event_id, row.visitor_id)
        originals[key] = min(originals.get(key, own), own)
    asked_of, earliest = [], asked.until
    for row in every[(every["ms"] >= asked.since) & (every["ms"] < asked.until)].itertuples():
        original = originals.get((row.website_id, row.transaction_id)) if row.kind == "refund" else None
        at, visitor = (original[0], original[2]) if original else (row.ms, row.visitor_id)
        earliest = min(earliest, at, row.ms)
        asked_of.append((row, at, visitor))
    since = earliest - int(window) - DAY
    known = touches(asked, since - since % QUARTER)
    return [
        (row, sorted(t for t in known[row.website_id, visitor] if at - window <= t.started <= at) or [NONE])
        for row, at, visitor in asked_of
    ]


def attributed_revenue(asked: Asked) -> Rows:
    by, model = asked.values.get("by", "channel"), asked.values.get("model", "last_touch")
    half_life = float(asked.values.get("half_life_days", "7"))
    spent = _spent(asked, by)
    names = _named(spent)
    groups: dict[tuple[str, ...], list[tuple[Any, Touch, int, int, bool]]] = defaultdict(list)
    for row, path in paths(asked):
        parts = weights(model, path, half_life)
        for touch, part, credit in zip(path, parts, credited(int(row.revenue), parts), strict=True):
            groups[_group(by, touch, names)].append((row, touch, part, credit, touch is path[-1]))
    for name in spent:
        groups[(name, *[""] * 5) if by == "channel" else ("", "", "", "", name, "")] += []
    total = sum(credit for group in groups.values() for *_, credit, _ in group)
    rows = [_row(asked, by, key, group, spent, total) for key, group in groups.items()]
    texts = ("channel", "source", "medium", "campaign", "campaign_id", "landing_page")
    return sorted(rows, key=lambda r: (-r["revenue"], -r["payments"], *(r[text].encode() for text in texts)))


def _spent(asked: Asked, by: str) -> dict[str, tuple[int, str]]:
    """Cost and name of what spend is known for."""
    if by not in {"channel", "campaign"}:
        return {}
    frame = spend(asked)
    frame = frame[frame["ours"]]
    key = frame["channel"] if by == "channel" else frame["platform"] + ":" + frame["campaign_id"]
    return {
        str(name): (int(group["spend"].sum()), max(zip(group["date"], group["campaign_name"], strict=True))[1])
        for name, group in frame.groupby(key)
    }


def _named(spent: dict[str, tuple[int, str]]) -> dict[str, str]:
    """A campaign by its name, where one alone has it."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, (_, name) in spent.items():
        found[name].append(key)
    return {name: keys[0] for name, keys in found.items() if len(keys) == 1 and name}


def _group(by: str, touch: Touch, names: dict[str, str]) -> tuple[str, ...]:
    nowhere = touch.channel if touch.channel == "unattributed" else ""
    if by == "campaign":
        key = touch.campaign_id or names.get(touch.campaign, "")
        return (nowhere, "", "", "" if key else touch.campaign, key, "")
    if by == "landing_page":
        return (nowhere, "", "", "", "", touch.path)
    return (touch.channel, touch.source, touch.medium, "", "", "") if by == "source" else (touch.channel, *[""] * 5)


def _row(
    asked: Asked, by: str, key: tuple[str, ...], group: list[Any], spent: dict[str, tuple[int, str]], total: int
) -> dict[str, Any]:
    channel, source, medium, campaign, campaign_id, page = key
    known = spent.get(campaign_id or channel) if by in {"channel", "campaign"} else None
    if campaign_id:
        campaign = (known[1] if known else "") or max((touch.campaign for _, touch, *_ in group), default="")
    bought = [row for row, _, part, *_ in group if part and not row.other and row.kind != "refund"]
    credit = sum(credit for *_, credit, _ in group)
    return {
        "channel": channel,
        "source": source,
        "medium": medium,
        "campaign": campaign,
        "campaign_id": campaign_id,
        "landing_page": page,
        "payments": len({(row.website_id, row.event_id) for row in bought}),
        "customers": len({row.customer for row in bought}),
        "revenue": money(credit),
        "other_currency_payments": sum(last for row, *_, last in group if row.other),
        "share": None if total == 0 else rounded(money(credit) / money(total), 4),
        "spend": money(known[0]) if known else None,
        "roas": ratio(money(credit), money(known[0])) if known else None,
        "currency": asked.currency,
    }
