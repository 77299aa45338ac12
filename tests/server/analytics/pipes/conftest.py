"""The made-up past with its repetitions, told once a process to pandas and to the engine, whose rollup knows a part."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
import pandas as pd
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from tests.server.analytics.pipes.asked import Asked, frames
from tests.server.analytics.pipes.history import History, Row, history, sent_again

COPIED = "2026-03-14 12:10:00"  # amid the sessions of the busiest hour
Ask = Callable[[Mapping[str, str]], Asked]
Answer = Callable[[str, Mapping[str, str]], Awaitable[list[dict[str, Any]]]]


@pytest.fixture(scope="session")
def told() -> History:
    return history()


@pytest.fixture(scope="session")
def asked(told: History) -> Ask:
    seen, known = frames([*told.rows.items(), *sent_again(told)]), dict[Any, pd.DataFrame]()
    return lambda values: Asked(seen, values, known)


@pytest.fixture(scope="session")
def site(project: Project, engine: ChdbEngine, told: History) -> Deployed:
    return asyncio.run(_site(project, engine, told))


async def _site(project: Project, engine: ChdbEngine, told: History) -> Deployed:
    """What was received last is not in the rollup, nor is what was viewed before and sent again then."""
    deployed = await Deployed.open(project, engine, database="pipes")
    batches = [*told.rows.items(), *sent_again(told)]
    await _received(deployed, [(name, [row for row in rows if row["ingest_ts"] < COPIED]) for name, rows in batches])
    await deployed.copy("copy_sessions")
    await _received(deployed, [(name, [row for row in rows if row["ingest_ts"] >= COPIED]) for name, rows in batches])
    return deployed


async def _received(deployed: Deployed, batches: Iterable[tuple[str, list[Row]]]) -> None:
    for datasource, rows in batches:
        appended = await deployed.append(datasource, b"\n".join(orjson.dumps(row, default=str) for row in rows))
        assert not appended.quarantined_rows


@pytest.fixture
def answer(site: Deployed) -> Answer:
    async def answer(pipe: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = orjson.loads(await site.query(pipe, values, output=Format.JSON))["data"]
        return found

    return answer
