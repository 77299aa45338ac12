"""Each write is journalled, sent once, and read back when its answer is lost."""

import asyncio

import pytest

from tests.tools.outside import HeldWrite, at_the_platform, full_disk
from tests.world import AGENT, DIRECT_KEY, OWNER, World
from tools.errors import Unavailable
from tools.journal import WriteStatus, overall
from tools.recovery import recover

LEADS = "Leads | Size guide download"


async def proposed(world: World, **change: object) -> str:
    campaign = await world.campaign(name=LEADS)
    approval = await world.propose(
        AGENT, "update_campaign", campaign_id=campaign["campaign_id"], **(change or {"daily_budget": 44})
    )
    return str(approval["id"])


async def journal(world: World) -> list[dict[str, object]]:
    changes = await world.call(OWNER, "list_changes")
    return list(changes["items"])


async def test_intent_is_on_disk_before_the_platform_is_called(world: World) -> None:
    campaign = await world.campaign(name=LEADS)
    held = HeldWrite(world)
    call = asyncio.create_task(world.call(OWNER, "update_campaign", campaign_id=campaign["campaign_id"], name="New"))
    await asyncio.wait_for(held.reached.wait(), 10)

    (row,) = await journal(world)
    assert (row["status"], row["fields"], row["before"]) == ("intent", {"name": "New"}, {"name": LEADS})
    assert set(world.door.leases.held) == {row["id"]}

    held.go.set()
    await call
    assert [row["status"] for row in await journal(world)] == ["done"]
    assert not world.door.leases.held


async def test_a_write_whose_answer_is_lost_is_read_back_and_not_repeated(world: World) -> None:
    approval = await proposed(world)
    await world.break_next("lost_answer", target="meta:write")

    answered = await world.call(OWNER, "approve", approval_id=approval)

    assert answered["status"] == "done"
    assert len(await world.writes_seen()) == 1
    (row,) = await journal(world)
    assert (row["status"], row["outcome"]) == ("done", {"confirmedBy": "reading back"})


@pytest.mark.parametrize("kind", ["cut", "html", "server_error"])
async def test_a_write_that_reading_back_does_not_confirm_is_unknown_and_never_repeated(
    world: World, kind: str
) -> None:
    approval = await proposed(world)
    await world.break_next(kind, target="meta:write")

    answered = await world.call(OWNER, "approve", approval_id=approval)

    assert (answered["status"], answered["error"]["details"]["outcome"]) == ("unknown", "unknown")
    assert answered["error"]["fix"]
    assert await world.writes_seen() == []
    (row,) = await journal(world)
    assert (row["status"], row["undoable"]) == ("unknown", False)
    assert (await world.refusal(OWNER, "approve", approval_id=approval)).code == "already_decided"


async def test_a_lost_answer_that_cannot_be_read_back_stays_unknown(world: World) -> None:
    approval = await proposed(world)
    await world.break_next("lost_answer", target="meta:write")
    held = HeldWrite(world)
    call = asyncio.create_task(world.call(OWNER, "approve", approval_id=approval))
    await asyncio.wait_for(held.reached.wait(), 10)
    await world.break_next("cut", target="meta:GET", times=3)
    held.go.set()

    answered = await call

    assert answered["status"] == "unknown"
    assert len(await world.writes_seen()) == 1


async def test_a_write_that_was_refused_is_failed_and_undoes_nothing(world: World) -> None:
    approval = await proposed(world)
    await world.break_next("expired_token", target="meta:write")

    answered = await world.call(OWNER, "approve", approval_id=approval)

    assert (answered["status"], answered["error"]["code"]) == ("failed", "reauth_required")
    (row,) = await journal(world)
    assert (row["status"], row["undoable"]) == ("failed", False)


async def test_what_fails_after_the_write_does_not_make_it_a_failure(world: World) -> None:
    approval = await proposed(world)
    held = HeldWrite(world)
    call = asyncio.create_task(world.call(OWNER, "approve", approval_id=approval))
    await asyncio.wait_for(held.reached.wait(), 10)
    await world.break_next("throttled", target="meta:GET", times=9)
    held.go.set()

    answered = await call

    assert (answered["status"], answered["result"]["daily_budget"]) == ("done", 44)
    assert [row["status"] for row in await journal(world)] == ["done"]


