"""What the analytics owner holds in memory beside a bare process of its engine, with the same rows and questions.

As a process, `python -m tests.bench.owner STORE EVENTS`, it makes those rows.
"""

import asyncio
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.composition import Composition
from server.analytics.datafiles.loading import OURS, load
from server.analytics.deployment import Deployed
from server.analytics.engine import READING, escaped
from server.analytics.process import DATABASE, Place
from tests.bench.analytics import ASKED, BY_ROLLUP, NAMED, VISITOR
from tests.bench.analytics_data import statements
from tests.bench.ingest import owner
from tests.bench.processes import rss_mb, settle
from tests.bench.table import Row

EVENTS, QUICK_EVENTS = 1_000_000, 50_000
ROUNDS = 3
MOST = 1.2
"""Of what the engine alone holds."""
_PIPES = {**NAMED, **BY_ROLLUP}


def measure(*, quick: bool = False) -> Iterator[Row]:
    events = QUICK_EVENTS if quick else EVENTS
    with tempfile.TemporaryDirectory(prefix="adwright-bench-") as name:
        directory, questions = Path(name), Path(name) / "questions"
        store = Place(directory).data
        store.parent.mkdir(parents=True)
        _run("tests.bench.owner", store, events)
        questions.write_text(json.dumps({"settings": dict(READING), "questions": _questions()}), encoding="utf-8")
        held = json.loads(_run("tests.bench.bare_engine", store, questions, ROUNDS))
        idle, asked = _by_the_owner(directory)
    size = f"{len(_PIPES)} pipes of {events:,} events asked {ROUNDS} times"
    yield Row("analytics owner idle after the start, beside the engine alone", "MB", idle, held["idle"], MOST)
    yield Row(f"analytics owner after {size}, beside the engine alone", "MB", asked, held["asked"], MOST)


def _values(pipe: str) -> dict[str, str]:
    return {**ASKED, **({"visitor_id": VISITOR} if pipe.startswith("p_visitor_") else {}), **_PIPES[pipe]}


def _questions() -> list[tuple[str, dict[str, str]]]:
    """As the owner puts them to its engine."""
    project = load(OURS)
    made = []
    for pipe in _PIPES:
        composition = Composition(project, DATABASE, _values(pipe))
        sql = composition.pipe(project.pipes[pipe])
        made.append((sql, {name: escaped(value) for name, value in composition.bound.items()}))
    return made


def _by_the_owner(directory: Path) -> tuple[float, float]:
    with owner(directory) as (process, known):
        headers = {"authorization": f"Bearer {known['admin_token']}"}
        with httpx2.Client(base_url=str(known["url"]), headers=headers, timeout=60) as client:
            settle(1)
            idle = rss_mb(process.pid)
            for pipe in ROUNDS * list(_PIPES):
                client.post(f"/v0/pipes/{pipe}.json", json=_values(pipe)).raise_for_status()
            settle(1)
            return idle, rss_mb(process.pid)


def _run(module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


async def _fill(store: Path, events: int) -> None:
    async with await ChdbEngine.open(store) as engine:
        deployed = await Deployed.open(load(OURS), engine, database=DATABASE)
        for statement in statements(events, DATABASE):
            await engine.command(statement)
        await deployed.run_due_copies(dt.datetime.now(dt.UTC))  # so that the owner need not at its start


def main() -> None:
    store, events = sys.argv[1:]
    asyncio.run(_fill(Path(store), int(events)))


if __name__ == "__main__":
    main()
