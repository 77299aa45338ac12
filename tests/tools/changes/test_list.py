"""What was written to the platforms, and under whose yes."""

from typing import Any

import pytest

from tests.world import AGENT, DIRECT_KEY, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Via

LEADS = "Leads | Size guide download"


async def change(world: World, **fields: Any) -> str:
    campaign = (await world.campaign(currency="USD", objective="leads"))["campaign_id"]
    await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, **fields)
    world.clock.pass_by(seconds=1)
    return str(campaign)


async def changes(world: World, **query: Any) -> list[dict[str, Any]]:
    return list((await world.call(VIEWER, "list_changes", **query))["items"])


async def test_a_stranger_sees_none_of_ours(world: World) -> None:
    campaign = await change(world, name="New")

    assert await world.call(STRANGER, "list_changes") == {"items": []}
    assert await world.call(STRANGER, "list_changes", campaign_id=campaign) == {"items": []}


async def test_listing_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset()), "list_changes")

    assert error.details["required"] == "ads:read"


async def test_a_change_says_what_was_written_by_whom_and_under_which_yes(world: World) -> None:
    campaign = await world.campaign(name=LEADS)
    approval = await world.propose(AGENT, "update_campaign", campaign_id=campaign["campaign_id"], daily_budget=44)
    await world.call(OWNER, "approve", approval_id=approval["id"])

    (row,) = await changes(world)

    assert row.pop("id").startswith("chg_")
    assert row == {
        "at": "2026-11-20T12:00:00Z",
        "kind": "update_campaign",
        "status": "done",
        "platform": "meta",
        "connectionId": campaign["connectionId"],
        "account_id": campaign["account_id"],
        "campaign_id": campaign["campaign_id"],
        "fields": {"daily_budget": 44},
        "before": {"daily_budget": 40},
        "requestedBy": AGENT.id,
        "via": "mcp",
        "approvalId": approval["id"],
        "undoable": True,
    }


async def test_the_newest_comes_first_and_pages_leave_none_out(world: World) -> None:
    for n in range(5):
        await change(world, name=f"Name {n}")

    rows: list[dict[str, Any]] = []
    page = await world.call(VIEWER, "list_changes", limit=2)
    while "next_cursor" in page:
        rows += page["items"]
        page = await world.call(VIEWER, "list_changes", limit=2, cursor=page["next_cursor"])
    rows += page["items"]

    assert [row["fields"]["name"] for row in rows] == [f"Name {n}" for n in (4, 3, 2, 1, 0)]
    assert rows == await changes(world)


async def test_changes_of_the_same_instant_are_all_there(world: World) -> None:
    campaign = (await world.campaign(name=LEADS))["campaign_id"]
    for n in range(4):
        await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, name=f"Name {n}")

    seen: list[str] = []
    page = await world.call(VIEWER, "list_changes", limit=1)
    while "next_cursor" in page:
        seen += [row["id"] for row in page["items"]]
        page = await world.call(VIEWER, "list_changes", limit=1, cursor=page["next_cursor"])

    assert len({*seen, page["items"][0]["id"]}) == 4


async def test_a_campaign_filters_and_its_cursor_belongs_to_it(world: World) -> None:
    campaign = await change(world, name="New")
    await change(world, name="Newer")

    assert len(await changes(world, campaign_id=campaign)) == 2
    assert await changes(world, campaign_id="1") == []
    cursor = (await world.call(VIEWER, "list_changes", limit=1))["next_cursor"]
    assert (
        await world.refusal(VIEWER, "list_changes", campaign_id=campaign, cursor=cursor)
    ).code == "invalid_arguments"


@pytest.mark.parametrize("sent", [{"limit": 0}, {"cursor": "nonsense"}, {"since": "2026-11-01"}])
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(VIEWER, "list_changes", **sent)).code == "invalid_arguments"
