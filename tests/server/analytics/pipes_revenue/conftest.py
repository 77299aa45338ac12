"""The same past in three databases: no rollup was ever made, it was made last, or it was made before the last weeks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pandas as pd
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from tests.server.analytics.pipes.asked import Asked, frames
from tests.server.analytics.pipes.history import History, Row
from tests.server.analytics.pipes_revenue.ledger import batches, ledger

Answer = Callable[[str, str, Mapping[str, str]], Awaitable[list[dict[str, Any]]]]
Books = Callable[[Mapping[str, str]], Asked]
STATES = ("never copied", "just copied", "copied before the last weeks")


@pytest.fixture(scope="session")
def sales() -> History:
    return ledger()


@pytest.fixture(scope="session")
def books(sales: History) -> Books:
    seen, known = frames([*batches(sales, before=True), *batches(sales, before=False)]), dict[Any, pd.DataFrame]()
    return lambda values: Asked(seen, values, known)


@pytest.fixture(scope="session")
def shops(project: Project, engine: ChdbEngine, sales: History) -> Mapping[str, Deployed]:
    return asyncio.run(_shops(project, engine, sales))


async def _shops(project: Project, engine: ChdbEngine, sales: History) -> dict[str, Deployed]:
    early, later = batches(sales, before=True), batches(sales, before=False)
    return {
        state: await _shop(project, engine, f"revenue_{number}", early, later, copied=state)
        for number, state in enumerate(STATES)
    }


async def _shop(
    project: Project,
    engine: ChdbEngine,
    database: str,
    early: list[tuple[str, list[Row]]],
    later: list[tuple[str, list[Row]]],
    *,
    copied: str,
) -> Deployed:
    deployed = await Deployed.open(project, engine, database=database)
    await _received(deployed, early)
    if copied == STATES[2]:
        await _copied(deployed)
    await _received(deployed, later)
    if copied == STATES[1]:
        await _copied(deployed)
    return deployed


async def _copied(deployed: Deployed) -> None:
    for pipe in ("copy_visits", "copy_sessions"):
        await deployed.copy(pipe)


async def _received(deployed: Deployed, batches: list[tuple[str, list[Row]]]) -> None:
    for datasource, rows in batches:
        appended = await deployed.append(datasource, b"\n".join(orjson.dumps(row, default=str) for row in rows))
        assert not appended.quarantined_rows


@pytest.fixture
def answer(shops: Mapping[str, Deployed]) -> Answer:
    async def answer(state: str, pipe: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        body = await shops[state].query(pipe, values, output=Format.JSON)
        found: list[dict[str, Any]] = orjson.loads(body)["data"]
        return found

    return answer
