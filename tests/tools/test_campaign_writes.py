"""A budget that several campaigns spend from: changing it for one changes all, and every one is seen first."""

from typing import Any

import pytest

from tests.tools.outside import google_does
from tests.world import AGENT, DIRECT_KEY, OWNER, World

US = "4210007011"
EXACT, PHRASE, RIVALS = "207011000001", "207011000002", "207011000003"
LONELY = "207011000004"


async def proposed(world: World, **change: Any) -> dict[str, Any]:
    return await world.propose(AGENT, "update_campaign", campaign_id=RIVALS, **(change or {"daily_budget": 165}))


def targets(approval: dict[str, Any]) -> list[tuple[str, str, float, float]]:
    changes = approval["plan"]["changes"]
    return [(change["target"], change["field"], change["before"], change["after"]) for change in changes]


async def budget(world: World, campaign: str) -> float:
    world.clock.pass_by(minutes=15)
    return float((await world.campaign(campaign_id=campaign))["daily_budget"])


async def test_every_campaign_of_the_budget_is_a_change_of_its_own_and_its_money_counts_once(both: World) -> None:
    approval = await proposed(both)

    assert targets(approval) == [(each, "daily_budget", 150, 165) for each in (RIVALS, EXACT, PHRASE)]
    assert approval["plan"]["money"] == {"currency": "USD", "daily": 15, "monthly": 456}
    (warning,) = [each for each in approval["plan"]["warnings"] if "shared" in each]
    assert warning.startswith("The budget is shared: 2 other campaigns spend from it; changing it changes theirs: ")
    assert "Brand | Exact (207011000001)" in warning
    assert await both.writes_seen() == []


async def test_a_yes_changes_them_all_by_one_write_and_undoing_shows_the_same(both: World) -> None:
    answered = await both.call(OWNER, "approve", approval_id=(await proposed(both))["id"])

    assert answered["status"] == "done"
    assert [await budget(both, each) for each in (RIVALS, EXACT, PHRASE)] == [165] * 3
    (change,) = (await both.call(OWNER, "list_changes"))["items"]
    undo = await both.propose(AGENT, "undo_change", change_id=change["id"])
    assert targets(undo) == [(each, "daily_budget", 165, 150) for each in (RIVALS, EXACT, PHRASE)]
    assert undo["plan"]["money"]["daily"] == -15
    assert (await both.call(OWNER, "approve", approval_id=undo["id"]))["status"] == "done"
    assert await budget(both, PHRASE) == 150


async def test_who_shares_the_budget_is_agreed_to_as_well(both: World) -> None:
    approval = await proposed(both)
    await google_does(both, US, "campaigns:mutate", operations=[{"remove": f"customers/{US}/campaigns/{PHRASE}"}])

    error = await both.refusal(OWNER, "approve", approval_id=approval["id"])

    assert error.code == "stale_plan"
    fresh = error.details["approval"]
    assert [target for target, *_ in targets(fresh)] == [RIVALS, EXACT]
    assert any("1 other campaign spends from it" in warning for warning in fresh["plan"]["warnings"])


async def test_a_steep_rise_is_typed_also_where_the_campaign_itself_is_paused(both: World) -> None:
    await both.call(OWNER, "update_campaign", campaign_id=RIVALS, status="PAUSED")

    plan = (await proposed(both, daily_budget=225))["plan"]

    assert (plan["amountRequired"], plan["money"]["daily"]) == (225, 75)


async def test_pausing_one_frees_nothing_while_others_spend(both: World) -> None:
    plan = (await proposed(both, status="PAUSED"))["plan"]

    assert [change["target"] for change in plan["changes"]] == [RIVALS]
    assert plan["money"]["daily"] == 0
    assert any("2 other campaigns spend from it: " in warning for warning in plan["warnings"])


async def test_a_new_name_says_nothing_of_the_budget(both: World) -> None:
    plan = (await proposed(both, name="Rivals"))["plan"]

    assert (len(plan["changes"]), plan["warnings"]) == (1, [])


async def test_a_budget_of_its_own_changes_alone(both: World) -> None:
    approval = await both.propose(AGENT, "update_campaign", campaign_id=LONELY, daily_budget=130)

    assert targets(approval) == [(LONELY, "daily_budget", 120, 130)]


async def test_edits_an_hour_count_whichever_campaign_they_were_asked_for(both: World) -> None:
    for at, campaign in enumerate((RIVALS, EXACT, PHRASE, RIVALS)):
        await both.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, daily_budget=151 + at)

    error = await both.refusal(DIRECT_KEY, "update_campaign", campaign_id=EXACT, daily_budget=160)

    assert (error.code, error.details["guardrail"]) == ("guardrail", "budget_edits_per_hour")


async def test_the_ceiling_of_the_account_counts_the_budget_once(both: World) -> None:
    """Its campaigns may spend 640 a day; were the shared 150 counted three times, 20 more would be too many."""
    await both.call(OWNER, "update_workspace_settings", account_daily_ceiling=670)

    plan = (await proposed(both, daily_budget=170))["plan"]
    error = await both.refusal(AGENT, "update_campaign", campaign_id=RIVALS, daily_budget=190)

    assert plan["money"]["daily"] == 20
    assert (error.code, error.details["guardrail"]) == ("guardrail", "account_daily_ceiling")
    assert error.details["requested"] == await spendable(both) + 40


async def spendable(world: World) -> float:
    rows = await world.campaigns(account_id=US, status="ACTIVE")
    own = sum(row["daily_budget"] for row in rows if not row.get("budget_shared"))
    return float(own + next(row["daily_budget"] for row in rows if row.get("budget_shared")))


async def test_a_ceiling_of_any_of_its_campaigns_holds(both: World) -> None:
    await both.call(OWNER, "approve", approval_id=(await proposed(both, daily_budget=160))["id"])
    await google_does(
        both, US, "campaignBudgets:mutate",
        operations=[{"update": {"resourceName": await resource(both), "amountMicros": "310000000"},
                     "updateMask": "amountMicros"}],
    )  # fmt: skip

    error = await both.refusal(AGENT, "update_campaign", campaign_id=EXACT, daily_budget=330)

    assert (error.code, error.details["guardrail"]) == ("guardrail", "campaign_daily_ceiling")
    assert error.details["limit"] == 320


async def resource(world: World) -> str:
    query = "SELECT campaign.id, campaign.campaign_budget FROM campaign WHERE campaign.id = 207011000001"
    (row,) = (await google_does(world, US, "googleAds:search", query=query))["results"]
    return str(row["campaign"]["campaignBudget"])


@pytest.mark.parametrize("campaign", [EXACT, LONELY])
async def test_archiving_is_one_way_there_too(both: World, campaign: str) -> None:
    approval = await both.propose(AGENT, "delete_campaign", campaign_id=campaign, mode="archive")
    answered = await both.call(OWNER, "approve", approval_id=approval["id"])

    assert approval["plan"]["reversible"] is False
    assert approval["plan"]["money"]["daily"] == (0 if campaign == EXACT else -120)
    assert answered["result"]["status"] == "ARCHIVED"
    assert (await both.refusal(OWNER, "update_campaign", campaign_id=campaign, status="ACTIVE")).code == "conflict"
