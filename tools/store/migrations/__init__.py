"""Forward-only schema steps: numbered SQL files, each applied once in its own transaction, safe to race and to kill."""

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from tools.store.sqlite import connect, translated

_DIRECTORY = Path(__file__).parent
LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (version)
)"""
APPLIED = "SELECT version, checksum FROM schema_migrations"


class SchemaMismatch(Exception):
    """The database and this program disagree about the schema's history; nothing was changed."""


class Migration(NamedTuple):
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def shipped(directory: Path = _DIRECTORY) -> tuple[Migration, ...]:
    """The steps this program knows, in order: `0001_core.sql` is version 1, named core."""
    found = []
    for path in sorted(directory.glob("[0-9]*_*.sql")):
        version, _, name = path.stem.partition("_")
        found.append(Migration(int(version), name, path.read_text(encoding="utf-8")))
    return tuple(found)


def migrate(path: Path | str, steps: Sequence[Migration] | None = None) -> list[int]:
    """Bring the database up to date; answers the versions applied now. Raises SchemaMismatch or StoreUnavailable."""
    steps = shipped() if steps is None else steps
    try:
        connection = connect(Path(path))
        try:
            connection.execute(LEDGER)
            missing = absent(dict(connection.execute(APPLIED).fetchall()), steps)
            return [step.version for step in missing if _apply(connection, step, newest=steps[-1].version)]
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise translated(error) from error


def _apply(connection: sqlite3.Connection, step: Migration, newest: int) -> bool:
    connection.execute("BEGIN IMMEDIATE")  # another process may be at the same step: the lock lets one through
    try:
        applied = dict(connection.execute(APPLIED).fetchall())
        check(applied, step, newest)
        if step.version in applied:
            return False
        for statement in statements(step, "sqlite"):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            (step.version, step.name, step.checksum, int(time.time() * 1000)),
        )
        connection.execute("COMMIT")
        return True
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def absent(applied: dict[int, str], steps: Sequence[Migration]) -> list[Migration]:
    """Those still to be applied, where the others are as they are known here; each is looked at again under a lock."""
    for step in steps:
        check(applied, step, steps[-1].version)
    return [step for step in steps if step.version not in applied]


def check(applied: dict[int, str], step: Migration, newest: int) -> None:
    ahead = max(applied, default=0)
    if ahead > newest:
        raise SchemaMismatch(f"the database has schema {ahead}, this program knows {newest}: run a newer adwright")
    if applied.get(step.version, step.checksum) != step.checksum:
        raise SchemaMismatch(
            f"schema step {step.version} ({step.name}) was applied with other contents: restore the released file"
        )


def statements(step: Migration, database: Literal["sqlite", "postgresql"]) -> Iterator[str]:
    """Those meant for this database. Split on complete ones only: the body of a trigger holds semicolons of its own."""
    pending = ""
    for line in step.sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            if _meant_for(pending) in (None, database):
                yield pending
            pending = ""
    if pending.strip():
        raise SchemaMismatch("a schema step ends in the middle of a statement")


def _meant_for(statement: str) -> str | None:
    """`-- only postgresql` above a statement says so; the first step's triggers are older than that."""
    first = statement.lstrip().partition("\n")[0]
    if first.startswith("-- only "):
        return first.removeprefix("-- only ")
    return "sqlite" if "RAISE(ABORT" in statement else None