async def test_what_cannot_be_journalled_is_not_sent(world: World) -> None:
    campaign = await world.campaign(name=LEADS)

    with full_disk(world.store):
        error = await world.refusal(DIRECT_KEY, "update_campaign", campaign_id=campaign["campaign_id"], name="New")

    assert (error.code, error.status, error.details["outcome"]) == ("unavailable", 503, "not_sent")
    assert await world.writes_seen() == []


async def test_a_write_that_cannot_be_noted_says_that_it_was_made(world: World) -> None:
    campaign = await world.campaign(name=LEADS)
    held = HeldWrite(world)
    call = asyncio.create_task(
        world.refusal(DIRECT_KEY, "update_campaign", campaign_id=campaign["campaign_id"], name="New")
    )
    await asyncio.wait_for(held.reached.wait(), 10)
    with full_disk(world.store):
        held.go.set()
        error = await call

    assert isinstance(error, Unavailable)
    assert (error.status, error.details["outcome"]) == (503, "done")
    assert "not repeat" in error.fix
    assert len(await world.writes_seen()) == 1

    await recover(world.door, world.store, world.audit)

    assert [row["status"] for row in await journal(world)] == ["done"]
    (told,) = [row for row in await world.audit_rows() if row["action"] == "update_campaign"]
    assert (told["status"], told["error_message"]) == ("unavailable", error.message)
    assert "was made" in error.message


async def test_an_approved_write_that_cannot_be_noted_is_told_once_the_store_is_back(world: World) -> None:
    approval = await proposed(world)
    held = HeldWrite(world)
    call = asyncio.create_task(world.refusal(OWNER, "approve", approval_id=approval))
    await asyncio.wait_for(held.reached.wait(), 10)
    with full_disk(world.store):
        held.go.set()
        error = await call

    assert (error.status, error.details["outcome"]) == (503, "done")

    await recover(world.door, world.store, world.audit)

    assert (await world.call(OWNER, "get_approval", approval_id=approval))["status"] == "done"
    assert len(await world.writes_seen()) == 1


async def test_a_campaign_is_created_once_though_its_answer_is_lost(world: World) -> None:
    (account, *_) = (await world.call(OWNER, "list_connections"))["items"][0]["accounts"]
    await world.break_next("lost_answer", target="meta:write")

    created = await world.call(
        OWNER, "create_campaign", account_id=account["account_id"], name="Spring", objective="sales", daily_budget=30
    )

    assert created["name"] == "Spring"
    assert len([each for each in await world.campaigns() if each["name"] == "Spring"]) == 1


async def test_a_direct_write_leaves_a_journal_row_without_an_approval(world: World) -> None:
    campaign = await world.campaign(name=LEADS)
    await world.call(DIRECT_KEY, "update_campaign", campaign_id=campaign["campaign_id"], name="New")
    await at_the_platform(world, campaign["campaign_id"], name="Their own")

    (row,) = await journal(world)

    assert (row["requestedBy"], row["via"], row["kind"]) == ("key_direct", "key", "update_campaign")
    assert "approvalId" not in row


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([], WriteStatus.FAILED),
        (["done", "done"], WriteStatus.DONE),
        (["done", "failed"], WriteStatus.FAILED),
        (["done", "unknown"], WriteStatus.UNKNOWN),
        (["failed", "intent"], WriteStatus.UNKNOWN),
    ],
)
def test_several_writes_are_as_good_as_the_worst_of_them(states: list[str], verdict: WriteStatus) -> None:
    assert overall(states) is verdict


async def test_a_campaign_of_the_same_name_is_not_taken_for_the_one_whose_answer_is_lost(world: World) -> None:
    new = {"account_id": "act_702114450310001", "name": "Spring", "objective": "sales", "daily_budget": 30}
    await world.call(OWNER, "create_campaign", **new)
    await world.break_next("cut", target="meta:write")

    error = await world.refusal(DIRECT_KEY, "create_campaign", **new)

    assert (error.code, error.details["outcome"]) == ("platform_error", "unknown")
    assert [row["status"] for row in await journal(world)] in (["unknown", "done"], ["done", "unknown"])
    assert len(await world.writes_seen()) == 1
