"""A project's tables and views made true in a database that may hold older ones; what would cost data is refused."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from server.analytics.datafiles.model import Datasource, PipeFile
from server.analytics.engine import DeploymentError, Engine, quoted
from server.analytics.tables.ddl import (
    QUARANTINE,
    column_definition,
    create,
    create_empty,
    create_quarantine,
    create_view,
    safe,
)

_MARK = "adwright:"
_WANTED = "__wanted"
TRIAL = "adwright_trial_"
_KEYS = (
    ("engine", "engine"),
    ("partition_key", "partition key"),
    ("sorting_key", "sorting key"),
    ("primary_key", "primary key"),
    ("sampling_key", "sampling key"),
)


def mark(definition: str) -> str:
    """What a table's comment keeps, so that an unchanged one costs nothing at the next start."""
    return _MARK + hashlib.sha256(definition.encode()).hexdigest()[:24]


def marked(datasource: Datasource, *, database: str, name: str | None = None) -> str:
    definition = create(datasource, database=database)
    return create(datasource, database=database, name=name, comment=mark(definition))


class Reconciler:
    def __init__(self, engine: Engine, database: str) -> None:
        self._engine, self._database = engine, database
        self._comments: dict[str, str] = {}

    async def begin(self) -> None:
        await self._engine.command(f"CREATE DATABASE IF NOT EXISTS {quoted(self._database)}")
        rows = await self._engine.inspect(
            "SELECT name, comment FROM system.tables WHERE database = {database:String}", {"database": self._database}
        )
        self._comments = {row["name"]: row["comment"] for row in rows}
        for name in self._comments:
            if name.startswith(TRIAL):  # of a process that was killed
                await self._engine.command(f"DROP TABLE IF EXISTS {quoted(self._database, name)}")

    async def table(self, datasource: Datasource) -> None:
        kept = self._comments.get(datasource.name)
        if kept is None:
            await self._engine.command(marked(datasource, database=self._database))
        elif kept != mark(create(datasource, database=self._database)):
            await self._alter(datasource)
        if datasource.name + QUARANTINE not in self._comments:
            await self._engine.command(create_quarantine(datasource, database=self._database))

    async def undeclared(self, pipe: PipeFile, sql: str) -> None:
        """The target of a view that says itself what table it needs: its columns are the query's."""
        if pipe.engine is not None and pipe.target is not None and pipe.target not in self._comments:
            await self._engine.command(create_empty(pipe.target, pipe.engine, sql, database=self._database))

    async def view(self, name: str, target: str, sql: str) -> None:
        """One that is new fills a target that is still empty with what is there already."""
        definition = mark(create_view(name, target, sql, database=self._database, comment=""))
        kept = self._comments.get(name)
        if kept == definition:
            return
        if kept is not None:
            await self._engine.command(f"DROP VIEW {quoted(self._database, name)}")
        elif not await self._has_rows(target):
            await self._engine.command(await self.insert_select(target, sql))
        await self._engine.command(create_view(name, target, sql, database=self._database, comment=definition))

    async def drop_views_but(self, names: Sequence[str]) -> None:
        rows = await self._engine.inspect(
            "SELECT name, comment FROM system.tables"
            " WHERE database = {database:String} AND engine = 'MaterializedView'",
            {"database": self._database},
        )
        for row in rows:
            if row["comment"].startswith(_MARK) and row["name"] not in names:
                await self._engine.command(f"DROP VIEW {quoted(self._database, row['name'])}")

    async def insert_select(self, target: str, sql: str, *, into: str | None = None) -> str:
        """Columns meet by their names, whatever their order; those the query does not have get their defaults."""
        given = [row["name"] for row in await self._engine.inspect(f"DESCRIBE TABLE ({sql}\n)")]
        known = {row["name"] for row in await self._columns(target)}
        if unknown := [name for name in given if name not in known]:
            raise DeploymentError(f"{target} has no column {unknown[0]}, which a pipe writes to it.")
        names = ", ".join(quoted(name) for name in given)
        table = quoted(self._database, into or target)
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM ({sql}\n)"  # noqa: S608 -- names are quoted

    async def _has_rows(self, table: str) -> bool:
        name = {"database": self._database, "table": table}
        return bool(await self._engine.inspect("SELECT 1 FROM {database:Identifier}.{table:Identifier} LIMIT 1", name))

    async def _alter(self, datasource: Datasource) -> None:
        wanted_name = datasource.name + _WANTED
        await self._engine.command(f"DROP TABLE IF EXISTS {quoted(self._database, wanted_name)}")
        await self._engine.command(create(datasource, database=self._database, name=wanted_name))
        try:
            await self._compare_keys(datasource.name, wanted_name)
            changes = self._column_changes(
                datasource, await self._columns(datasource.name), await self._columns(wanted_name)
            )
            changes += await self._index_changes(datasource)
            changes += await self._ttl_changes(datasource, wanted_name)
        finally:
            await self._engine.command(f"DROP TABLE IF EXISTS {quoted(self._database, wanted_name)}")
        table = quoted(self._database, datasource.name)
        for change in changes:
            await self._engine.command(f"ALTER TABLE {table} {change}")
        quarantine = quoted(self._database, datasource.name + QUARANTINE)
        if datasource.name + QUARANTINE in self._comments:
            for column in datasource.columns:
                await self._engine.command(
                    f"ALTER TABLE {quarantine} ADD COLUMN IF NOT EXISTS {quoted(column.name)} Nullable(String)"
                )
        comment = mark(create(datasource, database=self._database))
        await self._engine.command(f"ALTER TABLE {table} MODIFY COMMENT '{comment}'")

    async def _compare_keys(self, name: str, wanted_name: str) -> None:
        stored, wanted = await self._described(name), await self._described(wanted_name)
        for key, words in _KEYS:
            if stored[key] != wanted[key]:
                raise DeploymentError(
                    f"The {words} of {name} is {stored[key] or 'none'} in the store and {wanted[key] or 'none'} in its"
                    " file. It cannot be changed in place: give the new one another name and copy the rows to it."
                )

    def _column_changes(
        self, datasource: Datasource, stored: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        known = {row["name"]: row for row in stored}
        changes, before = list[str](), "FIRST"
        for column, row in zip(datasource.columns, wanted, strict=True):
            old = known.pop(column.name, None)
            if old is None:
                changes.append(f"ADD COLUMN IF NOT EXISTS {column_definition(column)} {before}")
            elif old["type"] != row["type"]:
                raise DeploymentError(
                    f"The column {column.name} of {datasource.name} is {old['type']} in the store and {row['type']} in"
                    " its file. A column keeps its type: add another one."
                )
            elif any(old[aspect] != row[aspect] for aspect in ("default_type", "default_expression", "codec")):
                changes.append(f"MODIFY COLUMN {column_definition(column)}")
            before = f"AFTER {quoted(column.name)}"
        if known:
            raise DeploymentError(
                f"{datasource.name} has no column {next(iter(known))} in its file, but it has one in the store: its"
                " values would be lost. Declare it, or drop it in the store first."
            )
        return changes

    async def _index_changes(self, datasource: Datasource) -> list[str]:
        rows = await self._engine.inspect(
            "SELECT name FROM system.data_skipping_indices"
            " WHERE database = {database:String} AND table = {table:String}",
            {"database": self._database, "table": datasource.name},
        )
        stored = {row["name"] for row in rows}
        wanted = {index.name: index for index in datasource.indexes}
        return [f"DROP INDEX {quoted(name)}" for name in sorted(stored - wanted.keys())] + [
            f"ADD INDEX {quoted(name)} {safe(i.expression)} TYPE {safe(i.type)} GRANULARITY {i.granularity}"
            for name, i in wanted.items()
            if name not in stored
        ]

    async def _ttl_changes(self, datasource: Datasource, wanted_name: str) -> list[str]:
        stored, wanted = [_ttl((await self._described(n))["engine_full"]) for n in (datasource.name, wanted_name)]
        if stored == wanted:
            return []
        return [f"MODIFY TTL {safe(datasource.engine.options['ttl'])}" if wanted else "REMOVE TTL"]

    async def _described(self, table: str) -> Mapping[str, Any]:
        (row,) = await self._engine.inspect(
            "SELECT engine, partition_key, sorting_key, primary_key, sampling_key, engine_full FROM system.tables"
            " WHERE database = {database:String} AND name = {table:String}",
            {"database": self._database, "table": table},
        )
        return row

    async def _columns(self, table: str) -> Sequence[Mapping[str, Any]]:
        return await self._engine.inspect(
            "SELECT name, type, default_kind AS default_type, default_expression, compression_codec AS codec"
            " FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position",
            {"database": self._database, "table": table},
        )


def _ttl(engine_full: str) -> str:
    return engine_full.partition(" TTL ")[2].partition(" SETTINGS ")[0]
