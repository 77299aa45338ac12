"""Events against the columns of a datasource."""

import datetime as dt
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Column, Datasource, Project, TableEngine
from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from server.analytics.tables.rows import Validator
from tests.server.analytics.conftest import quarantine

AT = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)

# A type, what an event says, and what the engine then shows; a refusal is None.
VALUES: list[tuple[str, Any, Any]] = [
    ("String", "a\u2028b\0'\"\\", "a\u2028b\0'\"\\"),
    ("String", 5, "5"),
    ("String", {"a": [1, None]}, '{"a":[1,null]}'),
    ("String", True, "true"),
    ("LowCardinality(String)", "x", "x"),
    ("LowCardinality(Nullable(String))", None, None),
    ("FixedString(2)", "ab", "ab"),
    ("FixedString(2)", "abc", None),
    ("UInt8", 255, 255),
    ("UInt8", 256, None),
    ("UInt8", -1, None),
    ("UInt8", "7", 7),
    ("UInt8", True, 1),
    ("UInt8", 7.0, 7),
    ("UInt8", 7.5, None),
    ("UInt8", "7; DROP TABLE t", None),
    ("UInt8", [7], None),
    ("Int32", 3_000_000_000, None),
    ("UInt64", 18446744073709551615, 18446744073709551615),
    ("Nullable(Int32)", "x", None),
    ("Float64", "1.5", 1.5),
    ("Float64", "nan", None),
    ("Float64", 1, 1.0),
    ("Decimal(18, 4)", 19.99, 19.99),
    ("Decimal(18, 4)", "19.99", 19.99),
    ("Decimal(18, 4)", 10**14, None),
    ("Decimal(18, 4)", "1_0", None),
    ("Decimal(18, 4)", "Infinity", None),
    ("Bool", "true", True),
    ("Bool", 1, True),
    ("Bool", 2, None),
    ("DateTime64(3, 'UTC')", "2026-04-01T00:00:00Z", "2026-04-01 00:00:00.000"),
    ("DateTime64(3, 'UTC')", "2026-04-01T01:00:00.5+02:00", "2026-03-31 23:00:00.500"),
    ("DateTime64(3, 'UTC')", "2026-04-01 00:00:00.123", "2026-04-01 00:00:00.123"),
    ("DateTime64(3, 'UTC')", "2026-04-01", "2026-04-01 00:00:00.000"),
    ("DateTime64(3, 'UTC')", 1775001600, "2026-04-01 00:00:00.000"),
    ("DateTime64(3, 'UTC')", 1775001600123, "2026-04-01 00:00:00.123"),
    ("DateTime64(3, 'UTC')", "1775001600123", "2026-04-01 00:00:00.123"),
    ("DateTime64(3, 'UTC')", "9999-01-01T00:00:00Z", None),
    ("DateTime64(3, 'UTC')", "yesterday", None),
    ("DateTime64(3, 'UTC')", "", None),
    ("DateTime64(3, 'UTC')", 10**18, None),
    ("DateTime('UTC')", "2026-04-01T00:00:00Z", "2026-04-01 00:00:00"),
    ("DateTime('UTC')", 1775001600123, "2026-04-01 00:00:00"),
    ("DateTime('UTC')", "1969-12-31T00:00:00Z", None),
    ("Date", "2026-04-01", "2026-04-01"),
    ("Date", "2026-02-30", None),
    ("Date", 20260401, None),
    ("Array(String)", ["x", 5], ["x", "5"]),
    ("Array(UInt8)", [1, 256], None),
    ("Array(UInt8)", "[1]", None),
    ("Array(Array(UInt8))", [[1], []], [[1], []]),
    ("Map(String, UInt8)", {"a": 1}, {"a": 1}),
    ("Map(String, UInt8)", {"a": "x"}, None),
    ("UUID", "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("UUID", "x", None),
    ("IPv4", "127.0.0.1", "127.0.0.1"),
    ("IPv4", "999.0.0.1", None),
    ("IPv6", "::1", "::1"),
    ("Enum8('a' = 1, 'b''c' = 2)", "a", "a"),
    ("Enum8('a' = 1, 'b' = 2)", "z", None),
    ("SimpleAggregateFunction(sum, UInt64)", 5, 5),
    ("AggregateFunction(count)", 5, None),
]


def source(*columns: Column) -> Datasource:
    return Datasource(name="events", path=Path("events.datasource"), columns=columns, engine=TableEngine("MergeTree"))


async def test_a_value_is_stored_as_it_was_meant_or_its_row_is_kept_apart(engine: ChdbEngine, database: str) -> None:
    columns = [
        Column(f"c{place}", type_, path=f"$.c{place}", default=None) for place, (type_, _, _) in enumerate(VALUES)
    ]
    datasources = {
        f"s{place}": Datasource(name=f"s{place}", path=Path("s.datasource"), columns=(column,))
        for place, column in enumerate(columns)
    }
    sorted_ = {
        place: Validator(datasources[f"s{place}"]).sort(orjson.dumps({f"c{place}": value}), at=AT, batch="b")
        for place, (_, value, _) in enumerate(VALUES)
    }
    kept = {place for place, (type_, value, shown) in enumerate(VALUES) if shown is not None or value is None}

    assert {place for place, rows in sorted_.items() if rows.good} == kept

    stored = source(*(Column(f"c{place}", VALUES[place][0]) for place in sorted(kept)))
    deployed = await Deployed.open(Project({"events": stored}, {}), engine, database=database)
    event = {f"c{place}": VALUES[place][1] for place in kept}
    appended = await deployed.append("events", orjson.dumps(event))
    (row,) = orjson.loads(await deployed.sql("SELECT * FROM events", output=Format.JSON))["data"]

    assert (appended.successful_rows, appended.quarantined_rows) == (1, 0)
    assert row == {f"c{place}": VALUES[place][2] for place in sorted(kept)}


def test_a_missing_value_is_wrong_only_where_the_column_cannot_do_without() -> None:
    validator = Validator(
        source(Column("a", "String"), Column("b", "String", default="'x'"), Column("c", "Nullable(Int8)"))
    )

    rows = validator.sort(b'{"a":"1"}\n{"b":"2"}\n{"a":null,"c":null}\n\n  \n', at=AT, batch="b")

    assert rows.good == [b'{"a":"1"}']
    assert [orjson.loads(each)["c__error_column"] for each in rows.bad] == [["a"], ["a"]]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b'{ "a":"1", "b":"2", "n":7 }', b'{ "a":"1", "b":"2", "n":7 }'),
        (b'{"a":"1","b":"2","n":7,"more":[1]}', b'{"a":"1","b":"2","n":7,"more":[1]}'),
        (b'{"a":1,"b":"2","n":7}', b'{"a":"1","b":"2","n":7}'),
        (b'{"a":"1","b":{"c":null},"n":7}', b'{"a":"1","b":"{\\"c\\":null}","n":7}'),
        (b'{"a":"1","b":null,"n":null}', b'{"a":"1","b":null,"n":null}'),
        (b'{"a":"1","b":"2","n":"7"}', b'{"a":"1","b":"2","n":7}'),
        (b'{"a":"1","b":"2","n":true}', b'{"a":"1","b":"2","n":1}'),
        (b'{"a":"1","b":"2","n":256}', None),
        (b'{"a":null,"b":"2","n":7}', None),
    ],
)
def test_an_event_that_names_every_column_is_kept_as_it_is_unless_a_value_is_another(
    said: bytes, kept: bytes | None
) -> None:
    columns = Column("a", "String"), Column("b", "String", default="''"), Column("n", "UInt8", default="0")

    rows = Validator(source(*columns)).sort(said, at=AT, batch="b")

    assert rows.good == ([] if kept is None else [kept])
    assert len(rows.bad) == (kept is None)


