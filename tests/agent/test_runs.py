"""Turns over time: decisions, expiry, newer messages, stops, and processes that end in the middle."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.agent.talk import PATIENCE, Event, Talk, calls, collected, first, names, open_talk, said, text
from tests.world import OWNER, STRANGER, principal
from tools.authority import Role, Via
from tools.errors import CapabilityError, Conflict, NotFound, QuotaExceeded, RateLimited
from tools.recovery import unsettled


async def budgeted(talk: Talk) -> dict[str, Any]:
    return next(each for each in await talk.world.campaigns(status="ACTIVE") if "daily_budget" in each)


async def proposed(talk: Talk, **change: Any) -> tuple[str, list[Event], dict[str, Any]]:
    """A turn that waits for a person: its conversation, its events, the approval."""
    campaign = await budgeted(talk)
    wanted = {"campaign_id": campaign["campaign_id"]} | (change or {"status": "PAUSED"})
    await talk.says(calls(("update_campaign", wanted)))
    events = await talk.ask("Pause it.")
    return first(events, "run_started")["conversationId"], events, first(events, "confirm_required")["approval"]


async def refusal(talk: Talk, *given: Any, **more: Any) -> CapabilityError:
    with pytest.raises(CapabilityError) as refused:
        await talk.start(*given, **more)
    return refused.value


async def results_sent(talk: Talk) -> list[dict[str, Any]]:
    """The tool results of the last request, as data."""
    blocks = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
    return [json.loads(block["content"]) for block in blocks if block["type"] == "tool_result"]


async def test_a_yes_goes_on_with_the_stored_turn_and_tells_the_model_what_was_done(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    row = await talk.world.door.gate.find(talk.world.context(OWNER), approval["id"])
    assert (row.conversation_id, row.tool_use_id) == (conversation, first(events, "confirm_required")["toolUseId"])
    await talk.says(text("It is paused."))

    await talk.approve(approval)
    after = await talk.resumed(conversation, events[-1].id)

    assert names(after) == ["run_started", "confirm_resolved", "tool_result", "text_delta", "usage", "done"]
    assert after[0].id == events[-1].id + 1
    assert first(after, "run_started")["runId"] != first(events, "run_started")["runId"]
    assert first(after, "confirm_resolved")["approval"]["status"] == "done"
    assert first(after, "tool_result")["status"] == "ok"
    assert said(after) == "It is paused."
    assert (await results_sent(talk))[0]["untrusted"]["decision"] == "approved"
    assert len(await talk.world.writes_seen()) == 1


async def test_a_decision_wakes_the_turn_without_anybody_looking(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    await talk.says(text("It is paused."))
    talk.runner.open()
    following = await talk.runner.follow(talk.world.context(OWNER), conversation, events[-1].id)

    await talk.approve(approval)

    assert first(await collected(following), "done") == {"stopReason": "end_turn"}


async def test_a_no_is_told_to_the_model_with_its_reason_and_nothing_changes(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    await talk.says(text("As you wish."))

    await talk.world.call(OWNER, "deny", approval_id=approval["id"], reason="Not before Friday")
    after = await talk.resumed(conversation, events[-1].id)

    assert first(after, "confirm_resolved")["approval"]["status"] == "denied"
    assert first(after, "tool_result")["status"] == "error"
    (told,) = await results_sent(talk)
    assert told["status"] == "error"
    assert "Not before Friday" in told["untrusted"]["message"]
    assert await talk.world.writes_seen() == []


async def test_what_nobody_decides_in_time_goes_on_with_that(talk: Talk) -> None:
    conversation, events, _ = await proposed(talk)
    await talk.says(text("Nobody answered."))
    await talk.runner.sweep()
    assert (await talk.session(conversation)).status == "waiting"

    talk.world.clock.pass_by(minutes=15)
    after = await talk.resumed(conversation, events[-1].id)

    assert first(after, "confirm_resolved")["approval"]["status"] == "expired"
    assert (await results_sent(talk))[0]["code"] == "approval_expired"
    assert first(after, "done") == {"stopReason": "end_turn"}
    assert await talk.world.writes_seen() == []


async def test_of_several_proposals_the_turn_goes_on_when_the_last_is_decided(talk: Talk) -> None:
    one, two = (await talk.world.campaigns(status="ACTIVE"))[:2]
    wanted = [("update_campaign", {"campaign_id": each["campaign_id"], "status": "PAUSED"}) for each in (one, two)]
    await talk.says(calls(*wanted), text("One paused, one left."))
    events = await talk.ask("Pause both.")
    conversation = first(events, "run_started")["conversationId"]
    shown = [event.data["approval"] for event in events if event.name == "confirm_required"]

    await talk.approve(shown[0])
    halfway = await talk.resumed(conversation, events[-1].id)
    await talk.world.call(OWNER, "deny", approval_id=shown[1]["id"])
    after = await talk.resumed(conversation, halfway[-1].id)

    assert sorted(names(halfway)) == sorted(
        ["run_started", "confirm_resolved", "tool_result", "confirm_required", "usage", "done"]
    )
    assert first(halfway, "done") == {"stopReason": "confirm_required"}
    assert first(halfway, "confirm_required")["approval"]["id"] == shown[1]["id"]
    assert first(after, "done") == {"stopReason": "end_turn"}
    assert [told["status"] for told in await results_sent(talk)] == ["ok", "error"]
    assert len(await talk.world.writes_seen()) == 1


async def test_a_stale_proposal_is_followed_to_the_fresh_one(talk: Talk) -> None:
    budget = (await budgeted(talk))["daily_budget"]
    conversation, events, approval = await proposed(talk, daily_budget=budget + 2)
    campaign = approval["arguments"]["campaign_id"]
    await talk.world.call(OWNER, "update_campaign", campaign_id=campaign, daily_budget=budget + 1)

    await talk.world.refusal(OWNER, "approve", approval_id=approval["id"])
    moved = await talk.resumed(conversation, events[-1].id)

    assert first(moved, "confirm_resolved")["approval"]["status"] == "stale"
    fresh = first(moved, "confirm_required")
    assert fresh["approval"]["id"] == first(moved, "confirm_resolved")["approval"]["supersededBy"]
    assert fresh["toolUseId"] == first(events, "confirm_required")["toolUseId"]
    assert first(moved, "done") == {"stopReason": "confirm_required"}


async def test_a_newer_message_supersedes_what_waits(talk: Talk) -> None:
    conversation, _, approval = await proposed(talk)
    await talk.says(text("Then I leave it."))

    events = await talk.ask("Leave it, please.", conversation)

    assert first(events, "done") == {"stopReason": "end_turn"}
    seen = await talk.world.call(OWNER, "get_approval", approval_id=approval["id"])
    assert seen["status"] == "superseded"
    blocks = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
    assert [block["type"] for block in blocks] == ["tool_result", "text", "text"]
    assert "superseded" in json.loads(blocks[0]["content"])["untrusted"]["message"]
    refused = await talk.world.refusal(OWNER, "approve", approval_id=approval["id"])
    assert refused.code == "already_decided"
    assert await talk.world.writes_seen() == []


async def how_it_ended(talk: Talk) -> str:
    """The first call, as the other side saw it, once it has."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = (await talk.http.get("/requests")).json()
            ended = next(each["ended"] for each in seen if each["path"].endswith("/messages"))
            if ended is not None:
                return str(ended)
            await asyncio.sleep(0.02)


