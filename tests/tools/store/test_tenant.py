"""The tenant filter holds for every kind of statement, joins and other tables in a condition included."""

from typing import Any

import pytest
from sqlalchemy import func

from tools.store.engine import Statement, Store
from tools.store.tables import schema_migrations, usage_counters, users, workspaces
from tools.store.tenant import Rows

used = usage_counters.c.used


async def ran(store: Store, *statements: Statement) -> list[int]:
    async def work(transaction: Any) -> list[int]:
        return [await transaction.run(statement) for statement in statements]

    return await store.write(work)


@pytest.fixture
async def ours(store: Store) -> Rows:
    rows = Rows(store, "wsp_ours")
    await ran(store, rows.insert(workspaces, name="Ours", created_at=1))
    return rows


@pytest.fixture
async def strangers(store: Store) -> Rows:
    rows = Rows(store, "wsp_strangers")
    await ran(
        store,
        rows.insert(workspaces, name="Strangers", created_at=1),
        rows.insert(usage_counters, meter="chat", period="2026-11", used=7),
    )
    return rows


async def test_a_strangers_rows_are_invisible(ours: Rows, strangers: Rows) -> None:
    everything = ours.select(usage_counters)

    assert await ours.first(everything) is None
    assert await ours.all(everything) == []
    assert await ours.scan(everything) == []
    assert await ours.all(ours.select(workspaces, workspaces.c.name)) == [("Ours",)]
    assert await ours.all(ours.select(usage_counters, func.sum(used))) == [(None,)]
    assert await strangers.all(strangers.select(usage_counters, used)) == [(7,)]


async def test_a_strangers_rows_stay_as_they_are(store: Store, ours: Rows, strangers: Rows) -> None:
    touched = await ran(
        store,
        ours.update(usage_counters, used=0),
        ours.update(workspaces, name="Stolen").where(workspaces.c.id == "wsp_strangers"),
        ours.delete(usage_counters),
        ours.upsert(usage_counters, {"meter": "chat", "period": "2026-11", "used": 1}),
    )

    assert touched == [0, 0, 0, 1]
    assert await strangers.all(strangers.select(usage_counters, used)) == [(7,)]
    assert await strangers.all(strangers.select(workspaces, workspaces.c.name)) == [("Strangers",)]
    assert await ours.all(ours.select(usage_counters, used)) == [(1,)]


async def test_a_join_is_filtered_on_both_sides(ours: Rows, strangers: Rows) -> None:
    joined = ours.select(usage_counters, used, workspaces.c.name)

    assert await ours.all(joined) == []
    assert await strangers.all(strangers.select(usage_counters, used, workspaces.c.name)) == [(7, "Strangers")]
    assert await ours.all(ours.select(workspaces, func.max(used))) == [(None,)]


async def test_a_condition_on_another_table_does_not_widen_a_select(ours: Rows) -> None:
    smuggled = ours.select(workspaces, workspaces.c.name).where(used == 7)

    with pytest.raises(ValueError, match="usage_counters"):
        await ours.all(smuggled)
    with pytest.raises(ValueError, match="usage_counters"):
        await ours.first(smuggled)
    with pytest.raises(ValueError, match="usage_counters"):
        await ours.scan(smuggled)
    with pytest.raises(ValueError, match="usage_counters"):
        ours.stage(ours.delete(workspaces).where(used == 7))


async def test_a_workspace_that_contradicts_is_refused(ours: Rows) -> None:
    with pytest.raises(ValueError, match="belongs to wsp_ours"):
        ours.insert(usage_counters, workspace_id="wsp_strangers", meter="chat", period="2026-11", used=1)
    with pytest.raises(ValueError, match="belongs to wsp_ours"):
        ours.upsert(usage_counters, {"workspace_id": "wsp_strangers", "meter": "chat", "period": "p", "used": 1})
    with pytest.raises(ValueError, match="does not change its workspace"):
        ours.update(usage_counters, workspace_id="wsp_strangers")


def test_a_table_without_a_workspace_is_refused(store: Store) -> None:
    rows = Rows(store, "wsp_ours")

    for table in (users, schema_migrations):
        with pytest.raises(ValueError, match="belongs to no workspace"):
            rows.select(table)
        with pytest.raises(ValueError, match="belongs to no workspace"):
            rows.delete(table)


async def test_insert_once_touches_nothing_when_the_row_is_there(store: Store, ours: Rows) -> None:
    row = {"meter": "chat", "period": "2026-11", "used": 1}

    assert await ran(store, ours.insert_once(usage_counters, **row), ours.insert_once(usage_counters, **row)) == [1, 0]


async def test_upsert_changes_what_it_is_told_and_never_the_key(store: Store, ours: Rows) -> None:
    values = {"meter": "chat", "period": "2026-11", "used": 1}
    more = ours.upsert(usage_counters, values, {"used": used + 1})

    await ran(store, more, more, more)

    assert await ours.all(ours.select(usage_counters, used)) == [(3,)]
    with pytest.raises(ValueError, match="does not change the key"):
        ours.upsert(usage_counters, values, {"meter": "other"})


def test_staged_statements_wait_in_order(store: Store) -> None:
    rows = Rows(store, "wsp_ours")
    first, second = rows.delete(usage_counters), rows.delete(workspaces)
    rows.stage(first)
    rows.stage(second)

    assert rows.staged == [first, second]
