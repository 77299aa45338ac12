"""Which connection, account and campaign a call means."""

import pytest

from tests.promises import promise
from tests.tools.outside import at_the_platform
from tests.world import AGENT, KEYS, OWNER, STRANGER, World
from tools.errors import CapabilityError
from tools.fields import Platform
from tools.store.sealing import KeyRing, generate_key
from tools.store.tables import campaign_index
from tools.targets import all_connections, find_campaign, one_target, targets

LEADS = "Leads | Size guide download"


async def connection_id(world: World, which: int = 0) -> str:
    return str((await world.call(OWNER, "list_connections"))["items"][which]["id"])


async def connect_again(world: World) -> str:
    token = (await world.sandbox.get("/")).json()["meta"]["access_token"]
    world.clock.pass_by(seconds=1)
    made = await world.call(OWNER, "create_connection", platform="meta", access_token=token, name="Agency")
    return str(made["id"])


async def test_a_workspaces_targets_are_its_own(world: World) -> None:
    ours, theirs = world.context(OWNER), world.context(STRANGER)

    assert [target.account.currency for target in await targets(ours)] == ["USD", "EUR", "JPY"]
    assert await targets(theirs) == ()
    with pytest.raises(CapabilityError, match="There is no connection"):
        await targets(theirs, connection_id=await connection_id(world))
    with pytest.raises(CapabilityError, match="There is no account"):
        await targets(theirs, account_id="act_702114450310001")


async def test_one_account_is_implied_and_several_are_the_callers_choice(world: World) -> None:
    context = world.context(OWNER)

    with pytest.raises(CapabilityError) as several:
        await one_target(context, platform=None, connection_id=None, account_id=None)
    one = await one_target(context, platform=None, connection_id=None, account_id="act_702114450310003")

    choices = several.value.details["choices"]
    assert (several.value.code, several.value.status) == ("invalid_arguments", 422)
    assert [choice["currency"] for choice in choices] == ["USD", "EUR", "JPY"]
    assert {choice["connectionId"] for choice in choices} == {await connection_id(world)}
    assert several.value.details["problems"] == [{"field": "account_id", "problem": "several accounts fit"}]
    assert one.account.currency == "JPY"


async def test_without_a_connection_the_way_to_one_is_named(world: World) -> None:
    with pytest.raises(CapabilityError) as none:
        await one_target(world.context(STRANGER), platform=None, connection_id=None, account_id=None)

    assert none.value.code == "invalid_arguments"
    assert "create_connection" in none.value.fix


async def test_a_platform_nobody_connected_has_no_targets(world: World) -> None:
    assert await targets(world.context(OWNER), platform=Platform.GOOGLE) == ()


async def test_a_campaign_is_found_by_its_bare_id_and_then_remembered(world: World) -> None:
    campaign = (await world.call(OWNER, "list_campaigns", limit=1))["items"][0]["campaign_id"]
    target, state = await find_campaign(world.context(OWNER), campaign)

    assert (target.account.account_id, state.campaign_id) == (state.account_id, campaign)
    context = world.context(OWNER)
    (row,) = await context.rows.all(context.rows.select(campaign_index).where(campaign_index.c.campaign_id == campaign))
    assert row.connection_id == target.connection.id


async def test_a_campaign_nobody_listed_yet_is_found_by_asking(world: World) -> None:
    created = await at_the_platform(
        world, "act_702114450310001/campaigns", name="New", objective="OUTCOME_SALES", status="PAUSED",
        special_ad_categories=[], daily_budget="5000",
    )  # fmt: skip

    _, state = await find_campaign(world.context(OWNER), created["id"])

    assert state.name == "New"


@pytest.mark.parametrize("campaign", ["1", "act_702114450310001", "no.number", "12023100010000099"])
async def test_a_campaign_that_is_not_there_is_not_found(world: World, campaign: str) -> None:
    with pytest.raises(CapabilityError) as missing:
        await find_campaign(world.context(OWNER), campaign)

    assert (missing.value.code, missing.value.status) == ("not_found", 404)
    assert "list_campaigns" in missing.value.fix


async def test_a_strangers_campaign_is_not_there(world: World) -> None:
    campaign = (await world.campaign(name=LEADS))["campaign_id"]

    with pytest.raises(CapabilityError) as missing:
        await find_campaign(world.context(STRANGER), campaign)

    assert missing.value.code == "not_found"


async def test_an_account_connected_twice_needs_its_connection_named(world: World) -> None:
    second = await connect_again(world)
    campaign = (await world.campaign(name=LEADS))["campaign_id"]

    error = await world.refusal(AGENT, "update_campaign", campaign_id=campaign, daily_budget=44)
    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "connectionId")
    assert [choice["name"] for choice in error.details["choices"]] == ["Northwind", "Agency"]

    named = await world.propose(AGENT, "update_campaign", campaign_id=campaign, daily_budget=44, connectionId=second)
    assert named["plan"]["evidence"]["connection"] == "Agency"


async def test_connections_are_listed_oldest_first_and_not_once_deleted(world: World) -> None:
    first, second = await connection_id(world), await connect_again(world)
    context = world.context(OWNER)
    assert [connection.id for connection in await all_connections(context)] == [first, second]

    await world.call(OWNER, "delete_connection", connectionId=first)

    assert [connection.id for connection in await all_connections(context)] == [second]
    with pytest.raises(CapabilityError, match="There is no connection"):
        await all_connections(context, connection_id=first)


async def test_a_platform_out_of_reach_is_not_a_missing_campaign(world: World) -> None:
    campaign = (await world.campaign(name=LEADS))["campaign_id"]
    await world.break_next("html", target="meta:GET", times=3)

    error = await world.refusal(AGENT, "update_campaign", campaign_id=campaign, name="New")

    assert (error.code, error.status) == ("platform_error", 424)


def lose_the_key(world: World) -> None:
    """The process starts anew with another key than the one it sealed with."""
    assert KEYS
    object.__setattr__(world.door._services, "keyring", KeyRing.parse(generate_key("k2")))


@promise("dev.errors.422.credentials_unreadable")
async def test_credentials_that_cannot_be_opened_say_which_connection_it_is(world: World) -> None:
    connection = await connection_id(world)
    lose_the_key(world)

    for name in ("list_campaigns", "get_insights"):
        error = await world.refusal(OWNER, name)
        assert (error.code, error.status) == ("credentials_unreadable", 422)
        assert error.body("req_1")["connectionId"] == connection
        assert "/integrations" in error.fix
