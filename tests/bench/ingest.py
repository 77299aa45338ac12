"""What an event costs: to derive its row, to make it durable alone and among twenty, and to bring it to a store."""

import contextlib
import json
import os
import socket
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
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.analytics.ingest.arrivals import wall_clock
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.rows import Enricher
from server.analytics.ingest.times import stamp
from server.app import create_app
from server.process.files import read_json
from server.process.serving import serve
from server.settings import Settings
from tests.bench.load import Load
from tests.bench.load import Request as Asked
from tests.bench.processes import cpu_seconds, settle, started
from tests.bench.table import Row
from tools.analytics import Event, Kind
from tools.secret import Secret
from tools.store.engine import Store
from tools.store.opening import open_store
from tools.store.sealing import generate_key
from tools.store.tables import websites, workspaces

WEBSITE = "admx_bench"
CONNECTIONS = 64
BATCH = 20
ROUNDS = 5
LINES = 1_000
# Seconds of the promise, so that a row can be bounded from above: 2,000 requests and 20,000 events a second.
MOST_US_ALONE, MOST_US_OF_A_BATCH, MOST_US_DERIVED = 500, 50, 40
_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{}.0.0.0 Safari/537.36"
)


def measure(*, quick: bool = False) -> list[Row]:
    """The store is a stand-in that takes everything at once: what the engine costs is measured beside it."""
    rounds = 1 if quick else ROUNDS
    return [
        Row("ingest: an event's row derived", "µs", _derived(2_000 if quick else 20_000), target=MOST_US_DERIVED),
        *_served(rounds, 400 if quick else 4_000),
        *_stored(5 if quick else 60),
    ]


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
    with (
        tempfile.TemporaryDirectory(prefix="adwright-bench-") as path,
        started(["tests.bench.ingest", "store"]) as store,
        started(["tests.bench.ingest", path, store.url]) as side,
    ):
        load = Load(side.url, CONNECTIONS)
        try:
            load.send([_request([_told(0)])])
            for name, batch, bound in (("alone", 1, MOST_US_ALONE), (f"of {BATCH}", BATCH, MOST_US_OF_A_BATCH)):
                wall, cpu = _figures(load, side.process.pid, rounds, requests // (4 if batch > 1 else 1), batch)
                yield Row(f"ingest: an event {name}, durable, wall", "µs", wall, target=bound)
                yield Row(f"ingest: an event {name}, CPU of the server", "µs", cpu, target=bound)
        finally:
            load.close()


def _stored(batches: int) -> Iterator[Row]:
    """The store itself, the embedded engine included: it answers when a batch is on the disk."""
    countries = Countries()
    countries.load()
    enricher, stamped = Enricher(countries), stamp(wall_clock())
    lines = [
        b"\n".join(
            orjson.dumps(enricher.row(_event(at), wall_clock(), stamped)[1]) for at in range(first, first + LINES)
        )
        for first in range(0, (batches + 1) * LINES, LINES)
    ]
    with tempfile.TemporaryDirectory(prefix="adwright-bench-") as path, _owner(Path(path)) as (process, known):
        headers = {"authorization": f"Bearer {known['admin_token']}"}
        asked = {"name": "pageviews", "wait": "true"}
        with httpx2.Client(base_url=str(known["url"]), headers=headers, params=asked, timeout=60) as client:
            client.post("/v0/events", content=lines[0]).raise_for_status()
            before, began = cpu_seconds(process.pid), time.perf_counter()
            for each in lines[1:]:
                told = client.post("/v0/events", content=each).raise_for_status().json()
                if told["successful_rows"] != LINES:
                    raise RuntimeError(f"the store took {told}")
            wall = (time.perf_counter() - began) / batches / LINES * 1e6
            cpu = (cpu_seconds(process.pid) - before) / batches / LINES * 1e6
    for what, spent in (("wall", wall), ("CPU of the store", cpu)):
        yield Row(
            f"/v0/events: an event of {LINES:,} in a request, durable, {what}", "µs", spent, target=MOST_US_OF_A_BATCH
        )


@contextlib.contextmanager
def _owner(directory: Path) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, Any]]]:
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


async def _serving(directory: Path, listener: socket.socket, store_url: str) -> None:
    """The whole product, but for a store that is a stand-in."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    store = await open_store(directory / "adwright.db")
    await _found(store)
    await store.close()
    settings = Settings.read(
        directory,
        {
            "ENCRYPTION_KEYS": generate_key("k1"), "PUBLIC_URL": url, "INGEST_PER_ADDRESS": "10000000",
            "INGEST_PER_WEBSITE": "10000000", "TINYBIRD_HOST": store_url, "TINYBIRD_ADMIN_TOKEN": "p.bench",
            "TINYBIRD_WORKSPACE_ID": "bench",
        },
    )  # fmt: skip
    app = create_app(settings, local_token=Secret("adw_local_" + "b" * 43))
    await serve(app, listener, ready=lambda _: _tell(url), draining=lambda: None)


async def _taking(listener: socket.socket) -> None:
    """The store: it takes everything at once and keeps nothing."""

    async def taken(request: Request) -> JSONResponse:
        return JSONResponse({"successful_rows": (await request.body()).count(b"\n") + 1, "quarantined_rows": 0})

    app = Starlette(routes=[Route("/v0/events", taken, methods=["POST"])])
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await serve(app, listener, ready=lambda _: _tell(url), draining=lambda: None)


def _tell(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


async def _found(store: Store) -> None:
    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id="wsp_bench", name="Bench", created_at=1))
        row = {"id": WEBSITE, "workspace_id": "wsp_bench", "domain": "shop.example", "name": "Bench", "settings": {}}
        await tx.run(websites.insert().values(**row, time_zone="UTC", currency="EUR", created_at=1))

    await store.write(work)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    side = _taking(listener) if sys.argv[1] == "store" else _serving(Path(sys.argv[1]), listener, sys.argv[2])
    uvloop.run(side)


if __name__ == "__main__":
    main()
