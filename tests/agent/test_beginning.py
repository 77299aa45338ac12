"""How a turn begins: at once or not at all, once for one key, and never lost with the process that began it."""

import asyncio
import json
from typing import Any

import pytest

from agent.beginning import Beginning
from agent.following import Following
from tests.agent.talk import Talk, collected, first, names, said, text
from tests.world import KEY, OWNER
from tools import ids
from tools.authority import Principal
from tools.conversations.model import Asked
from tools.errors import CapabilityError
from tools.idempotency import Known
from tools.store.engine import Transaction
from tools.store.tables import chat_events, chat_messages, chat_results, chat_sessions, idempotency_keys
from tools.store.tenant import Rows


class Dead(Exception):
    """A process ends here."""


async def begun(talk: Talk, message: str, key: str | None, by: Principal = OWNER, **more: Any) -> Following:
    asked = {"message": message} | more
    return await talk.runner.start(talk.world.context(by), "ads", lambda: Asked.of(asked), key)


async def turns(talk: Talk) -> int:
    return int((await talk.world.call(OWNER, "get_usage"))["turns"])


async def held(talk: Talk, table: Any) -> list[Any]:
    rows = Rows(talk.world.store, "wsp_north")
    return await rows.all(rows.select(table))


async def test_the_page_that_a_person_looks_at_is_told_with_their_message(talk: Talk) -> None:
    await collected(await begun(talk, "What is this?", None, page="/campaigns/120210"))

    (request,) = await talk.requests()
    context, _ = json.loads(request)["messages"][0]["content"]
    assert '"page":"/campaigns/120210"' in context["text"]


async def test_the_same_key_follows_the_turn_that_began_and_begins_nothing(talk: Talk) -> None:
    await talk.says(text("Once."))
    live = await collected(await begun(talk, "How often?", "k1"))

    again = await begun(talk, "How often?", "k1")

    assert again.replayed
    assert await collected(again) == live
    assert await turns(talk) == 1
    assert len(await held(talk, chat_sessions)) == 1
    assert [row["status"] for row in await talk.world.audit_rows() if row["action"] == "ads_chat"] == ["ok", "replayed"]


async def test_a_key_goes_on_in_a_conversation_once_too_and_ends_with_its_own_turn(talk: Talk) -> None:
    await talk.says(text("One."), text("Two."), text("Three."))
    conversation = first(await talk.ask("First?"), "run_started")["conversationId"]
    second = await collected(await begun(talk, "Second?", "k1", conversationId=conversation))
    await talk.ask("Third?", conversation)

    again = await collected(await begun(talk, "Second?", "k1", conversationId=conversation))

    assert again == second
    assert said(again) == "Two."


async def test_two_at_the_same_time_under_one_key_are_one_turn_and_one_charge(talk: Talk) -> None:
    await talk.says(text("Once."))

    both = await asyncio.gather(*(begun(talk, "How often?", "k1") for _ in range(2)))
    seen = [await collected(following) for following in both]

    assert seen[0] == seen[1]
    assert sorted(following.replayed for following in both) == [False, True]
    assert len(await held(talk, chat_sessions)) == 1
    assert await turns(talk) == 1


async def test_a_key_belongs_to_its_request_and_to_whoever_sent_it(talk: Talk) -> None:
    await collected(await begun(talk, "How often?", "k1"))

    with pytest.raises(CapabilityError) as refused:
        await begun(talk, "Something else", "k1")
    other = await begun(talk, "Something else", "k1", by=KEY)

    assert refused.value.code == "idempotency_mismatch"
    assert not other.replayed
    await collected(other)


async def test_a_turn_that_could_not_begin_leaves_its_key_free(talk: Talk) -> None:
    with pytest.raises(CapabilityError) as refused:
        await begun(talk, "Hello?", "k1", conversationId="cnv_none")

    assert refused.value.code == "not_found"
    assert await held(talk, idempotency_keys) == []
    assert not (await begun(talk, "Hello?", "k1")).replayed


async def test_after_a_day_a_key_is_free_and_a_deleted_conversation_is_not_found_under_it(talk: Talk) -> None:
    conversation = first(await collected(await begun(talk, "Hello?", "k1")), "run_started")["conversationId"]
    await talk.world.call(OWNER, "delete_conversation", conversationId=conversation)

    with pytest.raises(CapabilityError) as refused:
        await begun(talk, "Hello?", "k1")
    talk.world.clock.pass_by(hours=24)
    fresh = await begun(talk, "Hello?", "k1")

    assert refused.value.code == "not_found"
    assert not fresh.replayed
    await collected(fresh)


def beginning(talk: Talk, message: str, key: str, **more: Any) -> Beginning:
    """All that a turn stores before it runs."""
    context, asked = talk.world.context(OWNER), Asked.of({"message": message} | more)
    return Beginning(
        context=context, surface=talk.runner._surfaces["ads"], settings=talk.settings, asked=asked, known={},
        once=Known.of(context, "ads_chat", asked, key), run_id=ids.new("run"),
    )  # fmt: skip


async def test_what_a_process_began_and_did_not_tell_is_told_by_the_next_under_the_same_key(talk: Talk) -> None:
    """It ended after the turn's first commit and before any event of it."""
    await talk.world.store.of("wsp_north").write(beginning(talk, "Are you there?", "k1").work)
    await talk.restart()
    await talk.says(text("Here I am."))

    again = await begun(talk, "Are you there?", "k1")
    talk.world.clock.pass_by(minutes=1)
    await talk.runner.sweep()
    events = await collected(again)

    assert again.replayed
    assert names(events) == ["run_started", "text_delta", "usage", "done"]
    assert first(events, "run_started")["message"] == "Are you there?"
    assert said(events) == "Here I am."
    assert [row.said for row in await held(talk, chat_messages) if row.said] == ["Are you there?"]


async def test_what_was_told_is_not_told_again_by_whoever_takes_the_turn_over(talk: Talk) -> None:
    await talk.says({**text("Slowly. " * 40), "fault": {"kind": "slow", "seconds": 3}}, text("Done."))
    following = await begun(talk, "Hello?", "k1")
    (started,) = await collected(following, until="run_started")
    await talk.restart()
    await talk.says(text("Done."))

    await talk.runner.sweep()
    events = await collected(await begun(talk, "Hello?", "k1"))

    runs = [event.data for event in events if event.name == "run_started"]
    assert [each.get("message") for each in runs] == ["Hello?", None]
    assert {each["turn"] for each in runs} == {1}
    assert events[0] == started
    assert [event.name for event in events].count("done") == 1


@pytest.mark.parametrize("more", [{}, {"replacesTurn": 1}, {"replacesTurn": 2}], ids=["on", "first", "second"])
async def test_a_process_that_ends_while_a_turn_begins_leaves_nothing_of_it(talk: Talk, more: dict[str, Any]) -> None:
    conversation = first(await talk.ask("One?"), "run_started")["conversationId"]
    await talk.ask("Two?", conversation)
    tables = (chat_sessions, chat_messages, chat_results, chat_events, idempotency_keys)
    before = [await held(talk, table) for table in tables]
    begins = beginning(talk, "Otherwise?", "k1", conversationId=conversation, **more)

    async def dies(tx: Transaction) -> None:
        await begins.work(tx)
        raise Dead

    with pytest.raises(Dead):
        await talk.world.store.of("wsp_north").write(dies)

    assert [await held(talk, table) for table in tables] == before
    again = await begun(talk, "Otherwise?", "k1", conversationId=conversation, **more)
    assert not again.replayed
    await collected(again)
