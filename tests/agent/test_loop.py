"""One run: what the model asks for is done, what breaks is told, and no limit ends in the middle."""

import json
from typing import Any

import pytest

from tests.agent.talk import Talk, calls, first, names, said, text
from tests.world import VIEWER, principal
from tools.authority import Role, Scope, Via


def conversation(events: list[Any]) -> str:
    return str(first(events, "run_started")["conversationId"])


async def test_an_answer_streams_and_ends_with_its_usage(talk: Talk) -> None:
    await talk.says({"blocks": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello there."}]})

    events = await talk.ask("Hello?")

    assert names(events) == ["run_started", "thinking_delta", "text_delta", "usage", "done"]
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert said(events) == "Hello there."
    assert first(events, "done") == {"stopReason": "end_turn"}
    usage = first(events, "usage")
    assert usage["outputTokens"] > 0
    assert usage["cost"] > 0


async def test_reads_run_and_the_model_gets_their_results_in_its_own_order(talk: Talk) -> None:
    await talk.says(calls(("list_campaigns", {"limit": 1}), ("whoami", {}), ("list_connections", {})), text("Done."))

    events = await talk.ask("What is there?")

    assert sorted(names(events)) == sorted(
        ["run_started", "thinking_delta", *["tool_use"] * 3, *["tool_result"] * 3, "text_delta", "usage", "done"]
    )
    asked = [event.data["toolUseId"] for event in events if event.name == "tool_use"]
    sent = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
    assert [block["tool_use_id"] for block in sent] == asked
    assert all(event.data["status"] == "ok" for event in events if event.name == "tool_result")


async def test_a_result_says_how_long_it_took_and_figures_how_old_they_are(talk: Talk) -> None:
    days = {"since": "2026-11-13", "until": "2026-11-19", "breakdown": "campaign"}
    await talk.says(
        calls(("get_insights", days)),
        text("Fresh."),
        calls(("get_insights", days)),
        calls(("whoami", {})),
        text("Kept."),
    )

    events = await talk.ask("How did last week go?")
    talk.world.clock.pass_by(minutes=5)
    again = await talk.ask("And now?", conversation(events))

    fresh, (kept, who) = first(events, "tool_result"), [e.data for e in again if e.name == "tool_result"]
    assert (fresh["cache"]["hit"], kept["cache"]) == (False, {"hit": True, "ageSeconds": 300})
    assert "cache" not in who
    assert all(isinstance(each["elapsedMs"], int) for each in (fresh, kept, who))


async def test_a_tool_runs_in_the_name_of_who_asked_with_no_more_than_their_scopes(talk: Talk) -> None:
    await talk.says(calls(("update_campaign", {"campaign_id": "1", "name": "Mine"})), text("I may not."))

    events = await talk.ask("Rename it.", by=VIEWER)

    result = first(events, "tool_result")
    assert (result["status"], result["result"]["code"]) == ("error", "insufficient_scope")
    (row,) = [row for row in await talk.world.audit_rows() if row["action"] == "update_campaign"]
    assert (row["via"], row["principal_id"], row["status"]) == ("agent", VIEWER.id, "insufficient_scope")


async def test_a_turn_needs_the_scope_to_read_ads_and_leaves_one_audit_row(talk: Talk) -> None:
    narrow = principal(via=Via.KEY, scopes=frozenset({Scope.PIXEL_READ}))

    with pytest.raises(Exception, match="ads_chat needs ads:read"):
        await talk.ask("Hello?", by=narrow)
    await talk.ask("Hello?", by=principal(Role.MEMBER, via=Via.KEY))

    rows = [row["status"] for row in await talk.world.audit_rows() if row["action"] == "ads_chat"]
    assert rows == ["insufficient_scope", "ok"]


async def test_changes_are_proposed_one_after_another_and_nothing_changes(talk: Talk) -> None:
    one, two = (await talk.world.campaigns(status="ACTIVE"))[:2]
    wanted = [("update_campaign", {"campaign_id": each["campaign_id"], "status": "PAUSED"}) for each in (one, two)]
    await talk.says(calls(*wanted))

    events = await talk.ask("Pause both.")

    assert names(events)[-4:] == ["confirm_required", "confirm_required", "usage", "done"]
    assert first(events, "done") == {"stopReason": "confirm_required"}
    asked = [event.data["toolUseId"] for event in events if event.name == "tool_use"]
    shown = [event.data for event in events if event.name == "confirm_required"]
    assert [each["toolUseId"] for each in shown] == asked
    assert [each["approval"]["arguments"]["campaign_id"] for each in shown] == [one["campaign_id"], two["campaign_id"]]
    assert {each["code"] for each in shown} == {"confirm_required"}
    assert await talk.world.writes_seen() == []


async def test_a_direct_keys_chat_is_gated_all_the_same(talk: Talk) -> None:
    campaign = (await talk.world.campaigns(status="ACTIVE"))[0]
    await talk.says(calls(("update_campaign", {"campaign_id": campaign["campaign_id"], "status": "PAUSED"})))

    events = await talk.ask("Pause it.", by=principal(via=Via.KEY, id="key_direct", direct=True))

    assert first(events, "done") == {"stopReason": "confirm_required"}
    assert await talk.world.writes_seen() == []


async def test_arguments_that_do_not_fit_are_told_to_the_model(talk: Talk) -> None:
    await talk.says(calls(("list_campaigns", {"limit": "many"})), text("Sorry."))

    result = first(await talk.ask("List."), "tool_result")

    assert result["status"] == "error"
    assert result["result"]["code"] == "invalid_arguments"
    assert result["result"]["fix"]


@pytest.mark.parametrize("name", ["launch_rocket", "approve", "create_connection"])
async def test_a_tool_that_is_not_there_or_not_for_models_is_refused(talk: Talk, name: str) -> None:
    await talk.says(calls((name, {})), text("There is none."))

    events = await talk.ask("Do it.")

    assert first(events, "tool_result")["result"]["code"] == "not_found"
    assert first(events, "done") == {"stopReason": "end_turn"}


async def test_the_same_call_twice_in_a_turn_is_refused_until_something_was_changed(talk: Talk) -> None:
    await talk.says(
        calls(("whoami", {})),
        calls(("whoami", {})),
        calls(("update_campaign", {"campaign_id": "404", "name": "None"})),
        calls(("whoami", {})),
        text("Enough."),
    )

    events = await talk.ask("Who am I, again and again?")

    results = [event.data for event in events if event.name == "tool_result"]
    assert [result["status"] for result in results] == ["ok", "error", "error", "ok"]
    assert results[1]["result"]["code"] == "conflict"
    whoami = [row for row in await talk.world.audit_rows() if row["action"] == "whoami"]
    assert len(whoami) == 2


async def test_a_tool_that_fails_upstream_is_told_to_the_model_as_data(talk: Talk) -> None:
    campaign = (await talk.world.campaigns(status="ACTIVE"))[0]
    await talk.world.break_next("expired_token", times=5)
    await talk.says(
        calls(("update_campaign", {"campaign_id": campaign["campaign_id"], "name": "New"})), text("Expired.")
    )

    result = first(await talk.ask("Rename it."), "tool_result")

    assert (result["status"], result["result"]["code"]) == ("error", "reauth_required")
    told = json.loads(json.loads((await talk.requests())[-1])["messages"][-1]["content"][0]["content"])
    assert (told["status"], told["code"]) == ("error", "reauth_required")
    assert told["fix"] == result["result"]["fix"]
    assert told["untrusted"]["message"] == result["summary"]


async def test_without_a_key_the_chat_says_what_to_set(talk: Talk) -> None:
    talk.settings = type(talk.settings)(
        api_key=None, base_url=talk.settings.base_url, model=talk.settings.model, effort="medium"
    )
    await talk.restart()

    with pytest.raises(Exception, match="ANTHROPIC_API_KEY is not set") as refused:
        await talk.start("Hello?")

    assert "ANTHROPIC_API_KEY" in refused.value.fix  # type: ignore[attr-defined]  # a CapabilityError
