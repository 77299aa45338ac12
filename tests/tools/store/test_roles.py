"""Row-level security: SQL that went past the tenant filter sees its own workspace's rows and no other's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from tests.database import database_in, stored
from tests.tools.store.works import adding, names
from tools.store.audit import Entry, append
from tools.store.engine import Store
from tools.store.opening import open_store
from tools.store.postgresql import PostgresStore
from tools.store.roles import tenants
from tools.store.tables import ad_sync_logs, memberships, sessions, users, workspaces

ENTRY = Entry("b", 1, "req", "list_campaigns", "ok", "usr", "mcp")


@pytest.fixture
async def two(store: Store) -> AsyncIterator[Store]:
    for workspace in ("a", "b"):
        await store.write(adding(workspace))
    await store.write(lambda tx: tx.run(insert(users).values(id="u", email="u", name="u", created_at=1)))
    for workspace in ("a", "b"):
        row = {"workspace_id": workspace, "user_id": "u", "role": "owner", "created_at": 1}
        await store.write(lambda tx, row=row: tx.run(insert(memberships).values(**row)))  # type: ignore[misc]
    await store.write(lambda tx: append(tx, [ENTRY]))
    yield store


async def test_every_table_of_a_workspace_has_its_wall(store: Store, tmp_path: Path) -> None:
    walled = stored(
        tmp_path,
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = current_schema() AND relrowsecurity AND relforcerowsecurity",
    )

    assert isinstance(store, PostgresStore)
    assert store.walled
    assert {row["relname"] for row in walled} == {table.name for table in tenants()}


@pytest.mark.parametrize("kind", ["read", "scan", "write"])
async def test_a_statement_without_the_filter_shows_one_workspace(two: Store, kind: str) -> None:
    ours = two.of("a")

    seen = await getattr(ours, kind)(lambda tx: tx.all(select(memberships.c.workspace_id)))
    known = await getattr(ours, kind)(lambda tx: tx.all(select(workspaces.c.id)))

    assert (seen, known) == ([("a",)], [("a",)])


@pytest.mark.parametrize(
    "statement",
    [
        update(memberships).values(role="viewer").where(memberships.c.workspace_id == "b"),
        delete(memberships).where(memberships.c.workspace_id == "b"),
        update(workspaces).values(name="taken").where(workspaces.c.id == "b"),
    ],
)
async def test_another_workspaces_rows_are_not_there_to_be_changed(two: Store, statement: Any) -> None:
    assert await two.of("a").write(lambda tx: tx.run(statement)) == 0


@pytest.mark.parametrize(
    "statement",
    [
        insert(memberships).values(workspace_id="b", user_id="other", role="owner", created_at=1),
        update(memberships).values(workspace_id="b"),
        update(ad_sync_logs).values(payload=None),
        select(users),
        select(sessions.c.user_id).where(sessions.c.user_id == users.c.id),
    ],
)
async def test_what_a_workspace_may_not_is_refused(two: Store, statement: Any) -> None:
    with pytest.raises(Exception, match=r"row-level security|permission denied"):
        await two.of("a").write(lambda tx: tx.all(statement))


async def test_nobodys_workspace_shows_nothing_and_quotes_end_no_text(two: Store) -> None:
    for workspace in ("c", "'; RESET ROLE; --", "a' OR 'b"):
        assert await two.of(workspace).read(lambda tx: tx.all(select(memberships.c.workspace_id))) == []


async def test_what_ran_for_a_workspace_leaves_nothing_on_its_connection(two: Store) -> None:
    for _ in range(20):
        await two.of("a").read(lambda tx: tx.all(select(workspaces.c.id)))
        assert await names(two) == ["a", "b"]


async def test_a_table_that_comes_later_gets_its_wall_at_the_next_start(two: Store, tmp_path: Path) -> None:
    assert isinstance(two, PostgresStore)
    await two.fetch("ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY")
    await two.fetch("DROP POLICY own_rows ON memberships")
    await two.fetch("DROP POLICY all_rows ON memberships")

    again = await open_store(database_in(tmp_path))
    try:
        assert isinstance(again, PostgresStore)
        assert again.walled
    finally:
        await again.close()
