"""Processes of the ingest benchmark: the product before a stand-in store, and engines that are given rows as they are.

`python -m tests.bench.ingest_sides product CORE DIR STORE_URL | store CORE | chdb DIR FILE LINES | duckdb DIR …`
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.app import create_app
from server.process.serving import serve
from server.settings import Settings
from tools.secret import Secret
from tools.store.engine import Store
from tools.store.opening import open_store
from tools.store.sealing import generate_key
from tools.store.tables import websites, workspaces

WEBSITE = "admx_bench"
_DATABASE = "bench"
_PROJECT = Path(__file__).parents[2] / "server" / "analytics" / "project"


def pinned(core: str) -> None:
    """All of a process that starts so: one core is what the figures are of."""
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, {cores[int(core)]})


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


async def _found(store: Store) -> None:
    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id="wsp_bench", name="Bench", created_at=1))
        row = {"id": WEBSITE, "workspace_id": "wsp_bench", "domain": "shop.example", "name": "Bench", "settings": {}}
        await tx.run(websites.insert().values(**row, time_zone="UTC", currency="EUR", created_at=1))

    await store.write(work)


async def _taking(listener: socket.socket) -> None:
    """The store: it takes everything at once and keeps nothing."""

    async def taken(request: Request) -> JSONResponse:
        return JSONResponse({"successful_rows": _lines(await request.body()), "quarantined_rows": 0})

    app = Starlette(routes=[Route("/v0/events", taken, methods=["POST"])])
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await serve(app, listener, ready=lambda _: _tell(url), draining=lambda: None)


def _chdb(directory: Path, batches: Sequence[bytes]) -> None:
    """The engine's own package and our table, which syncs each part; the rows are in the statement."""
    from chdb.session import Session  # noqa: PLC0415 - half a gigabyte, which only this side loads

    from server.analytics.chdb.engine import ChdbEngine  # noqa: PLC0415 - as above
    from server.analytics.datafiles.loading import load  # noqa: PLC0415 - as above
    from server.analytics.deployment import Deployed  # noqa: PLC0415 - as above
    from server.analytics.engine import WRITING  # noqa: PLC0415 - as above

    async def deployed() -> None:
        async with await ChdbEngine.open(directory) as engine:
            await Deployed.open(load(_PROJECT), engine, database=_DATABASE)

    asyncio.run(deployed())
    raw: Any = Session  # without types of its own
    session = raw(str(directory))
    session.query("; ".join(f"SET {name} = '{value}'" for name, value in WRITING.items()))
    into = f"INSERT INTO {_DATABASE}.pageviews FORMAT JSONEachRow\n".encode()
    _timed(lambda rows: session.query(into + rows, "CSV"), batches)


def _duckdb(directory: Path, batches: Sequence[bytes]) -> None:
    """Each batch a transaction, which its log has on the disk; DuckDB reads rows of JSON from files alone."""
    import duckdb  # noqa: PLC0415 - only this side loads it

    files = [directory / f"{number}.ndjson" for number in range(len(batches))]
    for file, rows in zip(files, batches, strict=True):
        file.write_bytes(rows)
    duck, given = duckdb.connect(str(directory / "bench.duck")), iter(files)
    duck.execute(f"CREATE TABLE pageviews AS SELECT * FROM read_json('{files[0]}') LIMIT 0")  # noqa: S608 -- our own path
    _timed(lambda _: duck.execute(f"INSERT INTO pageviews SELECT * FROM read_json('{next(given)}')"), batches)  # noqa: S608 -- as above


def _timed(insert: Callable[[bytes], object], batches: Iterable[bytes]) -> None:
    """µs a row, after a first batch that warms up."""
    first, *rest = batches
    insert(first)
    began, busy = time.perf_counter(), time.process_time()
    for rows in rest:
        insert(rows)
    spent = [(time.perf_counter() - began), (time.process_time() - busy)]
    wall, cpu = (each / sum(map(_lines, rest)) * 1e6 for each in spent)
    sys.stdout.write(json.dumps({"wall": wall, "cpu": cpu}) + "\n")


def _lines(rows: bytes) -> int:
    return rows.count(b"\n") + 1


def _tell(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _batches(file: str, size: int) -> list[bytes]:
    lines = Path(file).read_bytes().split(b"\n")
    return [b"\n".join(lines[at : at + size]) for at in range(0, len(lines), size)]


def main() -> None:
    match sys.argv[1:]:
        case ["chdb", directory, file, size]:
            _chdb(Path(directory), _batches(file, int(size)))
        case ["duckdb", directory, file, size]:
            _duckdb(Path(directory), _batches(file, int(size)))
        case ["store", core]:
            pinned(core)
            uvloop.run(_taking(socket.create_server(("127.0.0.1", 0), backlog=1024)))
        case ["product", core, directory, store_url]:
            pinned(core)
            uvloop.run(_serving(Path(directory), socket.create_server(("127.0.0.1", 0), backlog=1024), store_url))


if __name__ == "__main__":
    main()
