"""A world a test: people, the door, the store, and the sandbox behind the real adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[World]:
    """Google connected beside Meta."""
    async with open_world(tmp_path, google=True) as opened:
        yield opened
