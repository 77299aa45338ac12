"""A yes: who may give it, and what it answers."""

import pytest

from tests.tools.approvals.conftest import Propose
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Role, Via


async def test_a_strangers_approval_is_not_there(world: World, propose: Propose) -> None:
    assert (await world.refusal(STRANGER, "approve", approval_id=(await propose())["id"])).code == "not_found"


async def test_agreeing_takes_the_changes_own_scope(world: World, propose: Propose) -> None:
    error = await world.refusal(VIEWER, "approve", approval_id=(await propose())["id"])

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


async def test_agreeing_takes_a_person(world: World, propose: Propose) -> None:
    approval = await propose()

    for via in (Via.KEY, Via.MCP, Via.AGENT, Via.CLI):
        assert (await world.refusal(principal(via=via), "approve", approval_id=approval["id"])).code == "human_required"


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.MEMBER])
async def test_the_answer_is_the_approval_with_its_result(world: World, propose: Propose, role: Role) -> None:
    approval = await propose()

    answered = await world.call(principal(role), "approve", approval_id=approval["id"])

    assert (answered["id"], answered["status"]) == (approval["id"], "done")
    assert answered["decidedBy"] == principal(role).name
    assert answered["decidedAt"] == "2026-11-20T12:00:01Z"
    assert answered["result"]["daily_budget"] == 44
    assert answered["digest"] == approval["digest"]
    assert answered["requestedBy"] == AGENT.name


async def test_an_amount_where_none_is_needed_does_no_harm(world: World, propose: Propose) -> None:
    answered = await world.call(OWNER, "approve", approval_id=(await propose())["id"], amount=1)

    assert answered["status"] == "done"


@pytest.mark.parametrize("amount", ["60", -60, 0, float("nan"), True, None])
async def test_what_is_no_amount_is_refused_before_anything_is_decided(
    world: World, propose: Propose, amount: object
) -> None:
    approval = await propose(daily_budget=60)

    error = await world.refusal(OWNER, "approve", approval_id=approval["id"], amount=amount)

    assert error.code == "invalid_arguments"
    assert (await world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


async def test_there_is_no_approving_everything(world: World, propose: Propose) -> None:
    await propose()

    for sent in ("apr_*", "*", "", ["apr_1"]):
        assert (await world.refusal(OWNER, "approve", approval_id=sent)).code in ("invalid_arguments", "not_found")
    assert await world.writes_seen() == []
