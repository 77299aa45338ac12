"""The store answers only what is durable, undoes what fails, and fails as one known error: on either database."""

import asyncio
import contextlib

import pytest
from sqlalchemy import insert, select, update

from tests.tools.store.works import BY_ID, add, adding, first, names
from tools.store.engine import ConstraintViolated, Store, Transaction
from tools.store.tables import memberships, workspaces


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


async def test_a_work_that_swallows_a_refusal_is_not_committed(store: Store) -> None:
    async def careless(transaction: Transaction) -> None:
        await add(transaction, "w")
        with contextlib.suppress(ConstraintViolated):
            await add(transaction, "w")

    with pytest.raises(ConstraintViolated):
        await store.write(careless)

    assert await names(store) == []


async def test_reads_and_scans_do_not_write(store: Store) -> None:
    with pytest.raises(TypeError, match="does not write"):
        await store.read(adding("w"))
    with pytest.raises(TypeError, match="does not write"):
        await store.scan(adding("w"))


async def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(
            lambda transaction: transaction.run(
                insert(memberships).values(workspace_id="none", user_id="none", role="owner", created_at=1)
            )
        )


async def test_concurrent_increments_lose_none(store: Store) -> None:
    await store.write(adding("w"))
    once = update(workspaces).values(created_at=workspaces.c.created_at + 1)

    await asyncio.gather(*(store.write(lambda transaction: transaction.run(once)) for _ in range(500)))

    row = await store.read(lambda transaction: transaction.first(BY_ID, id="w"))
    assert row is not None
    assert row.created_at == 501
