"""From the spool to the store, which is away, in a hurry or hard to please."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.analytics.ingest.drops import Drops
from server.analytics.ingest.flusher import ROWS, Flusher
from server.analytics.ingest.quarantine import MOST_BYTES, Quarantine
from server.analytics.ingest.records import record
from server.analytics.ingest.spool import Spool
from tests.analytics import StandInPipes
from tests.server.analytics.ingest.rig import NOON, Rig
from tools.errors import CapabilityError, InvalidArguments, PlatformFailure, RateLimited, TooLarge, Unavailable

PATIENCE = 20


class Pauses:
    """Between tries: as long as they are few, they take no time."""

    def __init__(self) -> None:
        self.taken = 0
        self.second = asyncio.Event()

    async def __call__(self, _: float) -> None:
        self.taken += 1
        if self.taken >= 2:
            self.second.set()
            await asyncio.Event().wait()  # what comes of it is judged by now


@dataclass
class Picky(StandInPipes):
    """Refuses a request for one row that it does not like."""

    requests: list[tuple[str, int]] = field(default_factory=list)

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        self.requests.append((datasource, len(rows)))
        if any(row.get("bad") for row in rows):
            raise InvalidArguments("a row is not to my liking", fix="Leave it out.")
        return await super().append(datasource, rows)


@dataclass
class Expecting(StandInPipes):
    both: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        aside = await super().append(datasource, rows)
        if {"left", "pageviews"} <= self.appended.keys():
            self.both.set()
        return aside


def numbered(count: int, datasource: str = "pageviews") -> bytes:
    return record((datasource, {"n": number}) for number in range(count))


async def flusher_of(
    directory: Path, store: StandInPipes, pauses: Pauses | None = None, *, most_bytes: int = MOST_BYTES
) -> tuple[Spool, Flusher]:
    spool = Spool(directory)
    await spool.open()
    quarantine = Quarantine(directory, most_bytes=most_bytes)
    return spool, Flusher(spool, store, quarantine, Drops(lambda: NOON), pause=pauses or Pauses(), linger=0)


def segments(directory: Path) -> list[Path]:
    return list(directory.glob("*.spool"))


async def until_tried_twice(pauses: Pauses, flusher: Flusher) -> None:
    emptying = asyncio.create_task(flusher.drain())
    async with asyncio.timeout(PATIENCE):
        await pauses.second.wait()
    emptying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await emptying


async def test_rows_go_by_datasource_in_batches_of_bounded_size(tmp_path: Path) -> None:
    store = Picky()
    spool, flusher = await flusher_of(tmp_path, store)
    await spool.append(numbered(2 * ROWS + 1))
    await spool.append(numbered(3, "custom_goals"))

    await flusher.drain()

    assert sorted(store.requests) == [("custom_goals", 3), ("pageviews", 1), ("pageviews", ROWS), ("pageviews", ROWS)]
    assert [row["n"] for row in store.appended["pageviews"]] == list(range(2 * ROWS + 1))
    assert flusher.flushed == {"pageviews": 2 * ROWS + 1, "custom_goals": 3}
    assert spool.waiting == 0
    await spool.close()
    assert segments(tmp_path) == []


@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("away"),
        RateLimited("too fast", retry_after=7),
        PlatformFailure("a wrong token"),
    ],
)
async def test_while_the_store_is_away_it_is_tried_ever_more_seldom_and_nothing_is_lost(
    rig: Rig, failure: CapabilityError
) -> None:
    rig.store.failure = failure
    await rig.spool.append(numbered(5))

    await rig.flusher.drain()

    assert [row["n"] for row in rig.store.appended["pageviews"]] == [0, 1, 2, 3, 4]
    assert rig.pauses == sorted(rig.pauses)
    assert rig.pauses[0] >= (failure.retry_after or 0)
    assert rig.flusher.retries == 3
    assert (rig.flusher.healthy, rig.flusher.problem) == (True, "")


async def test_why_the_store_takes_nothing_is_told_while_it_is_so(tmp_path: Path) -> None:
    store, pauses = StandInPipes(failure=Unavailable("its disk is full")), Pauses()
    spool, flusher = await flusher_of(tmp_path, store, pauses)
    await spool.append(numbered(5))

    await until_tried_twice(pauses, flusher)

    assert (flusher.healthy, flusher.problem) == (False, "its disk is full")
    await spool.close()


async def test_a_segment_stays_until_the_store_has_all_of_it(tmp_path: Path) -> None:
    store, pauses = StandInPipes(failure=Unavailable("away")), Pauses()
    spool, flusher = await flusher_of(tmp_path, store, pauses)
    await spool.append(numbered(5))
    await until_tried_twice(pauses, flusher)
    await spool.close()  # as at the end of a process

    store.failure = None
    later, flusher = await flusher_of(tmp_path, store)
    await later.adopt()
    await flusher.drain()

    assert [row["n"] for row in store.appended["pageviews"]] == [0, 1, 2, 3, 4]
    assert segments(tmp_path) == []
    await later.close()


async def test_a_row_the_store_refuses_is_set_aside_and_holds_up_nobody(tmp_path: Path) -> None:
    store = Picky()
    spool, flusher = await flusher_of(tmp_path, store)
    rows = [("pageviews", {"n": number, "bad": number in (7, 411)}) for number in range(500)]
    await spool.append(record(rows))
    await spool.append(numbered(1, "custom_goals"))

    await flusher.drain()

    assert [row["n"] for row in store.appended["pageviews"]] == [n for n in range(500) if n not in (7, 411)]
    assert store.appended["custom_goals"] == [{"n": 0}]
    aside = [orjson.loads(line) for line in (tmp_path / "quarantine.ndjson").read_bytes().splitlines()]
    assert [(each["datasource"], each["row"]["n"], each["why"]) for each in aside] == [
        ("pageviews", 7, "a row is not to my liking"),
        ("pageviews", 411, "a row is not to my liking"),
    ]
    assert spool.waiting == 0
    await spool.close()


async def test_what_the_store_refuses_for_good_is_told_to_it_as_dropped(rig: Rig) -> None:
    picky = Picky()
    flusher = Flusher(rig.spool, picky, rig.quarantine, rig.drops, linger=0)
    of = {"workspace_id": "wsp_shop", "website_id": "admx_shop"}
    bad: dict[str, Any] = of | {"bad": True}
    refused = [("pageviews", bad), ("pageviews", of), ("custom_goals", bad), ("ingest_drops", bad)]
    await rig.spool.append(record(refused))

    await flusher.drain()

    (told,) = [row for _, row in rig.drops.take()]
    assert {key: told[key] for key in ("workspace_id", "website_id", "reason", "events")} == of | {
        "reason": "quarantined",
        "events": 2,
    }


async def test_a_batch_too_large_for_one_request_is_sent_in_parts(tmp_path: Path) -> None:
    class Small(StandInPipes):
        async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
            if len(rows) > 10:
                raise TooLarge("ten at once", fix="Append fewer rows.")
            return await super().append(datasource, rows)

    store = Small()
    spool, flusher = await flusher_of(tmp_path, store)
    await spool.append(numbered(64))

    await flusher.drain()

    assert [row["n"] for row in store.appended["pageviews"]] == list(range(64))
    assert not (tmp_path / "quarantine.ndjson").exists()
    await spool.close()


async def test_where_nothing_more_can_be_set_aside_a_refused_row_waits(tmp_path: Path) -> None:
    pauses = Pauses()
    spool, flusher = await flusher_of(tmp_path, Picky(), pauses, most_bytes=10)
    await spool.append(record([("pageviews", {"bad": True})]))

    await until_tried_twice(pauses, flusher)

    assert spool.waiting
    await spool.close()


async def test_it_runs_by_itself_and_takes_up_what_others_left(tmp_path: Path) -> None:
    left = Spool(tmp_path)
    await left.open()
    await left.append(numbered(2, "left"))
    await left.close()
    store = Expecting()
    spool, flusher = await flusher_of(tmp_path, store)
    running = asyncio.create_task(flusher.run())

    await spool.append(numbered(3))
    async with asyncio.timeout(PATIENCE):
        await store.both.wait()

    running.cancel()
    assert store.appended == {"left": [{"n": 0}, {"n": 1}], "pageviews": [{"n": 0}, {"n": 1}, {"n": 2}]}
    await spool.close()
