"""Messages that are no conversation are refused, in the API's words; the closest that is one is taken."""

from typing import Any

import pytest

from tests.server.sandbox.anthropic.api import Api, assistant, call, result, text, tool, user

Messages = list[dict[str, Any]]
ONE, TWO = call("toolu_1"), call("toolu_2")


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([assistant("Hi.")], 'first message must use the "user" role'),
        ([user([])], "messages.0: all messages must have non-empty content"),
        ([user("")], "messages.0: all messages must have non-empty content"),
        ([user([text("")])], "messages.0.content.0: text content blocks must be non-empty"),
        ([user([text("  ")])], "must contain non-whitespace text"),
        ([user([ONE])], "messages.0: `tool_use` blocks cannot be in `user` messages"),
        ([user("x"), assistant([result("toolu_1")]), user("y")], "`tool_result` blocks cannot be in `assistant`"),
        ([user("x"), assistant("Sure, ")], "does not support assistant message prefill"),
        ([user("x"), assistant([ONE])], "messages.1: `tool_use` ids were found without `tool_result` blocks"),
        ([user("x"), assistant([ONE]), user("y")], "immediately after: toolu_1."),
        ([user("x"), assistant([ONE, TWO]), user([result("toolu_1")])], "immediately after: toolu_2."),
        (
            [user("x"), assistant([ONE]), user([result("toolu_9"), result("toolu_1")])],
            "messages.2.content.0: unexpected",
        ),
        ([user("x"), assistant("y"), user([result("toolu_1")])], "unexpected `tool_use_id` found in `tool_result`"),
        ([user("x"), assistant([ONE]), user([text("y"), result("toolu_1")])], "`tool_result` blocks must come first"),
        ([user("x"), assistant([ONE]), user([result("toolu_1"), result("toolu_1")])], "must have a single result"),
        ([user("x"), assistant([ONE, ONE]), user([result("toolu_1")])], "`tool_use` ids must be unique"),
        (
            [user("x"), assistant([ONE]), user([result("toolu_1")]), assistant([ONE]), user([result("toolu_1")])],
            "messages.3: `tool_use` ids must be unique",
        ),
        ([user("x"), {"role": "system", "content": "s"}, user("y")], "a `system` message must follow a `user` message"),
        ([user("x"), assistant("y"), {"role": "system", "content": "s"}], "a `system` message must follow"),
        ([user("x"), assistant([call("toolu 1")]), user("y")], "tool_use.id: String should match pattern"),
        (
            [user("x"), assistant([{"type": "redacted_thinking", "data": "x"}]), user("y")],
            "The final block in an assistant message cannot be `thinking`",
        ),
    ],
)
def test_messages_that_are_no_conversation_are_refused(api: Api, messages: Messages, complaint: str) -> None:
    assert complaint in api.refusal(messages=messages, tools=[tool("list_things")])


@pytest.mark.parametrize(
    "messages",
    [
        [user("x"), user("y")],
        [user("x"), assistant("y"), user("z")],
        [user("x"), assistant([text("Let me look."), ONE, TWO]), user([result("toolu_2"), result("toolu_1")])],
        [user("x"), assistant([ONE]), user([result("toolu_1"), text("and hurry")])],
        [user("x"), assistant([ONE]), user([result("toolu_1")]), assistant([TWO]), user([result("toolu_2")])],
        [user("x"), assistant([ONE]), user([result("toolu_1", "")])],
        [user("x"), {"role": "system", "content": "The workspace changed."}],
        [user("x"), {"role": "system", "content": "s"}, assistant("y"), user("z")],
    ],
)
def test_a_conversation_is_taken(api: Api, messages: Messages) -> None:
    assert api.answer(messages=messages, tools=[tool("list_things")])


def test_an_older_model_continues_what_the_assistant_began(api: Api) -> None:
    messages = [user("x"), assistant("Sure,")]

    assert api.answer(model="claude-haiku-4-5", messages=messages)
    assert "trailing whitespace" in api.refusal(model="claude-haiku-4-5", messages=[user("x"), assistant("Sure, ")])


def test_a_paused_turn_is_given_back_and_goes_on(api: Api) -> None:
    api.fault("pause_turn")
    messages = [user("x")]
    paused = api.answer(messages=messages, tools=[tool("list_things")])

    resumed = api.answer(messages=[*messages, assistant(paused["content"])], tools=[tool("list_things")])

    assert paused["stop_reason"] == "pause_turn"
    assert resumed["stop_reason"] == "end_turn"
    assert resumed["content"][0]["tool_use_id"] == paused["content"][-1]["id"]
