"""developer-api § Chat, and what it promises elsewhere of the chat's limits, cache and audit."""

import datetime as dt
from pathlib import Path

from tests.agent.talk import calls, text
from tests.api.streams import asked, first, says, turn
from tests.app import Product, open_product
from tests.promises import promise


@promise("dev.chat.ads.sse")
async def test_a_turn_streams_text_deltas_tool_use_events_and_a_final_usage_block(product: Product) -> None:
    person = await product.person()
    await product.connect(person)
    await says(product, calls(("list_campaigns", {})), text("You have several campaigns."))

    async with asked(person, "Which campaigns are there?") as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        events = await stream.events()

    told = [event.name for event in events]
    assert told.index("tool_use") < told.index("tool_result") < told.index("text_delta")
    assert told[-2:] == ["usage", "done"]
    assert first(events, "tool_use")["name"] == "list_campaigns"
    assert first(events, "usage")["inputTokens"] + first(events, "usage")["cacheReadTokens"] > 0


@promise("dev.chat.ads.confirm")
async def test_what_would_change_something_is_asked_with_a_confirm_required_envelope(product: Product) -> None:
    person = await product.person()
    await product.connect(person)
    campaign = next(each for each in await person.data("GET", "/ads/campaigns") if each["status"] == "ACTIVE")
    await says(product, calls(("update_campaign", {"campaign_id": campaign["campaign_id"], "status": "PAUSED"})))

    events = await turn(await product.key(["ads:read", "ads:write"]), "Pause it.")

    asked_for = first(events, "confirm_required")
    assert asked_for["code"] == "confirm_required"
    assert asked_for["toolUseId"] == first(events, "tool_use")["toolUseId"]
    assert asked_for["approval"]["plan"]["changes"]
    assert asked_for["approval"]["via"] == "agent"
    assert first(events, "done") == {"stopReason": "confirm_required"}
    assert await product.writes_seen() == []


@promise("dev.limits.chat", "dev.errors.429.retryAfter")
async def test_twenty_turns_a_minute_for_each_user_however_many_tools_they_run(tmp_path: Path) -> None:
    async with open_product(tmp_path, limits_clock=lambda: 1_000_000) as product:
        person, key = await product.person(), await product.key(["ads:read"])
        await product.user("second@adwright.test", "member")
        other = await product.person("second@adwright.test")
        await says(product, calls(("whoami", {}), ("list_connections", {}), ("list_changes", {})), text("Hello."))

        for number in range(20):
            assert first(await turn((person, key)[number % 2], "Hello?"), "done")["stopReason"] == "end_turn"
        refused = await person("POST", "/ads/chat", {"message": "One more."})

        body = refused.json()
        assert (refused.status_code, body["code"], body["details"]["perMinute"]) == (429, "rate_limited", 20)
        assert 1 <= body["retryAfter"] <= 60
        assert refused.headers["retry-after"] == str(body["retryAfter"])
        assert first(await turn(other, "Hello?"), "done") == {"stopReason": "end_turn"}


@promise("dev.caching.prompt")
async def test_a_session_reads_more_than_four_fifths_of_its_prompts_from_the_cache(product: Product) -> None:
    person = await product.person()
    conversation, used = None, []
    for _ in range(12):
        events = await turn(person, "Hello?", conversation)
        conversation = first(events, "run_started")["conversationId"]
        used.append(first(events, "usage"))

    read = sum(each["cacheReadTokens"] for each in used)
    prompts = read + sum(each["inputTokens"] + each["cacheWriteTokens"] for each in used)
    assert read / prompts > 0.8
    requests = (await product.sandbox.get("/anthropic/requests")).json()
    sent = [request for request in requests if '"tools":' in request["text"]]  # a title's is too short for a cache
    assert all('"cache_control":{"type":"ephemeral"' in request["text"] for request in sent)


@promise("dev.observability.audit-row")
async def test_every_tool_of_a_turn_is_an_audit_row_of_the_agent(product: Product) -> None:
    person = await product.person()
    await says(product, calls(("whoami", {}), ("list_changes", {"limit": 3})), text("Done."))

    await turn(person, "Look.")

    rows = {row["action"]: row for row in await product.audit_rows() if row["via"] == "agent"}
    assert rows.keys() == {"whoami", "list_changes"}
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert dt.datetime.fromtimestamp(rows["whoami"]["at"] / 1000, dt.UTC).year >= 2026
