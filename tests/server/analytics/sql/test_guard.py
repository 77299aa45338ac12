"""What no statement may do, whoever wrote it: each hole of the engine's read-only mode, closed before the engine."""

import asyncio
import re
from pathlib import Path

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Node, PipeFile, PipeKind, Project
from server.analytics.deployment import Deployed
from server.analytics.engine import EngineError, Format, QueryRefused
from server.analytics.sql.guard import TABLE_FUNCTIONS, check
from server.analytics.sql.statement import read

HOLES = [
    "SELECT file('/etc/hostname')",
    "SELECT `file`('/etc/hostname')",
    "SELECT \"file\" ('/etc/hostname')",
    "SELECT file/* */('/etc/hostname')",
    "SELECT arrayMap(file, ['/etc/hostname'])",
    "SELECT * APPLY file FROM (SELECT '/etc/hostname' AS x)",
    "SELECT * APPLY(file) FROM (SELECT '/etc/hostname' AS x)",
    "SELECT COLUMNS('x') APPLY(y -> file(y)) FROM (SELECT '/etc/hostname' AS x)",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM `/etc/passwd`",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM default.`/etc/passwd`",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM executable('x', 'CSV', 'a String')",
    "SELECT * FROM (SELECT * FROM (url('http://127.0.0.1:1/', 'CSV', 'a String')))",
    "SELECT * FROM numbers(1), Python(secret)",
    "SELECT * FROM merge('.*', '.*')",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT 1 INTO OUTFILE '/tmp/adwright-out'",
    "SELECT 1 into/**/outfile '/tmp/adwright-out'",
    "SELECT 1; SELECT 2",
    "SELECT 1; KILL QUERY WHERE 1",
    "KILL QUERY WHERE 1",
    "/* SELECT */ KILL QUERY WHERE 1",
    "-- SELECT 1\nDROP TABLE pageviews",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "USE system",
    "SHOW TABLES FROM system",
    "SYSTEM SHUTDOWN",
    "INSERT INTO pageviews SELECT * FROM pageviews",
    "EXPLAIN SELECT file('/etc/hostname')",
    "SELECT * FROM system.tables",
    "SELECT * FROM `system`.`tables`",
    'SELECT * FROM "system" . "processes"',
    "SELECT * FROM system/* */./* */query_log",
    "SELECT 'x' IN system.tables",
    "SELECT 'x' IN (system.tables)",
    "SELECT in('x', system.tables)",
    "SELECT * FROM numbers(1) AS system, system.tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT (SELECT count() FROM {others}.secrets)",
    "SELECT * FROM {others}.secrets",
    "SELECT * FROM numbers(1), {others}.secrets",
    "SELECT * FROM numbers(1) AS n JOIN {others}.secrets AS s ON 1",
    "SELECT 1 IN {others}.secrets",
    "SELECT in(1, {others}.secrets)",
    "SELECT * FROM (numbers(1) AS n JOIN {others}.secrets ON 1)",
    "WITH x AS (SELECT * FROM {others}.secrets) SELECT * FROM x",
    "SELECT * FROM view(SELECT * FROM {others}.secrets)",
    "SELECT joinGet('{others}.secrets', 'a', 1)",
    "SELECT hasColumnInTable('{others}', 'secrets', 'a')",
    "SELECT dictGet('{others}.d', 'a', 1)",
    "SELECT * FROM secrets",
    "SELECT sleep(3)",
    "SELECT getSetting('max_memory_usage')",
    "",
    ";",
    "-- nothing",
    "SELECT 1 FORMAT CSV",
]


@pytest.fixture(scope="module")
def others(engine: ChdbEngine) -> str:
    """Another tenant's database in the same engine."""

    async def created() -> None:
        await engine.command("CREATE DATABASE IF NOT EXISTS others")
        await engine.command("CREATE TABLE IF NOT EXISTS others.secrets (a UInt8) ENGINE = Memory")

    asyncio.run(created())
    return "others"


