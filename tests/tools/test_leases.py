"""Of several processes on one database one settles each thing, also where one of them stops in the middle."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.app import create_app as create_sandbox
from tests.tools.outside import HeldWrite
from tests.world import AGENT, DIRECT_KEY, NOON, OWNER, Clock, World, open_world
from tools.errors import CapabilityError
from tools.leases import LASTS
from tools.recovery import Recovered, recover
from tools.store.audit import verify

pytestmark = pytest.mark.postgresql

Processes = list[World]


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Four of them, with their own clocks, and the one platform."""
    sandbox = create_sandbox(now=Clock())
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_world(tmp_path, sandbox=sandbox)) for _ in range(4)]


async def proposal(world: World) -> dict[str, Any]:
    campaign = await world.campaign(name="Leads | Size guide download")
    return await world.propose(AGENT, "update_campaign", campaign_id=campaign["campaign_id"], daily_budget=44)


async def approve(world: World, approval: dict[str, Any]) -> str:
    try:
        return str((await world.call(OWNER, "approve", approval_id=approval["id"]))["status"])
    except CapabilityError as error:
        return error.code


async def seen_by(world: World, approval: dict[str, Any]) -> str:
    return str((await world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"])


async def test_of_eight_approvals_over_four_processes_one_is_applied(processes: Processes) -> None:
    approval = await proposal(processes[0])

    outcomes = await asyncio.gather(*(approve(world, approval) for world in processes * 2))

    assert sorted(outcomes) == ["already_decided"] * 7 + ["done"]
    assert len(await processes[0].writes_seen()) == 1
    assert {await seen_by(world, approval) for world in processes} == {"done"}


async def test_eight_wishes_over_four_processes_are_one_proposal(processes: Processes) -> None:
    made = await asyncio.gather(*(proposal(world) for world in processes * 2))

    assert len({approval["id"] for approval in made}) == 1


async def test_what_a_process_holds_no_other_recovers_until_its_lease_lapsed(processes: Processes) -> None:
    alive, other, third, _ = processes
    approval = await proposal(alive)
    held = HeldWrite(alive)
    applying = asyncio.create_task(approve(alive, approval))
    await asyncio.wait_for(held.reached.wait(), 10)

    assert await recover(other.door, other.store, other.audit) == Recovered(0, 0)
    later = Clock(NOON + LASTS)
    await alive.door.leases.renew(alive.store, later.milliseconds())
    for world in (other, third):
        world.clock.now = later.now
    assert await recover(other.door, other.store, other.audit) == Recovered(0, 0)

    other.clock.pass_by(seconds=LASTS.total_seconds())
    third.clock.pass_by(seconds=LASTS.total_seconds())
    recovered = await asyncio.gather(*(recover(world.door, world.store, world.audit) for world in (other, third)))
    assert sorted((each.writes, each.approvals) for each in recovered) in ([(0, 0), (1, 1)], [(0, 1), (1, 0)])
    assert await seen_by(other, approval) == "unknown"

    held.go.set()  # it was only slow: what it did is told as it was seen, and told once
    assert await applying == "unavailable"
    assert await seen_by(alive, approval) == "unknown"
    assert len(await alive.writes_seen()) == 1
    changed = [row for row in await alive.audit_rows() if row["action"] == "update_campaign" and row["approval_id"]]
    # Each process writes its rows when it comes to it, the proposal's perhaps last.
    assert sorted(row["status"] for row in changed) == ["confirm_required", "unknown"]
    assert (await verify(alive.store, "wsp_north")).ok


async def test_a_process_that_was_taken_for_dead_sends_nothing_any_more(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, other, *_ = processes
    approval = await proposal(stopped)
    reached, go = asyncio.Event(), asyncio.Event()
    plan = stopped.capability("update_campaign").plan
    assert plan is not None

    async def paused(*arguments: Any) -> Any:
        reached.set()
        await go.wait()
        return await plan(*arguments)

    monkeypatch.setattr(stopped.door.gate._applying, "_registry", _Replanned(stopped, paused))
    applying = asyncio.create_task(approve(stopped, approval))
    await asyncio.wait_for(reached.wait(), 10)
    other.clock.pass_by(seconds=LASTS.total_seconds())

    assert await recover(other.door, other.store, other.audit) == Recovered(0, 1)
    go.set()

    assert await applying == "unavailable"
    assert await seen_by(other, approval) == "failed"
    assert await other.writes_seen() == []


class _Replanned:
    """The registry with one plan that a paused process takes its time over."""

    def __init__(self, world: World, plan: Any) -> None:
        self._world, self._plan = world, plan

    def __getitem__(self, name: str) -> Any:
        from dataclasses import replace  # noqa: PLC0415 - only here

        return replace(self._world.capability(name), plan=self._plan)


async def test_a_direct_write_is_told_by_the_process_that_made_it(processes: Processes) -> None:
    maker, other, *_ = processes
    campaign = await maker.campaign(name="Leads | Size guide download")

    await asyncio.gather(
        maker.call(DIRECT_KEY, "update_campaign", campaign_id=campaign["campaign_id"], name="New"),
        *(recover(other.door, other.store, other.audit) for _ in range(5)),
    )
    other.clock.pass_by(seconds=2 * LASTS.total_seconds())
    await recover(other.door, other.store, other.audit)

    told = [row["status"] for row in await other.audit_rows() if row["action"] == "update_campaign"]
    assert told == ["ok"]
