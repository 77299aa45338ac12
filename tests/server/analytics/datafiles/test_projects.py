"""Projects in the manner of others: one in the classic syntax, one in the forward one; neither was written for us."""

from pathlib import Path

import pytest

from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import (
    Column,
    CopyMode,
    DatafileError,
    DatafileToken,
    Index,
    Permission,
    PipeKind,
    TableEngine,
)
from server.analytics.template.compiled import compile_template
from server.analytics.template.errors import TemplateRefusal

PROJECTS = Path(__file__).with_name("projects")
FERRIES, PARCELS = load(PROJECTS / "ferries"), load(PROJECTS / "parcels")


def test_every_file_of_a_project_is_read_and_nothing_else_is() -> None:
    assert set(FERRIES.datasources) == {"sailings", "lines_by_day"}
    assert set(FERRIES.pipes) == {"lines_mv", "lines_mv__by_vessel", "delays", "flat_vessels"}
    assert set(PARCELS.datasources) == {"scans", "scans_kafka", "depot_hours", "depot_days"}
    assert set(PARCELS.pipes) == {
        "depot_hours_mv", "depot_days_copy", "depot_days_again", "parcel_history", "to_bucket",
    }  # fmt: skip


def test_a_classic_datasource_keeps_its_columns_engine_and_tokens() -> None:
    sailings = FERRIES.datasources["sailings"]
    assert sailings.description == "Sailings as the harbour office reports them,\none row a departure."
    assert sailings.columns == (
        Column("departed_at", "DateTime"),
        Column("line", "LowCardinality(String)"),
        Column("vessel", "String"),
        Column("passengers", "UInt32", default="0"),
        Column("cars", "Nullable(UInt16)"),
        Column("cargo", "Array(String)"),
        Column("delay", "Decimal(9, 2)", codec="(ZSTD(3))"),
        Column("state", "Enum8('left, late' = 1, 'left' = 2, 'it''s \"off\"' = 3)", default="'left'"),
        Column("day", "Date", materialized="toDate(departed_at)"),
    )
    assert sailings.engine == TableEngine(
        "MergeTree",
        {
            "partition_key": "toYYYYMM(departed_at)",
            "sorting_key": "line, departed_at",
            "ttl": "departed_at + toIntervalDay(720)",
        },
    )
    assert sailings.tokens == (
        DatafileToken("harbour office", Permission.APPEND),
        DatafileToken("dashboard", Permission.READ),
    )
    assert FERRIES.datasources["lines_by_day"].engine == TableEngine(
        "AggregatingMergeTree", {"sorting_key": "day, line"}
    )


def test_two_materialized_nodes_of_a_file_are_two_pipes() -> None:
    first, second = FERRIES.pipes["lines_mv"], FERRIES.pipes["lines_mv__by_vessel"]
    assert (first.kind, first.target, first.output, first.engine) == (
        PipeKind.MATERIALIZED, "lines_by_day", "by_day", None,
    )  # fmt: skip
    assert (second.kind, second.target, second.output) == (PipeKind.MATERIALIZED, "vessels", "by_vessel")
    assert second.engine == TableEngine("AggregatingMergeTree", {"sorting_key": "vessel"})
    assert first.nodes[0].description == "sums up a day"
    assert first.nodes[0].sql.startswith("SELECT toDate(departed_at) AS day")


def test_a_classic_endpoint_has_no_type_and_a_pipe_without_a_reader_serves_nobody() -> None:
    assert FERRIES.pipes["delays"].kind is PipeKind.ENDPOINT
    assert FERRIES.pipes["delays"].output == "worst"
    assert FERRIES.pipes["flat_vessels"].kind is PipeKind.LIBRARY
    assert FERRIES.pipes["flat_vessels"].nodes[0].sql == (
        "SELECT\n    vessel,\n    count() AS n\nFROM sailings\nGROUP BY vessel"
    )


