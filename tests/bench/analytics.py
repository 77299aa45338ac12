"""Pipes over ten million events: each beside its bound, our layer beside raw chDB, a few questions beside DuckDB."""

import argparse
import asyncio
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from chdb.session import Session

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.composition import Composition
from server.analytics.datafiles.loading import load
from server.analytics.deployment import Deployed
from server.analytics.engine import READING, Engine, Format
from tests.bench import analytics_data
from tests.bench.analytics_data import DAYS, FIRST_DAY, LAST_DAY, statements
from tests.bench.analytics_looked_at import looked_at, p95
from tests.bench.table import Row

RawSession: Any = Session  # without types of its own
ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "server" / "analytics" / "project"
KEPT = ROOT / ".dev" / "bench"
DATABASE = "bench"
EVENTS, QUICK_EVENTS = 10_000_000, 200_000
COPIES = ("copy_visits", "copy_sessions")
MOST_SECONDS, FEWEST_ROUNDS = 4.0, 10  # of a pipe: one that takes long is asked less often
PIPE_MS, LAYER = 300.0, 1.15
ASKED = {"workspace_id": "wsp_bench", "website_id": "admx_1", "from": "2026-10-02", "to": LAST_DAY}
VISITOR = "2c3388e8cf21f83f261157198cc8044f"  # the seventh
WEBSITES = 4  # they share the events evenly
STEPS = '[{"type":"path","value":"/p/1"},{"type":"path","value":"/p/2"},{"type":"payment"}]'
NAMED: Mapping[str, Mapping[str, str]] = {
    "p_realtime_visitors": {"at": f"{LAST_DAY} 12:00:00"},
    "p_top_pages": {},
    "p_referrers": {},
    "p_geo": {},
    "p_devices": {},
    "p_tech": {},
    "p_languages": {},
    "p_traffic_sources": {},
    "p_funnel": {"steps": "/p/1,/p/2,/p/3"},
    "p_funnel_v2": {"steps": STEPS},
    "p_goal_conversions": {},
    "p_attributed_revenue": {"model": "linear"},
    "p_retention_cohort": {},
    "p_sessions_list": {},
    "p_visitor_profile": {},
    "p_visitor_timeline": {},
    "p_llm_traffic": {},
    "p_events_catalog": {},
    "p_pixel_healthcheck": {},
    "p_new_vs_returning": {},
    "p_entry_exit": {},
    "p_content": {},
    "p_campaigns": {},
    "p_revenue_summary": {},
    "p_mer": {},
    "p_ltv": {},
    "p_cohort_revenue": {},
    "p_mmm_input": {},
    "p_forecast_input": {},
    "p_incrementality_input": {},
}
BY_ROLLUP: Mapping[str, Mapping[str, str]] = {
    "p_metric_series": {"metric": "visitors"},
    "p_channel_series": {},
    "p_revenue_series": {},
    "p_visitors_summary": {},
}
ALL_DAYS = {"from": FIRST_DAY}
OF_ALL_DAYS = ("p_top_pages", "p_traffic_sources", "p_channel_series", "p_visitors_summary")
LAYERED = ("p_metric_series", "p_traffic_sources", "p_visitor_timeline")
ALSO_BY_DUCKDB: Mapping[str, str] = {
    "the most viewed pages": "SELECT path, count(DISTINCT visitor_id) AS visitors, count(*) AS views FROM {table}"
    " WHERE {chosen} GROUP BY path ORDER BY visitors DESC, path LIMIT 100",
    "visitors a day": "SELECT CAST(ts AS DATE) AS day, count(DISTINCT visitor_id) AS visitors FROM {table}"
    " WHERE {chosen} GROUP BY day ORDER BY day",
    "sessions and views a channel": "SELECT channel, count(DISTINCT session_id) AS sessions, count(*) AS views"
    " FROM {table} WHERE {chosen} GROUP BY channel ORDER BY channel",
}
CHOSEN = (
    "workspace_id = 'wsp_bench' AND website_id = 'admx_1' AND is_bot = 0"
    " AND ts >= '2026-10-02 00:00:00' AND ts < '2026-11-01 00:00:00'"
)


