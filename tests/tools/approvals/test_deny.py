"""A no: who may give it, and who is told."""

import pytest

from tests.tools.approvals.conftest import Propose
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Role


async def test_a_strangers_approval_is_not_there(world: World, propose: Propose) -> None:
    assert (await world.refusal(STRANGER, "deny", approval_id=(await propose())["id"])).code == "not_found"


async def test_refusing_takes_the_changes_own_scope(world: World, propose: Propose) -> None:
    error = await world.refusal(VIEWER, "deny", approval_id=(await propose())["id"])

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


async def test_a_no_is_final_and_told_with_its_reason(world: World, propose: Propose) -> None:
    approval = await propose()

    answered = await world.call(principal(Role.MEMBER), "deny", approval_id=approval["id"], reason="Too early")

    assert (answered["status"], answered["error"]) == ("denied", {"reason": "Too early"})
    assert answered["decidedBy"] == principal(Role.MEMBER).name
    assert await world.call(AGENT, "get_approval", approval_id=approval["id"]) == answered
    assert await world.writes_seen() == []
    assert [row["status"] for row in await world.audit_rows() if row["action"] == "deny"] == ["ok"]


async def test_a_no_needs_no_reason(world: World, propose: Propose) -> None:
    answered = await world.call(OWNER, "deny", approval_id=(await propose())["id"])

    assert answered["status"] == "denied"
    assert "error" not in answered


@pytest.mark.parametrize("reason", ["", "x" * 1001, 5, None])
async def test_what_is_no_reason_is_refused(world: World, propose: Propose, reason: object) -> None:
    approval = await propose()

    assert (await world.refusal(OWNER, "deny", approval_id=approval["id"], reason=reason)).code == "invalid_arguments"
    assert (await world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"
