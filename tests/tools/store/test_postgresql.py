"""PostgreSQL's own: several processes at once, a connection that breaks, a server that is not there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.database import administer, database_in
from tests.tools.store.works import BY_ID, add, adding, names
from tools.secret import Secret
from tools.store.audit import AuditLog, Entry, Verification, verify
from tools.store.engine import ConstraintViolated, Store, StoreUnavailable, Transaction
from tools.store.opening import open_store
from tools.store.postgresql import PostgresStore
from tools.store.tables import workspaces

ENTRY = Entry("w", 1, "req", "list_campaigns", "ok", "usr", "mcp")


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Store]:
    """The same database as another process has it."""
    opened = await open_store(database_in(tmp_path))
    yield opened
    await opened.close()


async def test_works_commit_in_the_order_of_their_submission(store: Store) -> None:
    await asyncio.gather(*(store.submit(adding(f"{n:02}")) for n in range(30)))

    found = await store.read(lambda tx: tx.all(select(workspaces.c.id).order_by(workspaces.c.id)))
    written = await store.read(lambda tx: tx.all(select(workspaces.c.id)))
    assert [row.id for row in written] == [row.id for row in found]


async def test_a_failing_work_undoes_itself_and_no_other(store: Store) -> None:
    async def half_done(transaction: Transaction) -> None:
        await add(transaction, "half")
        raise LookupError("changed my mind")

    works: list[Any] = [adding("before"), half_done, adding("before"), adding("after")]
    outcomes = await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [int, LookupError, ConstraintViolated, int]
    assert await names(store) == ["after", "before"]


async def test_a_scan_sees_one_snapshot(store: Store, other: Store) -> None:
    await store.write(adding("w"))

    async def twice(transaction: Transaction) -> tuple[int, int]:
        before = len(await transaction.all(select(workspaces.c.id)))
        await other.write(adding("later"))
        return before, len(await transaction.all(select(workspaces.c.id)))

    assert await store.scan(twice) == (1, 1)
    assert await names(store) == ["later", "w"]


async def test_a_cancelled_caller_does_not_stop_its_work(store: Store) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(transaction: Transaction) -> None:
        await add(transaction, "cancelled")
        begun.set()
        await go.wait()

    caller = asyncio.ensure_future(store.write(slow))
    await asyncio.wait_for(begun.wait(), 10)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await store.write(adding("next"))

    assert await names(store) == ["cancelled", "next"]


async def test_works_of_one_workspace_take_turns_over_all_processes(store: Store, other: Store) -> None:
    await store.write(adding("w"))

    async def read_then_write(transaction: Transaction) -> None:
        row = await transaction.first(BY_ID, id="w")
        assert row is not None
        await transaction.run(update(workspaces).values(created_at=row.created_at + 1))

    await asyncio.gather(*(each.of("w").write(read_then_write) for each in (store, other) for _ in range(20)))

    row = await store.read(lambda transaction: transaction.first(BY_ID, id="w"))
    assert row is not None
    assert row.created_at == 41


async def test_works_that_lock_each_other_out_are_tried_again(store: Store, other: Store) -> None:
    await store.write(adding("a"))
    await store.write(adding("b"))
    met = asyncio.Barrier(2)
    tries: list[str] = []

    async def crossing(transaction: Transaction, first: str, second: str) -> None:
        tries.append(first)
        await transaction.run(update(workspaces).where(workspaces.c.id == first).values(name="new"))
        if len(tries) <= 2:
            await met.wait()
        await transaction.run(update(workspaces).where(workspaces.c.id == second).values(name="new"))

    assert isinstance(other, PostgresStore)
    plain = other.of("w")  # whose works do not wait for the turn of those without a workspace
    plain.walled = False
    await asyncio.gather(store.write(lambda tx: crossing(tx, "a", "b")), plain.write(lambda tx: crossing(tx, "b", "a")))

    assert len(tries) == 3


async def test_what_a_workspaces_turn_decides_another_process_sees_at_once(store: Store, other: Store) -> None:
    await store.write(adding("w"))

    assert await names(other) == ["w"]
    assert other.changes_to(workspaces) is None


async def test_chains_of_two_processes_form_one(store: Store, other: Store) -> None:
    logs = [AuditLog(each, clock=lambda: 1_000_000) for each in (store, other)]
    await asyncio.gather(*(log.record(ENTRY, durable=n % 3 == 0) for n in range(60) for log in logs))
    for log in logs:
        await log.close()

    assert await verify(store, "w") == Verification(True, 120)


async def test_a_broken_connection_is_one_known_error_and_a_new_one_is_made(store: Store, tmp_path: Path) -> None:
    async def cut(transaction: Transaction) -> None:
        await add(transaction, "cut")
        await asyncio.to_thread(
            administer,
            tmp_path,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND state = 'idle in transaction' AND query LIKE 'INSERT INTO workspaces%'",
        )
        await transaction.first(BY_ID, id="cut")

    with pytest.raises(StoreUnavailable):
        await store.write(cut)

    await store.write(adding("next"))
    assert await names(store) == ["next"]


async def test_a_closed_store_ends_what_is_queued_and_says_so(tmp_path: Path) -> None:
    store = await open_store(database_in(tmp_path))
    queued = store.submit(adding("queued"))
    await store.close()

    assert await queued == 1
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.write(adding("late"))
    with pytest.raises(StoreUnavailable):
        await store.ping()


@pytest.mark.parametrize("address", ["127.0.0.1:1/none", "nobody:wrong@127.0.0.1:5432/there-is-no-such-database"])
async def test_a_server_that_does_not_let_us_in_is_unavailable(address: str) -> None:
    with pytest.raises(StoreUnavailable):
        await open_store(Secret(f"postgresql://{address}"))


async def test_without_kept_statements_it_works_as_behind_a_pooler(tmp_path: Path) -> None:
    store = await open_store(database_in(tmp_path), statements_cached=0)
    try:
        await store.write(adding("w"))
        assert await names(store) == ["w"]
    finally:
        await store.close()


async def test_the_character_that_it_cannot_keep_is_replaced(store: Store) -> None:
    await store.write(adding("a\0b"))

    assert await names(store) == ["a\ufffdb"]


async def test_what_is_logged_with_that_character_verifies(store: Store) -> None:
    log = AuditLog(store)
    await log.record(ENTRY._replace(error_message="There is no apr_\0.", payload={"id": "apr_\0"}), durable=True)
    await log.close()

    assert await verify(store, "w") == Verification(True, 1)
