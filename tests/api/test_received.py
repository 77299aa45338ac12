"""Bytes are read within bounds and parsed strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.received import MAX_DEPTH, json_object, query_parameters
from tools.errors import InvalidRequest

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b"{} trailing",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1, "\\u0061": 2}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": 1,}',
        b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
        b"[" * 100_000,
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_what_is_not_one_strict_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        json_object(body)

    assert refused.value.fix


def test_the_deepest_nesting_allowed_is_taken() -> None:
    levels = MAX_DEPTH - 1

    assert json_object(b'{"a":' + b"[" * levels + b"]" * levels + b"}")


def test_many_keys_of_which_the_last_is_repeated_cost_no_more_than_reading_them() -> None:
    names = [f'"{number}":0' for number in range(60_000)]
    body = ("{" + ",".join([*names, names[-1]]) + "}").encode()

    with pytest.raises(InvalidRequest, match="59999 is there more than once"):
        json_object(body)  # were it quadratic, this would take minutes


@given(st.dictionaries(st.text(), ANY_JSON, max_size=4))
def test_every_object_survives_the_wire(value: dict[str, object]) -> None:
    assert json_object(json.dumps(value).encode()) == value


@pytest.mark.parametrize("raw", [b"a=%ff", b"a=\xff", b"&".join([b"a=1"] * 201)])
def test_an_unreadable_query_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        query_parameters(raw)


def test_a_query_keeps_blanks_and_repetitions() -> None:
    assert query_parameters(b"a=&b=1&b=2&b=3&c=%C3%BC+%20") == {"a": "", "b": ["1", "2", "3"], "c": "ü  "}
