"""The sliding window admits exactly the limit, with the clock set back too."""

from collections import deque
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import limits
from tools.limits import Hit, MemoryLimiter

START = 1_800_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> MemoryLimiter:
    return MemoryLimiter(clock)


async def test_the_limit_is_admitted_and_the_next_is_told_when_to_come_back(
    limiter: MemoryLimiter, clock: Clock
) -> None:
    admitted = []
    for _ in range(3):
        admitted.append(await limiter.hit("key", 3))
        clock.now += 10_000
    refused = await limiter.hit("key", 3)

    assert [hit.remaining for hit in admitted] == [2, 1, 0]
    assert [hit.reset_seconds for hit in admitted] == [60, 50, 40]
    assert refused == Hit(allowed=False, remaining=0, retry_after_seconds=30, reset_seconds=30)

    clock.now += 29_999
    assert (await limiter.hit("key", 3)).retry_after_seconds == 1
    clock.now += 1
    assert (await limiter.hit("key", 3)).allowed


async def test_keys_do_not_share(limiter: MemoryLimiter) -> None:
    assert (await limiter.hit("one", 1)).allowed
    assert (await limiter.hit("two", 1)).allowed
    assert not (await limiter.hit("one", 1)).allowed


async def test_a_changed_limit_counts_afresh(limiter: MemoryLimiter) -> None:
    for _ in range(5):
        await limiter.hit("key", 5)

    assert (await limiter.hit("key", 2)).remaining == 1
    assert not (await limiter.hit("key", 5)).allowed
    assert (await limiter.hit("key", 5, window_ms=1000)).allowed


async def test_a_clock_set_back_neither_frees_nor_freezes(limiter: MemoryLimiter, clock: Clock) -> None:
    await limiter.hit("key", 1)
    clock.now -= 3_600_000
    assert (await limiter.hit("key", 1)).retry_after_seconds == 60
    clock.now += 59_999
    assert not (await limiter.hit("key", 1)).allowed
    clock.now += 1
    assert (await limiter.hit("key", 1)).allowed


async def test_a_refusal_is_not_counted(limiter: MemoryLimiter, clock: Clock) -> None:
    await limiter.hit("key", 1)
    for _ in range(100):
        clock.now += 500
        assert not (await limiter.hit("key", 1)).allowed
    clock.now += 10_000

    assert (await limiter.hit("key", 1)).allowed


async def test_stale_keys_are_pruned(limiter: MemoryLimiter, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_PRUNE_EVERY", 10)
    for n in range(5):
        await limiter.hit(f"old{n}", 60)
    clock.now += 60_000
    for n in range(5):
        await limiter.hit(f"new{n}", 60)

    assert sorted(key for key, _, _ in limiter._logs) == [f"new{n}" for n in range(5)]


async def test_a_limit_that_admits_nothing_is_a_mistake(limiter: MemoryLimiter) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await limiter.hit("key", 0)


class Model:
    """The definition itself: at most `limit` admitted hits younger than the window."""

    def __init__(self, limit: int, window: int) -> None:
        self.limit, self.window = limit, window
        self.hits: deque[int] = deque()

    def hit(self, now: int) -> tuple[bool, int, int]:
        while self.hits and self.hits[0] <= now - self.window:
            self.hits.popleft()
        allowed = len(self.hits) < self.limit
        if allowed:
            self.hits.append(now)
        oldest_leaves = -(-(self.hits[0] + self.window - now) // 1000)
        return allowed, self.limit - len(self.hits), oldest_leaves


@settings(max_examples=60)
@given(
    limit=st.integers(1, 8),
    window=st.integers(1, 5000),
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(-2000, 2500)), max_size=60),
)
async def test_it_decides_as_the_definition_does(limit: int, window: int, steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    told = SimpleNamespace(now=START)
    models = {key: Model(limit, window) for key in "ab"}
    limiter = MemoryLimiter(clock)
    for key, step in steps:
        clock.now += step
        told.now += max(0, step)  # going back counts as standing still
        hit = await limiter.hit(key, limit, window)
        allowed, remaining, leaves = models[key].hit(told.now)
        assert hit == Hit(allowed, remaining, 0 if allowed else leaves, leaves)
