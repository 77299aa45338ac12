"""A turn asked in another way: what came before it is shared to the byte, and what waits elsewhere stays there."""

import json
from typing import Any

from sqlalchemy import Table

from agent.following import Following
from tests.agent.talk import Event, Talk, calls, collected, first, names, said, text
from tests.world import OWNER, STRANGER, World, principal
from tools.authority import Principal, Role
from tools.conversations.model import Asked
from tools.errors import CapabilityError
from tools.store.tables import chat_events, chat_messages, chat_results, chat_sessions
from tools.store.tenant import Rows

COUNTED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost")


async def asking(talk: Talk, message: str, by: Principal = OWNER, surface: str = "ads", **more: Any) -> Following:
    asked = {"message": message} | more
    return await talk.runner.start(talk.world.context(by), surface, lambda: Asked.of(asked))


async def branched(talk: Talk, conversation: str, turn: int, message: str) -> list[Event]:
    return await collected(await asking(talk, message, conversationId=conversation, replacesTurn=turn))


async def refused(talk: Talk, conversation: str, turn: int, **more: Any) -> CapabilityError:
    try:
        await asking(talk, "Otherwise", conversationId=conversation, replacesTurn=turn, **more)
    except CapabilityError as error:
        return error
    raise AssertionError("it began")


async def two_turns(talk: Talk) -> str:
    await talk.says(
        calls(("whoami", {})), text("You are the owner."), calls(("list_campaigns", {"limit": 1})), text("One.")
    )
    conversation = str(first(await talk.ask("Who am I?"), "run_started")["conversationId"])
    await talk.ask("What runs?", conversation)
    return conversation


async def stored(world: World, table: Table, conversation: str) -> list[dict[str, Any]]:
    rows = Rows(world.store, "wsp_north")
    key = table.c.id if table is chat_sessions else table.c.conversation_id
    return [row.as_dict() for row in await rows.all(rows.select(table).where(key == conversation))]


async def test_nobody_branches_what_is_not_theirs_or_belongs_to_the_other_chat(talk: Talk) -> None:
    conversation = await two_turns(talk)

    for other in (STRANGER, principal(Role.ADMIN)):
        assert (await refused(talk, conversation, 1, by=other)).code == "not_found"
    assert (await refused(talk, conversation, 1, surface="analytics")).code == "conflict"


async def test_the_next_request_begins_with_the_originals_bytes_up_to_that_turn(talk: Talk) -> None:
    conversation = await two_turns(talk)
    before = await talk.requests()
    await talk.says(text("Two."))

    events = await branched(talk, conversation, 2, "What is paused?")

    (asked,) = (await talk.requests())[len(before) :]
    original = next(request for request in before if b"What runs?" in request)
    shared = original[
        : original.index(
            b'{"role":"user","content":[{"type":"text","text":"<context>', original.index(b"You are the owner.")
        )
    ]
    assert asked.startswith(shared)
    assert b"What is paused?" in asked[len(shared) :]
    assert b"What runs?" not in asked
    assert said(events) == "Two."
    assert first(events, "usage")["cacheReadTokens"] > 0


async def test_the_first_turn_asked_otherwise_begins_anew_with_the_same_system_and_tools(talk: Talk) -> None:
    conversation = await two_turns(talk)
    await talk.says(text("Hello."))

    events = await branched(talk, conversation, 1, "Who are you?")

    branch = await talk.session(first(events, "run_started")["conversationId"])
    original = await talk.session(conversation)
    assert (branch.snapshot, branch.model, branch.effort) == (original.snapshot, original.model, original.effort)
    assert (branch.branched_from, branch.branched_turn, branch.turn) == (conversation, 1, 1)
    assert events[0].id == 1
    assert first(events, "run_started")["turn"] == 1


