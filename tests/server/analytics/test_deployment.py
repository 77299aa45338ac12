"""A project in an engine: deployed, changed, written to, asked."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.clickhouse import ClickHouseEngine
from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import Column, Datasource, Index, Node, PipeFile, PipeKind, Project, TableEngine
from server.analytics.deployment import Deployed
from server.analytics.engine import DeploymentError, EngineError, Format, Limits, QueryRefused, QueryTooBig
from tests.server.analytics.clickhouse_server import clickhouse_server
from tests.server.analytics.conftest import Append, Rows

FOREIGN = Path(__file__).parent / "foreign"
NOW = dt.datetime(2026, 4, 3, 12, 30, tzinfo=dt.UTC)


def hit(day: int, session: str, path: str, agent: str = "Chrome", action: str = "page_hit") -> dict[str, Any]:
    payload = orjson.dumps({"pathname": path, "user-agent": agent, "location": "ES"}).decode()
    when = f"2026-04-0{day}T10:00:00Z"
    return {"timestamp": when, "session_id": session, "action": action, "version": "1", "payload": payload}


HITS = [
    hit(1, "a", "/"),
    hit(1, "a", "/x"),
    hit(1, "b", "/", "iPhone Safari"),
    hit(2, "c", "/it's", "curl"),
    hit(2, "c", "/", action="custom"),
    hit(3, "d", "/x"),
]


async def answer(deployed: Deployed, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(await deployed.sql(sql, output=Format.JSON))["data"]
    return found


def events(*columns: Column, **more: Any) -> Project:
    engine = TableEngine("MergeTree", {"sorting_key": "id", **more.pop("options", {})})
    source = Datasource(name="events", path=Path("e.datasource"), columns=columns, engine=engine, **more)
    return Project({"events": source}, {})


def with_pipes(project: Project, **pipes: str) -> Project:
    files = {
        name: PipeFile(name=name, path=Path(name), nodes=(Node("n", sql),), output="n", kind=PipeKind.ENDPOINT)
        for name, sql in pipes.items()
    }
    return dataclasses.replace(project, pipes={**project.pipes, **files})


ID = Column("id", "UInt32")
TEXT = Column("text", "String", default="'none'")


async def test_our_own_project_deploys_and_every_pipe_says_what_it_takes(deployed: Deployed) -> None:
    pipes = {pipe.name: {parameter.name for parameter in pipe.parameters} for pipe in deployed.pipes()}

    assert "workspace_id" in pipes["p_top_pages"]


@pytest.mark.parametrize("kind", ["chdb", "clickhouse"])
async def test_a_project_that_others_wrote_runs_as_it_is(
    kind: str, engine: ChdbEngine, engine_directory: Path, database: str, append: Append, rows: Rows
) -> None:
    with clickhouse_server(engine_directory) as url:
        async with ClickHouseEngine(url) as server:
            deployed = await Deployed.open(load(FOREIGN), server if kind == "clickhouse" else engine, database=database)
            await append(deployed, "analytics_events", HITS)
            await deployed.run_due_copies(NOW)
            await deployed.copy("remember")
            await deployed.copy("remember")

            assert await rows(deployed, "top_pages") == [
                {"pathname": "/", "visits": 2, "hits": 2},
                {"pathname": "/x", "visits": 2, "hits": 2},
                {"pathname": "/it's", "visits": 1, "hits": 1},
            ]
            assert await rows(deployed, "top_pages", date_from="2026-04-02", device=["bot", "desktop"], limit="1") == [
                {"pathname": "/it's", "visits": 1, "hits": 1}
            ]
            assert await rows(deployed, "kpis") == [
                {"date": "2026-04-01", "visits": 2, "pageviews": 3, "bounce_rate": 0.5},
                {"date": "2026-04-02", "visits": 1, "pageviews": 1, "bounce_rate": 1},
                {"date": "2026-04-03", "visits": 1, "pageviews": 1, "bounce_rate": 1},
            ]
            assert await rows(deployed, "kpis", only="total") == [{"pageviews": 5}]
            assert await rows(deployed, "trend", prefix="/x") == [{"pages": 1, "hits": 2}]
            assert await answer(deployed, "SELECT sum(hits) AS h, count() AS n FROM daily_summary") == [
                {"h": 5, "n": 3}
            ]
            assert await answer(deployed, "SELECT count() AS n FROM summary_history") == [{"n": 6}]
            assert await answer(deployed, "SELECT max(hits) AS n FROM top_pages AS t") == [{"n": 2}]
            assert {parameter.name for parameter in deployed.parameters("trend")} == {
                *("prefix", "date_from", "date_to", "device", "skip", "limit")
            }


async def test_deploying_again_changes_nothing(engine: ChdbEngine, database: str, append: Append, rows: Rows) -> None:
    project = load(FOREIGN)
    first = await Deployed.open(project, engine, database=database)
    await append(first, "analytics_events", HITS)
    before = await engine.inspect("SELECT name, uuid FROM system.tables WHERE database = {d:String}", {"d": database})

    again = await Deployed.open(project, engine, database=database)

    after = await engine.inspect("SELECT name, uuid FROM system.tables WHERE database = {d:String}", {"d": database})
    assert sorted(map(str, before)) == sorted(map(str, after))
    assert (await rows(again, "top_pages"))[0]["hits"] == 2


async def test_columns_indexes_defaults_and_ages_can_change(engine: ChdbEngine, database: str) -> None:
    old = await Deployed.open(events(ID, TEXT), engine, database=database)
    await old.append("events", b'{"id":1}')

    more = Column("more", "Array(String)")
    changed = events(
        ID,
        more,
        dataclasses.replace(TEXT, default="'other'", codec="(ZSTD(1))"),
        Column("at", "DateTime", default="now()"),
        indexes=(Index("by_text", "text", "bloom_filter(0.01)"),),
        options={"ttl": "at + toIntervalYear(50)"},
    )
    new = await Deployed.open(changed, engine, database=database)
    await new.append("events", b'{"id":2,"more":["x"]}\n{"id":"x","more":["y"]}')

    assert await answer(new, "SELECT id, text, more FROM events ORDER BY id") == [
        {"id": 1, "text": "none", "more": []},
        {"id": 2, "text": "other", "more": ["x"]},
    ]
    assert await answer(new, "SELECT more FROM events_quarantine") == [{"more": '["y"]'}]
    await Deployed.open(events(ID, more, TEXT, Column("at", "DateTime", default="now()")), engine, database=database)


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (events(ID), "text"),
        (events(ID, dataclasses.replace(TEXT, type="LowCardinality(String)")), "column text"),
        (events(ID, TEXT, options={"sorting_key": "text"}), "sorting key"),
        (events(ID, TEXT, options={"partition_key": "id % 2"}), "partition key"),
    ],
)
async def test_what_would_cost_rows_is_refused_and_changes_nothing(
    engine: ChdbEngine, database: str, project: Project, message: str
) -> None:
    old = await Deployed.open(events(ID, TEXT), engine, database=database)
    await old.append("events", b'{"id":1}')

    with pytest.raises(DeploymentError, match=message):
        await Deployed.open(project, engine, database=database)

    assert await answer(old, "SELECT * FROM events") == [{"id": 1, "text": "none"}]
    names = await engine.inspect("SELECT name FROM system.tables WHERE database = {d:String}", {"d": database})
    assert {row["name"] for row in names} == {"events", "events_quarantine", "adwright_copies"}


async def test_a_changed_view_is_made_anew_and_one_that_is_gone_writes_no_more(
    engine: ChdbEngine, database: str
) -> None:
    def project(sql: str | None) -> Project:
        source, target = events(ID).datasources["events"], events(ID).datasources["events"]
        view = PipeFile(
            name="v",
            path=Path("v"),
            nodes=(Node("n", sql or ""),),
            output="n",
            kind=PipeKind.MATERIALIZED,
            target="doubled",
        )
        both = {"events": source, "doubled": dataclasses.replace(target, name="doubled")}
        return Project(both, {} if sql is None else {"v": view})

    async def doubled() -> list[int]:
        rows = await engine.inspect("SELECT id FROM {d:Identifier}.doubled ORDER BY id", {"d": database})
        return [row["id"] for row in rows]

    first = await Deployed.open(project(None), engine, database=database)
    await first.append("events", b'{"id":1}')
    second = await Deployed.open(project("SELECT id * 2 AS id FROM events"), engine, database=database)
    await second.append("events", b'{"id":2}')
    assert await doubled() == [2, 4]
    third = await Deployed.open(project("SELECT id * 3 AS id FROM events"), engine, database=database)
    await third.append("events", b'{"id":3}')
    assert await doubled() == [2, 4, 9]
    fourth = await Deployed.open(project(None), engine, database=database)
    await fourth.append("events", b'{"id":4}')
    assert await doubled() == [2, 4, 9]


async def test_a_view_can_say_itself_what_table_it_fills(engine: ChdbEngine, database: str) -> None:
    view = PipeFile(
        name="v",
        path=Path("v"),
        nodes=(Node("n", "SELECT id % 2 AS odd, countState() AS n FROM events GROUP BY odd"),),
        output="n",
        kind=PipeKind.MATERIALIZED,
        target="counted",
        engine=TableEngine("AggregatingMergeTree", {"sorting_key": "odd"}),
    )
    project = dataclasses.replace(events(ID), pipes={"v": view})

    for number in (1, 3):
        deployed = await Deployed.open(project, engine, database=database)
        await deployed.append("events", b'{"id":%d}' % number)

    assert await answer(deployed, "SELECT odd, countMerge(n) AS n FROM counted GROUP BY odd") == [{"odd": 1, "n": 2}]


@pytest.mark.parametrize("kind", [PipeKind.MATERIALIZED, PipeKind.COPY])
async def test_what_nobody_calls_cannot_need_a_parameter(engine: ChdbEngine, database: str, kind: PipeKind) -> None:
    pipe = PipeFile(
        name="p",
        path=Path("p"),
        nodes=(Node("n", "%SELECT {{Int32(id)}} AS id"),),
        output="n",
        kind=kind,
        target="events",
    )

    with pytest.raises(DeploymentError, match="pipe p cannot run"):
        deployed = await Deployed.open(dataclasses.replace(events(ID), pipes={"p": pipe}), engine, database=database)
        await deployed.copy("p")


@pytest.mark.parametrize(
    "text", ["a'b", 'a"b`c', "a\\'; DROP TABLE events; --", "a\nb\tc\rd", "\u202e😀", "'))) --", "{x:String}"]
)
async def test_a_hostile_value_of_a_parameter_stays_a_value(engine: ChdbEngine, database: str, text: str) -> None:
    pipe = "%SELECT {{String(x)}} AS s, s = {{String(x, 'y')}} AS same FROM events WHERE s IN ({{String(x)}})"
    deployed = await Deployed.open(with_pipes(events(ID), a=pipe), engine, database=database)
    await deployed.append("events", b'{"id":1}')

    (row,) = orjson.loads(await deployed.query("a", {"x": text}, output=Format.JSON))["data"]

    assert row == {"s": text, "same": 1}


async def test_names_mean_what_they_mean_where_they_are_written(engine: ChdbEngine, database: str) -> None:
    """A node, a WITH and a data source may share a name; a pipe's nodes are nobody else's."""
    project = with_pipes(
        events(ID),
        outer="WITH events AS (SELECT id + 1 AS id FROM events) SELECT id FROM events JOIN inner_ USING id",
        inner_="WITH n AS (SELECT id FROM events) SELECT id + 1 AS id FROM n",
    )
    shadowed = PipeFile(
        name="shadowed",
        path=Path("s"),
        nodes=(
            Node("events", "SELECT id + 10 AS id FROM events -- the data source"),
            Node("inner_", "SELECT id FROM inner_ UNION ALL SELECT e.id FROM events e"),
            Node("n", "SELECT events.id AS id FROM inner_, events WHERE inner_.id IN events ORDER BY 1;"),
        ),
        output="n",
        kind=PipeKind.ENDPOINT,
    )
    project = dataclasses.replace(project, pipes={**project.pipes, "shadowed": shadowed})
    deployed = await Deployed.open(project, engine, database=database)
    await deployed.append("events", b'{"id":1}')

    async def ids(pipe: str) -> list[int]:
        return [row["id"] for row in orjson.loads(await deployed.query(pipe, {}, output=Format.JSON))["data"]]

    assert await ids("outer") == [2]
    assert await ids("shadowed") == [11]


@pytest.mark.parametrize(
    ("pipes", "message"),
    [
        ({"a": "SELECT * FROM b", "b": "SELECT * FROM a"}, "64 nodes"),
        ({"a": "SELECT * FROM nowhere"}, "nowhere"),
        ({"a": "SELECT * FROM a"}, "no data source, pipe or node a"),
        ({"a": "SELECT 1) UNION ALL (SELECT 2"}, "parenthesis"),
        ({"a": "SELECT * FROM b", "b": "SELECT 1) AS x, (SELECT 2"}, "parenthesis"),
        ({"a": "SELECT 1 FORMAT CSV"}, "FORMAT"),
        (
            {"a": "SELECT * FROM events, b, b", "b": "SELECT * FROM c, c", "c": "SELECT '" + "x" * 400_000 + "'"},
            "characters",
        ),
    ],
)
async def test_pipes_that_make_no_statement_say_why(
    engine: ChdbEngine, database: str, pipes: Mapping[str, str], message: str
) -> None:
    deployed = await Deployed.open(with_pipes(events(ID), **pipes), engine, database=database)

    with pytest.raises(QueryRefused, match=message):
        await deployed.query("a", {}, output=Format.JSON)


async def test_limits_hold_for_pipes_and_templates_choose_their_threads(engine: ChdbEngine, database: str) -> None:
    pipe = "%\n{{max_threads(1)}}\nSELECT number FROM numbers({{Int32(n, 10)}})"
    deployed = await Deployed.open(with_pipes(events(ID), a=pipe), engine, database=database)

    short = await deployed.query("a", {}, output=Format.CSV, limits=Limits(result_rows=10))
    with pytest.raises(QueryTooBig):
        await deployed.query("a", {"n": "11"}, output=Format.CSV, limits=Limits(result_rows=10))
    with pytest.raises(KeyError):
        await deployed.query("b", {}, output=Format.CSV)

    assert short.split() == [str(number).encode() for number in range(10)]


async def test_a_copy_runs_once_for_each_time_it_was_due(engine: ChdbEngine, database: str, append: Append) -> None:
    project = load(FOREIGN)
    deployed = await Deployed.open(project, engine, database=database)

    async def copied() -> int:
        (row,) = await answer(deployed, "SELECT sum(hits) AS n FROM daily_summary")
        return int(row["n"])

    await deployed.run_due_copies(NOW)
    await append(deployed, "analytics_events", HITS)
    await deployed.run_due_copies(NOW + dt.timedelta(minutes=10))
    assert await copied() == 0
    again = await Deployed.open(project, engine, database=database)
    await again.run_due_copies(NOW + dt.timedelta(minutes=20))
    assert await copied() == 0
    await again.run_due_copies(NOW + dt.timedelta(minutes=40))
    assert await copied() == 5
    await again.run_due_copies(NOW + dt.timedelta(days=2))
    assert await copied() == 5


async def test_a_copy_that_fails_keeps_the_rows_of_before(engine: ChdbEngine, database: str, append: Append) -> None:
    project = load(FOREIGN)
    deployed = await Deployed.open(project, engine, database=database)
    await append(deployed, "analytics_events", HITS)
    await deployed.copy("summarize")
    broken = Node("daily", "SELECT throwIf(date > '2026-04-01', 'no') + hits AS hits, date FROM daily_summary")
    pipe = dataclasses.replace(project.pipes["summarize"], nodes=(broken,))
    failing = await Deployed.open(
        dataclasses.replace(project, pipes={**project.pipes, "summarize": pipe}), engine, database=database
    )

    with pytest.raises(EngineError, match="no"):
        await failing.run_due_copies(NOW)

    assert await answer(failing, "SELECT sum(hits) AS n FROM daily_summary") == [{"n": 5}]
