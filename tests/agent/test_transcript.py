"""What is sent: each request begins with the bytes of the one before, whatever happened in between."""

import json
from typing import Any

from agent.limits import Limits
from tests.agent.prefixes import assert_append_only
from tests.agent.talk import Talk, calls, first, text
from tests.world import OWNER

LONG = "A sentence of an answer that is long enough to matter. " * 20


async def test_every_request_of_a_conversation_begins_with_the_one_before(talk: Talk) -> None:
    campaign = (await talk.world.campaigns(status="ACTIVE"))[0]
    pause = ("update_campaign", {"campaign_id": campaign["campaign_id"], "status": "PAUSED"})
    await talk.says(
        calls(("list_campaigns", {}), ("whoami", {}), thinking="Ümläute, emoji 🎯 and a\nnew line."),
        calls(pause),
        text("Done: 1.10 of it."),
    )
    events = await talk.ask("Pause the first.")
    conversation = first(events, "run_started")["conversationId"]
    await talk.approve(first(events, "confirm_required")["approval"])
    await talk.resumed(conversation, events[-1].id)
    await talk.says({**text("Half of it. " * 40), "fault": {"kind": "cut"}})
    await talk.ask("And now?", conversation)
    await talk.says({"blocks": [], "stop_reason": "refusal"})
    await talk.ask("Something bad.", conversation)
    await talk.says(calls(pause), text("Then not."))
    await talk.ask("Once more.", conversation)
    await talk.restart()
    await talk.says(text("As you wish."))
    last = await talk.ask("Leave it.", conversation)

    requests = await talk.requests()
    assert first(last, "done") == {"stopReason": "end_turn"}
    assert len(requests) >= 7
    assert_append_only(requests)


async def test_a_summary_differs_behind_the_messages_only(talk: Talk) -> None:
    talk.limits = Limits(model_calls=2)
    await talk.restart()
    await talk.says(calls(("whoami", {})), text("So far."), text("More."))

    events = await talk.ask("Look.")
    await talk.ask("More?", first(events, "run_started")["conversationId"])

    assert_append_only(await talk.requests())


async def test_from_the_second_call_of_a_turn_the_cache_holds_the_whole_request_before(talk: Talk) -> None:
    """What can be read is read: all but a twentieth of the prompt of the call before, by the sandbox's own count."""
    await talk.says(
        calls(("list_campaigns", {})), calls(("list_connections", {})), calls(("get_insights", week())), text(LONG)
    )
    events = await talk.ask("How did last week go?")
    conversation = first(events, "run_started")["conversationId"]
    await talk.says(calls(("list_changes", {})), text(LONG))
    await talk.ask("And what was changed?", conversation)

    used = [row for row in await talk.messages(conversation) if row.role == "assistant"]
    prompts = [row.input_tokens + row.cache_read_tokens + row.cache_write_tokens for row in used]
    shares = [row.cache_read_tokens / prompt for row, prompt in zip(used[1:], prompts, strict=False)]
    assert len(shares) == 5
    assert min(shares) >= 0.95, shares


def week() -> dict[str, Any]:
    return {"since": "2026-11-13", "until": "2026-11-19", "breakdown": "campaign"}


async def test_another_conversation_of_anybody_reads_system_and_tools_from_the_cache(talk: Talk) -> None:
    await talk.says(text("Hello."), text("Hello."))
    await talk.ask("Hello?")

    other = await talk.ask("Good morning?")

    assert first(other, "usage")["cacheReadTokens"] > 3000
    assert first(other, "usage")["cacheWriteTokens"] < 200


async def test_what_holds_for_a_day_is_in_the_message_and_nothing_of_it_in_system_or_tools(talk: Talk) -> None:
    await talk.says(text("Hello."), text("Hello."))
    events = await talk.ask("Hello?")
    talk.world.clock.pass_by(days=1)
    await talk.ask("Still there?", first(events, "run_started")["conversationId"])

    body = json.loads((await talk.requests())[-1])
    today = [message["content"][0]["text"] for message in body["messages"] if message["role"] == "user"]
    assert "2026-11-20" in today[0]
    assert "2026-11-21" in today[1]
    static = json.dumps([body["system"], body["tools"]])
    for changing in ("2026-11", OWNER.workspace, OWNER.user, "America/New_York"):
        assert changing not in static


async def test_tools_are_sorted_and_system_is_kept_for_an_hour(talk: Talk) -> None:
    await talk.says(text("Hello."))
    await talk.ask("Hello?")

    body = json.loads((await talk.requests())[0])
    named = [tool["name"] for tool in body["tools"]]
    assert named == sorted(named)
    assert "approve" not in named
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert body["cache_control"] == {"type": "ephemeral"}


async def test_each_message_is_a_row_with_its_tokens_its_calls_and_its_time(talk: Talk) -> None:
    await talk.says(calls(("whoami", {})), text("You."))
    events = await talk.ask("Who am I?")

    rows = await talk.messages(first(events, "run_started")["conversationId"])

    assert [row.role for row in rows] == ["user", "assistant", "user", "assistant"]
    asked, answered = rows[1], rows[3]
    assert [call["name"] for call in asked.tool_calls] == ["whoami"]
    assert answered.tool_calls == []
    for row in (asked, answered):
        assert row.output_tokens > 0
        assert row.cache_read_tokens is not None
        assert row.input_tokens is not None
        assert row.created_at == talk.world.clock.milliseconds()
        assert row.model_request_id.startswith("req_")
    usage = first(events, "usage")
    assert usage["outputTokens"] == asked.output_tokens + answered.output_tokens
    assert usage["cacheReadTokens"] == asked.cache_read_tokens + answered.cache_read_tokens
