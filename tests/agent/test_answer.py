"""An answer is what came to its end; what did not is shown and never acted on."""

from typing import Any

import pytest

from agent.answer import Building
from agent.failures import Cut, Told

START = {"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 1}}}
STOP = {"type": "message_stop"}


def built(*events: dict[str, Any]) -> tuple[Building, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []
    building = Building(lambda kind, words: said.append((kind, words)))
    for event in events:
        building.take(event)
    return building, said


def block(index: int, first: dict[str, Any], *deltas: dict[str, Any], closed: bool = True) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": first},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        *([{"type": "content_block_stop", "index": index}] if closed else []),
    ]


def ended(reason: str) -> list[dict[str, Any]]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}}, STOP]


THINKING = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "Hm, "},
    {"type": "thinking_delta", "thinking": "so."},
    {"type": "signature_delta", "signature": "c2ln"},
)
CALL = block(
    1,
    {"type": "tool_use", "id": "toolu_1", "name": "whoami", "input": {}, "from_a_later_api": [1, {"a": None}]},
    {"type": "input_json_delta", "partial_json": '{"b": 1.10, "a'},
    {"type": "input_json_delta", "partial_json": '": "é"}'},
)


def test_blocks_are_kept_as_they_came_fields_of_a_later_api_too() -> None:
    building, said = built(START, *THINKING, *CALL, *ended("tool_use"))

    answer = building.answer()

    assert answer.content == [
        {"type": "thinking", "thinking": "Hm, so.", "signature": "c2ln"},
        {
            "type": "tool_use", "id": "toolu_1", "name": "whoami", "input": {"b": 1.1, "a": "é"},
            "from_a_later_api": [1, {"a": None}],
        },
    ]  # fmt: skip
    assert list(answer.calls[0]["input"]) == ["b", "a"]
    assert said == [("thinking_delta", "Hm, "), ("thinking_delta", "so.")]
    assert (answer.usage.input, answer.usage.output, answer.usage.estimated) == (7, 9, False)


def test_events_of_a_later_api_are_passed_over() -> None:
    building, _ = built(START, {"type": "ping"}, {"type": "weather", "sunny": True}, *ended("end_turn"))

    assert building.answer().stop_reason == "end_turn"


def test_a_stream_that_just_stops_has_no_reason_and_no_calls() -> None:
    building, _ = built(START, *THINKING, *CALL)

    answer = building.answer()

    assert not building.ended
    assert (answer.stop_reason, answer.calls, answer.content) == (None, [], [])
    assert answer.usage.estimated is True


def test_a_block_that_never_ended_is_left_out() -> None:
    building, _ = built(START, *THINKING, *block(1, CALL[0]["content_block"], closed=False), *ended("max_tokens"))

    answer = building.answer()

    assert [each["type"] for each in answer.content] == ["thinking"]
    assert answer.sendable() == []  # the API takes no thinking that nothing follows


def test_empty_words_are_not_sent_back() -> None:
    empty = block(0, {"type": "text", "text": ""})
    building, _ = built(START, *empty, *CALL, *ended("tool_use"))

    assert [each["type"] for each in building.answer().sendable()] == ["tool_use"]


@pytest.mark.parametrize("arguments", ['["no", "object"]', '"text"'])
def test_arguments_that_are_no_object_break_the_answer(arguments: str) -> None:
    delta = {"type": "input_json_delta", "partial_json": arguments}

    with pytest.raises(Cut):
        built(START, *block(0, {"type": "tool_use", "id": "toolu_1", "name": "x", "input": {}}, delta))


def test_an_error_in_the_middle_is_raised_by_its_kind() -> None:
    with pytest.raises(Told, match="Overloaded") as told:
        built(START, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

    assert told.value.kind == "overloaded_error"
