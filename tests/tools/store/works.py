"""What the tests of the store have it do."""

from sqlalchemy import bindparam, insert, select

from tools.store.engine import Statement, Store, Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import workspaces

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
