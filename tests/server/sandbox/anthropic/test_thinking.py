"""A thinking block is good for the conversation that it was thought in, and for no other."""

from typing import Any

import pytest

from tests.server.sandbox.anthropic.api import SONNET, Api, assistant, call, request, result, text, tool, user

BOUND = "The block is bound to a different conversation"
TURN = {"blocks": [{"type": "thinking", "thinking": "Let me see."}, call("toolu_1")]}


def conversation(api: Api, model: str = SONNET, **fields: Any) -> dict[str, Any]:
    """A request that gives back what was thought and called, with the result."""
    body = request(model=model, tools=[tool("list_things"), tool("list_others")], system="Be brief.", **fields)
    api.script(TURN)
    thought = api.answer(body)
    return body | {"messages": [*body["messages"], assistant(thought["content"]), user([result("toolu_1")])]}


def test_what_is_given_back_unchanged_is_taken(api: Api) -> None:
    body = conversation(api)

    assert api.answer(body)
    assert api.answer(body | {"tool_choice": {"type": "none"}, "max_tokens": 5, "metadata": {"user_id": "u"}})


def test_cache_marks_may_move(api: Api) -> None:
    body = conversation(api)

    body["system"] = [text("Be brief.", cache_control={"type": "ephemeral"})]
    body["messages"][0] = user([text("How is it going?", cache_control={"type": "ephemeral"})])

    assert api.answer(body)


@pytest.mark.parametrize(
    "change",
    [
        {"system": "Be long."},
        {"tools": [tool("list_others"), tool("list_things")]},
        {"tools": [tool("list_things"), tool("list_others", "Otherwise.")]},
        {"model": "claude-opus-5-5"},
    ],
)
def test_changing_what_stands_before_it_is_refused(api: Api, change: dict[str, Any]) -> None:
    body = conversation(api)

    assert api.refusal(body | change) == f"messages.1.content.0: Invalid `signature` in `thinking` block. {BOUND}"


def test_editing_an_old_message_is_refused(api: Api) -> None:
    body = conversation(api)
    body["messages"][0] = user("How did it go?")

    assert BOUND in api.refusal(body)


def test_an_older_model_does_not_mind(api: Api) -> None:
    body = conversation(api, model="claude-opus-4-8", thinking={"type": "adaptive"})

    assert api.answer(body | {"system": "Be long."})


@pytest.mark.parametrize("change", [{"thinking": "Let me think."}, {"signature": "bm9uc2Vuc2U="}, {"signature": "%"}])
def test_a_changed_block_is_refused_by_every_model(api: Api, change: dict[str, str]) -> None:
    for model in (SONNET, "claude-opus-4-8"):
        body = conversation(api, model=model)
        body["messages"][1]["content"][0] |= change

        assert api.refusal(body) == "messages.1.content.0: Invalid `signature` in `thinking` block"


def test_thinking_may_be_left_out(api: Api) -> None:
    body = conversation(api)
    del body["messages"][1]["content"][0]

    assert api.answer(body)


def test_what_was_thought_is_shown_only_on_request_and_counted_always(api: Api) -> None:
    api.script(TURN, TURN)
    tools = [tool("list_things")]

    hidden = api.answer(tools=tools)
    shown = api.answer(tools=tools, thinking={"type": "adaptive", "display": "summarized"})

    assert [each["content"][0]["thinking"] for each in (hidden, shown)] == ["", "Let me see."]
    details = [each["usage"]["output_tokens_details"]["thinking_tokens"] for each in (hidden, shown)]
    assert details[0] == details[1] > 0


def test_redacted_thinking_is_bound_too(api: Api) -> None:
    api.script({"blocks": [{"type": "redacted_thinking", "data": "sealed"}, text("Well.")]})
    body = request(tools=[tool("list_things")])
    thought = api.answer(body)
    body["messages"] += [assistant(thought["content"]), user("And?")]

    assert api.answer(body)
    assert BOUND in api.refusal(body | {"system": "Otherwise."})
