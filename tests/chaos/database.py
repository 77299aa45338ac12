"""The rows of the run, read past the product: of a file, or of a schema of PostgreSQL that is the run's own."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Coroutine, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode

import asyncpg

T = TypeVar("T")
ANSWER_SECONDS = 30


class File:
    settings: Mapping[str, str] = MappingProxyType({})

    def __init__(self, directory: Path) -> None:
        self._path = directory / "adwright.db"

    def rows(self, sql: str) -> list[Any]:
        address = f"file:{self._path}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as database:
            return database.execute(sql).fetchall()

    def run(self, sql: str) -> None:
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as database:
            database.execute(sql)

    def drop(self) -> None:
        """It goes with its directory."""


class Schema:
    """On a loop of its own, as those who ask are on one and do not wait for it."""

    def __init__(self, server: str) -> None:
        self._name = f"chaos_{os.getpid()}"
        url = f"{server}?{urlencode({'search_path': self._name})}"
        # A lease as short as recovery is to be seen often; no shorter than a busy machine lets a process stand still.
        self.settings: Mapping[str, str] = {"DATABASE_URL": url, "ADWRIGHT_LEASE_SECONDS": "4"}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="rows", daemon=True).start()
        self._connection = self._wait(asyncpg.connect(url))
        self.run(f"DROP SCHEMA IF EXISTS {self._name} CASCADE; CREATE SCHEMA {self._name}")

    def rows(self, sql: str) -> list[Any]:
        return [tuple(row) for row in self._wait(self._connection.fetch(sql))]

    def run(self, sql: str) -> None:
        self._wait(self._connection.execute(sql))

    def drop(self) -> None:
        self.run(f"DROP SCHEMA {self._name} CASCADE")
        self._wait(self._connection.close())

    def _wait(self, answer: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result(ANSWER_SECONDS)
