"""Processes that die anywhere in a write, and what the next one makes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.app import create_app as create_sandbox
from tests.tools.outside import HeldWrite, Mortal
from tests.world import AGENT, DIRECT_KEY, NOON, OWNER, Clock, World, open_world
from tools.approval import ApprovalStatus
from tools.errors import CapabilityError
from tools.fields import Platform
from tools.journal import Write, WriteStatus, intend
from tools.leases import LASTS
from tools.plan import Operation
from tools.ports import Credential
from tools.recovery import IN_TRANSIT, Recovered, recover, unsettled
from tools.store.audit import verify
from tools.store.tables import approvals, platform_writes
from tools.store.tenant import Rows

LEADS = "Leads | Size guide download"
LONG_ENOUGH = 60
"""More steps than any of the writes below has."""

Doing = Callable[[World], Awaitable[object]]


async def approved(world: World) -> object:
    return await world.call(OWNER, "approve", approval_id=(await pending(world))["id"])


async def pending(world: World) -> dict[str, Any]:
    """The one proposal of this world, made before anything dies."""
    (approval,) = (await world.call(OWNER, "list_approvals"))["items"]
    return dict(approval)


async def update(world: World) -> dict[str, Any]:
    campaign = await world.campaign(name=LEADS)
    return {"campaign_id": campaign["campaign_id"], "daily_budget": 44}


async def creation(world: World) -> dict[str, Any]:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    account = connection["accounts"][0]["account_id"]
    return {"account_id": account, "name": "Spring", "objective": "sales", "daily_budget": 30}


async def archiving(world: World) -> dict[str, Any]:
    campaign = await world.campaign(name=LEADS)
    return {"campaign_id": campaign["campaign_id"], "mode": "archive"}


WRITES = {"update_campaign": update, "create_campaign": creation, "delete_campaign": archiving}


async def lives(path: Path, sandbox: Any, name: str, steps: int, *, last: str | None = None) -> list[str]:
    """Propose, then agree in a process that dies after so many steps, or after `last`; answers the steps it lived."""
    async with open_world(path, sandbox=sandbox) as world:
        await world.propose(AGENT, name, **await WRITES[name](world))
        await world.audit.flush()  # which it else does by the clock, in mid-count
        mortal = Mortal(world, steps, last=last)
        await asyncio.gather(approved(world), return_exceptions=True)
        return mortal.trace


def released() -> Clock:
    """A clock by which another process may take up what the one before it held, while it may still arrive."""
    return Clock(NOON + LASTS)


def landed() -> Clock:
    """When nothing that was sent at noon can still be on its way."""
    return Clock(NOON + IN_TRANSIT)


@pytest.mark.parametrize("name", WRITES)
async def test_wherever_a_process_dies_its_write_happens_at_most_once_and_is_told(tmp_path: Path, name: str) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    steps = len(await lives(whole, create_sandbox(now=Clock()), name, LONG_ENOUGH))
    assert steps > 8
    verdicts = []
    for step in range(1, steps + 1):
        path, sandbox = tmp_path / str(step), create_sandbox(now=Clock())
        path.mkdir()
        await lives(path, sandbox, name, step)
        async with open_world(path, sandbox=sandbox, clock=landed()) as world:
            await recover(world.door, world.store, world.audit)

            verdicts.append((await pending(world))["status"])
            await judged(world, name)
            again = await world.refusal(OWNER, "approve", approval_id=(await pending(world))["id"])
            if verdicts[-1] != "pending":
                assert again.code == "already_decided"

    assert verdicts[0] == "pending"
    assert verdicts[-1] == "done"
    assert set(verdicts) == {"pending", "failed", "done"}


async def judged(world: World, name: str) -> None:
    approval, sent = await pending(world), await world.writes_seen()
    assert len(sent) <= 1
    told = [
        row for row in await world.audit_rows()
        if (row["action"], row["approval_id"]) == (name, approval["id"]) and row["status"] != "confirm_required"
    ]  # fmt: skip
    if approval["status"] == "pending":
        assert (sent, told) == ([], [])
        await world.call(OWNER, "deny", approval_id=approval["id"])
    else:
        assert len(told) == 1
        assert (approval["status"] == "done") == bool(sent)
        assert (told[0]["status"] == "ok") == bool(sent)
    assert (await verify(world.store, "wsp_north")).ok


BULK = {"since": "2026-11-01", "until": "2026-11-15", "roas_below": 1.5, "min_spend": 2000}
"""Three campaigns: two of one account, which go in one request, and one of another."""


async def test_wherever_a_process_dies_each_of_many_changes_happens_at_most_once_and_is_told(tmp_path: Path) -> None:
    verdicts, made = [], []
    for step in range(1, LONG_ENOUGH):
        path, sandbox = tmp_path / str(step), create_sandbox(now=Clock())
        path.mkdir()
        async with open_world(path, sandbox=sandbox) as world:
            await world.propose(AGENT, "pause_low_roas_campaigns", **BULK)
            await world.audit.flush()  # which it else does by the clock, in mid-count
            mortal = Mortal(world, step)
            await asyncio.gather(approved(world), return_exceptions=True)
        async with open_world(path, sandbox=sandbox, clock=landed()) as world:
            await recover(world.door, world.store, world.audit)

            sent = [each["path"].split("/")[-1] for each in await world.writes_seen()]
            assert len(sent) == len(set(sent)), mortal.trace
            changes = (await world.call(OWNER, "list_changes"))["items"]
            assert {row["campaign_id"] for row in changes if row["status"] == "done"} == set(sent), mortal.trace
            assert {row["status"] for row in changes} <= {"done", "failed"}
            approval = await pending(world)
            verdicts.append(approval["status"])
            made.append(len(sent))
            assert (approval["status"] == "done") == (len(sent) == len(WASTE)), mortal.trace
            assert approval["status"] != "pending" or not changes
            await told_once(world, approval)
        if not mortal.dead:
            break

    assert (verdicts[0], verdicts[-1]) == ("pending", "done")
    assert set(verdicts) == {"pending", "failed", "done"}
    assert set(made) == {0, 1, 3} or set(made) == {0, 2, 3}  # a request is the step that cannot be cut in two


WASTE = ("12023100010000004", "12023100030000004", "12023100030000005")


async def told_once(world: World, approval: dict[str, Any]) -> None:
    told = [
        row["status"] for row in await world.audit_rows()
        if row["approval_id"] == approval["id"] and row["action"] == approval["capability"]
        and row["status"] != "confirm_required"
    ]  # fmt: skip
    expected = {"pending": [], "done": ["ok"]}.get(approval["status"], [approval["status"]])
    assert told == expected
    assert (await verify(world.store, "wsp_north")).ok


async def test_many_changes_that_may_still_arrive_are_not_said_to_have_failed(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    async with open_world(tmp_path, sandbox=sandbox) as world:
        await world.propose(AGENT, "pause_low_roas_campaigns", **BULK)
        Mortal(world, LONG_ENOUGH, last="before POST")
        await asyncio.gather(approved(world), return_exceptions=True)
    async with open_world(tmp_path, sandbox=sandbox, clock=released()) as world:
        await recover(world.door, world.store, world.audit)

        assert (await pending(world))["status"] == "unknown"
        assert {row["status"] for row in (await world.call(OWNER, "list_changes"))["items"]} == {"unknown"}
        assert await world.writes_seen() == []


async def test_a_write_nobody_had_to_agree_to_is_told_too_wherever_the_process_dies(tmp_path: Path) -> None:
    for step in range(1, LONG_ENOUGH):
        path, sandbox = tmp_path / str(step), create_sandbox(now=Clock())
        path.mkdir()
        async with open_world(path, sandbox=sandbox) as world:
            arguments = await update(world)
            await world.audit.flush()  # which it else does by the clock, in mid-count
            mortal = Mortal(world, step)
            await asyncio.gather(world.call(DIRECT_KEY, "update_campaign", **arguments), return_exceptions=True)
            if not mortal.dead:
                return
        async with open_world(path, sandbox=sandbox, clock=landed()) as world:
            await recover(world.door, world.store, world.audit)
            await recover(world.door, world.store, world.audit)

            rows = await world.audit_rows()
            told = [row["status"] for row in rows if row["action"] == "update_campaign"]
            changes = (await world.call(OWNER, "list_changes"))["items"]
            sent = await world.writes_seen()
            assert [change["status"] for change in changes] in ([], ["failed"] if not sent else ["done"])
            assert told == ["ok"] * len(sent) or (told in ([], ["failed"]) and not sent), mortal.trace
    raise AssertionError("the write never ended")


async def test_recovery_leaves_alone_what_this_process_is_about_to_settle(world: World) -> None:
    approval = await world.propose(AGENT, "update_campaign", **await update(world))
    held = HeldWrite(world)
    call = asyncio.create_task(world.call(OWNER, "approve", approval_id=approval["id"]))
    await asyncio.wait_for(held.reached.wait(), 10)

    assert await unsettled(world.store, world.clock.milliseconds())
    assert await recover(world.door, world.store, world.audit) == Recovered(0, 0)

    held.go.set()
    assert (await call)["status"] == "done"
    assert not await unsettled(world.store, world.clock.milliseconds())


async def test_what_cannot_be_read_back_is_unknown_and_said_so(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    await lives(tmp_path, sandbox, "update_campaign", LONG_ENOUGH, last="after POST")
    async with open_world(tmp_path, sandbox=sandbox, clock=released()) as world:
        await world.break_next("cut", target="meta:GET", times=3)

        await recover(world.door, world.store, world.audit)

        approval = await pending(world)
        assert (approval["status"], approval["error"]["code"]) == ("unknown", "internal")
        assert "Look at the campaign first" in approval["error"]["message"]
        assert len(await world.writes_seen()) == 1


async def test_a_write_that_may_still_arrive_is_not_said_to_have_failed(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    await lives(tmp_path, sandbox, "update_campaign", LONG_ENOUGH, last="before POST")
    async with open_world(tmp_path, sandbox=sandbox, clock=released()) as world:
        await recover(world.door, world.store, world.audit)

        assert (await pending(world))["status"] == "unknown"
        assert await world.writes_seen() == []


async def test_what_was_disconnected_meanwhile_cannot_be_read_back(world: World) -> None:
    context = world.context(OWNER)
    await left_behind(world, connection="con_gone")

    await recover(world.door, world.store, world.audit)

    (row,) = await context.rows.all(context.rows.select(platform_writes))
    assert row.status == WriteStatus.UNKNOWN


async def test_an_approval_that_changed_only_our_own_records_and_did_not_finish_did_nothing(world: World) -> None:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    approval = await world.propose(AGENT, "delete_connection", connectionId=connection["id"])
    rows = Rows(world.store, "wsp_north")
    await world.store.write(
        lambda tx: tx.run(
            rows.update(approvals).where(approvals.c.id == approval["id"]).values(status=ApprovalStatus.EXECUTING)
        )
    )

    assert await recover(world.door, world.store, world.audit) == Recovered(0, 1)

    seen = await world.call(OWNER, "get_approval", approval_id=approval["id"])
    assert (seen["status"], seen["error"]["message"]) == (
        "failed",
        "Adwright stopped before anything was sent. Propose the change again.",
    )
    assert (await world.call(OWNER, "list_connections"))["items"] == [connection]


async def test_recovering_twice_tells_once(world: World) -> None:
    await left_behind(world, connection="con_gone")

    assert (await recover(world.door, world.store, world.audit)).writes == 1
    assert (await recover(world.door, world.store, world.audit)).writes == 0

    assert len([row for row in await world.audit_rows() if row["action"] == "update_campaign"]) == 1


async def left_behind(world: World, *, connection: str) -> None:
    """An intent whose process is gone."""
    context = world.context(DIRECT_KEY)
    operation = Operation(
        kind="update_campaign",
        connectionId=connection,
        platform=Platform.META,
        account_id="act_1",
        campaign_id="1",
        fields={"name": "New"},
    )
    write = Write(
        context=context,
        port=world.meta,
        credential=Credential(connection, {}),
        operation=operation,
        change_id="chg_left",
        sent_at=context.clock(),
    )
    await intend([(write, None)], None)


async def test_nothing_to_settle_is_nothing_unsettled(world: World) -> None:
    assert not await unsettled(world.store, world.clock.milliseconds())
    await world.propose(AGENT, "update_campaign", **await update(world))
    assert await unsettled(world.store, world.clock.milliseconds())
    world.clock.pass_by(minutes=15)
    assert not await unsettled(world.store, world.clock.milliseconds())


async def test_a_platform_that_refuses_after_a_restart_is_not_an_error_of_recovery(world: World) -> None:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await left_behind(world, connection=connection["id"])
    await world.break_next("expired_token", target="meta:GET")

    try:
        recovered = await recover(world.door, world.store, world.audit)
    except CapabilityError as error:
        raise AssertionError("recovery must not fail") from error

    assert recovered.writes == 1


async def test_an_undo_that_was_cut_short_still_counts_as_one(tmp_path: Path) -> None:
    for step in range(1, LONG_ENOUGH):
        path, sandbox = tmp_path / str(step), create_sandbox(now=Clock())
        path.mkdir()
        async with open_world(path, sandbox=sandbox) as world:
            campaign = (await world.campaign(name=LEADS))["campaign_id"]
            await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign, name="New")
            change = (await world.call(OWNER, "list_changes"))["items"][0]["id"]
            await world.audit.flush()  # which it else does by the clock, in mid-count
            mortal = Mortal(world, step)
            await asyncio.gather(world.call(DIRECT_KEY, "undo_change", change_id=change), return_exceptions=True)
            if not mortal.dead:
                return
        async with open_world(path, sandbox=sandbox, clock=landed()) as world:
            await recover(world.door, world.store, world.audit)
            changes = {row["id"]: row for row in (await world.call(OWNER, "list_changes"))["items"]}
            undoing = [key for key, row in changes.items() if key != change and row["status"] == "done"]
            assert changes[change].get("undoneBy") == (undoing[0] if undoing else None), mortal.trace
    raise AssertionError("the undo never ended")
