"""The one place of the tenant filter: a slice reaches rows only through here, so it cannot forget its workspace."""

from collections.abc import Mapping, Sequence
from functools import cache
from operator import eq, itemgetter
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    delete,
    insert,
    select,
    update,
)

# Both dialects spell ON CONFLICT alike, and this construct compiles on both.
from sqlalchemy.dialects.postgresql import insert as insert_on_conflict
from sqlalchemy.sql.visitors import iterate

from tools.store.engine import Statement, Store, Transaction, Work
from tools.store.statements import CACHE_SIZE, Prepared, Row, shape
from tools.store.tables import workspaces


class Rows:
    """The rows of one workspace. `staged` are the writes the door commits together with the call's audit row, `beside`
    those it commits on their own, which the answer does not wait for."""

    def __init__(self, store: Store, workspace_id: str) -> None:
        self.workspace_id = workspace_id
        self.staged: list[Statement | Work[int]] = []
        self.beside: list[Work[int]] = []
        self._store = store.of(workspace_id)

    def select(self, table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
        """`SELECT columns` (all of them when none are named), of this workspace; columns may join further tables."""
        if not columns:
            return select(table).where(self._ours(table))
        chosen = select(*columns).select_from(table)
        if all(isinstance(column, Column) for column in columns):
            tables = {table, *(column.table for column in columns)}
        else:  # an expression may hold columns of any table; asking for them costs more than the rest of the statement
            tables = {table, *chosen.get_final_froms()}
        return chosen.where(*(self._ours(each) for each in sorted(tables, key=lambda t: t.name)))

    def update(self, table: Table, **values: Any) -> Update:
        if _tenant(table).name in values:
            raise ValueError(f"a row of {table.name} does not change its workspace")
        return update(table).where(self._ours(table)).values(**values)

    def delete(self, table: Table) -> Delete:
        return delete(table).where(self._ours(table))

    def insert(self, table: Table, **values: Any) -> Insert:
        return insert(table).values(**self._owned(table, values))

    def insert_once(self, table: Table, **values: Any) -> Insert:
        """Insert, or touch nothing (rowcount 0) when a unique rule holds such a row already."""
        return insert_on_conflict(table).values(**self._owned(table, values)).on_conflict_do_nothing()

    def upsert(self, table: Table, values: Mapping[str, Any], change: Mapping[str, Any] | None = None) -> Insert:
        """Insert, or change the row of the same primary key: to `change`, else to the values given."""
        owned = self._owned(table, values)
        keys = [column.name for column in table.primary_key]
        if _tenant(table).name not in keys:
            raise ValueError(f"the key of {table.name} lacks its workspace: an upsert could change a stranger's row")
        changed = {name: value for name, value in owned.items() if name not in keys} if change is None else dict(change)
        if changed.keys() & keys:
            raise ValueError(f"an upsert does not change the key of {table.name}")
        return insert_on_conflict(table).values(**owned).on_conflict_do_update(index_elements=keys, set_=changed)

    async def first(self, statement: Statement) -> Row | None:
        _refuse_unfiltered(statement)
        return await self._store.read(lambda transaction: transaction.first(statement))

    async def all(self, statement: Statement, **values: Any) -> list[Row]:
        """Short, indexed: it runs on the loop. A prepared one calls its workspace `of`, and is told it here."""
        _refuse_unfiltered(statement)
        told = self._told(statement, values)
        return await self._store.read(lambda transaction: transaction.all(statement, **told))

    async def newest(
        self,
        table: Table,
        statement: Select[Any],
        *,
        after: tuple[int, str] | None,
        limit: int,
        by: str = "created_at",
        long: bool = False,
    ) -> tuple[list[Row], tuple[int, str] | None]:
        """A page of `table`, newest first, after a position (when, id); and the position of the next page."""
        when = table.c[by]
        if after is not None:
            at, identifier = after
            statement = statement.where((when < at) | ((when == at) & (table.c.id > identifier)))
        ordered = statement.order_by(when.desc(), table.c.id).limit(limit + 1)
        found = await (self.scan(ordered) if long else self.all(ordered))
        rows = found[:limit]
        return rows, (getattr(rows[-1], by), rows[-1].id) if len(found) > limit else None

    async def scan(self, statement: Statement, **values: Any) -> list[Row]:
        """Long: it runs on the reader's thread. A prepared one as above."""
        _refuse_unfiltered(statement)
        told = self._told(statement, values)
        return await self._store.scan(lambda transaction: transaction.all(statement, **told))

    def _told(self, statement: Statement, values: dict[str, Any]) -> dict[str, Any]:
        return values | {"of": self.workspace_id} if isinstance(statement, Prepared) else values

    def stage(self, statement: Statement) -> None:
        _refuse_unfiltered(statement)
        self.staged.append(statement)

    def only_new(self, table: Table, rows: Sequence[Mapping[str, Any]], *, among: ColumnElement[bool]) -> Work[int]:
        """Many rows in few steps, without those whose key one of the rows `among` these has already."""
        keys = [column for column in table.primary_key if column is not _tenant(table)]
        ours, held = self._owned(table, {}), self.select(table, *keys).where(among)
        named = itemgetter(*(column.name for column in keys))
        _refuse_unfiltered(held)

        async def work(transaction: Transaction) -> int:
            known = {tuple(row) for row in await transaction.all(held)}
            new = [row for row in rows if named(row) not in known]
            if new:
                await transaction.run_many(_inserting(table), [{**row, **ours} for row in new])
            return len(new)

        return work

    def _ours(self, table: Table) -> ColumnElement[bool]:
        return _tenant(table) == self.workspace_id

    def _owned(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        name = _tenant(table).name
        if values.get(name, self.workspace_id) != self.workspace_id:
            raise ValueError(f"a row of {table.name} belongs to {self.workspace_id}, not to {values[name]}")
        return {**values, name: self.workspace_id}


@cache
def _inserting(table: Table) -> Prepared:
    return Prepared(insert(table))


def _tenant(table: Table) -> Column[Any]:
    if table is workspaces:
        return table.c.id
    if "workspace_id" not in table.c:
        raise ValueError(f"{table.name} belongs to no workspace and is not read through one")
    return table.c.workspace_id


_FILTERED: set[Any] = set()


def _refuse_unfiltered(statement: Statement) -> None:
    """A condition may bring in a table that `select` was not told of. Looked at once a shape of statement."""
    if isinstance(statement, Prepared | Insert) or (key := shape(statement).key) in _FILTERED:
        return
    used, filtered = set[Table](), set[Table]()
    for element in iterate(statement):
        if isinstance(element, Table):
            used.add(element)
        elif isinstance(element, Column):
            used.add(element.table)
        elif isinstance(element, BinaryExpression) and _compares_tenant(element):
            filtered.add(element.left.table)
    if used - filtered:
        names = ", ".join(sorted(table.name for table in used - filtered))
        raise ValueError(f"{names}: not filtered by workspace; name its columns in select(), or look twice")
    if len(_FILTERED) >= CACHE_SIZE:
        _FILTERED.clear()
    _FILTERED.add(key)


def _compares_tenant(element: BinaryExpression[Any]) -> bool:
    return (
        element.operator is eq
        and isinstance(element.left, Column)
        and isinstance(element.right, BindParameter)
        and element.left is _tenant(element.left.table)
    )
