"""The store commits in groups, answers only what is durable, and fails as one known error."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from tools.store.engine import ConstraintViolated, Statement, Store, StoreUnavailable, Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import memberships, workspaces

BY_ID = Prepared(select(workspaces).where(workspaces.c.id == bindparam("id")))


async def add(transaction: Transaction, name: str) -> int:
    return await transaction.run(
        insert(workspaces).values(id=name, name=name, settings={"nested": [name]}, created_at=1)
    )


def adding(name: str) -> Work[int]:
    return lambda transaction: add(transaction, name)


async def names(store: Store) -> list[str]:
    rows = await store.read(lambda transaction: transaction.all(select(workspaces.c.id).order_by(workspaces.c.id)))
    return [row.id for row in rows]


async def first(store: Store, statement: Statement) -> Row | None:
    return await store.read(lambda transaction: transaction.first(statement))


async def test_a_read_sees_a_write_that_was_answered(store: Store) -> None:
    assert await store.write(adding("w")) == 1

    row = await store.read(lambda transaction: transaction.first(BY_ID, id="w"))

    assert row is not None
    assert (row.id, row.plan, row.settings, row.created_at) == ("w", "free", {"nested": ["w"]}, 1)
    assert row.as_dict()["name"] == "w"


async def test_statements_of_one_shape_are_compiled_once_and_bound_anew(store: Store) -> None:
    await asyncio.gather(*(store.write(adding(n)) for n in "abc"))

    async def by_ids(transaction: Transaction) -> list[list[str]]:
        wanted = [["a"], ["a", "b", "c"], []]
        statements = [select(workspaces.c.id).where(workspaces.c.id.in_(ids)).order_by("id") for ids in wanted]
        return [[row.id for row in await transaction.all(statement)] for statement in statements]

    assert await store.read(by_ids) == [["a"], ["a", "b", "c"], []]
    by_id = [select(workspaces).where(workspaces.c.id == wanted) for wanted in ("b", "x")]
    assert [await first(store, statement) for statement in by_id] == [("b", "b", "free", {"nested": ["b"]}, 1), None]


async def test_a_prepared_statement_names_the_value_it_lacks(store: Store) -> None:
    with pytest.raises(TypeError, match="id"):
        await store.read(lambda transaction: transaction.first(BY_ID))


async def test_works_that_wait_share_a_commit(store: Store) -> None:
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


async def test_a_commit_is_counted_by_the_tables_it_wrote_before_it_is_answered(store: Store) -> None:
    ours, others = store.changes_to(workspaces, memberships), store.changes_to(memberships)
    assert ours is not None
    assert others is not None

    await store.write(adding("one"))
    await store.read(lambda transaction: transaction.first(BY_ID, id="one"))

    assert (ours.count, others.count) == (1, 0)


async def test_a_bulk_insert_and_a_statement_that_returns_rows_are_counted_too(store: Store) -> None:
    changes = store.changes_to(workspaces)
    assert changes is not None
    renamed = update(workspaces).values(name="new").returning(workspaces.c.id)
    many = Prepared(insert(workspaces).values({name: bindparam(name) for name in ("id", "name", "created_at")}))
    rows = [{"id": name, "name": name, "created_at": 1} for name in ("one", "two")]

    await store.write(lambda transaction: transaction.run_many(many, rows))
    await store.write(lambda transaction: transaction.all(renamed))

    assert changes.count == 2


async def test_a_failing_work_undoes_itself_and_no_other_of_its_batch(store: Store) -> None:
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


async def test_a_work_that_swallows_a_refusal_is_not_committed(store: Store) -> None:
    async def careless(transaction: Transaction) -> None:
        await add(transaction, "w")
        with contextlib.suppress(ConstraintViolated):
            await add(transaction, "w")

    with pytest.raises(ConstraintViolated):
        await store.write(careless)

    assert await names(store) == []


async def test_a_work_that_awaits_something_else_is_refused_and_undone(store: Store) -> None:
    async def stray(transaction: Transaction) -> None:
        await add(transaction, "w")
        await asyncio.sleep(0)

    with pytest.raises(TypeError, match="nothing else"):
        await store.write(stray)
    with pytest.raises(TypeError, match="nothing else"):
        await store.read(lambda _: asyncio.sleep(0))

    assert await names(store) == []


async def test_reads_and_scans_do_not_write(store: Store) -> None:
    with pytest.raises(TypeError, match="does not write"):
        await store.read(adding("w"))
    with pytest.raises(TypeError, match="does not write"):
        await store.scan(adding("w"))


async def test_a_scan_sees_one_snapshot(store: Store) -> None:
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


async def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(
            lambda transaction: transaction.run(
                insert(memberships).values(workspace_id="none", user_id="none", role="owner", created_at=1)
            )
        )


async def test_a_cancelled_caller_does_not_stop_its_work_or_the_writer(store: Store) -> None:
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


async def test_concurrent_increments_lose_none(store: Store) -> None:
    await store.write(adding("w"))
    once = update(workspaces).values(created_at=workspaces.c.created_at + 1)

    await asyncio.gather(*(store.write(lambda transaction: transaction.run(once)) for _ in range(500)))

    row = await store.read(lambda transaction: transaction.first(BY_ID, id="w"))
    assert row is not None
    assert row.created_at == 501


async def test_a_full_disk_is_unavailable_for_writes_and_nothing_else(store: Store) -> None:
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


async def test_a_work_cannot_write_on_after_the_disk_filled_up(store: Store) -> None:
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
    store = await Store.open(path)
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
        await Store.open(tmp_path / "text.db")
    with pytest.raises(StoreUnavailable, match="No such file"):
        await Store.open(tmp_path / "missing" / "adwright.db")


def test_nobody_else_on_the_machine_reads_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


WRITER = """
import asyncio, sys
from sqlalchemy import insert
from tools.store.engine import Store
from tools.store.tables import workspaces

async def main():
    store = await Store.open(sys.argv[1])
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