async def test_a_branch_replays_as_a_conversation_of_its_own_and_the_original_stays_as_it_is(talk: Talk) -> None:
    conversation = await two_turns(talk)
    tables = (chat_sessions, chat_messages, chat_results, chat_events)
    before = [await stored(talk.world, table, conversation) for table in tables]
    await talk.says(text("Two."))

    events = await branched(talk, conversation, 2, "What is paused?")
    branch = first(events, "run_started")["conversationId"]

    replayed = await talk.follow(branch, 0)
    assert [event.id for event in replayed] == list(range(1, len(replayed) + 1))
    assert [event.data["conversationId"] for event in replayed if event.name == "run_started"] == [branch, branch]
    assert replayed[-len(events) :] == events
    original = await talk.follow(conversation, 0)
    at = next(at for at, event in enumerate(original) if event.name == "run_started" and event.data["turn"] == 2)
    assert [(e.name, e.data.keys()) for e in replayed[:at]] == [(e.name, e.data.keys()) for e in original[:at]]
    assert [await stored(talk.world, table, conversation) for table in tables] == before
    results = await talk.results(branch)
    assert [(row.state, json.loads(row.content)["type"]) for row in results.values()] == [("done", "tool_result")]


async def test_what_was_paid_once_is_counted_once(talk: Talk) -> None:
    conversation = await two_turns(talk)
    before = await talk.world.call(OWNER, "get_usage")
    await talk.says(text("Two."))

    events = await branched(talk, conversation, 2, "What is paused?")

    after, used = await talk.world.call(OWNER, "get_usage"), first(events, "usage")
    assert after["cacheReadTokens"] - before["cacheReadTokens"] == used["cacheReadTokens"]
    assert after["outputTokens"] - before["outputTokens"] == used["outputTokens"]
    assert after["turns"] - before["turns"] == 1
    copied = await talk.messages(first(events, "run_started")["conversationId"])
    assert {getattr(row, name) for row in copied if row.turn == 1 for name in COUNTED} == {None}


async def test_what_waits_in_the_original_stays_the_originals(talk: Talk) -> None:
    campaign = (await talk.world.campaign(status="ACTIVE"))["campaign_id"]
    await talk.says(
        text("Hello."),
        calls(("update_campaign", {"campaign_id": campaign, "status": "PAUSED"})),
        text("Nothing is paused."),
        text("It is paused."),
    )
    conversation = first(await talk.ask("Hello?"), "run_started")["conversationId"]
    waiting = await talk.ask("Pause it.", conversation)
    approval = first(waiting, "confirm_required")["approval"]

    events = await branched(talk, conversation, 2, "Leave it.")

    assert names(events) == ["run_started", "text_delta", "usage", "done"]
    assert (await talk.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"
    await talk.approve(approval)
    after = await talk.resumed(conversation, waiting[-1].id)
    assert said(after) == "It is paused."
    assert await talk.results(first(events, "run_started")["conversationId"]) == {}


async def test_results_that_a_newer_message_brought_along_are_brought_along_again(talk: Talk) -> None:
    campaign = (await talk.world.campaign(status="ACTIVE"))["campaign_id"]
    await talk.says(
        calls(("update_campaign", {"campaign_id": campaign, "status": "PAUSED"})), text("Then not."), text("All right.")
    )
    conversation = first(await talk.ask("Pause it."), "run_started")["conversationId"]
    await talk.ask("Rather not.", conversation)
    before = await talk.requests()

    await branched(talk, conversation, 2, "Never mind.")

    superseded, again = (
        json.loads(each)["messages"][-1]["content"] for each in (before[-1], (await talk.requests())[-1])
    )
    assert superseded[0]["type"] == "tool_result"
    assert again[0] == superseded[0]
    assert again[-1]["text"] == "Never mind."


async def test_a_turn_that_is_not_there_or_not_yet_over_is_no_place_to_branch(talk: Talk) -> None:
    conversation = await two_turns(talk)

    missing = await refused(talk, conversation, 3)
    rows = Rows(talk.world.store, "wsp_north")
    waits = rows.update(chat_results).where(chat_results.c.turn == 1).values(state="waiting")
    await talk.world.store.write(lambda tx: tx.run(waits))
    unfinished = await refused(talk, conversation, 2)

    assert (missing.code, missing.details["problems"][0]["field"]) == ("invalid_arguments", "replacesTurn")
    assert unfinished.code == "conflict"
    assert len(await rows.all(rows.select(chat_sessions))) == 1
