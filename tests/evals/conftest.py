"""The shop's analytics store, one for all tests of a process, and a model at an address."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.analytics.client import Address, TinybirdClient
from server.process.files import read_json
from tests.chaos.harness import START_SECONDS, until
from tests.evals.running import Tasks
from tests.evals.store import pipes_of, shop_at
from tests.evals.task import book


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with shop_at(tmp_path_factory.mktemp("shop")) as address:
        yield address


@pytest.fixture
async def shop(address: Address) -> AsyncIterator[TinybirdClient]:
    async with pipes_of(address) as pipes:
        yield pipes


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(book(), tmp_path)


@pytest.fixture
def sandbox_url(tmp_path: Path) -> Iterator[str]:
    """The stand-in as a process, which the runner cannot tell from the real thing."""
    directory = tmp_path / "sandbox"
    process = subprocess.Popen([sys.executable, "-m", "server.sandbox", "--data", str(directory)])
    try:
        announced = directory / "sandbox.json"
        asyncio.run(until(announced.exists, START_SECONDS, "the sandbox did not start"))
        yield str(read_json(announced)["url"])
    finally:
        process.terminate()
        process.wait(START_SECONDS)
