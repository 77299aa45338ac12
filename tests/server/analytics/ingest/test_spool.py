"""What is acknowledged is on disk, and what cannot be is refused."""

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.analytics.ingest.segments import BEGINNING, whole
from server.analytics.ingest.spool import Spool
from tools.errors import IngestUnavailable


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path / "ingest")
    await spool.open()
    yield spool
    await spool.close()


def on_disk(directory: Path) -> list[bytes]:
    files = sorted(directory.glob("*.spool"))
    return [record for path in files for record, _ in whole(path.read_bytes(), len(BEGINNING))]


def segments(directory: Path) -> list[Path]:
    return list(directory.glob("*.spool"))


async def take_all(spool: Spool) -> None:
    for segment in spool.segments:
        segment.taken = segment.durable
    await spool.release()


async def test_what_is_acknowledged_is_on_disk(spool: Spool) -> None:
    await spool.append(b"one")

    assert on_disk(spool.directory) == [b"one"]


async def test_what_arrives_at_once_shares_one_sync(spool: Spool) -> None:
    await asyncio.gather(*(spool.append(b"%d" % number) for number in range(200)))

    assert spool.commits == 1
    assert on_disk(spool.directory) == [b"%d" % number for number in range(200)]


async def test_who_stops_waiting_does_not_stop_the_writing(spool: Spool) -> None:
    task = asyncio.create_task(spool.append(b"left"))
    await asyncio.sleep(0)
    task.cancel()
    await spool.append(b"stayed")

    assert on_disk(spool.directory) == [b"left", b"stayed"]


async def test_a_disk_that_takes_no_more_refuses_and_is_tried_again(spool: Spool) -> None:
    await spool.append(b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        for _ in range(3):
            with pytest.raises(IngestUnavailable) as refusal:
                await spool.append(b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await spool.append(b"after")

    assert refusal.value.status == 503
    assert refusal.value.retry_after
    assert spool.failures == spool.refused == 3
    assert on_disk(spool.directory) == [b"before", b"after"]


async def test_a_directory_that_is_gone_refuses_until_it_is_back(spool: Spool) -> None:
    shutil.rmtree(spool.directory)
    with pytest.raises(IngestUnavailable):
        await spool.append(b"lost")

    spool.directory.mkdir()
    await spool.append(b"kept")

    assert on_disk(spool.directory) == [b"kept"]


async def test_as_much_waits_as_may_and_no_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_waiting=1000)
    await spool.open()
    for _ in range(8):
        await spool.append(b"x" * 100)
    with pytest.raises(IngestUnavailable):
        await spool.append(b"x" * 200)
    assert spool.refused == 1

    await take_all(spool)
    await spool.append(b"x" * 200)

    assert spool.waiting == 208
    await spool.close()


async def test_a_full_segment_is_followed_by_another_and_removed_when_the_store_has_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
    await spool.open()
    for number in range(6):
        await spool.append(b"%d" % number * 60)
    assert len(on_disk(tmp_path)) == 6
    assert len(segments(tmp_path)) == 3

    await take_all(spool)

    assert len(segments(tmp_path)) == 1  # the one being written
    await spool.close()
    assert segments(tmp_path) == []


async def test_what_the_store_has_not_stays_for_the_next_process(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    await first.open()
    await first.append(b"waiting")
    await first.close()
    with pytest.raises(IngestUnavailable):
        await first.append(b"late")

    second = Spool(tmp_path)
    await second.open()
    await second.adopt()

    (segment,) = second.segments
    assert [record for record, _ in await second.read(segment, segment.taken)] == [b"waiting"]
    assert second.arrived.is_set()
    await second.close()


async def test_two_living_processes_share_a_directory_and_no_segment(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    await first.open()
    await second.open()
    await asyncio.gather(first.append(b"of the first"), second.append(b"of the second"))
    await first.adopt()
    await second.adopt()

    assert [len(spool.segments) for spool in (first, second)] == [1, 1]
    assert {segment.path for segment in first.segments}.isdisjoint(segment.path for segment in second.segments)
    await first.close()
    await second.close()
