"""What a request brings: parameters that cannot be overridden, and bodies that cannot grow without end."""

import gzip
from typing import Any

import orjson
import pytest

from server.analytics.wire.received import FORM, JSON, parameters, unpacked
from server.analytics.wire.refusals import Refusal

FIXED = {"workspace_id": "ours", "Website_ID": 7}


def merged(query: list[tuple[str, str]], body: bytes = b"", kind: str = "", **more: Any) -> Any:
    return parameters(query, body, kind, arrays=more.get("arrays", ()), fixed=more.get("fixed", {}))


@pytest.mark.parametrize("name", ["workspace_id", "WORKSPACE_ID", "Workspace_Id", "website_id", "Website_ID"])
@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("", None),
        (JSON, lambda name: orjson.dumps({name: "theirs"})),
        (f"{JSON}; charset=utf-8", lambda name: orjson.dumps({name: ["theirs", "theirs"]})),
        (FORM, lambda name: f"{name}=theirs&{name}=theirs".encode()),
    ],
)
def test_what_a_token_fixes_nobody_changes(name: str, kind: str, write: Any) -> None:
    query = [] if write else [(name, "theirs"), (name, "theirs")]

    found = merged(query, write(name) if write else b"", kind, fixed=FIXED, arrays={name})

    assert found == {"workspace_id": "ours", "Website_ID": "7"}


def test_the_body_counts_over_the_query_and_of_several_the_last() -> None:
    query = [("a", "1"), ("a", "2"), ("b", "1"), ("token", "t")]

    assert merged(query, b"b=2&c=&d=x%20y", FORM) == {"a": "2", "b": "2", "c": "", "d": "x y"}


def test_a_list_stays_one_where_the_pipe_takes_one() -> None:
    assert merged([("ids", "1"), ("ids", "2")], arrays={"ids"}) == {"ids": ["1", "2"]}
    assert merged([], b'{"ids": [1, 2], "n": [1, 2]}', JSON, arrays={"ids"}) == {"ids": ["1", "2"], "n": "2"}


def test_json_values_are_written_as_json_writes_them_and_null_is_not_given() -> None:
    body = b'{"a": 1, "b": 1.5, "c": true, "d": null, "e": {"x": 1}, "f": "\\u0000"}'

    assert merged([], body, JSON) == {"a": "1", "b": "1.5", "c": "true", "e": '{"x":1}', "f": "\0"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[1]", JSON),
        (b"{", JSON),
        (b'{"a": NaN}', JSON),
        (b'"\xff"', JSON),
        (b"\xff=\xfe", FORM),
        (b"a=1&" * 2000, FORM),
        (b"<a/>", "application/xml"),
        (b"x", ""),
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        merged([], body, kind)

    assert refused.value.status == 400


def test_sql_over_a_pipe_is_refused_not_ignored() -> None:
    with pytest.raises(Refusal):
        merged([("q", "SELECT 1")])


def test_gzip_is_unpacked_in_all_its_members() -> None:
    assert unpacked(gzip.compress(b"a\n" * 300_000) + gzip.compress(b"b"), 10_000_000) == b"a\n" * 300_000 + b"b"
    assert unpacked(gzip.compress(b""), 10) == b""
    assert unpacked(b"", 10) == b""


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000

    with pytest.raises(Refusal) as refused:
        unpacked(bomb, 10_000_000)

    assert refused.value.status == 413


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"abc")[:-5], gzip.compress(b"abc") + b"rest", b"\x1f\x8b"],
    ids=["not gzip", "cut off", "with a rest", "two bytes"],  # the bytes hold the time
)
def test_what_is_not_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        unpacked(body, 1000)

    assert refused.value.status == 400
