"""Limits on spending at their edges, in the plan and again at the yes."""

from decimal import Decimal
from typing import Any

import pytest

from tests.tools.outside import at_the_platform
from tests.world import AGENT, DIRECT_KEY, OWNER, World
from tools.guardrails import BudgetEffect

LEADS = "Leads | Size guide download"  # 40 USD a day, active
PAUSED = "Traffic | Journal articles"  # 25 USD a day, paused
LIFETIME = "Launch | Trail collection"  # for its flight, active
BELOW = "Awareness | Brand film"  # set on its ad sets, active


async def change(world: World, campaign: str = LEADS, /, **change: Any) -> dict[str, Any]:
    return {"campaign_id": (await world.campaign(name=campaign))["campaign_id"], **change}


async def plan(world: World, campaign: str = LEADS, /, **wanted: Any) -> dict[str, Any]:
    approval = await world.propose(AGENT, "update_campaign", **await change(world, campaign, **wanted))
    shown: dict[str, Any] = approval["plan"]
    return shown


async def agree(world: World, campaign: str = LEADS, /, **wanted: Any) -> dict[str, Any]:
    approval = await world.propose(AGENT, "update_campaign", **await change(world, campaign, **wanted))
    typed = {"amount": approval["plan"]["amountRequired"]} if "amountRequired" in approval["plan"] else {}
    return await world.call(OWNER, "approve", approval_id=approval["id"], **typed)


@pytest.mark.parametrize(
    ("after", "warns", "typed"),
    [
        (48, False, None),  # +20 %
        (48.01, True, None),
        (32, False, None),  # −20 %
        (31.99, True, None),
        (1, True, None),
        (59.99, True, None),
        (60, True, 60),  # +50 %
        (80, True, 80),
    ],
)
async def test_beyond_a_fifth_a_change_warns_and_from_half_more_it_is_typed(
    world: World, after: float, warns: bool, typed: float | None
) -> None:
    shown = await plan(world, daily_budget=after)

    assert bool(shown["warnings"]) is warns
    assert shown.get("amountRequired") == typed


async def test_going_live_is_typed_with_the_budget_then_in_force(world: World) -> None:
    assert (await plan(world, PAUSED, status="ACTIVE"))["amountRequired"] == 25
    both = await plan(world, PAUSED, status="ACTIVE", daily_budget=20)
    assert both["amountRequired"] == 20
    assert both["money"] == {"currency": "USD", "daily": 20, "monthly": 608}
    assert any("may spend 20" in warning for warning in both["warnings"])


async def test_creating_a_running_campaign_is_typed_and_a_paused_one_is_not(world: World) -> None:
    account = (await world.campaign(name=LEADS))["account_id"]
    new = {"account_id": account, "name": "Spring", "objective": "sales", "daily_budget": 30}

    running = await world.propose(AGENT, "create_campaign", **new, status="ACTIVE")
    paused = await world.propose(AGENT, "create_campaign", **new)

    assert (running["plan"]["amountRequired"], running["plan"]["money"]["daily"]) == (30, 30)
    assert "amountRequired" not in paused["plan"]
    assert paused["plan"]["money"]["daily"] == 0


async def test_pausing_and_renaming_are_never_typed(world: World) -> None:
    paused = await plan(world, status="PAUSED")

    assert "amountRequired" not in paused
    assert paused["money"] == {"currency": "USD", "daily": -40, "monthly": -1216}
    assert "money" not in await plan(world, name="New")


async def test_a_campaign_without_a_daily_budget_of_its_own_says_so_when_it_goes_live(world: World) -> None:
    campaign = await world.campaign(name=LIFETIME)
    await at_the_platform(world, campaign["campaign_id"], status="PAUSED")

    shown = await plan(world, LIFETIME, status="ACTIVE")

    assert "amountRequired" not in shown
    assert any("no daily budget of its own" in warning for warning in shown["warnings"])


@pytest.mark.parametrize("name", [LIFETIME, BELOW])
async def test_a_budget_that_is_not_the_campaigns_own_cannot_be_set(world: World, name: str) -> None:
    error = await world.refusal(AGENT, "update_campaign", **await change(world, name, daily_budget=50))

    assert (error.code, error.status) == ("conflict", 409)
    assert "no daily budget of its own" in error.message


async def test_four_budget_edits_an_hour_and_no_fifth(world: World) -> None:
    for budget in (41, 42, 43, 44):
        assert (await agree(world, daily_budget=budget))["status"] == "done"
        world.clock.pass_by(minutes=5)

    error = await world.refusal(AGENT, "update_campaign", **await change(world, daily_budget=45))

    assert (error.code, error.status, error.details["guardrail"]) == ("guardrail", 422, "budget_edits_per_hour")
    assert error.retry_after == 40 * 60
    assert (await plan(world, name="New"))["summary"]
    assert (await plan(world, name="Retargeting"))["summary"]
    world.clock.pass_by(minutes=40, seconds=1)
    assert (await agree(world, daily_budget=45))["status"] == "done"


