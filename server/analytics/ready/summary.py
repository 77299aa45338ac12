"""p_visitors_summary from sums: the engine adds them up in less time than it takes to plan 27 columns of them."""

from collections.abc import Sequence
from typing import Any

import orjson

_COUNT, _RATE = "UInt64", "Nullable(Float64)"
_TYPES = {
    "visitors": _COUNT,
    "sessions": _COUNT,
    "pageviews": _COUNT,
    "views_per_session": _RATE,
    "bounce_rate": _RATE,
    "avg_seconds": _RATE,
    "goals": _COUNT,
    "payments": _COUNT,
    "revenue": "Decimal(38, 4)",
    "other_currency_payments": _COUNT,
    "conversion_rate": _RATE,
    "aov": _RATE,
    "revenue_per_visitor": _RATE,
}


def summary(sums: bytes, *, currency: str, compare: bool) -> bytes:
    """`sums`: the JSON that ready_visitors_summary answers; its row has `these` and `those`, the sums of
    ready_days.figures over the range and over the one before, and the revenue of each as text."""
    found = orjson.loads(sums)
    row = found["data"][0]
    meta, data = dict(_TYPES), _figures(row["these"], row["revenue"])
    meta["currency"], data["currency"] = "String", currency
    if compare:
        meta |= {f"{name}_prev": kind for name, kind in _TYPES.items()}
        data |= {f"{name}_prev": value for name, value in _figures(row["those"], row["revenue_before"]).items()}
    told = [{"name": name, "type": kind} for name, kind in meta.items()]
    return orjson.dumps({**found, "meta": told, "data": [data]})


def _figures(sums: Sequence[int], revenue: str) -> dict[str, Any]:
    """`sums`: as ready_days has its figures; empty where there were no days."""
    visitors, sessions, pageviews, bounces, duration_ms, converted, goals, payments, foreign = sums or [0] * 9
    return {
        "visitors": visitors,
        "sessions": sessions,
        "pageviews": pageviews,
        "views_per_session": _rate(pageviews, sessions, 2),
        "bounce_rate": _rate(bounces, sessions, 4),
        "avg_seconds": _rate(duration_ms, sessions, 1, unit=1000),
        "goals": goals,
        "payments": payments,
        "revenue": orjson.Fragment(revenue),
        "other_currency_payments": foreign,
        "conversion_rate": _rate(converted, visitors, 4),
        "aov": _rate(float(revenue), payments, 4),
        "revenue_per_visitor": _rate(float(revenue), visitors, 4),
    }


def _rate(of: float, by: int, digits: int, *, unit: int = 1) -> float | None:
    """Rounded and written as the engine does it: half to even of the value times the power of ten, 2.0 as 2."""
    if not by:
        return None
    rate = round(of / by / unit * 10**digits) / 10**digits
    return int(rate) if rate.is_integer() and abs(rate) < 2**63 else rate
