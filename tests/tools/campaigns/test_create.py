"""New campaigns: proposed, agreed to, created once."""

from typing import Any

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, OWNER, STRANGER, VIEWER, World

US, JP = "act_702114450310001", "act_702114450310003"
NEW: dict[str, Any] = {"name": "Spring", "objective": "sales", "daily_budget": 30}


async def test_a_stranger_creates_nothing_in_our_account(world: World) -> None:
    assert (await world.refusal(STRANGER, "create_campaign", account_id=US, **NEW)).code == "not_found"
    assert (await world.refusal(STRANGER, "create_campaign", **NEW)).code == "invalid_arguments"


async def test_creating_takes_its_scope(world: World) -> None:
    error = await world.refusal(VIEWER, "create_campaign", account_id=US, **NEW)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:write")


@promise("dev.campaigns.create.paused")
async def test_a_campaign_is_created_paused_unless_told_otherwise(world: World) -> None:
    approval = await world.propose(AGENT, "create_campaign", account_id=US, **NEW)
    assert {change["field"]: change["after"] for change in approval["plan"]["changes"]} == {
        "name": "Spring", "objective": "sales", "daily_budget": 30, "status": "PAUSED", "special_ad_categories": [],
    }  # fmt: skip
    assert all(change["before"] is None for change in approval["plan"]["changes"])
    assert await world.writes_seen() == []

    result = (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert (result["name"], result["status"], result["daily_budget"], result["currency"]) == (
        "Spring",
        "PAUSED",
        30,
        "USD",
    )
    assert await world.campaign(campaign_id=result["campaign_id"]) == result
    (write,) = await world.writes_seen()
    assert (write["params"]["daily_budget"], write["params"]["status"]) == ("3000", "PAUSED")


@pytest.mark.parametrize("objective", ["sales", "leads", "traffic", "awareness", "engagement", "app_promotion"])
async def test_every_objective_is_one_of_the_platforms(world: World, objective: str) -> None:
    made = await world.call(DIRECT_KEY, "create_campaign", account_id=US, **(NEW | {"objective": objective}))

    assert made["objective"] == objective


async def test_special_ad_categories_are_a_statement_that_the_plan_shows(world: World) -> None:
    approval = await world.propose(AGENT, "create_campaign", account_id=US, special_ad_categories=["HOUSING"], **NEW)

    assert {
        "target": f"new campaign in {US}",
        "field": "special_ad_categories",
        "before": None,
        "after": ["HOUSING"],
    } in (approval["plan"]["changes"])
    await world.call(OWNER, "approve", approval_id=approval["id"])
    (write,) = await world.writes_seen()
    assert "HOUSING" in write["params"]["special_ad_categories"]


async def test_among_several_accounts_one_has_to_be_named(world: World) -> None:
    error = await world.refusal(AGENT, "create_campaign", **NEW)

    assert (error.code, len(error.details["choices"])) == ("invalid_arguments", 3)


@promise("dev.campaigns.create")
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"objective": "fame"}, "objective"),
        ({"name": ""}, "name"),
        ({"name": "n" * 251}, "name"),
        ({"status": "ARCHIVED"}, "status"),
        ({"daily_budget": 0}, "daily_budget"),
        ({"daily_budget": "30"}, "daily_budget"),
        ({"daily_budget": 30.005}, "daily_budget"),
        ({"account_id": JP, "daily_budget": 3000.5}, "daily_budget"),
        ({"special_ad_categories": ["FUN"]}, "special_ad_categories.0"),
        ({"special_ad_categories": "HOUSING"}, "special_ad_categories"),
    ],
)
async def test_what_no_campaign_can_be_is_refused_naming_the_field(
    world: World, sent: dict[str, Any], field: str
) -> None:
    error = await world.refusal(AGENT, "create_campaign", **({"account_id": US} | NEW | sent))

    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert [problem["field"] for problem in error.details["problems"]] == [field]
    assert (await world.call(OWNER, "list_approvals"))["items"] == []


async def test_yen_have_no_decimals(world: World) -> None:
    made = await world.call(DIRECT_KEY, "create_campaign", account_id=JP, **(NEW | {"daily_budget": 3000}))

    assert (made["daily_budget"], made["currency"]) == (3000, "JPY")
    (write,) = await world.writes_seen()
    assert write["params"]["daily_budget"] == "3000"


