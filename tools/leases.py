"""Which process settles what it began: rows in mid-air carry a lease, and only a lapsed one is taken over, by one."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, update

from tools import ids
from tools.context import Context
from tools.store.engine import Store, Transaction
from tools.store.statements import Row
from tools.store.tables import approvals, platform_writes

LASTS = dt.timedelta(seconds=20)
_OPEN = {approvals: "executing", platform_writes: "intent"}


class Fenced(Exception):
    """The lease lapsed, and another process settles the row or has settled it."""


class Leases:
    """One a process. `held` says what its own tasks will still settle, which it knows better than any clock."""

    def __init__(self, lasts: dt.timedelta = LASTS) -> None:
        self.lasts = lasts
        self.renewed_every = lasts / 4
        self.holder = ids.new("prc")
        self.held = Counter[str]()  # row id → how many tasks

    @contextlib.contextmanager
    def holding(self, *identifiers: str) -> Iterator[None]:
        self.held.update(identifiers)
        try:
            yield
        finally:
            self.held.subtract(identifiers)
            self.held += Counter()  # forgets those at zero

    def fresh(self, now_ms: int) -> dict[str, Any]:
        return {"lease_holder": self.holder, "lease_until": self._until(now_ms)}

    def has_lapsed(self, row: Row, now_ms: int, store: Store) -> bool:
        """Nobody will settle this row. Where one process owns the database, no other holder is alive."""
        if row.lease_holder == self.holder:
            return row.id not in self.held
        return not store.shared or (row.lease_until or 0) <= now_ms

    async def take_over(self, context: Context, table: Table, row: Row) -> bool:
        """Make a lapsed lease ours; false where the row was settled, or another process was quicker."""
        mine = (
            context.rows.update(table)
            .where(
                table.c.id == row.id,
                table.c.status == _OPEN[table],
                table.c.lease_holder.is_not_distinct_from(row.lease_holder),
                table.c.lease_until.is_not_distinct_from(row.lease_until),
            )
            .values(self.fresh(context.now_ms()))
        )
        return bool(await context.store.write(lambda tx: tx.run(mine)))

    async def require(self, tx: Transaction, context: Context, table: Table, identifier: str) -> None:
        """Raises Fenced where another process settles this row; inside the transaction that relies on it."""
        mine = context.rows.select(table, table.c.id).where(
            table.c.id == identifier, table.c.status == _OPEN[table], table.c.lease_holder == self.holder
        )
        if await tx.first(mine) is None:
            raise Fenced(identifier)

    async def renew(self, store: Store, now_ms: int) -> None:
        """Keep what is held, over all workspaces."""
        if not self.held:
            return
        statements = [
            update(table)
            .where(table.c.id.in_(list(self.held)), table.c.lease_holder == self.holder, table.c.status == status)
            .values(lease_until=self._until(now_ms))
            for table, status in _OPEN.items()
        ]

        async def work(tx: Transaction) -> None:
            for statement in statements:
                await tx.run(statement)

        await store.write(work)

    def _until(self, now_ms: int) -> int:
        return now_ms + int(self.lasts.total_seconds() * 1000)
