"""Websites, and rows no tool makes yet, put into a world."""

from typing import Any

from sqlalchemy import Table

from tests.world import OWNER, World
from tools.store.engine import Transaction
from tools.store.tenant import Rows


async def site(world: World, domain: str = "shop.example.com", **more: Any) -> str:
    """The id of a new website of the north."""
    return str((await world.call(OWNER, "create_website", domain=domain, **more))["id"])


async def put(world: World, table: Table, *rows: dict[str, Any], workspace: str = "wsp_north") -> None:
    """Rows of a table whose rows no capability creates, or more of one than it would."""
    owned = Rows(world.store, workspace)

    async def work(tx: Transaction) -> None:
        for row in rows:
            await tx.run(owned.insert(table, **row))

    await world.store.write(work)


async def stored(world: World, table: Table) -> list[dict[str, Any]]:
    """Its rows in the north, deleted ones included."""
    rows = Rows(world.store, "wsp_north")
    return [row.as_dict() for row in await rows.all(rows.select(table).order_by(table.c.created_at, table.c.id))]