async def test_a_second_connection_to_the_account_is_no_way_round_its_limits(world: World) -> None:
    token = (await world.sandbox.get("/")).json()["meta"]["access_token"]
    (first,) = (await world.call(OWNER, "list_connections"))["items"]
    second = await world.call(OWNER, "create_connection", platform="meta", access_token=token)
    for budget, through in ((50, first), (51, second), (52, first), (53, second)):
        await agree(world, daily_budget=budget, connectionId=through["id"])
        world.clock.pass_by(minutes=1)

    for through in (first, second):
        more = await change(world, daily_budget=54, connectionId=through["id"])
        fifth = await world.refusal(AGENT, "update_campaign", **more)
        assert fifth.details["guardrail"] == "budget_edits_per_hour"
    world.clock.pass_by(hours=1)
    for through in (first, second):
        more = await change(world, daily_budget=106.01, connectionId=through["id"])
        error = await world.refusal(AGENT, "update_campaign", **more)
        assert (error.details["guardrail"], error.details["limit"]) == ("campaign_daily_ceiling", 106)


async def test_the_fifth_edit_is_refused_when_it_was_proposed_before_the_fourth(world: World) -> None:
    early = await world.propose(AGENT, "update_campaign", **await change(world, name="New", daily_budget=41))
    for budget in (42, 43, 44, 40):
        await agree(world, daily_budget=budget)

    answered = await world.call(OWNER, "approve", approval_id=early["id"])

    assert (answered["status"], answered["error"]["code"]) == ("failed", "guardrail")
    assert len(await world.writes_seen()) == 4


async def test_creating_a_campaign_is_no_edit_of_its_budget(world: World) -> None:
    account = (await world.campaign(name=LEADS))["account_id"]
    await world.call(OWNER, "create_campaign", account_id=account, name="Spring", objective="sales", daily_budget=30)

    for budget in (31, 32, 33, 34):
        assert (await agree(world, "Spring", daily_budget=budget))["status"] == "done"


async def test_there_is_no_ceiling_before_the_first_agreed_change(world: World) -> None:
    assert (await plan(world, daily_budget=100_000))["amountRequired"] == 100_000


async def test_the_ceiling_of_a_campaign_is_twice_its_budget_at_the_last_agreed_change(world: World) -> None:
    await agree(world, daily_budget=50)

    assert (await plan(world, daily_budget=100))["amountRequired"] == 100
    error = await world.refusal(AGENT, "update_campaign", **await change(world, daily_budget=100.01))

    assert (error.code, error.details["guardrail"]) == ("guardrail", "campaign_daily_ceiling")
    assert (error.details["limit"], error.details["requested"], error.details["currency"]) == (100, 100.01, "USD")


async def test_a_key_that_does_not_ask_cannot_climb_past_the_ceiling_in_steps(world: World) -> None:
    campaign = (await agree(world, daily_budget=50))["result"]["campaign_id"]
    for budget in (70, 98):
        await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, daily_budget=budget)

    error = await world.refusal(DIRECT_KEY, "update_campaign", campaign_id=campaign, daily_budget=101)

    assert (error.details["guardrail"], error.details["limit"]) == ("campaign_daily_ceiling", 100)
    assert (await agree(world, daily_budget=100))["status"] == "done"


async def test_the_ceiling_of_an_account_is_twice_its_active_budgets_at_the_last_agreed_change(world: World) -> None:
    await agree(world, name="Renamed")  # 670 USD a day are active
    account = (await world.campaign(currency="USD"))["account_id"]
    new = {"account_id": account, "name": "Spring", "objective": "sales", "status": "ACTIVE"}

    fits = await world.propose(AGENT, "create_campaign", **new, daily_budget=670)
    error = await world.refusal(AGENT, "create_campaign", **new, daily_budget=670.01)

    assert fits["plan"]["amountRequired"] == 670
    assert (error.details["guardrail"], error.details["limit"]) == ("account_daily_ceiling", 1340)


async def test_ceilings_an_owner_sets_hold_at_once_and_never_stop_a_decrease(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", campaign_daily_ceiling=45, account_daily_ceiling=690)

    campaign = await world.refusal(AGENT, "update_campaign", **await change(world, daily_budget=46))
    account = await world.refusal(AGENT, "update_campaign", **await change(world, PAUSED, status="ACTIVE"))

    assert campaign.details["guardrail"] == "campaign_daily_ceiling"
    assert account.details["guardrail"] == "account_daily_ceiling"
    assert (await plan(world, "Prospecting | Broad | Sales", daily_budget=170))["money"]["daily"] == -10
    assert (await plan(world, daily_budget=45))["money"]["daily"] == 5


async def test_a_ceiling_lowered_after_the_proposal_stops_it(world: World) -> None:
    approval = await world.propose(AGENT, "update_campaign", **await change(world, daily_budget=46))
    await world.call(OWNER, "update_workspace_settings", campaign_daily_ceiling=45)

    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert (answered["status"], answered["error"]["code"]) == ("failed", "guardrail")
    assert await world.writes_seen() == []


async def test_the_percentages_are_the_workspaces_own(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", warn_change_percent=5, typed_amount_percent=10)

    assert (await plan(world, daily_budget=43))["warnings"]
    assert (await plan(world, daily_budget=44))["amountRequired"] == 44


@pytest.mark.parametrize(
    ("effect", "delta", "percent"),
    [
        (BudgetEffect("1", "n", Decimal(40), Decimal(50), True, True), 10, 25),
        (BudgetEffect("1", "n", Decimal(40), Decimal(50), False, False), 0, 25),
        (BudgetEffect("1", "n", Decimal(40), Decimal(40), True, False), -40, 0),
        (BudgetEffect("1", "n", None, None, False, True), 0, None),
        (BudgetEffect(None, "n", None, Decimal(30), False, True), 30, None),
    ],
)
def test_only_what_runs_may_be_spent(effect: BudgetEffect, delta: int, percent: int | None) -> None:
    assert effect.delta == delta
    assert effect.change_percent == percent
