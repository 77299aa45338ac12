"""One embedded engine a process: in it our project, empty for each test that asks, and told the same past for all."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import PipeKind, Project
from server.analytics.deployment import Appended, Deployed
from server.analytics.engine import Format, quoted
from tests.server.analytics.pipes.history import History, Row, sent_again
from tests.server.analytics.pipes_revenue.ledger import ledger

OURS = Path(__file__).parents[3] / "server" / "analytics" / "project"
Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
STATES = ("never copied", "just copied", "copied before the last weeks")
COPIED = "2026-03-14 12:10:00"  # amid the sessions of the busiest hour
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


@pytest.fixture(scope="session")
def told() -> History:
    return ledger()


@pytest.fixture(scope="session")
def shops(project: Project, engine: ChdbEngine, told: History) -> Mapping[str, Deployed]:
    """The same past in three databases: no rollup was ever made, it was made last, or before the last weeks came."""

    async def shops() -> dict[str, Deployed]:
        return {state: await _shop(project, engine, told, state) for state in STATES}

    return asyncio.run(shops())


async def _shop(project: Project, engine: ChdbEngine, told: History, state: str) -> Deployed:
    deployed = await Deployed.open(project, engine, database=state.replace(" ", "_"))
    for table in deployed.project.datasources:
        # A row that was sent again stays until it is asked for: a pipe that counts it twice is found out.
        await engine.command(f"SYSTEM STOP MERGES {quoted(deployed.database, table)}")
    if state == STATES[2]:
        await _received(deployed, told, lambda row: row["ingest_ts"] < COPIED)
        await _copied(deployed)
        await _received(deployed, told, lambda row: row["ingest_ts"] >= COPIED)
        return deployed
    await _received(deployed, told, lambda _: True)
    if state == STATES[1]:
        await _copied(deployed)
    return deployed


async def _received(deployed: Deployed, told: History, chosen: Callable[[Row], bool]) -> None:
    for datasource, rows in (*told.rows.items(), *sent_again(told)):
        appended = await deployed.append(datasource, _ndjson(row for row in rows if chosen(row)))
        assert not appended.quarantined_rows


async def _copied(deployed: Deployed) -> None:
    for pipe in deployed.project.pipes.values():
        if pipe.kind is PipeKind.COPY:
            await deployed.copy(pipe.name)


def _ndjson(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"\n".join(orjson.dumps(row, default=str) for row in rows)


@pytest.fixture
def append() -> Append:
    """Rows that all must fit."""

    async def append(deployed: Deployed, datasource: str, rows: Iterable[Mapping[str, Any]]) -> Appended:
        appended = await deployed.append(datasource, _ndjson(rows))
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
