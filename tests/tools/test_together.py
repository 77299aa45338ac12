"""Many accounts at once: bounded, in order, and nothing that fails goes unnamed."""

import asyncio

import pytest

from tests.world import OWNER, World
from tools import together
from tools.errors import CapabilityError, NotFound, PlatformFailure, ReauthRequired
from tools.ports import Account
from tools.targets import Target, targets


async def many(world: World, count: int) -> list[Target]:
    (target, *_) = await targets(world.context(OWNER))
    return [
        Target(target.connection, Account(f"act_{n}", f"No. {n}", "USD", "UTC"), target.port, target.unseal)
        for n in range(count)
    ]


async def test_answers_come_in_order_and_only_so_many_are_asked_at_once(world: World) -> None:
    asking, most = 0, 0
    told: list[str] = []

    async def ask(target: Target) -> str:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        for _ in range(7 if target.account.account_id.endswith("3") else 1):  # some take longer than those behind them
            await asyncio.sleep(0)
        asking -= 1
        return target.account.account_id

    def take(target: Target, answer: str | CapabilityError) -> bool:
        assert answer == target.account.account_id
        told.append(target.account.account_id)
        return True

    await together.each(world.context(OWNER), await many(world, 20), ask, take)

    assert told == [f"act_{n}" for n in range(20)]
    assert most == together.AT_ONCE


async def test_who_has_enough_asks_no_more_and_waits_for_those_under_way(world: World) -> None:
    ended: list[str] = []

    async def ask(target: Target) -> None:
        await asyncio.sleep(0)
        ended.append(target.account.account_id)

    await together.each(world.context(OWNER), await many(world, 20), ask, lambda *_: False)

    assert len(ended) == together.AT_ONCE


@pytest.mark.parametrize("leave", ["cancelled", "broken"])
async def test_who_leaves_takes_those_under_way_along(world: World, leave: str) -> None:
    under_way: list[asyncio.Task[object] | None] = []
    started = asyncio.Event()

    async def ask(target: Target) -> None:
        if leave == "broken" and target.account.account_id == "act_0":
            raise ValueError("a defect")
        under_way.append(asyncio.current_task())
        started.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(together.each(world.context(OWNER), await many(world, 9), ask, lambda *_: True))
    await asyncio.wait_for(started.wait(), 10)
    if leave == "cancelled":
        call.cancel()
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await call
    await asyncio.wait([task for task in under_way if task], timeout=10)

    assert under_way
    assert all(task is not None and task.cancelled() for task in under_way)


async def test_gaps_name_each_account_and_a_connection_that_is_out_once(world: World) -> None:
    one, two = await many(world, 2)
    late = PlatformFailure("Meta did not answer in time.", fix="Try again.")
    expired = ReauthRequired("Expired.", fix="Connect again.")
    gone = NotFound("No such account.", fix="Look at list_connections.")

    found = together.gaps([(one, late), (two, late), (one, expired), (two, expired), (two, gone)])

    assert [(gap.account_id, gap.code, gap.fix) for gap in found] == [
        ("act_0", "platform_error", "Try again."),
        ("act_1", "platform_error", "Try again."),
        (None, "reauth_required", "Connect again."),
        ("act_1", "not_found", "Look at list_connections."),
    ]