def measure(*, quick: bool, events: int | None = None, pipes: str | None = None) -> Iterator[Row]:
    """In a process of its own: the engine stays in one that has loaded it. Each row as soon as it is known, on stderr
    too, so that a run that is cut off has told what it measured."""
    asked = [*(["--quick"] if quick else []), *([f"--events={events}"] if events else [])]
    command = [sys.executable, "-m", "tests.bench.analytics", *asked, *([f"--pipes={pipes}"] if pipes else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as measuring:
        assert measuring.stdout is not None
        for line in measuring.stdout:
            row = Row(**json.loads(line))
            sys.stderr.write(f"{row.told()}\n")
            yield row
    if measuring.returncode:
        raise subprocess.CalledProcessError(measuring.returncode, command)


async def _measure(*, quick: bool, events: int, pipes: tuple[str, ...]) -> AsyncIterator[Row]:
    rounds = 5 if quick else 40
    directory = _store(events)
    async with await ChdbEngine.open(directory / "store") as engine:
        deployed = await Deployed.open(load(PROJECT), engine, database=DATABASE)
        for row in await _filled(deployed, directory, events):
            yield row
        for name, values, size in _questions(events):
            if not pipes or name in pipes:
                for row in await _pipe(deployed, name, values, PIPE_MS, rounds, size):
                    yield row
        for name in LAYERED:
            if not pipes or name in pipes:
                yield await _beside_raw(deployed, name, directory / "store", rounds)
        async for row in looked_at(deployed, {name: _values(name) for name in BY_ROLLUP if not pipes or name in pipes}):
            yield row
        for row in [] if pipes else _beside_duckdb(directory / "store", rounds):
            yield row


def _questions(events: int) -> list[tuple[str, dict[str, str], str]]:
    size = f"{events // WEBSITES:,} of {events:,} events"
    of_a_month = [(pipe, _values(pipe), size) for pipe in (*BY_ROLLUP, *NAMED)]
    return [*of_a_month, *((pipe, {**_values(pipe), **ALL_DAYS}, f"{DAYS} days of {size}") for pipe in OF_ALL_DAYS)]


def _store(events: int) -> Path:
    """Kept from run to run (10 million events are 1.5 GB), and made anew when what makes it has changed."""
    told = [each for each in PROJECT.glob("datasources/*") if not each.name.startswith(("rollup_", "ready_"))]
    directory = KEPT / f"analytics-{events}-{_digest(Path(analytics_data.__file__), *told)}"
    for other in KEPT.glob(f"analytics-{events}-*"):
        if other != directory or not (other / "made.json").exists():
            shutil.rmtree(other)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:12]


async def _filled(deployed: Deployed, directory: Path, events: int) -> list[Row]:
    """What it took, at the time. Rollups are copied again when how they are made has changed."""
    noted = directory / "made.json"
    by = _digest(*PROJECT.glob("*/rollup_*"), *PROJECT.glob("pipes/copy_*"))
    took = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else {}
    if not took:
        took["made"] = await _seconds(_made(deployed.engine, events))
    if took.get("by") != by:
        took |= {"copied": await _seconds(_copied(deployed)), "by": by}
        noted.write_text(json.dumps(took), encoding="utf-8")
    return [
        Row(f"{events:,} events, made in the engine", "s", took["made"]),
        Row("the rollups of all of them, made anew", "s", took["copied"]),
    ]


async def _made(engine: Engine, events: int) -> None:
    for statement in statements(events, DATABASE):
        await engine.command(statement)


async def _copied(deployed: Deployed) -> None:
    for copy in COPIES:
        await deployed.copy(copy)


async def _seconds(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _values(pipe: str) -> dict[str, str]:
    of_a_visitor = {"visitor_id": VISITOR} if pipe.startswith("p_visitor_") else {}
    return {**ASKED, **of_a_visitor, **{**NAMED, **BY_ROLLUP}[pipe]}


async def _pipe(
    deployed: Deployed, pipe: str, values: Mapping[str, str], target: float, rounds: int, size: str
) -> list[Row]:
    """The 95th percentile of what it took and the least CPU time of this process, after one that warms up."""
    spent, worked = list[float](), list[float]()
    while len(spent) <= rounds and (len(spent) <= min(rounds, FEWEST_ROUNDS) or sum(spent) < MOST_SECONDS * 1e3):
        began, busy = time.perf_counter(), time.process_time()
        await deployed.query(pipe, values, output=Format.JSON)
        worked.append((time.process_time() - busy) * 1e3)
        spent.append((time.perf_counter() - began) * 1e3)
    return [
        Row(f"{pipe}, p95, {size}", "ms", p95(spent[1:]), None, target),
        Row(f"{pipe}, least CPU, {size}", "ms", min(worked[1:])),
    ]


async def _beside_raw(deployed: Deployed, pipe: str, store: Path, rounds: int) -> Row:
    """The same SQL by a session of the engine's own package, in turns with ours, which renders and guards it too."""
    session = RawSession(str(store))
    for setting, value in READING.items():
        session.query(f"SET {setting} = {value}")
    sql = Composition(deployed.project, DATABASE, _values(pipe)).pipe(deployed.project.pipes[pipe])
    ours, raw = [], []
    for _ in range(rounds + 1):
        began = time.process_time()
        await deployed.query(pipe, _values(pipe), output=Format.JSON)
        between = time.process_time()
        session.query(sql, "JSON").bytes()
        ours.append((between - began) * 1e3)
        raw.append((time.process_time() - between) * 1e3)
    return Row(f"{pipe}, our layer beside raw chDB", "ms of CPU", min(ours[1:]), min(raw[1:]), LAYER)


def _beside_duckdb(store: Path, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        return _in_turns(RawSession(str(store)), Path(name), rounds)


def _in_turns(session: Any, directory: Path, rounds: int) -> list[Row]:
    file = directory / "pageviews.parquet"
    columns = "workspace_id, website_id, ts, visitor_id, session_id, path, channel, is_bot"
    session.query(f"SELECT {columns} FROM {DATABASE}.pageviews INTO OUTFILE '{file}' FORMAT Parquet")  # noqa: S608 -- names of our own
    duck = duckdb.connect(str(directory / "duck.db"))
    duck.execute(f"SET TimeZone = 'UTC'; CREATE TABLE pageviews AS SELECT * FROM '{file}'")  # noqa: S608 -- as above
    rows = []
    for name, question in ALSO_BY_DUCKDB.items():
        by_us = question.format(table=f"{DATABASE}.pageviews FINAL", chosen=CHOSEN)
        by_duck = question.format(table="pageviews", chosen=CHOSEN)
        ours = _milliseconds(lambda sql=by_us: session.query(sql, "CSV").bytes(), rounds)  # type: ignore[misc]  # bound now
        theirs = _milliseconds(lambda sql=by_duck: duck.execute(sql).fetchall(), rounds)  # type: ignore[misc]  # as above
        rows.append(Row(f"{name}: each event once, by chDB; as they came, by DuckDB", "ms", ours, theirs))
    duck.close()
    return rows


def _milliseconds(work: Callable[[], object], rounds: int) -> float:
    spent = []
    for _ in range(max(3, rounds // 4)):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent)


async def _tell() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.analytics")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int)
    parser.add_argument("--pipes", default="")
    given = parser.parse_args()
    pipes = tuple(given.pipes.split(",")) if given.pipes else ()
    if unknown := {*pipes} - {*NAMED, *BY_ROLLUP}:
        parser.error(f"there is no pipe {', '.join(sorted(unknown))} to measure")
    events = given.events or (QUICK_EVENTS if given.quick else EVENTS)
    async for row in _measure(quick=given.quick, events=events, pipes=pipes):
        sys.stdout.write(json.dumps(asdict(row)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_tell())
