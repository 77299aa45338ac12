"""Changed campaigns: exactly what was sent, in the currency of their account."""

from typing import Any

import pytest

from tests.promises import promise
from tests.tools.outside import ask_the_platform
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World

LEADS, ARCHIVED, YEN = "Leads | Size guide download", "Clearance | Last season", "トラフィック | 読みもの"


async def campaign(world: World, name: str = LEADS) -> str:
    return str((await world.campaign(name=name))["campaign_id"])


async def test_a_strangers_campaign_is_not_there(world: World) -> None:
    error = await world.refusal(STRANGER, "update_campaign", campaign_id=await campaign(world), name="Mine")

    assert (error.code, error.status) == ("not_found", 404)
    assert LEADS not in str(error.body("req_1"))


async def test_changing_takes_its_scope(world: World) -> None:
    error = await world.refusal(VIEWER, "update_campaign", campaign_id=await campaign(world), name="Mine")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


async def test_a_gated_keys_change_waits_for_a_person(world: World) -> None:
    approval = await world.propose(KEY, "update_campaign", campaign_id=await campaign(world), status="PAUSED")

    assert (await world.campaign(name=LEADS))["status"] == "ACTIVE"
    assert (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]["status"] == "PAUSED"


@promise("dev.campaigns.update.partial")
@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"name": "New"}, {"name": "New"}),
        ({"status": "PAUSED"}, {"status": "PAUSED"}),
        ({"daily_budget": 44.44}, {"daily_budget": "4444"}),
        ({"name": "New", "daily_budget": 36}, {"name": "New", "daily_budget": "3600"}),
    ],
)
async def test_what_is_not_sent_stays_as_it_is(world: World, change: dict[str, Any], sent: dict[str, str]) -> None:
    before = await world.campaign(name=LEADS)

    after = await world.call(DIRECT_KEY, "update_campaign", campaign_id=before["campaign_id"], **change)

    platform_status = {"platform_status": after["platform_status"]}
    assert after == before | change | platform_status
    (write,) = await world.writes_seen()
    assert {
        name: value for name, value in write["params"].items() if name in ("name", "status", "daily_budget")
    } == sent


async def test_what_already_is_so_is_left_out_and_all_of_it_is_a_conflict(world: World) -> None:
    identifier = await campaign(world)

    approval = await world.propose(AGENT, "update_campaign", campaign_id=identifier, status="ACTIVE", daily_budget=44)
    error = await world.refusal(AGENT, "update_campaign", campaign_id=identifier, status="ACTIVE", daily_budget=40.0)

    assert [change["field"] for change in approval["plan"]["changes"]] == ["daily_budget"]
    assert (error.code, error.status) == ("conflict", 409)
    assert error.details["current"] == {"name": LEADS, "status": "ACTIVE", "daily_budget": 40}


@pytest.mark.parametrize("change", [{"status": "ACTIVE"}, {"name": "Back"}, {"daily_budget": 9}])
async def test_what_is_archived_stays_archived(world: World, change: dict[str, Any]) -> None:
    error = await world.refusal(AGENT, "update_campaign", campaign_id=await campaign(world, ARCHIVED), **change)

    assert (error.code, error.status) == ("conflict", 409)
    assert "one-way" in error.message


@pytest.mark.parametrize(("name", "budget"), [(LEADS, 44.444), (LEADS, 40.001), (YEN, 4000.5)])
async def test_an_amount_finer_than_its_currency_is_refused(world: World, name: str, budget: float) -> None:
    error = await world.refusal(AGENT, "update_campaign", campaign_id=await campaign(world, name), daily_budget=budget)

    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert [problem["field"] for problem in error.details["problems"]] == ["daily_budget"]


async def test_yen_are_whole_everywhere(world: World) -> None:
    identifier = await campaign(world, YEN)
    approval = await world.propose(AGENT, "update_campaign", campaign_id=identifier, daily_budget=4400)
    assert approval["plan"]["money"] == {"currency": "JPY", "daily": 400, "monthly": 12160}

    result = (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert (result["daily_budget"], result["currency"]) == (4400, "JPY")
    assert (await ask_the_platform(world, identifier, fields="daily_budget"))["daily_budget"] == "4400"


async def test_the_plan_was_tried_at_the_platform_without_changing_anything(world: World) -> None:
    approval = await world.propose(AGENT, "update_campaign", campaign_id=await campaign(world), name="New")

    assert approval["plan"]["evidence"]["platformDryRun"] == "passed"
    requests = (await world.sandbox.get("/log", params={"kind": "all"})).json()
    assert [each["params"]["execution_options"] for each in requests if each["method"] == "POST"] == [
        '["validate_only"]'
    ]
    assert await world.writes_seen() == []


async def test_what_the_platform_would_refuse_is_never_proposed(world: World) -> None:
    error = await world.refusal(AGENT, "update_campaign", campaign_id=await campaign(world), daily_budget=0.01)

    assert (error.code, error.status) == ("platform_error", 424)
    assert (await world.call(OWNER, "list_approvals"))["items"] == []


async def test_a_reauth_while_proposing_names_the_connection(world: World) -> None:
    identifier = await campaign(world)
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await world.break_next("expired_token", times=9)

    error = await world.refusal(AGENT, "update_campaign", campaign_id=identifier, name="New")

    assert (error.code, error.connection_id) == ("reauth_required", connection["id"])


@pytest.mark.parametrize("name", ["x" * 250, "日本語 🎯", "<script>alert(1)</script>", "'; DROP TABLE approvals; --"])
async def test_a_name_is_text_and_nothing_else(world: World, name: str) -> None:
    changed = await world.call(DIRECT_KEY, "update_campaign", campaign_id=await campaign(world), name=name)

    assert changed["name"] == name
    assert (await world.call(OWNER, "list_changes"))["items"][0]["fields"] == {"name": name}
