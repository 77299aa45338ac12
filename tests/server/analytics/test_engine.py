"""The engine's port: the embedded engine and a ClickHouse server keep the same promises."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import clickhouse_connect
import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.clickhouse import ClickHouseEngine
from server.analytics.engine import (
    Engine,
    EngineError,
    EngineUnavailable,
    Format,
    Limits,
    QueryRefused,
    QueryTimeout,
    QueryTooBig,
    RowsRefused,
)
from tests.server.analytics.clickhouse_server import clickhouse_server

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = {number}"
HOSTILE = "a'b\"c`d\\e\nf\tg\rh%i\0j\\N{x:String}; DROP TABLE t --\u202e😀"


@pytest.fixture(params=["chdb", "clickhouse"])
async def either(request: pytest.FixtureRequest, engine: ChdbEngine, engine_directory: Path) -> AsyncIterator[Engine]:
    if request.param == "chdb":
        yield engine
        return
    with clickhouse_server(engine_directory) as url:
        async with ClickHouseEngine(url) as server:
            yield server


@pytest.fixture
async def table(engine: ChdbEngine, database: str) -> str:
    await engine.command(f"CREATE DATABASE {database}")
    await engine.command(f"CREATE TABLE {database}.t (a UInt8, s String) ENGINE = MergeTree ORDER BY a")
    return f"{database}.t"


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    give_up = time.monotonic() + 20
    while not await true():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


async def count(engine: Engine, table: str) -> int:
    (row,) = await engine.inspect(f"SELECT count() AS n FROM {table}")  # noqa: S608 -- a name of the test's own
    return int(row["n"])


async def test_an_answer_is_written_as_tinybird_writes_it(either: Engine) -> None:
    sql = "SELECT toUInt64(18446744073709551615) AS n, toDecimal64('1.50', 2) AS d, nan AS x, 'a/b' AS s"

    answer = orjson.loads(await either.query(sql, output=Format.JSON))
    others = {each: await either.query(sql, output=each) for each in Format if each is not Format.PROMETHEUS}

    assert answer["meta"][0] == {"name": "n", "type": "UInt64"}
    assert answer["data"] == [{"n": 18446744073709551615, "d": 1.5, "x": None, "s": "a/b"}]
    assert answer["rows"] == 1
    assert {"elapsed", "rows_read", "bytes_read"} <= answer["statistics"].keys()
    assert others[Format.CSV] == b'18446744073709551615,1.5,nan,"a/b"\n'
    assert others[Format.CSV_WITH_NAMES].splitlines()[0] == b'"n","d","x","s"'
    assert orjson.loads(others[Format.NDJSON])["n"] == 18446744073709551615
    assert others[Format.PARQUET].startswith(b"PAR1")


async def test_a_bound_text_stays_the_text_it_is(either: Engine) -> None:
    answer = await either.query(
        "SELECT {x:String} AS s, length({x:String}) AS n", output=Format.NDJSON, parameters={"x": HOSTILE}
    )

    assert orjson.loads(answer) == {"s": HOSTILE, "n": len(HOSTILE.encode())}


@pytest.mark.parametrize(
    ("sql", "limits", "error"),
    [
        (ENDLESS.format(number=1), Limits(seconds=0.05), QueryTimeout),
        ("SELECT groupArray(number) FROM numbers(100000000)", Limits(memory_bytes=50_000_000), QueryTooBig),
        ("SELECT number FROM numbers(1000)", Limits(result_rows=999), QueryTooBig),
        ("SELECT repeat(toString(number), 100) FROM numbers(1000)", Limits(result_bytes=1000), QueryTooBig),
        ("SELECT x", Limits(), QueryRefused),
        ("SELECT throwIf(1)", Limits(), QueryRefused),
        ("SELECT {missing:String}", Limits(), QueryRefused),
    ],
)
async def test_what_goes_over_its_limits_or_is_wrong_says_which(
    either: Engine, sql: str, limits: Limits, error: type[EngineError]
) -> None:
    with pytest.raises(error) as raised:
        await either.query(sql, output=Format.JSON, limits=limits)

    assert raised.value.code
    assert "DB::Exception" not in raised.value.message


async def test_no_machine_code_is_made_for_a_question_asked_often(engine: ChdbEngine) -> None:
    async def compiled() -> int:
        (row,) = await engine.inspect("SELECT sum(value) AS n FROM system.events WHERE event = 'CompileFunction'")
        return int(row["n"])

    before = await compiled()
    for _ in range(8):
        often = "SELECT number % 7 AS k, sum(number * 3 + k) FROM numbers(99) WHERE number * 5 + 1 > k GROUP BY k"
        await engine.query(often, output=Format.CSV)

    assert await compiled() == before


async def test_a_query_writes_nothing(either: Engine, table: str) -> None:
    with pytest.raises(QueryRefused):
        await either.query(f"INSERT INTO {table} (a) SELECT 1", output=Format.JSON)

    assert not await count(either, table)


async def test_cancelling_the_task_stops_the_query_in_the_engine(either: Engine) -> None:
    number = id(either)

    async def runs() -> bool:
        found = await either.inspect(
            "SELECT 1 FROM system.processes WHERE position(query, {q:String}) > 0 AND position(query, 'processes') = 0",
            {"q": f"sipHash64(number) = {number}"},
        )
        return bool(found)

    async def ended() -> bool:
        return not await runs()

    asked = asyncio.create_task(
        either.query(ENDLESS.format(number=number), output=Format.JSON, limits=Limits(seconds=600))
    )
    await until(runs)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(ended)


async def test_a_long_query_keeps_no_other_waiting(either: Engine) -> None:
    endless = asyncio.create_task(
        either.query(ENDLESS.format(number=2), output=Format.JSON, limits=Limits(seconds=600))
    )

    answers = [await either.query(f"SELECT {each}", output=Format.CSV) for each in range(8)]

    assert answers == [f"{each}\n".encode() for each in range(8)]
    assert not endless.done()
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless


async def test_nothing_of_an_answer_that_was_broken_off_comes_with_the_next(either: Engine) -> None:
    broken = "SELECT number, throwIf(number = 190000) FROM numbers(200000)"
    for each in range(3):
        with pytest.raises(EngineError):
            await either.query(broken, output=Format.JSON)

        assert await either.query(f"SELECT {each}", output=Format.CSV) == f"{each}\n".encode()


async def test_rows_are_kept_together_or_not_at_all(either: Engine, table: str) -> None:
    await either.insert(table, b'{"a":1,"s":"x"}\n{"a":2,"s":"y","more":[1]}\n', columns=["a", "s"])

    with pytest.raises(RowsRefused):
        await either.insert(table, b'{"a":3,"s":"z"}\n{"a":"four","s":"z"}\n', columns=["a", "s"])

    assert await count(either, table) == 2


@pytest.mark.parametrize("rows", [b'{"a":1}\n\nDROP TABLE {t}\n', b"\n\nDROP TABLE {t}", b'{"a":1}\n; DROP TABLE {t}'])
async def test_rows_are_never_read_as_statements(either: Engine, table: str, rows: bytes) -> None:
    with pytest.raises(RowsRefused):
        await either.insert(table, rows.replace(b"{t}", table.encode()), columns=["a", "s"])

    assert not await count(either, table)


async def test_a_batch_of_any_month_is_written_whole(either: Engine, table: str) -> None:
    dated = table.replace(".t", ".dated")
    await either.command(f"CREATE TABLE {dated} (a Date32) ENGINE = MergeTree PARTITION BY toYYYYMM(a) ORDER BY a")
    rows = [b'{"a":"%d-%02d-01"}' % (1990 + each // 12, each % 12 + 1) for each in range(120)]

    await either.insert(dated, b"\n".join(rows), columns=["a"])

    assert await count(either, dated) == 120


async def test_a_server_out_of_reach_is_unavailable(engine_directory: Path) -> None:
    with clickhouse_server(engine_directory) as url:
        pass
    async with ClickHouseEngine(url) as gone:
        with pytest.raises(EngineUnavailable):
            await gone.query("SELECT 1", output=Format.JSON)


def beside(directory: Path, *, readers: int = 1, reserve_bytes: int = 0) -> ChdbEngine:
    """In the same process, hence past the lock that keeps other processes out."""
    return ChdbEngine(str(directory), contextlib.ExitStack(), readers=readers, reserve_bytes=reserve_bytes)


async def test_a_full_disk_refuses_rows_and_keeps_what_is_there(
    engine: ChdbEngine, engine_directory: Path, table: str
) -> None:
    await engine.insert(table, b'{"a":1,"s":"x"}', columns=["a", "s"])
    async with beside(engine_directory, reserve_bytes=2**62) as full:
        with pytest.raises(EngineUnavailable, match="disk is full"):
            await full.insert(table, b'{"a":2,"s":"x"}', columns=["a", "s"])

        assert await count(full, table) == 1


async def test_a_closed_engine_says_so_and_stops_what_it_was_asked(engine: ChdbEngine, engine_directory: Path) -> None:
    closed = beside(engine_directory)
    asked = [
        asyncio.create_task(closed.query(ENDLESS.format(number=3), output=Format.JSON, limits=Limits(seconds=600)))
        for _ in range(3)
    ]
    await asyncio.sleep(0)
    await closed.close()

    answers = await asyncio.gather(*asked, return_exceptions=True)
    with pytest.raises(EngineUnavailable):
        await closed.query("SELECT 1", output=Format.JSON)

    assert await engine.query("SELECT 1", output=Format.CSV) == b"1\n"
    assert all(isinstance(answer, EngineError) for answer in answers)


async def test_the_real_client_library_takes_our_stand_in_for_a_server(
    engine: ChdbEngine, engine_directory: Path, table: str
) -> None:
    def judged(host: str, port: int) -> tuple[str, bytes]:
        client = clickhouse_connect.get_client(host=host, port=port, autogenerate_session_id=False, compress=False)
        try:
            client.raw_insert(table, ["a", "s"], insert_block=orjson.dumps({"a": 1, "s": HOSTILE}), fmt="JSONEachRow")
            asked = "SELECT a, s FROM {t:Identifier} WHERE s = {s:String}".replace("{t:Identifier}", table)
            found = client.raw_query(asked, parameters={"s": HOSTILE}, fmt="JSONEachRow")
            with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError, match="code: 47"):
                client.raw_query("SELECT missing")
            return str(client.server_version), found
        finally:
            client.close()

    with clickhouse_server(engine_directory) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        version, row = await asyncio.to_thread(judged, host, int(port))

    assert version.startswith("26.")
    assert orjson.loads(row) == {"a": 1, "s": HOSTILE}
    assert await count(engine, table) == 1
