"""SQLite's own: commits in groups, one process with its file, a disk that fills up, a kill in mid-write."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from tests.tools.store.works import BY_ID, add, adding, names
from tools.store.engine import ConstraintViolated, StoreUnavailable, Transaction
from tools.store.migrations import migrate
from tools.store.sqlite import SqliteStore
from tools.store.statements import Prepared
from tools.store.tables import memberships, workspaces


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = tmp_path / "adwright.db"
    migrate(database)
    return database


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


async def test_works_that_wait_share_a_commit(store: SqliteStore) -> None:
    commits = []
    store._writing.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    gate = threading.Event()

    async def hold(transaction: Transaction) -> int:
        gate.wait(10)
        return await add(transaction, "first")

    held = store.submit(hold)
    queued = [store.submit(adding(f"w{n}")) for n in range(50)]
    gate.set()
    await asyncio.gather(held, *queued)

    assert len(commits) <= 2
    assert len(await names(store)) == 51


async def test_a_commit_is_counted_by_the_tables_it_wrote_before_it_is_answered(store: SqliteStore) -> None:
    ours, others = store.changes_to(workspaces, memberships), store.changes_to(memberships)
    assert ours is not None
    assert others is not None

    await store.write(adding("one"))
    await store.read(lambda transaction: transaction.first(BY_ID, id="one"))

    assert (ours.count, others.count) == (1, 0)


async def test_a_bulk_insert_and_a_statement_that_returns_rows_are_counted_too(store: SqliteStore) -> None:
    changes = store.changes_to(workspaces)
    assert changes is not None
    renamed = update(workspaces).values(name="new").returning(workspaces.c.id)
    many = Prepared(insert(workspaces).values({name: bindparam(name) for name in ("id", "name", "created_at")}))
    rows = [{"id": name, "name": name, "created_at": 1} for name in ("one", "two")]

    await store.write(lambda transaction: transaction.run_many(many, rows))
    await store.write(lambda transaction: transaction.all(renamed))

    assert changes.count == 2


async def test_a_failing_work_undoes_itself_and_no_other_of_its_batch(store: SqliteStore) -> None:
    gate = threading.Event()

    async def hold(_: Transaction) -> None:
        gate.wait(10)

    async def half_done(transaction: Transaction) -> None:
        await add(transaction, "half")
        raise LookupError("changed my mind")

    held = store.submit(hold)
    batch: list[asyncio.Future[Any]] = [
        store.submit(adding("before")),
        store.submit(half_done),
        store.submit(adding("before")),
        store.submit(adding("after")),
    ]
    gate.set()
    await held
    await asyncio.wait(batch)
    outcomes = [future.exception() or future.result() for future in batch]

    assert [type(outcome) for outcome in outcomes] == [int, LookupError, ConstraintViolated, int]
    assert await names(store) == ["after", "before"]


async def test_a_work_that_awaits_something_else_is_refused_and_undone(store: SqliteStore) -> None:
    async def stray(transaction: Transaction) -> None:
        await add(transaction, "w")
        await asyncio.sleep(0)

    with pytest.raises(TypeError, match="nothing else"):
        await store.write(stray)
    with pytest.raises(TypeError, match="nothing else"):
        await store.read(lambda _: asyncio.sleep(0))

    assert await names(store) == []


async def test_a_scan_sees_one_snapshot(store: SqliteStore) -> None:
    reading, written = threading.Event(), threading.Event()
    await store.write(adding("w"))

    async def twice(transaction: Transaction) -> tuple[int, int]:
        before = len(await transaction.all(select(workspaces.c.id)))
        reading.set()
        written.wait(10)
        return before, len(await transaction.all(select(workspaces.c.id)))

    scan = asyncio.ensure_future(store.scan(twice))
    await asyncio.to_thread(reading.wait, 10)
    await store.write(adding("later"))
    written.set()

    assert await scan == (1, 1)
    assert await names(store) == ["later", "w"]


async def test_a_cancelled_caller_does_not_stop_its_work_or_the_writer(store: SqliteStore) -> None:
    gate = threading.Event()

    async def slow(transaction: Transaction) -> None:
        gate.wait(10)
        await add(transaction, "cancelled")

    caller = asyncio.ensure_future(store.write(slow))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await store.write(adding("next"))

    assert await names(store) == ["cancelled", "next"]


async def test_a_full_disk_is_unavailable_for_writes_and_nothing_else(store: SqliteStore) -> None:
    await store.write(adding("w"))
    (pages,) = store._writing.execute("PRAGMA page_count").fetchone()
    store._writing.execute(f"PRAGMA max_page_count={pages}")

    async def large(transaction: Transaction) -> None:
        for n in range(100):
            await add(transaction, f"{n}-" + "x" * 10_000)

    with pytest.raises(StoreUnavailable, match="full"):
        await store.write(large)
    assert await names(store) == ["w"]

    store._writing.execute("PRAGMA max_page_count=1000000")
    await store.write(large)
    assert len(await names(store)) == 101


async def test_a_work_cannot_write_on_after_the_disk_filled_up(store: SqliteStore) -> None:
    (pages,) = store._writing.execute("PRAGMA page_count").fetchone()
    store._writing.execute(f"PRAGMA max_page_count={pages}")

    async def stubborn(transaction: Transaction) -> None:
        with contextlib.suppress(StoreUnavailable):
            await add(transaction, "x" * 1_000_000)
        with contextlib.suppress(StoreUnavailable):
            await add(transaction, "small")

    with pytest.raises(StoreUnavailable):
        await store.write(stubborn)

    assert await names(store) == []


async def test_a_closed_store_says_so_and_leaves_neither_threads_nor_log(path: Path) -> None:
    store = await SqliteStore.open(path)
    queued = store.submit(adding("queued"))
    await store.close()

    assert await queued == 1
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.write(adding("late"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("store-")]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("x" * 5000, encoding="utf-8")

    with pytest.raises(StoreUnavailable, match="not a database"):
        await SqliteStore.open(tmp_path / "text.db")
    with pytest.raises(StoreUnavailable, match="No such file"):
        await SqliteStore.open(tmp_path / "missing" / "adwright.db")


def test_nobody_else_on_the_machine_reads_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


WRITER = """
import asyncio, sys
from sqlalchemy import insert
from tools.store.sqlite import SqliteStore
from tools.store.tables import workspaces

async def main():
    store = await SqliteStore.open(sys.argv[1])
    async def pair(transaction, n):
        for half in "ab":
            await transaction.run(insert(workspaces).values(id=f"{n}{half}", name="n", created_at=n))
    async def writes(start):
        for n in range(start, 10**9, 20):
            await store.write(lambda transaction: pair(transaction, n))
            print(n, flush=True)
    await asyncio.gather(*(writes(start) for start in range(20)))

asyncio.run(main())
"""


def test_a_kill_in_mid_write_loses_nothing_answered_and_halves_nothing(path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    answered = [writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    answered += writer.stdout.readlines()
    writer.wait(10)
    writer.stdout.close()

    database = sqlite3.connect(path)
    halves = dict(database.execute("SELECT created_at, count(*) FROM workspaces GROUP BY created_at"))
    (integrity,) = database.execute("PRAGMA integrity_check").fetchone()
    database.close()

    assert integrity == "ok"
    assert set(halves.values()) == {2}
    assert {int(line) for line in answered if line.endswith("\n")} <= halves.keys()
