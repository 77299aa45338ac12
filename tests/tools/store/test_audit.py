"""The audit log keeps every row it took, chains them by hash, and shows every tampering."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from tests.database import ON_POSTGRESQL, administer
from tools.store.audit import KEPT_ROWS, AuditLog, Entry, Verification, append, purge_payloads, verify, verify_all
from tools.store.engine import ConstraintViolated, Store, StoreUnavailable, Work
from tools.store.sqlite import SqliteStore
from tools.store.statements import Row
from tools.store.tables import ad_sync_logs, workspaces

NEW_WORKSPACE = insert(workspaces).values(id="w", name="w", created_at=1)


def entry(number: int = 1, **changes: Any) -> Entry:
    call = Entry(
        workspace_id="w",
        at=1_000_000 + number,
        request_id=f"req_{number}",
        action="list_campaigns",
        status="ok",
        principal_id="usr_1",
        via="mcp",
        payload={"number": number},
    )
    return call._replace(**changes)


@pytest.fixture
async def log(store: Store) -> AsyncIterator[AuditLog]:
    log = AuditLog(store, clock=lambda: 1_000_000)
    yield log
    await log.close()


async def logged(store: Store, workspace_id: str = "w") -> list[Row]:
    ours = select(ad_sync_logs).where(ad_sync_logs.c.workspace_id == workspace_id).order_by(ad_sync_logs.c.seq)
    return await store.read(lambda transaction: transaction.all(ours))


async def filled(store: Store, rows: int = 5) -> None:
    await store.write(lambda transaction: append(transaction, [entry(n) for n in range(1, rows + 1)]))


def tamper(directory: Path, sql: str) -> None:
    """As someone with the database in hand would: without the triggers."""
    if ON_POSTGRESQL:
        off, on = ("ALTER TABLE ad_sync_logs DISABLE TRIGGER USER", "ALTER TABLE ad_sync_logs ENABLE TRIGGER USER")
        administer(directory, off, sql, on)
        return
    database = sqlite3.connect(directory / "adwright.db")
    triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        database.execute(f"DROP TRIGGER {name}")
    database.execute(sql)
    database.commit()
    database.close()


async def test_each_workspace_has_a_chain_of_its_own(store: Store) -> None:
    both = [entry(1), entry(2, workspace_id="other"), entry(3)]
    await store.write(lambda transaction: append(transaction, both))

    first, second = await logged(store)
    assert (first.seq, second.seq, second.previous_hash) == (1, 2, first.hash)
    assert re.fullmatch("log_[0-9a-f]{20}", first.id)
    assert await verify(store, "w") == Verification(True, 2)
    assert await verify(store, "other") == Verification(True, 1)
    assert await verify(store, "nobody") == Verification(True, 0)


async def test_every_chain_is_verified_those_that_vanished_included(store: Store, tmp_path: Path) -> None:
    await store.write(lambda transaction: append(transaction, [entry(1), entry(2, workspace_id="gone")]))
    tamper(tmp_path, "DELETE FROM ad_sync_logs WHERE workspace_id = 'gone'")

    found = await verify_all(store)

    assert {workspace: each.ok for workspace, each in found.items()} == {"w": True, "gone": False}


@pytest.mark.parametrize(
    ("sql", "seq", "problem"),
    [
        ("UPDATE ad_sync_logs SET status = 'denied' WHERE seq = 3", 3, "changed"),
        ("UPDATE ad_sync_logs SET id = 'log_other' WHERE seq = 3", 3, "changed"),
        ("UPDATE ad_sync_logs SET payload = '{\"number\":9}' WHERE seq = 3", 3, "payload"),
        ("DELETE FROM ad_sync_logs WHERE seq = 3", 3, "missing"),
        ("DELETE FROM ad_sync_logs WHERE seq = 1", 1, "missing"),
        ("DELETE FROM ad_sync_logs WHERE seq > 3", 4, "its head says 5"),
        ("DELETE FROM ad_sync_logs", 1, "its head says 5"),
        ("DELETE FROM audit_heads", 6, "its head says 0"),
        ("UPDATE ad_sync_logs SET seq = CASE seq WHEN 3 THEN 40 ELSE 3 END WHERE seq IN (3, 4)", 3, "does not follow"),
    ],
)
async def test_tampering_is_found_at_its_row(store: Store, tmp_path: Path, sql: str, seq: int, problem: str) -> None:
    await filled(store)
    tamper(tmp_path, sql)

    found = await verify(store, "w")

    assert (found.ok, found.rows, found.first_bad_seq) == (False, seq - 1, seq)
    assert problem in (found.problem or "")


async def test_a_chain_longer_than_a_page_verifies(store: Store) -> None:
    await filled(store, 2500)

    assert await verify(store, "w") == Verification(True, 2500)


async def test_purged_payloads_still_verify(store: Store) -> None:
    await filled(store)

    assert await purge_payloads(store, "w", before=1_000_004) == 3
    assert await purge_payloads(store, "w", before=1_000_004) == 0

    assert [row.payload is None for row in await logged(store)] == [True, True, True, False, False]
    assert await verify(store, "w") == Verification(True, 5)


@pytest.mark.parametrize(
    "statement",
    [
        delete(ad_sync_logs).where(ad_sync_logs.c.seq == 5),
        update(ad_sync_logs).values(status="denied"),
        update(ad_sync_logs).values(payload="{}"),
        update(ad_sync_logs).values(payload=None, status="denied"),
        update(ad_sync_logs).values(seq=ad_sync_logs.c.seq + 10, payload=None),
    ],
)
async def test_the_database_itself_refuses_to_change_the_log(store: Store, statement: Any) -> None:
    await filled(store)

    with pytest.raises(ConstraintViolated, match="append-only"):
        await store.write(lambda transaction: transaction.run(statement))


def next_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    committed, submit = asyncio.Event(), store.submit

    def noticed(work: Work[Any]) -> asyncio.Future[Any]:
        future = submit(work)
        future.add_done_callback(lambda _: committed.set())
        return future

    monkeypatch.setattr(store, "submit", noticed)
    return committed


async def test_queued_rows_are_written_soon_by_themselves(
    store: Store, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = next_commit(store, monkeypatch)
    for n in range(3):
        await log.record(entry(n))
    assert await logged(store) == []

    await asyncio.wait_for(committed.wait(), 10)
    assert len(await logged(store)) == 3


async def test_a_durable_row_follows_what_was_queued_and_commits_with_its_statements(
    store: Store, log: AuditLog
) -> None:
    await log.record(entry(1))
    await log.record(entry(2))

    assert await log.record(entry(3), durable=True, with_=[NEW_WORKSPACE]) == [1]

    assert [row.request_id for row in await logged(store)] == ["req_1", "req_2", "req_3"]
    assert await store.read(lambda transaction: transaction.first(select(workspaces.c.id))) == ("w",)


async def test_a_refused_statement_takes_its_row_along_and_no_queued_one(store: Store, log: AuditLog) -> None:
    await log.record(entry(1), durable=True, with_=[NEW_WORKSPACE])
    await log.record(entry(2))

    with pytest.raises(ConstraintViolated):
        await log.record(entry(3), durable=True, with_=[NEW_WORKSPACE])

    assert [row.request_id for row in await logged(store)] == ["req_1", "req_2"]
    assert (await verify(store, "w")).ok
    assert log.healthy


async def test_statements_need_a_durable_row(log: AuditLog) -> None:
    with pytest.raises(ValueError, match="durable"):
        await log.record(entry(), with_=[NEW_WORKSPACE])


@pytest.mark.sqlite
async def test_rows_wait_out_a_full_disk_and_the_log_recovers(store: SqliteStore, log: AuditLog) -> None:
    (pages,) = store._writing.execute("PRAGMA page_count").fetchone()
    store._writing.execute(f"PRAGMA max_page_count={pages}")
    await log.record(entry(1, payload="x" * 1_000_000))
    await log.flush()
    with pytest.raises(StoreUnavailable):
        await log.record(entry(2, payload="x" * 1_000_000), durable=True)
    assert (log.healthy, log.dropped) == (False, 0)

    store._writing.execute("PRAGMA max_page_count=1000000")
    await log.flush()

    assert (log.healthy, log.dropped) == (True, 0)
    assert [row.request_id for row in await logged(store)] == ["req_1"]
    assert (await verify(store, "w")).ok


@pytest.mark.sqlite
async def test_what_a_full_disk_holds_up_is_bounded_and_counted(store: SqliteStore, log: AuditLog) -> None:
    (pages,) = store._writing.execute("PRAGMA page_count").fetchone()
    store._writing.execute(f"PRAGMA max_page_count={pages}")
    for n in range(KEPT_ROWS + 3):  # the last three, a batch of their own, find no room in a page that is there
        await log.record(entry(n, payload="x" * (1000 if n < KEPT_ROWS else 20_000)))
    await log.flush()
    store._writing.execute("PRAGMA max_page_count=1000000")

    await log.close()

    assert log.dropped == 3
    assert len(await logged(store)) == KEPT_ROWS


async def test_rows_that_cannot_be_written_at_the_end_are_counted(store: Store) -> None:
    log = AuditLog(store)
    await store.close()
    await log.record(entry())
    await log.close()

    assert (log.healthy, log.dropped) == (False, 1)


async def test_the_database_refusing_one_row_holds_up_no_other(store: Store, log: AuditLog) -> None:
    nameless: Any = None
    for bad_or_good in (entry(1), entry(2, action=nameless), entry(3)):
        await log.record(bad_or_good)
    await log.flush()

    assert [row.request_id for row in await logged(store)] == ["req_1", "req_3"]
    assert (log.dropped, log.healthy) == (1, True)


@pytest.mark.parametrize("payload", ["\ud800", {"n": 1 << 70}, {1: 2}, {"at": object()}, {("a",): 1}, float("nan")])
async def test_a_payload_that_is_no_json_is_logged_all_the_same(store: Store, log: AuditLog, payload: Any) -> None:
    await log.record(entry(payload=payload, error_message="said \ud800"), durable=True)

    (row,) = await logged(store)
    assert row.error_message == "said ?"
    assert await verify(store, "w") == Verification(True, 1)


async def test_floods_become_one_row_a_principal_when_the_minute_ends(store: Store, log: AuditLog) -> None:
    for _ in range(1000):
        log.record_rollup(entry(1, status="rate_limited"))
    log.record_rollup(entry(2, status="rate_limited", action="get_insights"))
    log.record_rollup(entry(3, status="rate_limited", principal_id="usr_2"))
    await log.flush()
    assert await logged(store) == []

    await log.close()

    rows = await logged(store)
    assert [(row.principal_id, row.action, row.payload) for row in rows] == [
        ("usr_1", "several", '{"actions":{"get_insights":1,"list_campaigns":1000},"count":1001}'),
        ("usr_2", "list_campaigns", '{"actions":{"list_campaigns":1},"count":1}'),
    ]


async def test_a_minute_ends_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = next_commit(store, monkeypatch)
    log = AuditLog(store, clock=lambda: 59_990)
    log.record_rollup(entry(status="rate_limited"))

    await asyncio.wait_for(committed.wait(), 10)
    await log.close()
    assert len(await logged(store)) == 1


async def test_many_at_once_form_one_unbroken_chain(store: Store) -> None:
    log = AuditLog(store)
    await asyncio.gather(*(log.record(entry(n), durable=n % 3 == 0) for n in range(300)))
    await log.close()

    assert await verify(store, "w") == Verification(True, 300)
    assert {row.request_id for row in await logged(store)} == {f"req_{n}" for n in range(300)}
