"""A migrated database a test, and its store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.database import ON_POSTGRESQL, database_in
from tools.store.engine import Store
from tools.store.opening import open_store

# Each database has tests of its own; where it is not the one that is used, they are not collected.
_OF_SQLITE = ["test_sqlite.py", "test_migrations.py"]
_OF_POSTGRESQL = ["test_postgresql.py", "migrations/test_postgresql.py", "test_roles.py", "test_windows.py"]
collect_ignore = _OF_SQLITE if ON_POSTGRESQL else _OF_POSTGRESQL


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database_in(tmp_path))
    yield opened
    await opened.close()
