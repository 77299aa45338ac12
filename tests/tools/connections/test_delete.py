"""Disconnecting: the secret is erased, the history stays."""

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, World, principal
from tools.authority import Principal, Role
from tools.store.tables import campaign_index, connections


async def connection(world: World) -> dict[str, object]:
    (found,) = (await world.call(OWNER, "list_connections"))["items"]
    return dict(found)


async def test_a_strangers_connection_is_not_there(world: World) -> None:
    error = await world.refusal(STRANGER, "delete_connection", connectionId=(await connection(world))["id"])

    assert (error.code, error.status) == ("not_found", 404)
    assert "Northwind" not in str(error.body("req_1"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_disconnecting_takes_its_scope(world: World, role: Role) -> None:
    error = await world.refusal(principal(role), "delete_connection", connectionId=(await connection(world))["id"])

    assert (error.code, error.details["required"]) == ("insufficient_scope", "connections:write")


@pytest.mark.parametrize("who", [AGENT, KEY], ids=lambda who: who.id)
async def test_a_person_agrees_before_anything_is_disconnected(world: World, who: Principal) -> None:
    held = await connection(world)

    approval = await world.propose(who, "delete_connection", connectionId=held["id"])

    assert approval["plan"]["reversible"] is False
    assert approval["plan"]["changes"] == [
        {"target": held["id"], "field": "status", "before": "connected", "after": "deleted"}
    ]
    assert any("erased" in warning for warning in approval["plan"]["warnings"])
    assert "Northwind Japan" in approval["plan"]["evidence"]["accounts"]
    assert await connection(world) == held

    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert answered["result"] == {"id": held["id"], "status": "deleted"}
    assert (await world.call(OWNER, "list_connections"))["items"] == []


@promise("dev.connections.delete")
async def test_it_leaves_every_list_its_secret_is_erased_and_its_row_stays(world: World) -> None:
    held = await connection(world)
    await world.call(OWNER, "list_campaigns")

    await world.call(DIRECT_KEY, "delete_connection", connectionId=held["id"])

    assert (await world.call(OWNER, "list_connections"))["items"] == []
    assert (await world.call(OWNER, "list_campaigns"))["items"] == []
    context = world.context(OWNER)
    (row,) = await context.rows.all(context.rows.select(connections))
    assert (row.status, row.sealed, row.key_id) == ("deleted", "", "")
    assert row.deleted_at == world.clock.milliseconds()
    assert await context.rows.all(context.rows.select(campaign_index)) == []
    assert await world.writes_seen() == []


async def test_what_is_deleted_is_not_found_a_second_time(world: World) -> None:
    held = await connection(world)
    await world.call(OWNER, "delete_connection", connectionId=held["id"])

    for name in ("delete_connection", "test_connection"):
        assert (await world.refusal(OWNER, name, connectionId=held["id"])).code == "not_found"


async def test_a_proposal_about_what_is_gone_meanwhile_fails_with_the_reason(world: World) -> None:
    held = await connection(world)
    approval = await world.propose(AGENT, "delete_connection", connectionId=held["id"])
    await world.call(OWNER, "delete_connection", connectionId=held["id"])

    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert (answered["status"], answered["error"]["code"]) == ("failed", "not_found")


async def test_the_history_of_its_campaigns_stays(world: World) -> None:
    held = await connection(world)
    campaign = await world.campaign(status="ACTIVE")
    await world.call(OWNER, "update_campaign", campaign_id=campaign["campaign_id"], name="New")
    await world.call(OWNER, "delete_connection", connectionId=held["id"])

    assert [change["connectionId"] for change in (await world.call(OWNER, "list_changes"))["items"]] == [held["id"]]
