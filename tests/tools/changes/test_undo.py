"""Changes set back, once and through the same gate."""

from typing import Any

import pytest

from tests.tools.outside import at_the_platform
from tests.world import AGENT, DIRECT_KEY, OWNER, STRANGER, VIEWER, World, renamed

LEADS = "Leads | Size guide download"


async def changed(world: World, **fields: Any) -> dict[str, Any]:
    campaign = (await world.campaign(currency="USD", objective="leads"))["campaign_id"]
    await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, **fields)
    return await newest(world)


async def newest(world: World) -> dict[str, Any]:
    row = (await world.call(OWNER, "list_changes", limit=1))["items"][0]
    world.clock.pass_by(seconds=1)
    return dict(row)


async def state(world: World, campaign: str) -> dict[str, Any]:
    return await world.campaign(campaign_id=campaign)


async def test_a_strangers_change_is_not_there(world: World) -> None:
    change = await changed(world, name="New")

    assert (await world.refusal(STRANGER, "undo_change", change_id=change["id"])).code == "not_found"


async def test_undoing_takes_its_scope(world: World) -> None:
    change = await changed(world, name="New")

    error = await world.refusal(VIEWER, "undo_change", change_id=change["id"])

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


@pytest.mark.parametrize(
    ("fields", "before"),
    [
        ({"name": "New"}, {"name": LEADS}),
        ({"daily_budget": 44}, {"daily_budget": 40}),
        ({"name": "New", "daily_budget": 36}, {"name": LEADS, "daily_budget": 40}),
    ],
)
async def test_a_change_is_set_back_once_a_person_agreed(
    world: World, fields: dict[str, Any], before: dict[str, Any]
) -> None:
    change = await changed(world, **fields)

    approval = await world.propose(AGENT, "undo_change", change_id=change["id"])
    assert {c["field"]: c["after"] for c in approval["plan"]["changes"]} == before
    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert (answered["status"], answered["result"]["fields"]) == ("done", before)
    after = await state(world, change["campaign_id"])
    assert {name: after[name] for name in before} == before
    undone = next(c for c in (await world.call(OWNER, "list_changes"))["items"] if c["id"] == change["id"])
    assert (undone["undoneBy"], undone["undoable"]) == (answered["result"]["id"], False)


async def test_undoing_a_pause_goes_live_and_is_typed(world: World) -> None:
    change = await changed(world, status="PAUSED")

    approval = await world.propose(AGENT, "undo_change", change_id=change["id"])

    assert approval["plan"]["amountRequired"] == 40
    await world.call(OWNER, "approve", approval_id=approval["id"], amount=40)
    assert (await state(world, change["campaign_id"]))["status"] == "ACTIVE"


async def test_undoing_a_creation_pauses(world: World) -> None:
    approval = await world.propose(
        AGENT, "create_campaign", account_id="act_702114450310001", name="Spring", objective="sales", daily_budget=30,
        status="ACTIVE",
    )  # fmt: skip
    await world.call(OWNER, "approve", approval_id=approval["id"], amount=30)

    undone = await world.call(DIRECT_KEY, "undo_change", change_id=(await newest(world))["id"])

    assert undone["fields"] == {"status": "PAUSED"}
    assert (await world.campaign(name="Spring"))["status"] == "PAUSED"


async def test_what_was_undone_is_not_undone_again_but_the_undoing_is(world: World) -> None:
    change = await changed(world, name="New")
    undoing = await world.call(DIRECT_KEY, "undo_change", change_id=change["id"])

    error = await world.refusal(DIRECT_KEY, "undo_change", change_id=change["id"])
    redone = await world.call(DIRECT_KEY, "undo_change", change_id=undoing["id"])

    assert (error.code, undoing["id"] in error.message) == ("conflict", True)
    assert redone["fields"] == {"name": "New"}


async def test_what_someone_set_back_already_is_a_conflict(world: World) -> None:
    change = await changed(world, name="New")
    await at_the_platform(world, change["campaign_id"], name=LEADS)

    assert (await world.refusal(AGENT, "undo_change", change_id=change["id"])).code == "conflict"


async def test_two_who_agree_to_undo_the_same_undo_it_once(world: World) -> None:
    change = await changed(world, name="New")
    first = await world.propose(AGENT, "undo_change", change_id=change["id"])
    second = await world.propose(renamed(AGENT, id="key_other"), "undo_change", change_id=change["id"])

    await world.call(OWNER, "approve", approval_id=first["id"])
    answered = await world.call(OWNER, "approve", approval_id=second["id"])

    assert (answered["status"], answered["error"]["code"]) == ("failed", "conflict")
    assert len(await world.writes_seen()) == 2


async def test_a_change_without_known_outcome_is_not_undone(world: World) -> None:
    campaign = (await world.campaign(name=LEADS))["campaign_id"]
    await world.break_next("cut", target="meta:write")
    await world.refusal(DIRECT_KEY, "update_campaign", campaign_id=campaign, name="New")

    error = await world.refusal(AGENT, "undo_change", change_id=(await newest(world))["id"])

    assert (error.code, "unknown" in error.message) == ("conflict", True)


async def test_guardrails_hold_for_undoing_too(world: World) -> None:
    change = await changed(world, daily_budget=36)
    await world.call(OWNER, "update_workspace_settings", campaign_daily_ceiling=38)

    error = await world.refusal(AGENT, "undo_change", change_id=change["id"])

    assert (error.code, error.details["guardrail"]) == ("guardrail", "campaign_daily_ceiling")


async def test_an_unknown_change_is_not_found(world: World) -> None:
    assert (await world.refusal(AGENT, "undo_change", change_id="chg_unknown")).code == "not_found"