async def test_what_the_platform_would_refuse_is_refused_while_proposing(world: World) -> None:
    error = await world.refusal(AGENT, "create_campaign", account_id=US, **(NEW | {"daily_budget": 0.5}))

    assert (error.code, error.status) == ("platform_error", 424)
    assert error.fix
    assert (await world.call(OWNER, "list_approvals"))["items"] == []


async def test_proposing_the_same_campaign_twice_creates_one(world: World) -> None:
    first = await world.propose(AGENT, "create_campaign", account_id=US, **NEW)
    assert (await world.propose(AGENT, "create_campaign", account_id=US, **NEW))["id"] == first["id"]

    await world.call(OWNER, "approve", approval_id=first["id"])

    assert len([row for row in await world.campaigns() if row["name"] == "Spring"]) == 1


GOOGLE = "4210007011"


def fields_of(approval: dict[str, Any]) -> dict[str, Any]:
    return {change["field"]: change["after"] for change in approval["plan"]["changes"]}


async def test_on_google_the_political_statement_is_asked_for_and_shown(both: World) -> None:
    error = await both.refusal(AGENT, "create_campaign", account_id=GOOGLE, **NEW)
    approval = await both.propose(AGENT, "create_campaign", account_id=GOOGLE, eu_political_ads=False, **NEW)
    result = (await both.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "eu_political_ads")
    assert fields_of(approval) == {
        "name": "Spring", "objective": "sales", "daily_budget": 30, "status": "PAUSED", "eu_political_ads": False,
    }  # fmt: skip
    assert (result["platform"], result["status"], result["objective"], result["daily_budget"]) == (
        "google", "PAUSED", "sales", 30,
    )  # fmt: skip
    assert "budget_shared" not in result


@pytest.mark.parametrize(
    ("account", "sent", "field"),
    [
        (GOOGLE, {"eu_political_ads": False, "special_ad_categories": ["HOUSING"]}, "special_ad_categories"),
        (GOOGLE, {"eu_political_ads": "no"}, "eu_political_ads"),
        (GOOGLE, {"eu_political_ads": False, "objective": "engagement"}, "objective"),
        (US, {"eu_political_ads": False}, "eu_political_ads"),
        (US, {"start_date": "2026-11-18"}, "start_date"),
        (US, {"start_date": "tomorrow"}, "start_date"),
    ],
)
async def test_what_a_platform_does_not_take_is_named(
    both: World, account: str, sent: dict[str, Any], field: str
) -> None:
    error = await both.refusal(OWNER, "create_campaign", account_id=account, **(NEW | sent))

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", field)
    assert error.fix
    assert await both.writes_seen() == []


@pytest.mark.parametrize(("account", "statement"), [(US, {}), (GOOGLE, {"eu_political_ads": False})])
async def test_a_start_is_a_day_where_the_account_is(both: World, account: str, statement: dict[str, Any]) -> None:
    new = NEW | statement | {"account_id": account, "start_date": "2026-12-01"}

    approval = await both.propose(AGENT, "create_campaign", **new)
    made = (await both.call(OWNER, "approve", approval_id=approval["id"]))["result"]

    assert fields_of(approval)["start_date"] == "2026-12-01"
    assert made["start_date"] == "2026-12-01"


async def test_today_is_over_sooner_where_the_sun_rises_first(world: World) -> None:
    world.clock.pass_by(hours=4)  # the 20th at 16:00 UTC is the 21st in Tokyo

    late = await world.refusal(OWNER, "create_campaign", account_id=JP, start_date="2026-11-20", **NEW)
    right = await world.propose(
        AGENT, "create_campaign", account_id=JP, start_date="2026-11-21", **(NEW | {"daily_budget": 3000})
    )

    assert "2026-11-21 where the account is" in late.message
    assert fields_of(right)["start_date"] == "2026-11-21"


async def test_a_lost_answer_on_google_creates_once(both: World) -> None:
    await both.break_next("lost_answer", target="google:write")

    created = await both.call(OWNER, "create_campaign", account_id=GOOGLE, eu_political_ads=False, **NEW)

    assert created["name"] == "Spring"
    assert len([row for row in await both.campaigns() if row["name"] == "Spring"]) == 1
