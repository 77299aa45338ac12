"""A migrated database a test, and its store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tools.store.engine import Store
from tools.store.migrations import migrate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = tmp_path / "adwright.db"
    migrate(database)
    return database


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path)
    yield opened
    await opened.close()
