"""The REST projection over a small registry, with the real door and a real store behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.shop import Client, serving


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as client:
        yield client