def test_the_templates_of_a_foreign_endpoint_render() -> None:
    late, worst = (compile_template(node.sql) for node in FERRIES.pipes["delays"].nodes)
    sql = late.render({"line": "A'1", "cars": "true"}).sql
    assert "AND line = 'A\\'1'" in sql and "AND cars > 0" in sql and "'2026-01-01 00:00:00'" in sql
    assert "SELECT `vessel`,`delay` FROM late" in worst.render({"cols": "vessel,delay"}).sql
    with pytest.raises(TemplateRefusal) as refused:
        worst.render({"limit": "5000"})
    assert (refused.value.status, refused.value.body) == (422, {"error": "limit is at most 1000"})
    assert [(p.name, p.type, p.default) for p in late.parameters] == [
        ("line", "String", None),
        ("start", "DateTime", "2026-01-01 00:00:00"),
        ("end", "DateTime", "2026-12-31 23:59:59"),
        ("cars", "Boolean", "0"),
    ]


def test_a_forward_datasource_keeps_paths_indexes_and_its_forward_query() -> None:
    scans = PARCELS.datasources["scans"]
    assert scans.columns == (
        Column("scanned_at", "DateTime64(3)", path="$.ts", default="now64(3)"),
        Column("parcel", "String", path="$.parcel.id"),
        Column("depot", "LowCardinality(String)", path="$.depot"),
        Column("weights", "Array(Float32)", path="$.parts[:].weight"),
        Column("meta", "String", path="$", default="'{}'"),
        Column("op", "UInt8", path="$.op", default="0", codec="(Delta(1), LZ4)"),
    )
    assert scans.indexes == (
        Index("by_depot", "depot", "set(100)", 4),
        Index("by_parcel", "lower(parcel)", "ngrambf_v1(4, 1024, 1, 42)", 1),
    )
    assert scans.forward_query == "SELECT scanned_at, parcel, depot, weights, meta, toUInt8(op) AS op"
    assert scans.engine.options["settings"] == "index_granularity=4096"
    assert PARCELS.datasources["depot_days"].engine == TableEngine("MergeTree")


def test_what_a_connector_says_is_kept_and_not_acted_upon() -> None:
    assert PARCELS.datasources["scans_kafka"].connector == {
        "kafka_connection_name": "depots",
        "kafka_topic": "scans",
        "kafka_group_id": '{{ tb_secret("GROUP", "local") }}',
        "kafka_store_raw_value": "True",
    }
    assert PARCELS.pipes["to_bucket"].kind is PipeKind.LIBRARY


def test_copies_say_where_how_and_when() -> None:
    daily, again = PARCELS.pipes["depot_days_copy"], PARCELS.pipes["depot_days_again"]
    assert (daily.kind, daily.target, daily.copy_mode, daily.copy_schedule) == (
        PipeKind.COPY, "depot_days", CopyMode.REPLACE, "0 2 * * *",
    )  # fmt: skip
    assert (again.copy_mode, again.copy_schedule) == (CopyMode.APPEND, None)
    assert PARCELS.pipes["depot_hours_mv"].target == "depot_hours"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("pipes", "endpoints"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice.pipe").write_text("NODE a\nSQL >\n    SELECT 1\n", encoding="utf-8")
    with pytest.raises(DatafileError, match=r"twice is declared in .*endpoints/twice\.pipe, too"):
        load(tmp_path)


def test_a_pipe_named_as_a_datasource_is_refused(tmp_path: Path) -> None:
    (tmp_path / "same.pipe").write_text("NODE a\nSQL >\n    SELECT 1\n", encoding="utf-8")
    (tmp_path / "same.datasource").write_text("SCHEMA >\n    a String\n", encoding="utf-8")
    with pytest.raises(DatafileError, match="same is the name of a datasource, too"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.pipe").write_bytes(b"NODE \xff\xfe\n")
    with pytest.raises(DatafileError, match="It is not UTF-8"):
        load(tmp_path)
