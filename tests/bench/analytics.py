"""Pipes over ten million events: each beside its bound, our layer beside raw chDB, a few questions beside DuckDB."""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from chdb.session import Session

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.composition import Composition
from server.analytics.datafiles.loading import load
from server.analytics.deployment import Deployed
from server.analytics.engine import READING, Format
from tests.bench.analytics_data import DAYS, FIRST_DAY, LAST_DAY, statements
from tests.bench.table import Row

RawSession: Any = Session  # without types of its own
PROJECT = Path(__file__).parents[2] / "server" / "analytics" / "project"
DATABASE = "bench"
EVENTS, QUICK_EVENTS = 10_000_000, 200_000
PIPE_MS, ROLLUP_MS, LAYER = 300.0, 20.0, 1.15
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


def measure(*, quick: bool) -> list[Row]:
    """In a process of its own: the engine stays in one that has loaded it."""
    command = [sys.executable, "-m", "tests.bench.analytics", *(["--quick"] if quick else [])]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [Row(**row) for row in json.loads(told)]


async def _measure(*, quick: bool) -> list[Row]:
    events, rounds = (QUICK_EVENTS, 5) if quick else (EVENTS, 40)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with await ChdbEngine.open(directory / "store") as engine:
            deployed = await Deployed.open(load(PROJECT), engine, database=DATABASE)
            made = await _seconds(_made(engine, events))
            copied = await _seconds(_copied(deployed))
            size = f"{events // WEBSITES:,} of {events:,} events"
            rows = [
                Row(f"{events:,} events, made in the engine", "s", made),
                Row("the rollups of all of them, made anew", "s", copied),
            ]
            for pipe, target in (*((pipe, PIPE_MS) for pipe in NAMED), *((pipe, ROLLUP_MS) for pipe in BY_ROLLUP)):
                rows += await _pipe(deployed, pipe, _values(pipe), target, rounds, size)
            for pipe in OF_ALL_DAYS:
                values, size_of_all = {**_values(pipe), **ALL_DAYS}, f"{DAYS} days of {size}"
                rows += await _pipe(deployed, pipe, values, PIPE_MS, max(3, rounds // 4), size_of_all)
            rows += await _beside_raw(deployed, directory / "store", rounds)
            rows += _beside_duckdb(directory, rounds)
    return rows


async def _made(engine: ChdbEngine, events: int) -> None:
    for statement in statements(events, DATABASE):
        await engine.command(statement)


async def _copied(deployed: Deployed) -> None:
    for rollup in ("copy_visits", "copy_sessions"):
        await deployed.copy(rollup)


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
    spent, worked = [], []
    for _ in range(rounds + 1):
        began, busy = time.perf_counter(), time.process_time()
        await deployed.query(pipe, values, output=Format.JSON)
        worked.append((time.process_time() - busy) * 1e3)
        spent.append((time.perf_counter() - began) * 1e3)
    return [
        Row(f"{pipe}, p95, {size}", "ms", _p95(spent[1:]), None, target),
        Row(f"{pipe}, least CPU, {size}", "ms", min(worked[1:])),
    ]


def _p95(spent: list[float]) -> float:
    return sorted(spent)[min(len(spent) - 1, int(len(spent) * 0.95))]


async def _beside_raw(deployed: Deployed, store: Path, rounds: int) -> list[Row]:
    """The same SQL by a session of the engine's own package, in turns with ours, which renders and guards it too."""
    session = RawSession(str(store))
    for setting, value in READING.items():
        session.query(f"SET {setting} = {value}")
    rows = []
    for pipe in LAYERED:
        sql = Composition(deployed.project, DATABASE, _values(pipe)).pipe(deployed.project.pipes[pipe])
        ours, raw = [], []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            await deployed.query(pipe, _values(pipe), output=Format.JSON)
            between = time.perf_counter()
            session.query(sql, "JSON").bytes()
            ours.append((between - began) * 1e3)
            raw.append((time.perf_counter() - between) * 1e3)
        rows.append(
            Row(
                f"{pipe}, our layer beside raw chDB",
                "ms",
                statistics.median(ours[1:]),
                statistics.median(raw[1:]),
                LAYER,
            )
        )
    return rows


def _beside_duckdb(directory: Path, rounds: int) -> list[Row]:
    session, file = RawSession(str(directory / "store")), directory / "pageviews.parquet"
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


if __name__ == "__main__":
    measured = asyncio.run(_measure(quick="--quick" in sys.argv))
    sys.stdout.write(json.dumps([{name: getattr(row, name) for name in Row.__slots__} for row in measured]))
