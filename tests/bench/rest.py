"""What a REST read costs with key, limits and audit on, beside a bare route that answers the same bytes."""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.load import Load, Request
from tests.bench.processes import Side, settle, started
from tests.bench.table import Row

TARGET = 2.0


def measure(*, quick: bool) -> list[Row]:
    batches, requests = (3, 600) if quick else (11, 3000)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with started(["tests.bench.sides", "ours", name]) as ours:
            asked = _with_keys(ours)
            answer = Load(ours.url, 1)
            (directory / "me.json").write_bytes(answer.one(next(asked)))
            answer.close()
            with started(["tests.bench.sides", "bare", str(directory / "me.json")]) as bare:
                plain = itertools.repeat(Request.of("GET", "/api/v1/me", {}))
                costs = _interleaved([(ours, asked), (bare, plain)], batches, requests)
                rows = [Row("GET /api/v1/me, beside a bare Starlette route", "µs CPU", costs[0], costs[1], TARGET)]
            return [*rows, *_on_both(ours, asked, batches, requests)]


def _on_both(ours: Side, asked: Iterator[Request], batches: int, requests: int) -> list[Row]:
    """Where there is a PostgreSQL to ask; its own processes' time is not counted, their answers are waited for."""
    if "ADWRIGHT_TEST_DATABASE_URL" not in os.environ:
        return []
    with tempfile.TemporaryDirectory() as name, started(["tests.bench.sides", "shared", name]) as shared:
        sides = [(shared, _with_keys(shared)), (ours, asked)]
        costs = _interleaved(sides, batches, requests)
        waits = [_wait(side, keys, requests) for side, keys in sides]
    return [
        Row("GET /api/v1/me on PostgreSQL, beside SQLite", "µs CPU", costs[0], costs[1]),
        Row("its answer, one caller at a time", "µs", waits[0], waits[1]),
    ]


def _wait(side: Side, asked: Iterator[Request], requests: int) -> float:
    """Median µs until the answer."""
    load = Load(side.url, 1)
    spent = []
    for request in itertools.islice(asked, requests // 3):
        began = time.perf_counter()
        load.one(request)
        spent.append((time.perf_counter() - began) * 1e6)
    load.close()
    return statistics.median(spent)


def _with_keys(ours: Side) -> Iterator[Request]:
    """Each key in its turn: none meets its limit."""
    return itertools.cycle(
        Request.of("GET", "/api/v1/me", {"authorization": f"Bearer {key}"}) for key in ours.told["keys"]
    )


def _interleaved(sides: list[tuple[Side, Iterator[Request]]], batches: int, requests: int) -> list[float]:
    """Median CPU µs a request of each side, measured in turns; the first batch of each only warms up."""
    loads = [Load(side.url) for side, _ in sides]
    costs: list[list[float]] = [[] for _ in sides]
    for _ in range(batches + 1):
        for (side, asked), load, spent in zip(sides, loads, costs, strict=True):
            before = side.cpu()
            sent = load.send(itertools.islice(asked, requests))
            settle()
            spent.append((side.cpu() - before) * 1e6 / sent)
    for load in loads:
        load.close()
    return [statistics.median(spent[1:]) for spent in costs]
