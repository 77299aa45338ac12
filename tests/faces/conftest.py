"""The whole product: opened anew for each test, or once for all tests of a module that leave what they share alone."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from tests import opened
from tests.app import Product, open_product


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(tmp_path, analytics=True) as product:
        yield product


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    minutes = count(step=60_000)  # so that no test meets a limit that the others have used up
    directory = tmp_path_factory.mktemp("product")
    async with open_product(directory, limits_clock=lambda: next(minutes), analytics=True) as product:
        yield product


@pytest.fixture
def shared(one_product: Product) -> Product:
    opened.note()  # of each test, where opening tells of the first alone
    return one_product
