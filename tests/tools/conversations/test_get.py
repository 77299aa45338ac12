"""A conversation read again: what was said, what was called, and what it cost."""

import pytest

from tests.conversations import told
from tests.world import AGENT, OWNER, STRANGER, World, principal
from tools.authority import Principal, Role


@pytest.mark.parametrize("other", [STRANGER, principal(Role.ADMIN)], ids=["a stranger", "a colleague"])
async def test_nobody_elses_conversation_is_there(world: World, other: Principal) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    refused = await world.refusal(other, "get_conversation", conversationId=conversation)

    assert refused.code == "not_found"
    assert refused.fix


async def test_any_valid_credential_reads_its_persons_own(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    for who in (AGENT, principal(scopes=frozenset())):
        assert (await world.call(who, "get_conversation", conversationId=conversation))["id"] == conversation


async def test_it_tells_what_was_said_and_called_and_what_that_cost(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user, said="Who am I?", answer="You are Ada.")

    told_again = await world.call(OWNER, "get_conversation", conversationId=conversation)

    cost = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 300, "cost": 0.0005}
    call = {"toolUseId": "toolu_1", "name": "whoami", "title": "Whoami", "arguments": {}, "status": "ok"}
    at = {"turn": 1, "createdAt": "2025-11-20T12:00:00Z"}
    assert told_again["messages"] == [
        {"role": "user", "text": "Who am I?"} | at,
        {"role": "assistant", "text": "", "toolCalls": [call]} | at | cost,
        {"role": "assistant", "text": "You are Ada."} | at | cost,
    ]
    assert (told_again["model"], told_again["lastEvent"]) == ("claude-sonnet-5-5", 1)


async def test_a_call_that_waits_names_its_approval(world: World) -> None:
    campaign = (await world.campaign(status="ACTIVE"))["campaign_id"]
    approval = await world.propose(AGENT, "update_campaign", campaign_id=campaign, status="PAUSED")
    conversation = await told(world.store, "wsp_north", OWNER.user, approval=approval["id"])

    told_again = await world.call(OWNER, "get_conversation", conversationId=conversation)

    assert told_again["status"] == "waiting"
    (call,) = told_again["messages"][-1]["toolCalls"]
    assert (call["status"], call["approvalId"]) == ("waiting", approval["id"])


async def test_what_is_no_id_is_refused_and_an_unknown_one_not_found(world: World) -> None:
    assert (await world.refusal(OWNER, "get_conversation", conversationId="nonsense")).code == "invalid_arguments"
    assert (await world.refusal(OWNER, "get_conversation", conversationId="cnv_none")).code == "not_found"