@pytest.fixture(scope="module")
def bare(engine: ChdbEngine) -> Deployed:
    return asyncio.run(Deployed.open(Project({}, {}), engine, database="bare"))


@pytest.mark.parametrize("sql", HOLES)
async def test_it_is_refused_before_the_engine_sees_it(bare: Deployed, others: str, sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        await bare.sql(sql.replace("{others}", others), output=Format.CSV)

    assert refused.value.code is None


@pytest.mark.parametrize("sql", HOLES)
async def test_a_pipe_of_a_project_may_do_no_more(engine: ChdbEngine, others: str, sql: str) -> None:
    node = Node("n", sql.replace("{others}", others))
    pipe = PipeFile(name="p", path=Path("p.pipe"), nodes=(node,), output="n", kind=PipeKind.ENDPOINT)
    deployed = await Deployed.open(Project({}, {"p": pipe}), engine, database="bare")

    with pytest.raises(QueryRefused) as refused:
        await deployed.query("p", {}, output=Format.CSV)

    assert refused.value.code is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT number FROM numbers(3) AS system ORDER BY number;",
        "SELECT a.b, a.file, 1 AS file FROM (SELECT 1 AS b, 2 AS file) AS a",
        "SELECT lower(file) FROM (SELECT 'A' AS file)",
        "SELECT 1 IN (1, 2), x.y IN (x.y, 3) FROM (SELECT 1 AS y) AS x",
        "SELECT dummy FROM system.one",
        "SELECT settings, into FROM (SELECT 1 AS settings, 2 AS into)",
        "SELECT 'KILL QUERY; DROP TABLE x -- INTO OUTFILE' AS s -- file('x')",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    ],
)
async def test_what_only_looks_like_it_is_answered(bare: Deployed, sql: str) -> None:
    answer = await bare.sql(sql, output=Format.JSON)

    assert orjson.loads(answer)["rows"] >= 1


async def test_every_function_of_the_engine_that_is_a_table_is_allowed_by_name_or_refused(engine: ChdbEngine) -> None:
    functions = [row["name"] for row in await engine.inspect("SELECT name FROM system.table_functions")]

    for name in functions:
        if name.lower() not in TABLE_FUNCTIONS:
            with pytest.raises(QueryRefused):
                check(read(f"SELECT * FROM {name}('x')"))  # noqa: S608 -- names of the engine's own

    assert {"file", "url", "s3", "remote", "executable", "merge", "python"} <= {each.lower() for each in functions}


async def test_no_function_that_takes_a_name_of_a_file_a_table_or_a_server_is_new_to_us(engine: ChdbEngine) -> None:
    """A new engine may bring one: look at it, then put it in the guard's list or in the one below."""
    rows = await engine.inspect("SELECT name FROM system.functions WHERE NOT is_aggregate")
    telling = re.compile("file|url|dict|joinget|sleep|server|macro|catboost|python|exec|http|certif|addressto|^ai[A-Z]")
    harmless = re.compile("URL|url|base64|[pP]rofile|serverUUID|serverTime[zZ]one|displayName|encode|decode", re.ASCII)

    unknown = set()
    for name in (row["name"] for row in rows):
        if telling.search(name) and not harmless.search(name):
            try:
                check(read(f"SELECT {name}('x')"))
                unknown.add(name)
            except QueryRefused:
                continue

    assert not unknown


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO FUNCTION file('/tmp/adwright-x.csv') SELECT 1",
        "CREATE TABLE t (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE t (a Int8)",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM `/etc/passwd`",
        "SELECT 1 IN `/etc/passwd`",
        "SYSTEM FLUSH LOGS",
    ],
)
async def test_a_reading_session_itself_can_change_nothing_and_reach_nothing(engine: ChdbEngine, sql: str) -> None:
    with pytest.raises(EngineError):
        await engine.query(sql, output=Format.CSV)
