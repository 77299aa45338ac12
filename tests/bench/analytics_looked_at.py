"""The pipes of a dashboard while its website is looked at: at rest, and while a visitor comes every second."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping

import orjson

from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from tests.bench.analytics_data import FIRST_DAY, LAST_DAY
from tests.bench.table import Row

READY_MS = 20.0
ROUNDS, BUSY_ROUNDS = 40, 60
EVENT_EVERY_SECONDS, QUESTION_EVERY_SECONDS = 1.0, 0.05
FROM = (FIRST_DAY, "2026-09-01", "2026-10-02", "2026-10-25", LAST_DAY)
Questions = Mapping[str, Mapping[str, str]]


async def looked_at(deployed: Deployed, questions: Questions) -> AsyncIterator[Row]:
    """95th percentiles of what they took by the clock. A store that was measured before holds the visitors already."""
    if not questions:
        return
    for pipe, values in itertools.chain(*[questions.items()] * 2):
        await deployed.query(pipe, values, output=Format.JSON)
    yield Row("the days of a website that is looked at, all made ready", "s", await _seconds(deployed.make_ready()))
    for pipe, values in questions.items():
        took = [await _asked(deployed, pipe, values) for _ in range(ROUNDS)]
        yield Row(f"{pipe}, p95, looked at", "ms", p95(took), None, READY_MS)
    arriving = _visitors()
    await _arrived(deployed, next(arriving))
    yield Row("the same days after a visitor", "ms", await _seconds(deployed.make_ready()) * 1e3)
    for pipe, found in (await _busy(deployed, questions, arriving)).items():
        yield Row(f"{pipe}, p95, looked at while a visitor comes every second", "ms", p95(found), None, READY_MS)


async def _busy(deployed: Deployed, questions: Questions, arriving: Iterator[bytes]) -> Mapping[str, list[float]]:
    async def arrive() -> None:
        for visitor in arriving:
            await _arrived(deployed, visitor)
            await asyncio.sleep(EVENT_EVERY_SECONDS)

    took: dict[str, list[float]] = {pipe: [] for pipe in questions}
    beside = [asyncio.create_task(work) for work in (deployed.keep_ready(), arrive())]
    for first, (pipe, values) in itertools.islice(
        zip(itertools.cycle(FROM), itertools.cycle(questions.items()), strict=False), BUSY_ROUNDS * len(questions)
    ):
        took[pipe].append(await _asked(deployed, pipe, {**values, "from": first}))
        await asyncio.sleep(QUESTION_EVERY_SECONDS)
    for task in beside:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return took


def _visitors() -> Iterator[bytes]:
    """Of the last minutes, the same each time."""
    for number in range(600):
        yield orjson.dumps(
            {
                "workspace_id": "wsp_bench",
                "website_id": "admx_1",
                "channel": "direct",
                "path": "/p/1",
                "event_id": f"late{number}",
                "visitor_id": f"late{number}",
                "session_id": f"late{number}",
                "ts": f"{LAST_DAY} 23:5{number // 60 % 10}:{number % 60:02}.000",
            }
        )


async def _arrived(deployed: Deployed, visitor: bytes) -> None:
    appended = await deployed.append("pageviews", visitor)
    assert appended.successful_rows == 1


async def _asked(deployed: Deployed, pipe: str, values: Mapping[str, str]) -> float:
    return await _seconds(deployed.query(pipe, values, output=Format.JSON)) * 1e3


async def _seconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def p95(spent: list[float]) -> float:
    return sorted(spent)[min(len(spent) - 1, int(len(spent) * 0.95))]