def test_paths_reach_into_objects_and_arrays() -> None:
    validator = Validator(
        source(
            Column("name", "String", path="$.user.name"),
            Column("ids", "Array(UInt8)", path="$.items[:].id"),
            Column("all", "String", path="$.user"),
            Column("gone", "Nullable(String)", path="$.user.name.first.second"),
        )
    )
    event = {"user": {"name": "x"}, "items": [{"id": 1}, {"id": "2"}]}

    good = validator.sort(orjson.dumps(event), at=AT, batch="b").good
    bad = validator.sort(orjson.dumps({"user": "x", "items": [{}]}), at=AT, batch="b").bad

    assert orjson.loads(good[0]) == {"name": "x", "ids": [1, 2], "all": '{"name":"x"}'}
    assert orjson.loads(bad[0])["c__error_column"] == ["name", "ids"]


@pytest.mark.parametrize("line", [b"x", b"[1]", b"5", b"null", b'{"a":', b'"\xff"', b'{"a":NaN}', b"{" * 5000])
def test_a_line_that_is_no_object_is_kept_apart(line: bytes) -> None:
    rows = Validator(source(Column("a", "String"))).sort(line, at=AT, batch="b")

    assert not rows.good
    assert len(orjson.loads(rows.bad[0])["c__error"]) == 1


async def test_a_row_that_only_the_engine_refuses_is_kept_apart_and_the_others_are_stored(
    engine: ChdbEngine, database: str
) -> None:
    deployed = await Deployed.open(
        Project({"events": source(Column("a", "String"), Column("t", "Tuple(UInt8, String)"))}, {}),
        engine,
        database=database,
    )
    lines = [orjson.dumps({"a": str(each), "t": [1, "x"] if each != 7 else [1]}) for each in range(20)]
    lines.append(b'{"a":"twice","a":"twice","t":[1,"x"]}')

    appended = await deployed.append("events", b"\r\n".join(lines))
    found = orjson.loads(await deployed.sql("SELECT a FROM events", output=Format.JSON))["data"]

    assert appended.successful_rows + appended.quarantined_rows == 21
    assert appended.quarantined_rows >= 1
    assert {row["a"] for row in found} >= {str(each) for each in range(20) if each != 7}
    assert "7" in {row["a"] for row in await quarantine(deployed, "events")}
