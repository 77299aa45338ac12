"""Endings nobody wished for: each is handled, and told in a way that a person can act on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.limits import Limits
from tests.agent.talk import Talk, calls, first, names, open_talk, said, text

THINKING_FIRST = {"blocks": [{"type": "thinking", "thinking": "Let me see. " * 40}, {"type": "text", "text": "Done."}]}
"""Broken off in its middle, none of its text was shown."""

SILENCE = 1.5
"""Seconds; long enough for a busy machine to begin an answer."""


def conversation(events: list[Any]) -> str:
    return str(first(events, "run_started")["conversationId"])


async def model_calls(talk: Talk) -> list[dict[str, Any]]:
    seen = (await talk.http.get("/requests")).json()
    return [each for each in seen if each["path"].endswith("/messages")]


async def test_a_refusal_ends_the_turn_and_is_not_sent_again(talk: Talk) -> None:
    why = {"type": "refusal", "category": "cyber", "explanation": "Not that."}
    await talk.says({"blocks": [], "stop_reason": "refusal", "stop_details": why}, text("Gladly."))

    refused = await talk.ask("Something bad.")
    after = await talk.ask("Something good.", conversation(refused))

    assert first(refused, "done") == {
        "stopReason": "refusal",
        "category": "cyber",
        "explanation": "Not that.",
    }
    assert first(after, "done") == {"stopReason": "end_turn"}
    assert [m["role"] for m in json.loads((await talk.requests())[-1])["messages"]] == ["user", "user"]


async def test_an_answer_cut_by_max_tokens_in_a_call_runs_nothing_and_can_be_gone_on_with(talk: Talk) -> None:
    broken = [
        {"type": "text", "text": "I pause it now."},
        {"type": "tool_use", "name": "whoami", "input": {}},
        {"type": "tool_use", "name": "list_changes", "input": {"limit": 5}, "open": True},
    ]
    await talk.says({"blocks": broken, "stop_reason": "max_tokens"}, text("Where was I?"))

    cut = await talk.ask("Pause it.")
    after = await talk.ask("Go on.", conversation(cut))

    assert first(cut, "done")["stopReason"] == "max_tokens"
    assert "16000 tokens" in first(cut, "done")["explanation"]
    assert not {"tool_use", "tool_result"} & set(names(cut))
    assert first(after, "done") == {"stopReason": "end_turn"}
    (result, *_) = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
    assert (result["type"], result["is_error"]) == ("tool_result", True)
    assert not [row for row in await talk.world.audit_rows() if row["action"] == "whoami"]


async def test_a_paused_turn_is_given_back_as_it_is(talk: Talk) -> None:
    paused = [
        {"type": "text", "text": "Looking."},
        {"type": "server_tool_use", "name": "web_search", "input": {"query": "x"}},
    ]
    await talk.says({"blocks": paused, "stop_reason": "pause_turn"}, text("Found it."))

    events = await talk.ask("Search.")

    assert first(events, "done") == {"stopReason": "end_turn"}
    one, two = (json.loads(request)["messages"] for request in await talk.requests())
    assert two[:-1] == one
    assert two[-1]["role"] == "assistant"


@pytest.mark.parametrize("kind", ["cut", "overloaded_mid"])
async def test_an_answer_that_breaks_off_runs_nothing_and_keeps_what_was_said(talk: Talk, kind: str) -> None:
    told = {"blocks": [{"type": "text", "text": "I will pause it. " * 20}, *calls(("whoami", {}))["blocks"][1:]]}
    await talk.says({**told, "fault": {"kind": kind}}, text("Once more."))

    events = await talk.ask("Pause it.")
    after = await talk.ask("Again.", conversation(events))

    assert names(events)[-3:] == ["error", "usage", "done"]
    assert first(events, "error")["code"] == "unavailable"
    assert first(events, "error")["fix"]
    assert first(events, "done") == {"stopReason": "error"}
    assert not {"tool_use", "tool_result"} & set(names(events))
    kept = [row for row in await talk.messages(conversation(events)) if row.kind == "shown"]
    assert [json.loads(row.content)[0]["text"] for row in kept] == [said(events)]
    assert [row.estimated for row in kept] == [1]
    assert first(after, "done") == {"stopReason": "end_turn"}
    context = json.loads((await talk.requests())[-1])["messages"][-1]["content"][0]["text"]
    assert "broke off" in context


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttled", "rate_limited"),
        ("overloaded", "unavailable"),
        ("server_error", "unavailable"),
        ("html", "unavailable"),
    ],
)
async def test_a_model_that_does_not_answer_is_told_in_our_own_words(talk: Talk, kind: str, code: str) -> None:
    await talk.world.break_next(kind, "anthropic:messages")

    events = await talk.ask("Hello?")

    error = first(events, "error")
    assert error["code"] == code
    assert error["fix"]
    assert error["meta"]["request_id"].startswith("req_")
    assert error.get("retryAfter", 1) >= 1
    assert first(events, "done") == {"stopReason": "error"}


async def test_a_short_disturbance_is_waited_out(tmp_path: Path) -> None:
    async with open_talk(tmp_path, retries=1) as talk:
        await talk.world.break_next("overloaded", "anthropic:messages")
        await talk.says(text("Here I am."))

        assert said(await talk.ask("Hello?")) == "Here I am."


@pytest.mark.parametrize("kind", ["throttled", "overloaded"])
async def test_a_wait_that_is_asked_for_is_kept_as_long_as_it_is_short(tmp_path: Path, kind: str) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        await talk.world.break_next(kind, "anthropic:messages", times=3, retry_after=0)
        await talk.says(text("Here I am."))

        events = await talk.ask("Hello?")

        assert names(events) == ["run_started", "text_delta", "usage", "done"]
        assert len(await model_calls(talk)) == 4
        assert [row.role for row in await talk.messages(conversation(events))] == ["user", "assistant"]


@pytest.mark.parametrize(("kind", "code"), [("throttled", "rate_limited"), ("overloaded", "unavailable")])
async def test_a_longer_wait_is_told_at_once_instead(tmp_path: Path, kind: str, code: str) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        await talk.world.break_next(kind, "anthropic:messages", retry_after=600)

        events = await talk.ask("Hello?")

        assert (first(events, "error")["code"], first(events, "error")["retryAfter"]) == (code, 600)
        assert first(events, "done") == {"stopReason": "error"}
        assert len(await model_calls(talk)) == 1


async def test_nobody_tries_again_with_a_key_that_is_refused(tmp_path: Path) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        await talk.world.break_next("expired_token", "anthropic:messages", times=3)

        events = await talk.ask("Hello?")

        assert "ANTHROPIC_API_KEY" in first(events, "error")["fix"]
        assert len(await model_calls(talk)) == 1


@pytest.mark.parametrize("kind", ["cut", "overloaded_mid", "silent"])
async def test_an_answer_that_broke_off_before_a_word_of_it_was_read_is_asked_for_once_more(
    tmp_path: Path, kind: str
) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        talk.settings = replace(talk.settings, silence=SILENCE)
        await talk.restart()
        await talk.says({**THINKING_FIRST, "fault": {"kind": kind}}, text("Done, at the second try."))

        events = await talk.ask("Pause it.")

        assert said(events) == "Done, at the second try."
        assert first(events, "done") == {"stopReason": "end_turn"}
        one, two = await model_calls(talk)
        assert one["text"] == two["text"]
        broken, answered = [row for row in await talk.messages(conversation(events)) if row.role == "assistant"]
        assert (broken.kind, broken.content, broken.estimated) == ("shown", "[]", 1)
        assert first(events, "usage")["inputTokens"] == broken.input_tokens + answered.input_tokens


async def test_one_that_breaks_off_twice_is_told(tmp_path: Path) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        await talk.says(*[{**THINKING_FIRST, "fault": {"kind": "cut"}}] * 2)

        events = await talk.ask("Pause it.")

        assert first(events, "error")["code"] == "unavailable"
        assert len(await model_calls(talk)) == 2


@pytest.mark.parametrize("kind", ["cut", "truncated", "overloaded_mid", "silent"])
async def test_what_was_read_is_not_answered_twice(tmp_path: Path, kind: str) -> None:
    async with open_talk(tmp_path, retries=3) as talk:
        talk.settings = replace(talk.settings, silence=SILENCE)
        await talk.restart()
        await talk.says({**text("I will pause it. " * 20), "fault": {"kind": kind}})

        events = await talk.ask("Pause it.")

        assert first(events, "error")["fix"] == "Send the message again in a moment."
        assert first(events, "error")["retryAfter"] >= 1
        kept = [row for row in await talk.messages(conversation(events)) if row.kind == "shown"]
        assert [json.loads(row.content)[0]["text"] for row in kept] == [said(events)]
        assert len(await model_calls(talk)) == 1


async def test_a_slow_answer_that_keeps_coming_is_waited_for(talk: Talk) -> None:
    talk.settings = replace(talk.settings, silence=20.0)
    await talk.restart()
    await talk.says({**text("Slowly but surely."), "fault": {"kind": "slow", "seconds": 0.3}})

    assert said(await talk.ask("Hello?")) == "Slowly but surely."


async def test_a_window_that_is_full_ends_with_what_was_said_and_a_way_on(talk: Talk) -> None:
    await talk.world.break_next("context_window", "anthropic:messages")
    await talk.says(text("This conversation is about to end in the middle of it"))

    events = await talk.ask("Go on.")

    assert said(events)
    assert (first(events, "error")["code"], first(events, "error")["fix"]) == (
        "too_large", "Start a new conversation.",
    )  # fmt: skip
    assert first(events, "done") == {"stopReason": "error"}


async def test_a_prompt_beyond_the_window_says_so(talk: Talk) -> None:
    await talk.world.break_next("too_long", "anthropic:messages")

    events = await talk.ask("Go on.")

    assert first(events, "error")["code"] == "too_large"
    assert "too long" in first(events, "error")["message"]


async def test_a_turn_that_pauses_for_ever_meets_its_limit(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(model_calls=4)) as talk:
        await talk.world.break_next("pause_turn", "anthropic:messages", times=9)

        events = await talk.ask("Search.")
        (await talk.world.sandbox.delete("/faults")).raise_for_status()
        after = await talk.ask("Thank you.", conversation(events))

        assert first(events, "done")["stopReason"] == "cap"
        assert first(after, "done") == {"stopReason": "end_turn"}
        assert len(await model_calls(talk)) == 5


async def test_tokens_that_run_out_within_a_call_run_nothing(talk: Talk) -> None:
    await talk.world.break_next("max_tokens", "anthropic:messages")
    await talk.says(calls(("list_campaigns", {"limit": 10})))

    events = await talk.ask("List.")

    assert first(events, "done")["stopReason"] == "max_tokens"
    assert not {"tool_use", "tool_result"} & set(names(events))


async def test_a_refusal_of_the_sandbox_says_why(talk: Talk) -> None:
    await talk.world.break_next("refusal", "anthropic:messages")

    done = first(await talk.ask("Something bad."), "done")

    assert (done["stopReason"], done["category"]) == ("refusal", "general_harms")
    assert "safety" in done["explanation"]
