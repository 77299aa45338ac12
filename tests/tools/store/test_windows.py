"""The shared window admits exactly the limit over all processes, with the clock set back too."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database import database_in
from tools.limits import Hit, Limiter
from tools.store.engine import Store, StoreUnavailable
from tools.store.opening import limiter_of, open_store
from tools.store.postgresql import PostgresStore

START = 1_800_000_000_000


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(store: Store, clock: Clock) -> Limiter:
    return limiter_of(store, clock)


@asynccontextmanager
async def processes(directory: Path, count: int) -> AsyncIterator[list[Limiter]]:
    stores = [await open_store(database_in(directory)) for _ in range(count)]
    try:
        yield [limiter_of(store) for store in stores]
    finally:
        for store in stores:
            await store.close()


async def test_the_limit_is_admitted_and_the_next_is_told_when_to_come_back(limiter: Limiter, clock: Clock) -> None:
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


async def test_of_many_processes_at_once_exactly_the_limit_is_admitted(tmp_path: Path) -> None:
    async with processes(tmp_path, 4) as limiters:
        hits = await asyncio.gather(*(limiter.hit("key", 25) for limiter in limiters for _ in range(30)))

    assert sum(hit.allowed for hit in hits) == 25
    assert all(0 < hit.retry_after_seconds <= 60 for hit in hits if not hit.allowed)


async def test_keys_do_not_share_and_a_changed_limit_counts_afresh(limiter: Limiter) -> None:
    assert (await limiter.hit("one", 1)).allowed
    assert (await limiter.hit("two", 1)).allowed
    assert not (await limiter.hit("one", 1)).allowed
    assert (await limiter.hit("one", 2)).remaining == 1


async def test_a_clock_set_back_neither_frees_nor_freezes(limiter: Limiter, clock: Clock) -> None:
    await limiter.hit("key", 1)
    clock.now -= 3_600_000
    assert (await limiter.hit("key", 1)).retry_after_seconds == 60
    clock.now += 59_999
    assert not (await limiter.hit("key", 1)).allowed
    clock.now += 1
    assert (await limiter.hit("key", 1)).allowed


async def test_a_refusal_is_not_counted(limiter: Limiter, clock: Clock) -> None:
    await limiter.hit("key", 1)
    for _ in range(20):
        clock.now += 2500
        assert not (await limiter.hit("key", 1)).allowed
    clock.now += 10_000

    assert (await limiter.hit("key", 1)).allowed


async def test_a_limit_that_admits_nothing_is_a_mistake(limiter: Limiter) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await limiter.hit("key", 0)


async def test_without_the_database_nothing_is_admitted(store: Store, limiter: Limiter) -> None:
    await store.close()

    with pytest.raises(StoreUnavailable):
        await limiter.hit("key", 1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 8),
    window=st.integers(1, 5000),
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2500)), max_size=40),
)
async def test_it_decides_as_the_definition_does(
    store: Store, limit: int, window: int, steps: list[tuple[str, int]]
) -> None:
    clock, log = Clock(), {key: deque[int]() for key in "ab"}
    limiter = limiter_of(store, clock)
    assert isinstance(store, PostgresStore)
    await store.fetch("DELETE FROM rate_limits")
    for key, step in steps:
        clock.now += step
        hits = log[key]
        while hits and hits[0] <= clock.now - window:
            hits.popleft()
        allowed = len(hits) < limit
        if allowed:
            hits.append(clock.now)
        leaves = -(-(hits[0] + window - clock.now) // 1000)

        hit = await limiter.hit(key, limit, window)

        assert hit == Hit(allowed, limit - len(hits), 0 if allowed else leaves, leaves)