async def test_two_turns_at_once_in_one_conversation_are_refused(talk: Talk) -> None:
    await talk.says({**text("Slowly. " * 40), "fault": {"kind": "slow"}})
    following = await talk.start("Hello?")
    (started,) = await collected(following, until="run_started")

    refused = await refusal(talk, "Me, too!", started.data["conversationId"])

    assert isinstance(refused, Conflict)
    assert refused.fix


async def test_another_persons_or_workspaces_conversation_is_not_there(talk: Talk) -> None:
    events = await talk.ask("Hello?")
    conversation = first(events, "run_started")["conversationId"]

    for other in (STRANGER, principal(Role.ADMIN)):
        assert isinstance(await refusal(talk, "Hello?", conversation, by=other), NotFound)
        for use in (talk.runner.stop(talk.world.context(other), conversation),
                    talk.runner.follow(talk.world.context(other), conversation, None)):  # fmt: skip
            with pytest.raises(NotFound):
                await use


async def test_a_person_and_their_key_share_a_conversation(talk: Talk) -> None:
    events = await talk.ask("Hello?")

    again = await talk.ask("Hello again.", first(events, "run_started")["conversationId"], by=principal(via=Via.KEY))

    assert first(again, "done") == {"stopReason": "end_turn"}


async def test_twenty_turns_a_minute_for_each_user_whatever_the_conversation(talk: Talk) -> None:
    for turn in range(20):
        await talk.says(text("Yes?"))
        await talk.ask(f"Hello {turn}?", by=OWNER if turn % 2 else principal(via=Via.KEY))

    refused = await refusal(talk, "One more.")

    assert isinstance(refused, RateLimited)
    assert 1 <= (refused.retry_after or 0) <= 60
    assert said(await talk.ask("Me?", by=principal(Role.MEMBER)))


