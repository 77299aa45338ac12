"""How much of Meta's quota is used, as its answers' headers tell, and how long to wait because of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_COUNTERS = (
    "call_count", "total_time", "total_cputime", "acc_id_util_pct", "app_id_util_pct",
)  # fmt: skip
_BUSY, _FULL = 75.0, 95.0
_LONGEST_REGAIN = 24 * 3600


@dataclass(frozen=True, slots=True)
class Usage:
    """`percent` is the fullest of the quotas that the answer named."""

    percent: float = 0.0
    regain_seconds: int = 0  # until calls are let through again; 0: not told, or not throttled

    @property
    def pause(self) -> float:
        """Seconds to wait before reading on: none below 75 %, 0.1 to 2 between 75 and 95 %, 5 above."""
        if self.percent < _BUSY:
            return 0.0
        if self.percent >= _FULL:
            return 5.0
        return 0.1 + 1.9 * (self.percent - _BUSY) / (_FULL - _BUSY)


def read_usage(headers: Mapping[str, str]) -> Usage:
    """Header values are JSON; one that cannot be read counts as absent, as usage must never fail a call."""
    account = _json(headers, "x-ad-account-usage")
    cases = list(_business_cases(_json(headers, "x-business-use-case-usage")))
    named = [account, _json(headers, "x-app-usage"), _json(headers, "x-fb-ads-insights-throttle"), *cases]
    minutes = max((_number(case.get("estimated_time_to_regain_access")) for case in cases), default=0.0)
    seconds = 60 * minutes
    if not seconds and _number(account.get("acc_id_util_pct")) >= _FULL:  # below it the figure is no waiting time
        seconds = _number(account.get("reset_time_duration"))
    return Usage(
        percent=max(_number(part.get(counter)) for part in named for counter in _COUNTERS),
        regain_seconds=int(min(seconds, _LONGEST_REGAIN)),
    )


def _json(headers: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        value = orjson.loads(headers.get(name, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _business_cases(header: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for cases in header.values():
        if isinstance(cases, list):
            yield from (case for case in cases if isinstance(case, dict))


def _number(value: object) -> float:
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0
