"""The platform's quota: a sliding hour of points for each ad account, reported in the usage headers of every answer."""

import math
import os
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import orjson

from server.sandbox.meta import errors

POINTS_PER_HOUR = 20_000
"""Generous, so that a demo is never in its own way; SANDBOX_META_CALLS_PER_HOUR=200 gives the classic tight quota."""

_READ, _WRITE = 1, 3
_WINDOW = 3600.0
_TIER = "standard_access"


def points_per_hour(environment: Mapping[str, str] = os.environ) -> int:
    raw = environment.get("SANDBOX_META_CALLS_PER_HOUR", str(POINTS_PER_HOUR))
    if not raw.isdecimal() or int(raw) < 1:
        raise SystemExit(f"SANDBOX_META_CALLS_PER_HOUR must be a positive integer, not {raw!r}")
    return int(raw)


class Limits:
    def __init__(self, hourly: int, clock: Callable[[], float]) -> None:
        self._hourly = hourly
        self._clock = clock
        self._spent: defaultdict[str, deque[tuple[float, int]]] = defaultdict(deque)
        self._total: defaultdict[str, int] = defaultdict(int)

    def charge(self, account_id: str, method: str) -> None:
        """Count one call against an account ("" is the app alone); over the quota it is refused and not counted."""
        points = _READ if method == "GET" else _WRITE
        if account_id and self._used(account_id) + points > self._hourly:
            raise errors.user_limit_reached(max(1, math.ceil(self._reset(account_id) / 60)))
        self._spent[account_id].append((self._clock(), points))
        self._total[account_id] += points

    def headers(self, account_id: str, *, insights: bool, regain_minutes: int) -> dict[str, str]:
        """`account_id` is empty for a call about no account; `regain_minutes` is how long the caller must wait."""
        app = min(100, round(100 * sum(self._used(each) for each in list(self._spent)) / (self._hourly * 10)))
        headers = {"X-App-Usage": _json({"call_count": app, "total_time": app, "total_cputime": app})}
        if not account_id:
            return headers
        percent = 100.0 if regain_minutes else min(100.0, round(100 * self._used(account_id) / self._hourly, 2))
        headers["X-Ad-Account-Usage"] = _json(
            {
                "acc_id_util_pct": percent,
                "reset_time_duration": self._reset(account_id),
                "ads_api_access_tier": _TIER,
            }
        )
        headers["X-Business-Use-Case-Usage"] = _json(
            {
                account_id: [
                    {
                        "type": "ads_insights" if insights else "ads_management",
                        "call_count": round(percent),
                        "total_cputime": round(percent / 4),
                        "total_time": round(percent / 4),
                        "estimated_time_to_regain_access": regain_minutes,
                        "ads_api_access_tier": _TIER,
                    }
                ]
            }
        )
        if insights:
            headers["x-fb-ads-insights-throttle"] = _json(
                {
                    "app_id_util_pct": float(app),
                    "acc_id_util_pct": percent,
                    "ads_api_access_tier": _TIER,
                }
            )
        return headers

    def _used(self, account_id: str) -> int:
        spent = self._spent[account_id]
        while spent and spent[0][0] <= self._clock() - _WINDOW:
            self._total[account_id] -= spent.popleft()[1]
        return self._total[account_id]

    def _reset(self, account_id: str) -> int:
        spent = self._spent[account_id]
        return max(0, round(spent[0][0] + _WINDOW - self._clock())) if spent else 0


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