async def test_a_workspaces_turns_of_the_month_end_with_an_offer(talk: Talk) -> None:
    people = [principal(Role.OWNER, user=f"usr_{number}") for number in range(3)]
    for turn in range(50):
        await talk.world.door.admit_chat_turn(talk.world.context(people[turn // 20]))

    refused = await refusal(talk, "One more.", by=people[2])

    assert isinstance(refused, QuotaExceeded)
    assert refused.upsell_url == "http://adwright.test/pricing"


async def test_a_refused_turn_uses_up_nothing_of_the_month(talk: Talk) -> None:
    for turn in range(49):
        await talk.world.door.admit_chat_turn(talk.world.context(principal(user=f"usr_{turn}")))
    before = await talk.world.call(OWNER, "get_usage")
    assert (before["turns"], before["turnsIncluded"]) == (49, 50)

    assert isinstance(await refusal(talk, "Hello?", "cnv_gone"), NotFound)

    assert await talk.world.call(OWNER, "get_usage") == before
    assert first(await talk.ask("The last one."), "done") == {"stopReason": "end_turn"}
    assert isinstance(await refusal(talk, "One too many."), QuotaExceeded)


async def test_a_stop_ends_the_call_upstream_and_keeps_what_was_said(talk: Talk) -> None:
    await talk.says({**text("Slowly. " * 400), "fault": {"kind": "slow"}}, text("Where were we?"))
    following = await talk.start("Hello?")
    seen = await collected(following, until="text_delta")
    conversation = first(seen, "run_started")["conversationId"]

    assert await talk.runner.stop(talk.world.context(OWNER), conversation) is True
    rest = await talk.follow(conversation, seen[-1].id)
    after = await talk.ask("Go on.", conversation)

    assert first(rest, "done") == {"stopReason": "stopped"}
    (kept,) = [row for row in await talk.messages(conversation) if row.kind == "shown"]
    assert json.loads(kept.content)[0]["text"] == said([*seen, *rest])
    assert await how_it_ended(talk) == "aborted"
    assert said(after) == "Where were we?"
    assert await talk.runner.stop(talk.world.context(OWNER), conversation) is False


async def test_a_stop_through_another_process_is_seen_by_the_one_that_runs(tmp_path: Path) -> None:
    async with open_talk(tmp_path, renew_seconds=0.05) as talk:
        await talk.says({**text("Slowly. " * 400), "fault": {"kind": "slow"}})
        seen = await collected(await talk.start("Hello?"), until="text_delta")
        conversation = first(seen, "run_started")["conversationId"]
        other = talk._runner()

        assert await other.stop(talk.world.context(OWNER), conversation) is True

        assert first(await talk.follow(conversation, seen[-1].id), "done") == {"stopReason": "stopped"}
        await other.close()


async def test_a_running_turn_keeps_the_process_that_runs_it(talk: Talk) -> None:
    await talk.says({**text("Slowly. " * 400), "fault": {"kind": "slow"}})
    seen = await collected(await talk.start("Hello?"), until="text_delta")
    now = talk.world.clock.milliseconds()

    assert await unsettled(talk.world.store, now)
    await talk.runner.stop(talk.world.context(OWNER), first(seen, "run_started")["conversationId"])
    await talk.runner.settle()
    assert not await unsettled(talk.world.store, now)


async def test_a_secret_in_a_message_goes_no_further(talk: Talk) -> None:
    await talk.says(text("Better not."))

    await talk.ask("Use sk-ant-api03-abcdefghijklmnop for it.")

    sent = (await talk.requests())[-1].decode()
    assert "Use *** for it." in sent
    assert "abcdefghijklmnop" not in sent


async def test_a_stop_while_a_person_decides_takes_the_proposal_back(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)

    assert await talk.runner.stop(talk.world.context(OWNER), conversation) is True
    rest = await talk.follow(conversation, events[-1].id)

    assert first(rest, "confirm_resolved")["approval"]["status"] == "superseded"
    assert first(rest, "done") == {"stopReason": "stopped"}
    assert (await talk.world.refusal(OWNER, "approve", approval_id=approval["id"])).code == "already_decided"
    assert (await talk.session(conversation)).status == "idle"


async def test_a_process_that_ends_while_a_person_decides_leaves_the_turn_to_the_next(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    await talk.restart()
    await talk.says(text("It is paused."))

    await talk.approve(approval)
    after = await talk.resumed(conversation, events[-1].id)

    assert said(after) == "It is paused."
    assert len(await talk.world.writes_seen()) == 1


async def test_a_decision_while_no_process_runs_is_found_by_the_next(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    await talk.runner.close()
    await talk.approve(approval)
    await talk.says(text("It is paused."))

    await talk.restart()
    talk.runner.open()

    assert said(await talk.follow(conversation, events[-1].id)) == "It is paused."


async def test_a_process_that_ends_while_the_model_speaks_leaves_the_turn_to_the_next(talk: Talk) -> None:
    await talk.says({**text("Slowly. " * 400), "fault": {"kind": "slow"}}, text("Here is all of it."))
    following = await talk.start("Hello?")
    seen = await collected(following, until="text_delta")
    conversation = first(seen, "run_started")["conversationId"]

    await talk.restart()
    talk.runner.open()
    rest = await talk.follow(conversation, seen[-1].id)

    assert [event.id for event in rest] == list(range(seen[-1].id + 1, rest[-1].id + 1))
    again = next(at for at, event in enumerate(rest) if event.name == "run_started")
    assert said(rest[again:]) == "Here is all of it."
    assert first(rest, "done") == {"stopReason": "end_turn"}


async def test_a_run_that_was_taken_over_writes_nothing_more_and_no_tool_runs_twice(talk: Talk) -> None:
    await talk.says(calls(("whoami", {})), {**text("Slowly. " * 400), "fault": {"kind": "slow"}}, text("All of it."))
    following = await talk.start("Who am I?")
    seen = await collected(following, until="text_delta")
    conversation = first(seen, "run_started")["conversationId"]
    ((stalled, task),) = talk.runner._runs.values()
    other = talk._runner()

    await other.sweep()
    assert (await talk.session(conversation)).run_id == first(seen, "run_started")["runId"]
    talk.world.clock.pass_by(seconds=16)
    await other.sweep()
    rest = await collected(await other.follow(talk.world.context(OWNER), conversation, seen[-1].id))
    stalled.stop()
    await task

    assert said(rest).endswith("All of it.")
    assert first(rest, "done") == {"stopReason": "end_turn"}
    assert (await talk.session(conversation)).last_event == rest[-1].id
    assert len([row for row in await talk.world.audit_rows() if row["action"] == "whoami"]) == 1
    assert list(await talk.results(conversation)) == [first(seen, "tool_use")["toolUseId"]]
    await other.close()


async def test_who_may_no_longer_act_has_the_turn_ended(talk: Talk) -> None:
    conversation, events, approval = await proposed(talk)
    talk.standing[OWNER.id] = None

    await talk.approve(approval)
    after = await talk.resumed(conversation, events[-1].id)

    assert names(after) == ["run_started", "error", "usage", "done"]
    assert first(after, "error")["code"] == "insufficient_scope"
    assert first(after, "done") == {"stopReason": "error"}


async def test_a_new_conversation_gets_the_new_tools_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    async with open_talk(tmp_path) as talk:
        await talk.says(text("Hello."))
        old = first(await talk.ask("Hello?"), "run_started")["conversationId"]
        surface = talk.runner._surfaces["ads"]
        snapshot = type(surface.snapshot)(surface.snapshot.system, "[]")
        talk.runner._surfaces["ads"] = replace(surface, snapshot=snapshot)
        await talk.says(calls(("whoami", {})), text("You."), text("Hello."))

        await talk.ask("Who am I?", old)
        await talk.ask("Hello?")

        *_, kept, last = [json.loads(request) for request in await talk.requests()]
        assert len(kept["tools"]) > 5
        assert last["tools"] == []
