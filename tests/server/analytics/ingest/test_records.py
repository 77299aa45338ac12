"""Rows in the spool as lines, whatever is in them."""

import orjson
import pytest

from server.analytics.ingest.records import lines, record


@pytest.mark.parametrize("text", ["", " ", "\n", "\r\n", "\u2028", "a b\nc", '"', "\\n", "\x00", "👩‍👩‍👧"])
def test_rows_come_back_as_they_were_whatever_is_in_them(text: str) -> None:
    rows: list[tuple[str, dict[str, object]]] = [
        ("pageviews", {"title": text, text: 1}),
        ("custom_goals", {"n": [text]}),
        ("pageviews", {}),
    ]

    kept = [(datasource, orjson.loads(row)) for datasource, row in lines(record(rows))]

    assert kept == rows
