"""What a plan includes a month, and the answer beyond it."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from tests.promises import promise
from tests.tools.outside import full_disk
from tests.world import OWNER, STRANGER, World, principal
from tools.authority import Role
from tools.errors import QuotaExceeded, RateLimited, Unavailable
from tools.quota import TIERS, Meter, held, period_of, settled
from tools.store.tables import usage_counters, workspaces
from tools.store.tenant import Rows

FREE = TIERS["free"].chat_turns or 0


async def used_up_to(world: World, turns: int) -> None:
    rows = Rows(world.store, "wsp_north")
    await world.store.write(
        lambda tx: tx.run(rows.upsert(usage_counters, {"meter": Meter.CHAT_TURNS, "period": "2026-11", "used": turns}))
    )


async def on_plan(world: World, plan: str) -> None:
    rows = Rows(world.store, "wsp_north")
    await world.store.write(lambda tx: tx.run(rows.update(workspaces).values(plan=plan)))


@promise("dev.errors.402.upsellUrl")
async def test_beyond_the_months_turns_the_answer_says_where_to_get_more(world: World) -> None:
    await used_up_to(world, FREE - 1)
    await world.door.admit_chat_turn(world.context(OWNER))

    with pytest.raises(QuotaExceeded) as refused:
        await world.door.admit_chat_turn(world.context(OWNER))

    body = refused.value.body("req_1")
    assert (refused.value.status, body["code"]) == (402, "quota_exceeded")
    assert body["upsellUrl"] == "http://adwright.test/pricing"
    assert body["details"] == {"meter": "chat_turns", "limit": FREE, "period": "2026-11"}
    assert body["fix"]


async def test_the_next_month_begins_anew(world: World) -> None:
    await used_up_to(world, FREE)
    world.clock.now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)

    await world.door.admit_chat_turn(world.context(OWNER))


async def test_of_two_racing_for_the_last_turn_one_is_admitted(world: World) -> None:
    await used_up_to(world, FREE - 1)

    outcomes = await asyncio.gather(
        *(world.door.admit_chat_turn(world.context(principal(role))) for role in (Role.OWNER, Role.MEMBER)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes if outcome] == [QuotaExceeded]


async def test_a_workspace_uses_up_its_own_turns_only(world: World) -> None:
    await used_up_to(world, FREE)

    await world.door.admit_chat_turn(world.context(STRANGER))


@pytest.mark.parametrize(("plan", "admitted"), [("starter", True), ("scale", True), ("no such plan", False)])
async def test_a_larger_plan_has_more_turns(world: World, plan: str, admitted: bool) -> None:
    await used_up_to(world, FREE)
    await on_plan(world, plan)

    if admitted:
        await world.door.admit_chat_turn(world.context(OWNER))
    else:
        with pytest.raises(QuotaExceeded):
            await world.door.admit_chat_turn(world.context(OWNER))


async def test_turns_are_counted_by_the_minute_too(world: World) -> None:
    await on_plan(world, "scale")
    for _ in range(20):
        await world.door.admit_chat_turn(world.context(OWNER))

    with pytest.raises(RateLimited) as refused:
        await world.door.admit_chat_turn(world.context(OWNER))

    assert refused.value.details["limit"] == "chat"


async def test_without_a_store_no_turn_is_admitted(world: World) -> None:
    with full_disk(world.store), pytest.raises(Unavailable):
        await world.door.admit_chat_turn(world.context(OWNER))


async def test_of_calls_made_at_the_same_time_those_are_held_that_fit_together(world: World) -> None:
    context, cent = world.context(OWNER), Decimal("0.01")

    async def calling(budget: Decimal) -> bool:
        return await world.store.write(lambda tx: held(tx, context, cent, room=2 * cent, budget=budget))

    taken = await asyncio.gather(*(calling(Decimal("0.05")) for _ in range(8)))
    assert sum(taken) == 4, "the last has no room beside it"
    assert await world.store.write(settled(context, "2026-11", cent, Decimal("0.0000001")))

    assert await calling(Decimal("0.06"))
    assert not await calling(Decimal("0.06"))
    rows = context.rows
    (counter,) = await rows.all(rows.select(usage_counters))
    assert (counter.meter, counter.period, counter.used) == ("chat_spend", "2026-11", 40_001)


def test_months_are_those_of_utc() -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert period_of(dt.datetime(2026, 12, 1, 8, 59, tzinfo=tokyo)) == "2026-11"
