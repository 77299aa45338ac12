"""What an event costs: to derive its row, to make it durable alone and among twenty, and to bring it to a store."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import orjson

from server.analytics.ingest.arrivals import wall_clock
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.rows import Enricher
from server.analytics.ingest.times import stamp
from server.process.files import read_json
from tests.bench.ingest_sides import WEBSITE, pinned
from tests.bench.load import Load
from tests.bench.load import Request as Asked
from tests.bench.processes import cpu_seconds, settle, started
from tests.bench.table import Row
from tools.analytics import Event, Kind

CONNECTIONS = 64
BATCH = 20
"""The most that /e takes in a request."""
STORED = 1_000, 10_000
"""As many in a request to /v0/events; the larger is near the 10 MB that it takes."""
ROUNDS = 5
# Seconds of the promise, so that a row can be bounded from above: 2,000 requests and 20,000 events a second.
MOST_US_ALONE, MOST_US_OF_A_BATCH, MOST_US_DERIVED = 500, 50, 40
_SIDES = "tests.bench.ingest_sides"
_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{}.0.0.0 Safari/537.36"
)


def measure(*, quick: bool = False) -> Iterator[Row]:
    """The store is a stand-in that takes everything at once: what the engine costs is measured beside it. Each row as
    soon as it is known."""
    yield Row("ingest: an event's row derived, CPU", "µs", _derived(2_000 if quick else 20_000), target=MOST_US_DERIVED)
    yield from _served(1 if quick else ROUNDS, 400 if quick else 4_000)
    for size in STORED:
        yield from _stored(size, 5 if quick else 120_000 // size)


def _derived(count: int) -> float:
    countries = Countries()
    countries.load()
    enricher = Enricher(countries)
    events = [_event(number) for number in range(count)]
    enricher.row(events[0], wall_clock(), "")  # the lists are read once
    started_at = time.process_time()
    for event in events:
        now = wall_clock()
        enricher.row(event, now, stamp(now))
    return (time.process_time() - started_at) / count * 1e6


def _event(number: int) -> Event:
    """Nothing that a cache would know: another address, page, click and visitor each time."""
    told = _told(number)
    return Event(
        kind=Kind.PAGEVIEW, workspace_id="wsp_bench", website_id=WEBSITE, visitor_id=told["v"], event_id=told["i"],
        session_id=told["s"], url=told["u"], referrer=told["r"], title=told["h"], language=told["l"],
        screen_width=told["x"], ip=f"81.{number % 200}.{number % 250}.7", user_agent=_CHROME.format(number % 10),
    )  # fmt: skip


def _told(number: int) -> dict[str, Any]:
    return {
        "w": WEBSITE, "k": "pageview", "i": f"e-{number}", "t": wall_clock(), "v": f"v-{number // 7}", "s": "s-1",
        "u": f"https://shop.example/p/{number}?utm_source=google&utm_medium=cpc&gclid=G{number}",
        "r": "https://www.google.com/", "h": "A pair of shoes", "l": "de-DE", "x": 1440,
    }  # fmt: skip


def _served(rounds: int, requests: int) -> Iterator[Row]:
    """The server has a core of its own where there are two; the client and the store share the other."""
    with (
        tempfile.TemporaryDirectory(prefix="adwright-bench-") as path,
        started([_SIDES, "store", "-1"]) as store,
        started([_SIDES, "product", "0", path, store.url]) as side,
        _on_the_last_core(),
    ):
        load = Load(side.url, CONNECTIONS)
        try:
            load.send([_request([_told(0)])])
            for what, batch, bound in (("alone", 1, MOST_US_ALONE), (f"of {BATCH}", BATCH, MOST_US_OF_A_BATCH)):
                wall, cpu = _figures(load, side.process.pid, rounds, requests // (4 if batch > 1 else 1), batch)
                yield Row(f"ingest: an event {what}, durable, wall", "µs", wall, target=bound)
                yield Row(f"ingest: an event {what}, durable, CPU of the server", "µs", cpu, target=bound)
                yield Row(f"ingest: events {what} in a second of one core's time", "events", 1e6 / cpu)
        finally:
            load.close()


@contextlib.contextmanager
def _on_the_last_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    pinned("-1")
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _stored(size: int, batches: int) -> Iterator[Row]:
    """The same rows to the store, to the engine without it, and to DuckDB: each answers when a batch is on the disk."""
    countries = Countries()
    countries.load()
    enricher, stamped = Enricher(countries), stamp(wall_clock())
    lines = [
        b"\n".join(
            orjson.dumps(enricher.row(_event(at), wall_clock(), stamped)[1]) for at in range(first, first + size)
        )
        for first in range(0, (batches + 1) * size, size)
    ]
    with tempfile.TemporaryDirectory(prefix="adwright-bench-") as name:
        path = Path(name)
        (path / "rows").write_bytes(b"\n".join(lines))
        ours = _by_the_owner(path / "owner", lines, size)
        peers = {side: _by(side, path / side, path / "rows", size) for side in ("chdb", "duckdb")}
    about = f"/v0/events: an event of {size:,} in a request, durable"
    for what in ("wall", "cpu"):
        yield Row(f"{about}, {what}", "µs", ours[what], target=MOST_US_OF_A_BATCH)
        for side, peer in (("raw chDB", "chdb"), ("DuckDB", "duckdb")):
            yield Row(f"the same, {what}, beside {side}", "µs", ours[what], peers[peer][what])


def _by_the_owner(directory: Path, batches: Sequence[bytes], size: int) -> Mapping[str, float]:
    with owner(directory) as (process, known):
        headers = {"authorization": f"Bearer {known['admin_token']}"}
        asked = {"name": "pageviews", "wait": "true"}
        with httpx2.Client(base_url=str(known["url"]), headers=headers, params=asked, timeout=60) as client:
            client.post("/v0/events", content=batches[0]).raise_for_status()
            before, began = cpu_seconds(process.pid), time.perf_counter()
            for each in batches[1:]:
                told = client.post("/v0/events", content=each).raise_for_status().json()
                if told["successful_rows"] != size:
                    raise RuntimeError(f"the store took {told}")
            spent = {"wall": time.perf_counter() - began, "cpu": cpu_seconds(process.pid) - before}
    return {what: seconds / (len(batches) - 1) / size * 1e6 for what, seconds in spent.items()}


def _by(side: str, directory: Path, rows: Path, size: int) -> Mapping[str, float]:
    directory.mkdir()
    command = [sys.executable, "-m", _SIDES, side, str(directory), str(rows), str(size)]
    spent: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return spent


@contextlib.contextmanager
def owner(directory: Path) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, Any]]]:
    process = subprocess.Popen([sys.executable, "-m", "server.analytics", "--data", str(directory)])
    try:
        while not (known := read_json(directory / "analytics.json")):
            if process.poll() is not None:
                raise RuntimeError("the store did not start")
            time.sleep(0.05)
        yield process, known
    finally:
        process.terminate()
        process.wait(20)


def _figures(load: Load, pid: int, rounds: int, requests: int, batch: int) -> tuple[float, float]:
    """Of one event: wall time, which the client shares, and what the server's one core spent, bringing it to the store
    included."""
    walls, cpus = [], []
    for turn in range(rounds):
        made = [
            _request([_told((turn * requests + number) * batch + each) for each in range(batch)])
            for number in range(requests)
        ]
        before, began = cpu_seconds(pid), time.perf_counter()
        load.send(made)
        walls.append((time.perf_counter() - began) / requests / batch * 1e6)
        settle(1.0)  # the rest of it reaches the store
        cpus.append((cpu_seconds(pid) - before) / requests / batch * 1e6)
    return median(walls), median(cpus)


def _request(events: Sequence[Mapping[str, Any]]) -> Asked:
    body = json.dumps(events if len(events) > 1 else events[0]).encode()
    headers = {"content-type": "text/plain", "user-agent": _CHROME.format(0), "origin": "https://shop.example"}
    return Asked.of("POST", "/e", headers, body, statuses=(202,))
