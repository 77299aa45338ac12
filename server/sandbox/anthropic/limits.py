"""What a key may ask in a minute, and the headers that say how much of it is left."""

import math
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from server.sandbox.anthropic.errors import rate_limited

_WINDOW = 60.0
_PER_MINUTE = {"requests": 20_000, "input-tokens": 50_000_000, "output-tokens": 10_000_000}
"""Generous, so that a demo is never in its own way."""


class Limits:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._used: defaultdict[str, deque[tuple[float, dict[str, int]]]] = defaultdict(deque)
        self._sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_PER_MINUTE, 0))

    def charge(self, key: str, input_tokens: int, output_tokens: int) -> None:
        amounts = {"requests": 1, "input-tokens": input_tokens, "output-tokens": output_tokens}
        self._used[key].append((self._now().timestamp(), amounts))
        for name, amount in amounts.items():
            self._sums[key][name] += amount

    def check(self, key: str) -> None:
        self._forget(key)
        if any(self._sums[key][name] >= most for name, most in _PER_MINUTE.items()):
            raise rate_limited(max(1, math.ceil(self._reset(key))))

    def headers(self, key: str) -> dict[str, str]:
        self._forget(key)
        reset = self._now().astimezone(UTC) + timedelta(seconds=self._reset(key))
        shown: dict[str, str] = {}
        for name, most in _PER_MINUTE.items():
            shown[f"anthropic-ratelimit-{name}-limit"] = str(most)
            shown[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, most - self._sums[key][name]))
            shown[f"anthropic-ratelimit-{name}-reset"] = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
        return shown

    def _forget(self, key: str) -> None:
        used = self._used[key]
        while used and used[0][0] <= self._now().timestamp() - _WINDOW:
            for name, amount in used.popleft()[1].items():
                self._sums[key][name] -= amount

    def _reset(self, key: str) -> float:
        used = self._used[key]
        return max(0.0, used[0][0] + _WINDOW - self._now().timestamp()) if used else 0.0
