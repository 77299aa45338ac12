"""What became of several changes sent in one request."""

import pytest

from server.platforms.google.receipts import receipts
from tests.server.platforms.google.standin import FAILURE
from tools.errors import NotFound, PlatformFailure
from tools.plan import Operation

THREE = [
    Operation(kind="update_campaign", account_id="1", campaign_id=number, fields={"status": "PAUSED"})
    for number in ("111", "112", "113")
]


def done(number: str) -> dict[str, object]:
    return {"resourceName": f"customers/1/campaigns/{number}"}


def error(index: int | str | None, code: str = "mutateError.RESOURCE_NOT_FOUND") -> dict[str, object]:
    family, word = code.split(".")
    element = {"fieldName": "operations"} | ({} if index is None else {"index": index})
    return {"errorCode": {family: word}, "message": "No.", "location": {"fieldPathElements": [element]}}


def partial(*errors: dict[str, object]) -> dict[str, object]:
    return {"code": 3, "message": "m", "details": [{"@type": FAILURE, "errors": list(errors), "requestId": "R"}]}


def test_each_operation_has_its_own_receipt_in_order() -> None:
    answer = {"results": [done("111"), {}, done("113")], "partialFailureError": partial(error(1))}
    first, second, third = receipts(THREE, answer, "con_1")
    assert (first.campaign_id, first.error) == ("111", None)
    assert (third.campaign_id, third.error) == ("113", None)
    assert second.campaign_id == "112"
    assert isinstance(second.error, NotFound)
    assert second.error.details["outcome"] == "refused"
    assert second.error.details["requestId"] == "R"


def test_the_first_operation_may_come_without_its_index() -> None:
    """Zero is a default, and defaults are left out."""
    answer = {"results": [{}, done("112"), done("113")], "partialFailureError": partial(error(None))}
    assert [bool(each.error) for each in receipts(THREE, answer, "con_1")] == [True, False, False]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"results": [done("111")]},
        {"results": [{}, {}, {}]},
        {"results": "odd"},
        {"results": [None, 1, []]},
        {"results": [{"resourceName": ""}, {}, {}]},
        {"results": [{}, {}, {}], "partialFailureError": {"code": 3, "message": "m"}},
        {"results": [{}, {}, {}], "partialFailureError": "odd"},
    ],
)
def test_what_an_answer_does_not_say_is_unknown(answer: dict[str, object]) -> None:
    for applied in receipts(THREE, answer, "con_1"):
        assert isinstance(applied.error, PlatformFailure)
        assert applied.error.details["outcome"] == "unknown"


def test_a_failure_inside_google_is_unknown_for_its_item_only() -> None:
    answer = {
        "results": [done("111"), {}, {}],
        "partialFailureError": partial(error("1", "internalError.TRANSIENT_ERROR"), error(2)),
    }
    outcomes = [each.error and each.error.details["outcome"] for each in receipts(THREE, answer, "con_1")]
    assert outcomes == [None, "unknown", "refused"]
