"""The database of the tests: a file a directory; with ADWRIGHT_TEST_DATABASE=postgresql a schema a directory.

A schema is made once and emptied for the next directory, and a new file is a copy of one that is up to date: either
takes milliseconds, where the migrations take many.
"""

import asyncio
import atexit
import contextlib
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Coroutine, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import asyncpg
from sqlalchemy import delete

from tests import opened
from tests.kept import keep_connections
from tools.secret import Secret
from tools.store.migrations import migrate
from tools.store.migrations.postgresql import migrate as migrate_shared
from tools.store.opening import Database
from tools.store.tables import ad_sync_logs, metadata, schema_migrations

T = TypeVar("T")

Content = bytes | str
"""A file, or the statements that fetch it from the schema where it lies."""

ON_POSTGRESQL = os.environ.get("ADWRIGHT_TEST_DATABASE") == "postgresql"
SERVER = os.environ.get("ADWRIGHT_TEST_DATABASE_URL", "")
ANSWER_SECONDS = 60

_EMPTY = "; ".join((
    *(str(delete(table)) for table in reversed(metadata.sorted_tables)
      if table not in (ad_sync_logs, schema_migrations)),
    # To truncate is to make files anew, which takes longer than all the rest; what only grows is made to shrink.
    "ALTER TABLE ad_sync_logs DISABLE TRIGGER USER", "DELETE FROM ad_sync_logs",
    "ALTER TABLE ad_sync_logs ENABLE TRIGGER USER", "DELETE FROM rate_limits",
))  # fmt: skip


def database_in(directory: Path, name: str = "adwright.db") -> Database:
    """The same directory again is the same database, as after a restart."""
    opened.note()
    return Secret(_schemas.url(directory / name)) if ON_POSTGRESQL else _migrated(directory / name)


def is_new(directory: Path) -> bool:
    """Whether no database was opened in this directory yet."""
    path = directory / "adwright.db"
    return not (_schemas.has(path) if ON_POSTGRESQL else path.exists())


def kept(directory: Path) -> Content:
    """What the database of this directory holds, for others; it is not used itself any more."""
    path = directory / "adwright.db"
    return _schemas.kept(path) if ON_POSTGRESQL else path.read_bytes()


def copied_in(directory: Path, content: Content) -> Database:
    """A new database that holds this."""
    opened.note()
    path = directory / "adwright.db"
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    return Secret(_schemas.copied(path, content))


def settings_in(directory: Path) -> dict[str, str]:
    """What a product in this directory has to be told, in the names of the environment."""
    opened.note()
    if ON_POSTGRESQL:
        return {"DATABASE_URL": _schemas.url(directory / "adwright.db")}
    _migrated(directory / "adwright.db")
    return {}


def give_back(directory: Path) -> None:
    """Nothing uses what is in this directory any more."""
    _schemas.free(directory)


def administer(directory: Path, *statements: str) -> None:
    """As someone with the database in hand would."""
    _schemas.run(_execute(statements, _schemas.url(directory / "adwright.db")))


def server_url(**changes: str) -> str:
    """The server of the tests, entered as someone else or with other settings. Nothing has to outlive a power cut."""
    parts = urlsplit(SERVER)
    user = changes.pop("user", "")
    host = f"{user}@{parts.hostname}:{parts.port or 5432}" if user else parts.netloc
    return urlunsplit(
        parts._replace(netloc=host, query=urlencode({"synchronous_commit": "off", "sslmode": "disable", **changes}))
    )


def stored(directory: Path, sql: str) -> list[dict[str, Any]]:
    """What lies in the database itself, read past the product."""
    if ON_POSTGRESQL:
        return _schemas.run(_fetch(sql, _schemas.url(directory / "adwright.db")))
    with contextlib.closing(sqlite3.connect(directory / "adwright.db")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql)]


def dumped(directory: Path) -> dict[str, bytes]:
    """Each table, with all that lies in it."""
    everything = {name: stored(directory, f'SELECT * FROM "{name}"') for name in metadata.tables}  # noqa: S608
    return {
        name: json.dumps([list(row.values()) for row in rows], default=bytes.decode).encode()
        for name, rows in everything.items()
    }


def _migrated(path: Path) -> Path:
    if path.parent.is_dir() and not path.exists():  # a directory that is not there is the product's to make
        path.write_bytes(_up_to_date())
    return path


@cache
def _up_to_date() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "adwright.db")
        migrate(path)
        return path.read_bytes()


class _Schemas:
    """Schemas of this process by the file whose place they take."""

    def __init__(self) -> None:
        self._used: dict[Path, str] = {}
        self._free: list[str] = []
        self._made = 0
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        atexit.register(self._drop)

    def url(self, path: Path) -> str:
        if path not in self._used:
            self._used[path] = self._emptied()
        return server_url(search_path=self._used[path])

    def has(self, path: Path) -> bool:
        return path in self._used

    def kept(self, path: Path) -> str:
        """Statements that copy what it holds into the schema that is searched."""
        schema = self._used[path]
        tables = [*(table.name for table in metadata.sorted_tables if table is not schema_migrations), "rate_limits"]
        asking = (f"SELECT '{table}' AS name WHERE EXISTS (SELECT FROM {schema}.{table})" for table in tables)  # noqa: S608
        filled = {row["name"] for row in self.run(_fetch(" UNION ALL ".join(asking), SERVER))}
        copying = (f"INSERT INTO {table} SELECT * FROM {schema}.{table}" for table in tables if table in filled)  # noqa: S608
        return "; ".join(copying)

    def copied(self, path: Path, copying: str) -> str:
        url = self.url(path)
        try:
            self.run(self._order(f"SET search_path = {self._used[path]}; {copying}"))
        except asyncpg.UndefinedTableError:  # the schema is new
            self.run(migrate_shared(url))
            self.run(self._order(f"SET search_path = {self._used[path]}; {copying}"))
        return url

    def free(self, directory: Path) -> None:
        for path in [path for path in self._used if path.is_relative_to(directory)]:
            self._free.append(self._used.pop(path))

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """On a loop of our own, since the caller may be on one."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop.run_forever, name="schemas", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(ANSWER_SECONDS)

    def _emptied(self) -> str:
        if self._free:
            schema = self._free.pop()
            with contextlib.suppress(asyncpg.UndefinedTableError):  # the test before never opened it
                self.run(self._order(f"SET search_path = {schema}; {_EMPTY}"))
            return schema
        self._made += 1
        schema = f"test_{os.getpid()}_{self._made}"
        self.run(self._order(f"CREATE SCHEMA {schema}"))
        return schema

    async def _order(self, statement: str) -> None:
        """On one connection, which knows the tables by then: a new one spends most of its time on learning them."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(SERVER)
        await self._connection.execute(statement)

    def _drop(self) -> None:
        made = [f"DROP SCHEMA test_{os.getpid()}_{n} CASCADE" for n in range(1, self._made + 1)]
        if made:
            self.run(_execute(made))


async def _execute(statements: Iterable[str], url: str = SERVER) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _fetch(sql: str, url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


_schemas = _Schemas()
if ON_POSTGRESQL:
    keep_connections(SERVER, only=f"test_{os.getpid()}_".encode())
