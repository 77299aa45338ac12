"""The whole product, opened anew for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app import Product, open_product


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(tmp_path, analytics=True) as product:
        yield product
