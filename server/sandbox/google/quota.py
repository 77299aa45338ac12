"""The project's quota: operations in a sliding day, one for a search and one for every item of a mutate."""

import math
import os
from collections import deque
from collections.abc import Callable, Mapping

from server.sandbox.google import errors

OPERATIONS_PER_DAY = 15_000
_WINDOW = 86_400.0


def operations_per_day(environment: Mapping[str, str] = os.environ) -> int:
    raw = environment.get("SANDBOX_GOOGLE_OPERATIONS_PER_DAY", str(OPERATIONS_PER_DAY))
    if not raw.isdecimal() or int(raw) < 1:
        raise SystemExit(f"SANDBOX_GOOGLE_OPERATIONS_PER_DAY must be a positive integer, not {raw!r}")
    return int(raw)


class Quota:
    def __init__(self, daily: int, clock: Callable[[], float]) -> None:
        self._daily = daily
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0

    def charge(self, operations: int) -> None:
        """Count them; over the quota the whole request is refused and not counted."""
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - _WINDOW:
            self._total -= self._spent.popleft()[1]
        if self._total + operations > self._daily:
            oldest = self._spent[0][0] if self._spent else now
            raise errors.exhausted(max(1, math.ceil(oldest + _WINDOW - now)))
        self._spent.append((now, operations))
        self._total += operations
