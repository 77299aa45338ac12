"""Single files: what is wrong with one is said with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.analytics.datafiles.datasource import read_datasource
from server.analytics.datafiles.model import DatafileError, Datasource, PipeFile, PipeKind
from server.analytics.datafiles.pipe import read_pipes

NODE = "NODE a\nSQL >\n    SELECT 1\n"


def datasource(text: str, name: str = "events") -> Datasource:
    return read_datasource(Path(f"{name}.datasource"), text)


def pipes(text: str, name: str = "some") -> list[PipeFile]:
    return list(read_pipes(Path(f"{name}.pipe"), text))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "It has no SCHEMA"),
        ("SCHEMA >\n", 1, "Its SCHEMA has no column"),
        ("SCHEMA >\n    a\n", 1, "A column reads NAME Type"),
        ("SCHEMA >\n    a String, a Int32\n", 1, "Column a is declared twice"),
        ("SCHEMA >\n    a String NOT NULL\n", 1, "Column a: NOT NULL is not supported"),
        ("SCHEMA >\n    a String TTL now()\n", 1, "Column a: TTL is not supported"),
        ("SCHEMA >\n    a String DEFAULT\n", 1, "Column a: DEFAULT says nothing"),
        ("SCHEMA >\n    a String DEFAULT 'x\n", 1, "is not closed"),
        ("SCHEMA >\n    a Array(String\n", 1, "is not closed"),
        ("SCHEMA >\n    a Enum8('x' = 1\n", 1, "is not closed"),
        ("SCHEMA >\n    `a` String `json:$.a` nonsense\n", 1, "cannot follow a path"),
        ("SCHEMA >\n    1a String\n", 1, "A column reads NAME Type"),
        ("SCHEMA >\n    a String\nINDEXES >\n    a minmax\n", 3, "An index reads"),
        ("SCHEMA >\n    a String\n\nENGIN MergeTree\n", 1, "Column a: 'String.*ENGIN MergeTree' is no type"),
        ("ENGIN MergeTree\n", 1, "ENGIN is not a keyword of .datasource files"),
        ("SELECT 1\n", 1, "SELECT is not a keyword"),
        ("INCLUDE other.incl\n", 1, "INCLUDE is not followed"),
        ("TOKEN reader\n", 1, "A token reads"),
        ("TOKEN reader WRITE\n", 1, "A token reads"),
    ],
)
def test_a_wrong_datasource_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(DatafileError, match=message) as refused:
        datasource(text)
    assert not line or refused.value.line == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "It has no NODE"),
        ("SQL >\n    SELECT 1\n", "SQL belongs to a node"),
        ("NODE a\n", "Node a has no SQL"),
        ("NODE a\nSQL >\n\n", "Node a has no SQL"),
        ("NODE\n", "is no name"),
        ("NODE 1a\n", "is no name"),
        ("NODE a; DROP\n", "is no name"),
        (NODE + NODE, "Two nodes are named a"),
        (NODE + "TYPE nothing\n", "'nothing' is no type"),
        (NODE + "TYPE materialized\n", "names no datasource to write to"),
        (NODE + "TYPE copy\nTARGET_DATASOURCE x y\n", "names no datasource to write to"),
        (NODE + "TYPE copy\nTARGET_DATASOURCE x\nCOPY_MODE merge\n", "COPY_MODE is append or replace"),
        (NODE + "TYPE endpoint\n" + NODE.replace("a", "b") + "TYPE endpoint\n", "Only one node"),
        ("SCHEMA >\n    a String\n", "SCHEMA is not a keyword of .pipe files"),
    ],
)
def test_a_wrong_pipe_is_refused(text: str, message: str) -> None:
    with pytest.raises(DatafileError, match=message):
        pipes(text)


@pytest.mark.parametrize("name", ["1st", "a b", "a.b", "", "drop;", "ünï"])
def test_a_file_gives_a_plain_name(name: str) -> None:
    with pytest.raises(DatafileError, match="is no name"):
        datasource("SCHEMA >\n    a String\n", name)


def test_a_block_ends_where_a_keyword_begins_a_line_and_from_is_sql() -> None:
    (pipe,) = pipes("NODE a\nSQL >\nSELECT 1\nFROM t\n  TYPE\nTYPE endpoint\n")
    assert pipe.nodes[0].sql == "SELECT 1\nFROM t\n  TYPE"
    assert pipe.kind is PipeKind.ENDPOINT


def test_keywords_are_read_in_any_case_after_tabs_and_before_comments() -> None:
    (pipe,) = pipes("# a pipe\n\nNode\ta # first\nsql >\n\tSELECT 1 -- '#'\ntype Endpoint # served\n")
    assert (pipe.nodes[0].name, pipe.nodes[0].sql, pipe.kind) == ("a", "SELECT 1 -- '#'", PipeKind.ENDPOINT)


def test_an_apostrophe_in_a_description_opens_nothing() -> None:
    assert datasource("DESCRIPTION the shop's events\nSCHEMA >\n    a String\n").description == "the shop's events"


def test_lines_of_windows_are_lines() -> None:
    found = datasource('SCHEMA >\r\n    a String,\r\n    b Int8\r\n\r\nENGINE "MergeTree"\r\n')
    assert ([c.name for c in found.columns], found.engine.name) == (["a", "b"], "MergeTree")


def test_a_separator_in_a_literal_ends_no_line() -> None:
    (pipe,) = pipes("NODE a\nSQL >\n    SELECT 'a\u2028NODE\x0cb'\n")
    assert pipe.nodes[0].sql == "SELECT 'a\u2028NODE\x0cb'"


def test_keys_from_before_engine_options_still_count() -> None:
    found = datasource("SCHEMA >\n    a String\nENGINE MergeTree\nSORTING_KEY a\nPARTITION_KEY tuple()\n")
    assert found.engine.options == {"sorting_key": "a", "partition_key": "tuple()"}


def test_an_endpoint_before_other_nodes_is_the_output_and_writers_beside_it_are_pipes_of_their_own() -> None:
    served, written = pipes(
        "NODE a\nSQL >\n    SELECT 1\nTYPE endpoint\nNODE b\nSQL >\n    SELECT 2\nTYPE materialized\nDATASOURCE t\n"
    )
    assert (served.name, served.output, written.name, written.target) == ("some", "a", "some__b", "t")


def test_a_grant_to_create_is_left_out() -> None:
    assert datasource("TOKEN app CREATE\nSCHEMA >\n    a String\n").tokens == ()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_as_a_datafile(text: str) -> None:
    for read in (datasource, pipes):
        try:
            read(text)
        except DatafileError:
            continue


@given(st.text(alphabet="ab `,()'\"\\json:$.DEFAULT CODEC\n-/*", max_size=80))
def test_any_schema_is_read_or_refused(text: str) -> None:
    try:
        found = datasource("SCHEMA >\n" + "\n".join(f"    {line}" for line in text.splitlines()))
    except DatafileError:
        return
    assert all(column.name and column.type for column in found.columns)
