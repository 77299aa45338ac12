"""One embedded engine a process, a database of its own for each test that asks, and a project deployed in it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Appended, Deployed
from server.analytics.engine import Format

OURS = Path(__file__).parents[3] / "server" / "analytics" / "project"
Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def project() -> Project:
    return load(OURS)


@pytest.fixture(scope="session")
def engine_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analytics")


@pytest.fixture(scope="session")
def engine(engine_directory: Path) -> Iterator[ChdbEngine]:
    """It is bound to no event loop, so that every test of the process can use it."""
    opened = asyncio.run(ChdbEngine.open(engine_directory))
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def database() -> str:
    return f"test_{next(_NUMBERS)}"


@pytest.fixture
async def deployed(project: Project, engine: ChdbEngine, database: str) -> Deployed:
    """Our own project, without rows."""
    return await Deployed.open(project, engine, database=database)


@pytest.fixture
def append() -> Append:
    """Rows that all must fit."""

    async def append(deployed: Deployed, datasource: str, rows: Iterable[Mapping[str, Any]]) -> Appended:
        body = b"\n".join(orjson.dumps(row, default=str) for row in rows)
        appended = await deployed.append(datasource, body)
        assert not appended.quarantined_rows, await quarantine(deployed, datasource)
        return appended

    return append


@pytest.fixture
def rows() -> Rows:
    """What a pipe answers to these parameters."""

    async def rows(deployed: Deployed, pipe: str, **values: str | list[str]) -> list[dict[str, Any]]:
        answer = await deployed.query(pipe, values, output=Format.JSON)
        found: list[dict[str, Any]] = orjson.loads(answer)["data"]
        return found

    return rows


async def quarantine(deployed: Deployed, datasource: str) -> list[dict[str, Any]]:
    statement = f"SELECT * FROM {datasource}_quarantine"  # noqa: S608 -- a name of the test's own
    answer = await deployed.sql(statement, output=Format.JSON)
    found: list[dict[str, Any]] = orjson.loads(answer)["data"]
    return found
