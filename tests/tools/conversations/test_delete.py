"""A conversation deleted: nothing that was said is left, and what it cost still counts."""

import pytest

from tests.conversations import told
from tests.world import AGENT, KEY, NOON, OWNER, STRANGER, World, principal
from tools.authority import Principal, Role
from tools.store.tables import approvals, chat_events, chat_messages, chat_results, chat_sessions
from tools.store.tenant import Rows

NOW = int(NOON.timestamp() * 1000)


async def test_only_a_person_deletes(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    for who in (AGENT, KEY):
        refused = await world.refusal(who, "delete_conversation", conversationId=conversation)
        assert refused.code == "human_required"


@pytest.mark.parametrize("other", [STRANGER, principal(Role.ADMIN)], ids=["a stranger", "a colleague"])
async def test_nobody_elses_conversation_is_there(world: World, other: Principal) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    assert (await world.refusal(other, "delete_conversation", conversationId=conversation)).code == "not_found"
    assert (await world.call(OWNER, "get_conversation", conversationId=conversation))["id"] == conversation


async def test_deleting_takes_its_scope(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    refused = await world.refusal(principal(scopes=frozenset()), "delete_conversation", conversationId=conversation)

    assert refused.details["required"] == "ads:read"


async def test_nothing_that_was_said_is_left_and_what_it_cost_still_counts(world: World) -> None:
    kept = await told(world.store, "wsp_north", OWNER.user, said="Keep this", at=NOW)
    conversation = await told(world.store, "wsp_north", OWNER.user, said="Forget SECRETWORD", answer="Gone", at=NOW)
    before = await world.call(OWNER, "get_usage")

    deleted = await world.call(OWNER, "delete_conversation", conversationId=conversation)

    assert deleted == {"id": conversation, "deletedAt": "2026-11-20T12:00:00Z"}
    assert (await world.refusal(OWNER, "get_conversation", conversationId=conversation)).code == "not_found"
    assert [row["id"] for row in (await world.call(OWNER, "list_conversations"))["items"]] == [kept]
    assert (await world.call(OWNER, "list_conversations", q="secretword"))["items"] == []
    rows = Rows(world.store, "wsp_north")
    left = [
        str(row)
        for table in (chat_sessions, chat_messages, chat_results, chat_events)
        for row in await rows.all(rows.select(table))
        if conversation in row
    ]
    assert left
    assert not [row for row in left if "SECRETWORD" in row or "Gone" in row]
    assert await world.call(OWNER, "get_usage") == before
    assert before["inputTokens"] == 400
    row = next(row for row in await world.audit_rows() if row["action"] == "delete_conversation")
    assert (row["status"], row["payload"]) == ("ok", f'{{"conversationId":"{conversation}"}}')


async def test_what_nobody_decided_is_superseded_and_another_conversations_stays_open(world: World) -> None:
    one, two = [each["campaign_id"] for each in await world.campaigns(status="ACTIVE")][:2]
    mine = await world.propose(AGENT, "update_campaign", campaign_id=one, status="PAUSED")
    other = await world.propose(AGENT, "update_campaign", campaign_id=two, status="PAUSED")
    conversation = await told(world.store, "wsp_north", OWNER.user, approval=mine["id"])
    rows = Rows(world.store, "wsp_north")
    asked = rows.update(approvals).where(approvals.c.id == mine["id"]).values(conversation_id=conversation)
    await world.store.write(lambda tx: tx.run(asked))

    await world.call(OWNER, "delete_conversation", conversationId=conversation)

    assert (await world.call(OWNER, "get_approval", approval_id=mine["id"]))["status"] == "superseded"
    assert (await world.call(OWNER, "get_approval", approval_id=other["id"]))["status"] == "pending"
    assert (await world.refusal(OWNER, "approve", approval_id=mine["id"])).code == "already_decided"


async def test_one_that_runs_is_left_alone_and_one_that_is_gone_is_not_found(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user, status="running")
    gone = await told(world.store, "wsp_north", OWNER.user, deleted_at=NOW)

    refused = await world.refusal(OWNER, "delete_conversation", conversationId=conversation)

    assert refused.code == "conflict"
    assert "stop" in refused.fix
    assert len((await world.call(OWNER, "get_conversation", conversationId=conversation))["messages"]) == 3
    for name in ("delete_conversation", "get_conversation"):
        assert (await world.refusal(OWNER, name, conversationId=gone)).code == "not_found"
