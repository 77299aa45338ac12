"""An approval's states, and where an MCP client's own form may decide about one."""

from typing import Any

import pytest

from tests.tools.outside import at_the_platform
from tests.world import AGENT, KEY, OWNER, World, principal, renamed
from tools.approval import ApprovalStatus
from tools.authority import Principal, Via
from tools.errors import CapabilityError

CHAT = principal(via=Via.AGENT)


async def proposal(world: World, **change: Any) -> dict[str, Any]:
    campaign = await world.campaign(name="Leads | Size guide download")
    return await world.propose(
        AGENT, "update_campaign", campaign_id=campaign["campaign_id"], **(change or {"daily_budget": 44})
    )


async def now(world: World, approval: dict[str, Any]) -> dict[str, Any]:
    return await world.call(OWNER, "get_approval", approval_id=approval["id"])


async def test_a_clients_form_decides_only_where_an_owner_allowed_it(world: World) -> None:
    approval = await proposal(world)
    gate, asker = world.door.gate, world.context(renamed(AGENT, client="claude-desktop"))
    assert not await gate.client_may_decide(asker, approval["id"])
    with pytest.raises(CapabilityError, match="signed-in person"):
        await gate.approve_by_client(asker, approval["id"])

    await world.call(OWNER, "update_workspace_settings", approvals="client")
    await gate.approve_by_client(asker, approval["id"])

    seen = await now(world, approval)
    assert (seen["status"], seen["decidedBy"]) == ("done", "client:claude-desktop")
    _, decision, change, _ = [row for row in await world.audit_rows() if row["approval_id"] == approval["id"]]
    assert (decision["action"], decision["via"]) == ("approve", "mcp")
    assert (change["action"], change["status"]) == ("update_campaign", "ok"), "the decision stands before its effect"


async def test_a_form_that_comes_second_leaves_no_decision(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", approvals="client")
    approval = await proposal(world)
    await world.call(OWNER, "deny", approval_id=approval["id"])

    with pytest.raises(CapabilityError) as refused:
        await world.door.gate.approve_by_client(world.context(AGENT), approval["id"])

    assert refused.value.code == "already_decided"
    assert [row["action"] for row in await world.audit_rows()].count("approve") == 0


@pytest.mark.parametrize("who", [KEY, CHAT, renamed(AGENT, id="key_other")], ids=lambda who: f"{who.via}-{who.id}")
async def test_another_ones_form_never_decides(world: World, who: Principal) -> None:
    await world.call(OWNER, "update_workspace_settings", approvals="client")
    approval = await proposal(world)

    assert not await world.door.gate.client_may_decide(world.context(who), approval["id"])


async def test_a_form_never_stands_for_a_typed_amount(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", approvals="client")
    approval = await proposal(world, daily_budget=75)

    with pytest.raises(CapabilityError) as refused:
        await world.door.gate.approve_by_client(world.context(AGENT), approval["id"])

    assert refused.value.code == "human_required"


async def test_a_form_never_starts_what_has_no_budget_of_its_own(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", approvals="client")
    campaign = (await world.campaign(name="Launch | Trail collection"))["campaign_id"]
    await at_the_platform(world, campaign, status="PAUSED")
    approval = await world.propose(AGENT, "update_campaign", campaign_id=campaign, status="ACTIVE")

    assert "amountRequired" not in approval["plan"]
    assert not await world.door.gate.client_may_decide(world.context(AGENT), approval["id"])


def test_every_state_but_pending_and_executing_is_settled() -> None:
    assert {state for state in ApprovalStatus if not state.settled} == {"pending", "executing"}
