"""Who was told to wait waits: nothing is sent to that connection before, and the caller learns whose limit it is."""

import asyncio

import pytest

from tests.tools.outside import HeldWrite, at_the_platform
from tests.world import AGENT, DIRECT_KEY, OWNER, VIEWER, World

LEADS = "12023100010000005"
US = "act_702114450310001"


async def calls(world: World, platform: str) -> int:
    seen = (await world.sandbox.get("/log", params={"kind": "all"})).json()
    return len([each for each in seen if each["platform"] == platform])


@pytest.mark.parametrize(("platform", "target"), [("meta", "meta"), ("google", "google:search")])
async def test_a_platform_that_said_wait_is_not_called_before(both: World, platform: str, target: str) -> None:
    await both.break_next("throttled", target=target, times=99)
    first = await both.refusal(VIEWER, "list_campaigns", platform=platform)
    await both.sandbox.delete("/faults")
    before = await calls(both, platform)

    again = await both.refusal(VIEWER, "list_campaigns", platform=platform)

    assert (first.code, first.details["source"], first.details["platform"]) == ("rate_limited", "upstream", platform)
    assert (again.code, again.status, again.details["source"]) == ("rate_limited", 429, "upstream")
    assert again.details["platform"] == platform
    assert again.retry_after is not None
    assert 0 < again.retry_after <= (first.retry_after or 0)
    assert again.connection_id
    assert await calls(both, platform) == before

    both.clock.pass_by(seconds=again.retry_after)
    assert (await both.call(VIEWER, "list_campaigns", platform=platform))["items"]


async def test_other_connections_go_on(both: World) -> None:
    await both.break_next("throttled", target="meta", times=99)
    await both.refusal(VIEWER, "list_campaigns", platform="meta")

    answer = await both.call(VIEWER, "list_campaigns")

    assert {row["platform"] for row in answer["items"]} == {"google"}
    assert {gap["code"] for gap in answer["gaps"]} == {"rate_limited"}


async def test_a_change_meanwhile_is_not_sent_and_says_so(world: World) -> None:
    approval = await world.propose(AGENT, "update_campaign", campaign_id=LEADS, name="New")
    await world.break_next("throttled", target="meta:GET", times=9)
    await world.refusal(VIEWER, "list_campaigns")
    await world.sandbox.delete("/faults")
    before = await calls(world, "meta")

    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert (answered["status"], answered["error"]["code"]) == ("failed", "rate_limited")
    assert answered["error"]["details"]["outcome"] == "not_sent"
    assert await calls(world, "meta") == before


async def test_a_limit_on_one_budget_is_none_on_asking(world: World) -> None:
    for budget in ("4100", "4200", "4300", "4400"):
        await at_the_platform(world, LEADS, daily_budget=budget)

    error = await world.refusal(DIRECT_KEY, "update_campaign", campaign_id=LEADS, daily_budget=45)

    assert (error.code, error.details["source"]) == ("rate_limited", "upstream")
    assert await world.call(VIEWER, "list_campaigns", account_id=US)


async def test_what_was_sent_is_read_back_though_the_platform_said_wait(world: World) -> None:
    approval = await world.propose(AGENT, "update_campaign", campaign_id=LEADS, name="New")
    held = HeldWrite(world)
    call = asyncio.create_task(world.call(OWNER, "approve", approval_id=approval["id"]))
    await asyncio.wait_for(held.reached.wait(), 10)
    await world.break_next("throttled", target="meta:campaigns", times=9)
    await world.refusal(VIEWER, "list_campaigns")
    await world.break_next("lost_answer", target="meta:write")
    held.go.set()

    answered = await call

    assert (answered["status"], answered["result"]["name"]) == ("done", "New")
    assert len(await world.writes_seen()) == 1
