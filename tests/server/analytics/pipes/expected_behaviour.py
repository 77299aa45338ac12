"""What pipes of funnels and of retention are to answer, computed by pandas and plain loops alone."""

import datetime as dt
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from tests.server.analytics.pipes.asked import Asked, rate, rounded
from tests.server.analytics.pipes.expected_traffic import Rows


def retention_cohort(asked: Asked) -> Rows:
    period, most = asked.values.get("period", "week"), int(asked.values.get("n", "8"))
    views = asked.owned("pageviews")
    views = views[views["ms"] < asked.until]
    if asked.filtered:
        views = views[views["visitor_id"].isin(set(asked.sessions["visitor_id"]))]
    cohorts: dict[dt.date, list[set[int]]] = defaultdict(list)
    for _, part in views.assign(day=asked.day(views)).groupby("visitor_id")[["ms", "day"]]:
        if part["ms"].min() >= asked.since:
            starts = {_begin(day, period) for day in part["day"]}
            cohorts[min(starts)].append({_between(min(starts), start, period) for start in starts})
    return [
        {
            "cohort": str(cohort),
            "period": number,
            "cohort_size": len(members),
            "retained": (back := sum(number in periods for periods in members)),
            "rate": rate(back, len(members)),
        }
        for cohort, members in sorted(cohorts.items())
        for number in range(min(most, _between(cohort, _begin(asked.last, period), period)) + 1)
    ]


def _begin(day: dt.date, period: str) -> dt.date:
    if period == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _between(first: dt.date, then: dt.date, period: str) -> int:
    if period == "month":
        return (then.year - first.year) * 12 + then.month - first.month
    return (then - first).days // (7 if period == "week" else 1)


def funnel(asked: Asked) -> Rows:
    steps = asked.values["steps"].split(",")
    moments: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for view in asked.within("pageviews").to_dict("records"):
        moments[view["visitor_id"]] += [(view["ms"], k) for k, path in enumerate(steps) if path == view["path"]]
    levels = [_level(made, len(steps), _window(asked)) for made in _chosen(asked, moments).values()]
    counts = [sum(level > k for level in levels) for k in range(len(steps))]
    return [
        {
            "step": k + 1,
            "label": step,
            "visitors": counts[k],
            "drop_off": counts[k - 1] - counts[k] if k else 0,
            "rate_prev": rate(counts[k], counts[k - 1]) if k else rate(counts[0], counts[0]),
            "rate_total": rate(counts[k], counts[0]),
        }
        for k, step in enumerate(steps)
    ]


def _window(asked: Asked) -> int:
    return int(asked.values.get("window_s", "604800")) * 1000


def _chosen(asked: Asked, moments: dict[Any, Any]) -> dict[Any, Any]:
    if not asked.filtered:
        return moments
    visitors = set(asked.sessions["visitor_id"])
    return {key: made for key, made in moments.items() if (key if isinstance(key, str) else key[0]) in visitors}


def _level(made: Iterable[tuple[int, int]], steps: int, window: int) -> int:
    """The furthest step of any way that begins at any first step: each next one as early as it can be."""
    made, best = sorted(made), 0
    for start in [at for at, k in made if k == 0]:
        at, level = start, 1
        while level < steps and (later := [t for t, k in made if k == level and at < t <= start + window]):
            at, level = min(later), level + 1
        best = max(best, level)
    return best


def funnel_v2(asked: Asked) -> Rows:
    steps = json.loads(asked.values["steps"])
    moments: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    whole = asked.values.get("mode", "strict_increase") == "strict_increase"
    for name, kind, told in (
        ("pageviews", "path", "path"),
        ("custom_goals", "goal", "name"),
        ("visitor_payments", "payment", ""),
    ):
        for event in asked.within(name).to_dict("records"):
            if kind == "payment" and event["kind"] == "refund":
                continue
            key = (event["visitor_id"], "" if whole else event["session_id"])
            moments[key] += [
                (event["ms"], k)
                for k, step in enumerate(steps)
                if step["type"] == kind and (kind == "payment" or _matches(step, event[told]))
            ]
    segments = _segments(asked)
    ways: dict[str, list[tuple[str, list[list[int]]]]] = defaultdict(list)
    for (visitor, _), made in _chosen(asked, moments).items():
        if made:
            ways[segments.get(visitor, "")].append((visitor, _last_ways(made, len(steps), _window(asked))))
    if not ways and not asked.values.get("breakdown"):
        ways[""] = []
    rows = []
    for segment, found in ways.items():
        counts = [len({visitor for visitor, reached in found if reached[k]}) for k in range(len(steps))]
        for k, step in enumerate(steps):
            taken = [reached[k][k] - reached[k][k - 1] for _, reached in found if k and reached[k]]
            rows.append(
                (
                    -counts[0],
                    {
                        "step": k + 1,
                        "label": step.get("label") or step.get("value") or step["type"],
                        "segment": segment,
                        "visitors": counts[k],
                        "drop_off": counts[k - 1] - counts[k] if k else 0,
                        "conversion_from_previous": rate(counts[k], counts[k - 1]) if k else rate(counts[0], counts[0]),
                        "conversion_from_first": rate(counts[k], counts[0]),
                        "median_seconds": rounded(float(pd.Series(taken).median()) / 1000, 1) if taken else None,
                    },
                )
            )
    return [row for _, row in sorted(rows, key=lambda pair: (pair[0], pair[1]["segment"], pair[1]["step"]))]


def _matches(step: dict[str, str], text: str) -> bool:
    value = step["value"]
    return {
        "is": text == value,
        "contains": value in text,
        "starts_with": text.startswith(value),
        "ends_with": text.endswith(value),
    }[step.get("op", "is")]


def _segments(asked: Asked) -> dict[str, str]:
    if not (by := asked.values.get("breakdown")):
        return {}
    ordered = asked.sessions.sort_values(["started", "session_id"], ascending=False)
    return dict(zip(ordered["visitor_id"], ordered[by], strict=True))


def _last_ways(made: list[tuple[int, int]], steps: int, window: int) -> list[list[int]]:
    """For each step the moments of the way that came there last: from the latest first step that led to it."""
    ways: list[list[int]] = [[] for _ in range(steps)]
    for at, happened in itertools.groupby(sorted(made), key=lambda pair: pair[0]):
        before = [list(way) for way in ways]
        for _, k in happened:
            if k == 0:
                ways[0] = [at]
            elif before[k - 1] and at - before[k - 1][0] <= window:
                ways[k] = [*before[k - 1], at]
    return ways
