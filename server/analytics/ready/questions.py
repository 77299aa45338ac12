"""Which questions the sums answer, and from which place: plain ones, whose values are written as they should be."""

import datetime as dt
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from server.analytics.composition import Values
from server.analytics.engine import Format

SUMMARY = "p_visitors_summary"
TWINS = {
    SUMMARY: "ready_visitors_summary",
    "p_metric_series": "ready_metric_series",
    "p_channel_series": "ready_channel_series",
    "p_revenue_series": "ready_revenue_series",
}
_FIRST, _LAST = dt.date(1970, 1, 2), dt.date(2105, 12, 30)
_TAKEN = frozenset(
    ("workspace_id", "website_id", "tz", "from", "to", "interval", "metric", "compare", "limit", "offset")
)
_OF_VISITS = ("visitors", "sessions", "pageviews", "bounce_rate", "avg_seconds", "goals")
_METRICS = frozenset((*_OF_VISITS, "revenue", "payments", "customers", "aov"))
_MOST_ROWS = 1000
_DAY, _NUMBER = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{1,9}", re.ASCII)
Place = tuple[tuple[str, str], str]
"""Workspace and website, and the zone whose days are meant."""


def place(pipe: str, values: Values, output: Format) -> Place | None:
    """Of a question about one website, by the day and without filters; None for any other. A summary is told as JSON
    alone, for it is not the engine that writes it."""
    told = {name: value for name, value in values.items() if name in _TAKEN and isinstance(value, str)}
    workspace, website, zone = told.get("workspace_id"), told.get("website_id"), told.get("tz", "UTC")
    if pipe not in TWINS or len(told) != len(values) or workspace is None or website is None:
        return None
    by_the_day = told.get("interval", "day") == "day" and told.get("compare", "1") in {"0", "1"}
    measured = told.get("metric") in _METRICS if pipe == "p_metric_series" else "metric" not in told
    written = pipe != SUMMARY or output is Format.JSON
    plain = by_the_day and measured and written and _is_page(told) and _is_range(told) and _is_zone(zone)
    return ((workspace, website), zone) if plain else None


def _is_page(told: Mapping[str, str]) -> bool:
    numbers = (told.get("limit", "0"), told.get("offset", "0"))
    return all(map(_NUMBER.fullmatch, numbers)) and int(numbers[0]) <= _MOST_ROWS


def _is_range(told: Mapping[str, str]) -> bool:
    """Whether it and the one before it are days that a Date can tell."""
    if "to" not in told:
        return "from" not in told
    last = _day(told["to"])
    first = _day(told["from"]) if "from" in told else last and last - dt.timedelta(days=29)
    return first is not None and last is not None and first <= last <= _LAST and first - _FIRST > last - first


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ValueError, LookupError, OSError):
        return False
