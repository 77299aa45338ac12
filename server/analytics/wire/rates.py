"""Requests a second of each token's name, over the second that just went by."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 1.0
MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    allowed: bool
    limit: int
    remaining: int
    reset: float  # seconds until there is room again, or until all of it

    def headers(self) -> dict[str, str]:
        told = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(math.ceil(self.reset)),
        }
        return told if self.allowed else {**told, "retry-after": str(max(1, math.ceil(self.reset)))}


class Rates:
    """All tokens of one name share their limit, however many were minted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: dict[str, deque[float]] = {}

    def take(self, name: str, limit: int) -> Rate:
        now = self._clock()
        taken = self._taken.pop(name, None) or deque()
        while taken and taken[0] <= now - WINDOW_SECONDS:
            taken.popleft()
        allowed = len(taken) < limit
        if allowed:
            taken.append(now)
        self._taken[name] = taken  # last again: whoever is first in the dictionary asked longest ago
        while len(self._taken) > MOST_NAMES:
            del self._taken[next(iter(self._taken))]
        # Refused, the next one is let in when enough of those in the window have left it.
        waits_for = taken[len(taken) - limit] if not allowed else taken[-1]
        return Rate(allowed, limit, max(0, limit - len(taken)), waits_for + WINDOW_SECONDS - now)
