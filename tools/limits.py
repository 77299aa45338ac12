"""Exact rate limits: never more than the limit in any window, never a refusal with room left."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

_PRUNE_EVERY = 4096


class Hit(NamedTuple):
    allowed: bool
    remaining: int
    retry_after_seconds: int  # 0 when allowed; whole seconds, rounded up
    reset_seconds: int  # until the oldest counted hit leaves the window and one more fits


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


class Limiter(Protocol):
    """In memory where one process owns the data directory, else in the database that all processes share."""

    async def hit(self, key: str, limit: int, window_ms: int = 60_000) -> Hit:
        """Count one try of `key`, if fewer than `limit` were admitted in the last `window_ms`."""


def check(limit: int, window_ms: int) -> None:
    if limit < 1 or window_ms < 1:
        raise ValueError("a limit admits at least one hit in at least one millisecond")


class _Log:
    """The times of a key's admitted hits, oldest first, in milliseconds."""

    __slots__ = ("hits", "window_ms")

    def __init__(self, window_ms: int) -> None:
        self.hits: deque[int] = deque()
        self.window_ms = window_ms


class MemoryLimiter:
    """A sliding log of hits a key, in the memory of the one process that owns the data directory.

    Nothing of it waits for a disk or gives the interpreter lock away. A restart starts with empty windows.
    """

    def __init__(self, clock: Callable[[], int] = wall_clock) -> None:
        self._clock = clock
        self._ahead = 0
        self._newest = 0
        self._hits = 0
        self._logs: dict[tuple[str, int, int], _Log] = {}

    async def hit(self, key: str, limit: int, window_ms: int = 60_000) -> Hit:
        """Count one try of `key`, if fewer than `limit` were admitted in the last `window_ms`."""
        check(limit, window_ms)
        now = self._now()
        self._prune(now)
        # A changed limit counts afresh: the old log may be longer than the new one can judge.
        log = self._logs.get((key, limit, window_ms))
        if log is None:
            log = self._logs[key, limit, window_ms] = _Log(window_ms)
        hits = log.hits
        while hits and hits[0] <= now - window_ms:
            hits.popleft()
        allowed = len(hits) < limit
        if allowed:
            hits.append(now)
        wait = -(-(hits[0] + window_ms - now) // 1000)
        return Hit(allowed, limit - len(hits), 0 if allowed else wait, wait)

    def _now(self) -> int:
        """The clock, held where it went backwards: from there it runs on, so that a step neither frees nor freezes."""
        now = self._clock() + self._ahead
        if now < self._newest:
            self._ahead += self._newest - now
        self._newest = max(now, self._newest)
        return self._newest

    def _prune(self, now: int) -> None:
        """Forget keys whose every hit has left its window."""
        self._hits += 1
        if self._hits % _PRUNE_EVERY == 0:
            stale = [key for key, log in self._logs.items() if not log.hits or log.hits[-1] <= now - log.window_ms]
            for key in stale:
                del self._logs[key]
