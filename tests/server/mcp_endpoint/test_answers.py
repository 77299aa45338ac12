"""What a call answers when all is well, when it is too much, and when nothing is."""

import logging

import orjson
import pytest

from server.mcp_endpoint.answers import TEXT_LIMIT, answered, failed
from tests.server.mcp_endpoint.kit import Budget, Row, list_rows, set_budget, take_steps
from tools.capability import Listing
from tools.errors import NotFound


def test_an_output_is_structured_content_and_the_same_as_compact_text() -> None:
    result = answered(set_budget, Budget(campaign_id="c1", daily_budget=5), "req_1").result()

    assert result.structured_content == {"campaign_id": "c1", "daily_budget": 5}
    assert result.content[0].model_dump()["text"] == '{"campaign_id":"c1","daily_budget":5.0}'
    assert not result.is_error


def test_a_result_of_exactly_the_limit_is_sent_and_one_more_character_is_not() -> None:
    bare = len(Listing[Row](items=(Row(campaign_id="", name="", daily_budget=1),)).wire_json())
    fits = Listing[Row](items=(Row(campaign_id="", name="ü" * (TEXT_LIMIT - bare), daily_budget=1),))
    over = Listing[Row](items=(Row(campaign_id="", name="ü" * (TEXT_LIMIT - bare + 1), daily_budget=1),))

    assert not answered(list_rows, fits, "req_1").is_error
    refusal = answered(list_rows, over, "req_1")
    body = orjson.loads(refusal.wire)
    assert refusal.is_error
    assert body["code"] == "too_large"
    assert body["fix"] == "Call again with a smaller limit and page on with next_cursor."
    assert body["meta"] == {"request_id": "req_1"}


def test_where_there_is_no_limit_to_lower_the_advice_is_another() -> None:
    large = Listing[Row](items=(Row(campaign_id="", name="x" * TEXT_LIMIT, daily_budget=1),))

    assert b"smaller limit" not in answered(take_steps, large, "req_1").wire


def test_one_of_our_errors_keeps_its_code_and_advice() -> None:
    body = orjson.loads(failed("req_1", NotFound("There is none.", fix="List them.")).wire)

    assert body == {
        "code": "not_found", "message": "There is none.", "fix": "List them.", "meta": {"request_id": "req_1"},
    }  # fmt: skip


def test_anything_else_tells_nothing_of_itself_but_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = failed("req_1", RuntimeError("a secret"))

    assert answer.is_error
    assert b"secret" not in answer.wire
    assert orjson.loads(answer.wire)["code"] == "internal"
    assert "req_1" in caplog.text
    assert "a secret" in caplog.text
