"""Page cursors belong to one query and cannot be altered."""

import base64

import orjson
import pytest

from tools import cursors
from tools.errors import InvalidArguments

QUERY = {"status": "ACTIVE", "platform": None}


def altered(cursor: str) -> str:
    """The same query's, put somewhere else."""
    fingerprint, _ = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return base64.urlsafe_b64encode(orjson.dumps([fingerprint, "; DROP TABLE"])).decode()


@pytest.mark.parametrize("position", [0, 17, ["con_1", "act_1"], [["con_1", "act_1"], "QVFI"], "AQ=="])
def test_a_cursor_comes_back_as_the_position_it_holds(position: object) -> None:
    assert cursors.decode(QUERY, cursors.encode(QUERY, position)) == position


def test_without_a_cursor_one_starts_at_the_beginning() -> None:
    assert cursors.decode(QUERY, None) is None


def test_the_order_of_arguments_does_not_matter() -> None:
    assert cursors.decode(dict(reversed(QUERY.items())), cursors.encode(QUERY, 3)) == 3


@pytest.mark.parametrize(
    "cursor",
    [
        cursors.encode({"status": "PAUSED"}, 1),
        "",
        "x",
        "not base64 !",
        "é",
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"null").decode(),
        base64.urlsafe_b64encode(orjson.dumps(["0" * 16, 3])).decode(),
        altered(cursors.encode(QUERY, 3)),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "A" * 2000,
    ],
)
def test_what_is_no_cursor_of_this_query_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        cursors.decode(QUERY, cursor)

    assert refused.value.details["problems"] == [{"field": "cursor", "problem": "not a cursor of this query"}]
    assert refused.value.fix
