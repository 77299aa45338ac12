"""Campaigns out of service: paused with a way back, archived without one."""

from typing import Any

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, OWNER, STRANGER, VIEWER, World

LEADS = "Leads | Size guide download"


async def campaign(world: World, name: str = LEADS) -> str:
    return str((await world.campaign(name=name))["campaign_id"])


async def test_a_strangers_campaign_is_not_there(world: World) -> None:
    assert (await world.refusal(STRANGER, "delete_campaign", campaign_id=await campaign(world))).code == "not_found"


async def test_taking_out_of_service_takes_its_scope(world: World) -> None:
    error = await world.refusal(VIEWER, "delete_campaign", campaign_id=await campaign(world))

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


@promise("dev.campaigns.delete")
async def test_it_is_paused_and_can_be_undone(world: World) -> None:
    approval = await world.propose(AGENT, "delete_campaign", campaign_id=await campaign(world))
    assert approval["plan"]["reversible"] is True
    assert approval["plan"]["changes"][0]["after"] == "PAUSED"

    result = (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert result["status"] == "PAUSED"
    (change,) = (await world.call(OWNER, "list_changes"))["items"]
    assert change["undoable"] is True
    (write,) = await world.writes_seen()
    assert (write["method"], write["params"]["status"]) == ("POST", "PAUSED")


async def test_archiving_is_one_way_and_says_so_before_and_after(world: World) -> None:
    identifier = await campaign(world)
    approval = await world.propose(AGENT, "delete_campaign", campaign_id=identifier, mode="archive")
    assert approval["plan"]["reversible"] is False
    assert "cannot be undone" in approval["plan"]["warnings"][0]
    assert approval["plan"]["money"] == {"currency": "USD", "daily": -40, "monthly": -1216}

    result = (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert result["status"] == "ARCHIVED"
    (change,) = (await world.call(OWNER, "list_changes"))["items"]
    assert change["undoable"] is False
    undone = await world.refusal(AGENT, "undo_change", change_id=change["id"])
    assert (undone.code, "one-way" in undone.fix) == ("conflict", True)
    again = await world.refusal(AGENT, "update_campaign", campaign_id=identifier, status="ACTIVE")
    assert "one-way" in again.message


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Traffic | Journal articles", {}),
        ("Clearance | Last season", {}),
        ("Clearance | Last season", {"mode": "archive"}),
    ],
)
async def test_what_already_is_so_is_a_conflict(world: World, name: str, arguments: dict[str, Any]) -> None:
    error = await world.refusal(DIRECT_KEY, "delete_campaign", campaign_id=await campaign(world, name), **arguments)

    assert (error.code, error.status) == ("conflict", 409)
    assert await world.writes_seen() == []


async def test_there_is_no_deleting_for_good(world: World) -> None:
    error = await world.refusal(AGENT, "delete_campaign", campaign_id=await campaign(world), mode="delete")

    assert error.code == "invalid_arguments"
