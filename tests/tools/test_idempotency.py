"""A write sent again under its idempotency key has one effect, and one answer."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.app import create_app as create_sandbox
from tests.tools.outside import HeldWrite, Mortal, full_disk
from tests.world import AGENT, DIRECT_KEY, KEY, NOON, OWNER, VIEWER, Clock, World, open_world, principal
from tools.authority import Principal
from tools.errors import CapabilityError
from tools.idempotency import KEPT, Replayed, claimed
from tools.recovery import IN_TRANSIT, recover
from tools.store.audit import verify
from tools.store.claims import LEASE, forget_expired
from tools.store.tables import api_keys, idempotency_keys
from tools.store.tenant import Rows

LEADS = "Leads | Size guide download"
ONCE = "8e03978e-40d5-43dd-bc93-6894a57f9324"
LONG_ENOUGH = 60
"""More steps than the write below has."""


async def sent(
    world: World, who: Principal, name: str, arguments: dict[str, Any], *, key: str = ONCE, **more: Any
) -> Any:
    """The output, or the refusal where there is one."""
    try:
        return await world.door.invoke(
            world.capability(name), world.context(who), arguments, idempotency_key=key, **more
        )
    except CapabilityError as error:
        return error


async def budget(world: World, amount: float = 44) -> dict[str, Any]:
    return {"campaign_id": (await world.campaign(name=LEADS))["campaign_id"], "daily_budget": amount}


async def kept(world: World) -> list[Any]:
    rows = Rows(world.store, "wsp_north")
    return await rows.all(rows.select(idempotency_keys))


async def test_the_same_again_answers_what_was_answered_and_does_nothing(world: World) -> None:
    arguments = await budget(world)
    first = await sent(world, DIRECT_KEY, "update_campaign", arguments)
    world.clock.pass_by(hours=23)

    again = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    assert isinstance(again, Replayed)
    assert again.wire() == first.wire()
    assert len(await world.writes_seen()) == 1
    rows = [row for row in await world.audit_rows() if row["action"] == "update_campaign"]
    assert [row["status"] for row in rows] == ["ok", "replayed"]
    assert rows[0]["request_id"] in rows[1]["payload"]


async def test_another_request_under_the_same_key_is_refused(world: World) -> None:
    await sent(world, DIRECT_KEY, "update_campaign", await budget(world))

    other = await sent(world, DIRECT_KEY, "update_campaign", await budget(world, 45))
    elsewhere = await sent(world, DIRECT_KEY, "delete_campaign", {"campaign_id": "1"})

    assert (other.code, elsewhere.code) == ("idempotency_mismatch", "idempotency_mismatch")
    assert other.details == {"capability": "update_campaign"}
    assert len(await world.writes_seen()) == 1


async def test_a_key_belongs_to_the_principal_that_sent_it(world: World) -> None:
    await sent(world, DIRECT_KEY, "update_campaign", await budget(world))

    stranger = principal(via=DIRECT_KEY.via, id="key_other", direct=True)
    other = await sent(world, stranger, "update_campaign", await budget(world, 45))

    assert other.wire()["daily_budget"] == 45


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "ключ", "tab\t", "line\n"])
async def test_a_key_is_1_to_255_visible_ascii_characters(world: World, key: str) -> None:
    refused = await sent(world, DIRECT_KEY, "update_campaign", await budget(world), key=key)

    assert (refused.code, refused.status) == ("invalid_request", 400)
    assert "UUID" in refused.fix
    assert await world.writes_seen() == []


async def test_a_read_or_a_preview_ignores_the_key(world: World) -> None:
    listed = await sent(world, VIEWER, "list_campaigns", {"limit": 1}, key="not a key")
    shown = await sent(world, DIRECT_KEY, "update_campaign", await budget(world), preview=True)

    assert "items" in listed.wire()
    assert "plan" in shown.wire()
    assert await kept(world) == []


async def test_a_proposal_asked_for_again_is_shown_as_it_is_now(world: World) -> None:
    arguments = await budget(world)
    first = await sent(world, KEY, "update_campaign", arguments)
    pending = await sent(world, KEY, "update_campaign", arguments)
    await world.call(OWNER, "approve", approval_id=first.approval["id"])

    done = await sent(world, KEY, "update_campaign", arguments)

    assert (pending.code, pending.approval) == ("confirm_required", first.approval)
    assert (done.code, done.approval["id"]) == ("confirm_required", first.approval["id"])
    assert (done.approval["status"], done.approval["result"]["daily_budget"]) == ("done", 44)
    assert "the change was made" in done.message
    assert [error.replays is None for error in (first, pending, done)] == [True, False, False]
    assert len(await world.writes_seen()) == 1


@pytest.mark.parametrize(("decision", "said"), [("deny", "A person said no"), ("wait", "Nobody decided in time")])
async def test_a_proposal_that_came_to_nothing_says_so(world: World, decision: str, said: str) -> None:
    arguments = await budget(world)
    first = await sent(world, KEY, "update_campaign", arguments)
    if decision == "deny":
        await world.call(OWNER, "deny", approval_id=first.approval["id"])
    else:
        world.clock.pass_by(minutes=16)

    again = await sent(world, KEY, "update_campaign", arguments)

    assert (again.code, again.approval["id"]) == ("confirm_required", first.approval["id"])
    assert said in again.message


async def test_what_the_platform_refused_is_answered_again_without_asking_it(world: World) -> None:
    arguments = await budget(world)
    await world.break_next("expired_token", target="meta:write")
    first = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    again = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    assert (first.code, first.replays) == ("reauth_required", None)
    assert type(again) is type(first)
    assert again.body("req_1") == first.body("req_1")
    assert again.replays is not None
    assert [row["status"] for row in await world.audit_rows() if row["action"] == "update_campaign"] == [
        "reauth_required",
        "replayed",
    ]
    assert await world.writes_seen() == []


@pytest.mark.parametrize(
    ("target", "kind", "code"),
    [("meta:write", "throttled", "rate_limited"), ("meta:GET", "expired_token", "reauth_required")],
)
async def test_a_refusal_that_may_pass_leaves_the_key_free(world: World, target: str, kind: str, code: str) -> None:
    arguments = await budget(world)
    await world.break_next(kind, target=target, times=3)
    refused = await sent(world, DIRECT_KEY, "update_campaign", arguments)
    await world.sandbox.delete("/faults")
    world.clock.pass_by(hours=1)

    done = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    assert refused.code == code
    assert done.wire()["daily_budget"] == 44
    assert len(await world.writes_seen()) == 1


async def test_arguments_that_do_not_fit_and_callers_who_may_not_take_no_key(world: World) -> None:
    refused = [
        await sent(world, DIRECT_KEY, "update_campaign", {"campaign_id": "1", "daily_budget": "much"}),
        await sent(world, VIEWER, "update_campaign", await budget(world)),
        await sent(world, KEY, "create_api_key", {"name": "n", "scopes": ["ads:read"]}),
    ]

    assert [error.status for error in refused] == [422, 403, 403]
    assert await kept(world) == []


async def test_of_eight_at_once_one_acts_and_none_acts_again(world: World) -> None:
    arguments = await budget(world)

    answers = await asyncio.gather(*(sent(world, DIRECT_KEY, "update_campaign", arguments) for _ in range(8)))
    again = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    refused = [answer for answer in answers if isinstance(answer, CapabilityError)]
    acted = [answer for answer in answers if not isinstance(answer, CapabilityError | Replayed)]
    assert len(acted) == 1
    assert {(error.code, error.status, error.retry_after) for error in refused} <= {("idempotency_in_progress", 409, 2)}
    assert again.wire() == acted[0].wire()
    assert len(await world.writes_seen()) == 1


async def test_of_eight_at_once_through_two_processes_one_acts(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    async with open_world(tmp_path, sandbox=sandbox) as one, open_world(tmp_path, sandbox=sandbox) as other:
        arguments = await budget(one)

        answers = await asyncio.gather(
            *(sent(world, DIRECT_KEY, "update_campaign", arguments) for world in (one, other) for _ in range(4))
        )
        again = [await sent(world, DIRECT_KEY, "update_campaign", arguments) for world in (one, other)]

        assert len([answer for answer in answers if not isinstance(answer, CapabilityError | Replayed)]) == 1
        assert [type(answer) for answer in again] == [Replayed, Replayed]
        assert len(await one.writes_seen()) == 1


async def test_however_long_a_call_of_this_process_takes_nobody_takes_its_key(world: World) -> None:
    arguments = await budget(world)
    held = HeldWrite(world)
    call = asyncio.create_task(sent(world, DIRECT_KEY, "update_campaign", arguments))
    await asyncio.wait_for(held.reached.wait(), 10)
    world.clock.pass_by(hours=1)

    early = await sent(world, DIRECT_KEY, "update_campaign", arguments)
    other = await sent(world, DIRECT_KEY, "update_campaign", await budget(world, 45))

    assert (early.code, other.code) == ("idempotency_in_progress", "idempotency_mismatch")
    held.go.set()
    assert (await call).wire()["daily_budget"] == 44


async def test_first_party_records_are_made_once_and_their_answer_is_kept(world: World) -> None:
    settings = {"approvals": "page"}
    first = await sent(world, OWNER, "update_workspace_settings", settings)
    again = await sent(world, OWNER, "update_workspace_settings", settings)

    assert isinstance(again, Replayed)
    assert again.wire() == first.wire()


async def test_a_secret_is_in_the_first_answer_only_and_a_replay_says_so(world: World) -> None:
    wanted = {"name": "reports", "scopes": ["ads:read"]}
    first = (await sent(world, OWNER, "create_api_key", wanted)).wire()

    again = (await sent(world, OWNER, "create_api_key", wanted)).wire()

    assert first["key"].startswith("adw_live_")
    assert again.pop("withheld").startswith("key was shown once, in the first answer, and is not kept.")
    assert again == {name: value for name, value in first.items() if name != "key"}
    rows = Rows(world.store, "wsp_north")
    assert len(await rows.all(rows.select(api_keys))) == 1
    assert first["key"] not in str([row.as_dict() for row in await kept(world)])


async def test_requests_that_differ_only_in_a_secret_differ(world: World) -> None:
    known = (await world.sandbox.get("/")).json()["meta"]
    wanted = {"platform": "meta", "name": "Second", "access_token": known["access_token"]}
    await sent(world, OWNER, "create_connection", wanted)

    again = await sent(world, OWNER, "create_connection", wanted)
    other = await sent(world, OWNER, "create_connection", wanted | {"access_token": "EAAanother"})

    assert isinstance(again, Replayed)
    assert other.code == "idempotency_mismatch"
    stored = str([row.as_dict() for row in await kept(world)])
    assert known["access_token"] not in stored
    assert ONCE not in stored


async def test_a_key_is_free_again_after_a_day_and_forgotten(world: World) -> None:
    arguments = await budget(world)
    await sent(world, DIRECT_KEY, "update_campaign", arguments)
    await sent(world, DIRECT_KEY, "update_campaign", await budget(world, 45), key="second")
    world.clock.now += KEPT

    anew = await sent(world, DIRECT_KEY, "update_campaign", await budget(world, 46))
    forgotten = await forget_expired(world.store, world.clock.milliseconds())

    assert anew.wire()["daily_budget"] == 46
    assert (forgotten, len(await kept(world))) == (1, 1)


async def test_while_nothing_can_be_stored_a_write_with_a_key_does_nothing_and_its_key_stays_free(world: World) -> None:
    arguments = await budget(world)
    with full_disk(world.store):
        down = await sent(world, DIRECT_KEY, "update_campaign", arguments)
    await world.audit.flush()

    done = await sent(world, DIRECT_KEY, "update_campaign", arguments)

    assert (down.code, down.status) == ("unavailable", 503)
    assert done.wire()["daily_budget"] == 44
    assert len(await world.writes_seen()) == 1


async def test_a_call_whose_key_was_taken_over_sends_nothing_any_more(world: World) -> None:
    """A process that was stopped for a minute, and goes on after another took the key over."""
    arguments = await budget(world)
    context = world.context(DIRECT_KEY)
    capability = world.capability("update_campaign")
    data = capability.input.model_validate(arguments)
    slow = await claimed(capability, context, data, ONCE, preview=False, expect_digest=None, running=())
    assert not isinstance(slow, Replayed)
    assert capability.plan is not None
    plan = await capability.plan(slow, data)
    world.clock.now += LEASE

    done = await sent(world, DIRECT_KEY, "update_campaign", arguments)
    with pytest.raises(CapabilityError) as late:
        await capability.run(slow, plan)

    assert done.wire()["daily_budget"] == 44
    assert (late.value.code, late.value.details["outcome"]) == ("conflict", "not_sent")
    assert len(await world.writes_seen()) == 1


async def test_wherever_a_process_dies_the_same_again_never_acts_twice(tmp_path: Path) -> None:
    verdicts = []
    for step in range(1, LONG_ENOUGH):
        path, sandbox = tmp_path / str(step), create_sandbox(now=Clock())
        path.mkdir()
        async with open_world(path, sandbox=sandbox) as world:
            arguments = await budget(world)
            await world.audit.flush()  # which it else does by the clock, in mid-count
            mortal = Mortal(world, step)
            await asyncio.gather(sent(world, DIRECT_KEY, "update_campaign", arguments), return_exceptions=True)
            if not mortal.dead:
                break
        async with open_world(path, sandbox=sandbox) as world:
            early = await sent(world, DIRECT_KEY, "update_campaign", arguments)
        async with open_world(path, sandbox=sandbox, clock=Clock(NOON + max(LEASE, IN_TRANSIT))) as world:
            await recover(world.door, world.store, world.audit)
            late = await sent(world, DIRECT_KEY, "update_campaign", arguments)
            after = await sent(world, DIRECT_KEY, "update_campaign", arguments)

            assert len(await world.writes_seen()) == 1, mortal.trace
            assert (await world.campaign(name=LEADS))["daily_budget"] == 44
            assert (await verify(world.store, "wsp_north")).ok
            verdicts.append((verdict(early), verdict(late), verdict(after)))
    else:
        raise AssertionError("the write never ended")

    assert verdicts[0] == ("done", "replayed", "replayed")  # it died before it held the key
    assert ("idempotency_in_progress", "done", "replayed") in verdicts  # before anything was sent
    assert ("idempotency_in_progress", "conflict", "conflict") in verdicts  # sent, and never answered
    assert verdicts[-1] == ("replayed", "replayed", "replayed")  # all was stored
    assert {"conflict", "replayed", "done", "idempotency_in_progress"} >= {v for each in verdicts for v in each}


def verdict(answer: Any) -> str:
    if isinstance(answer, Replayed):
        return "replayed"
    return str(answer.code) if isinstance(answer, CapabilityError) else "done"


async def test_what_was_sent_and_not_answered_is_told_with_its_change_and_not_repeated(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    async with open_world(tmp_path, sandbox=sandbox) as world:
        arguments = await budget(world)
        await world.audit.flush()  # which it else does by the clock, in mid-count
        held, mortal = HeldWrite(world), Mortal(world, LONG_ENOUGH)
        call = asyncio.create_task(sent(world, DIRECT_KEY, "update_campaign", arguments))
        await asyncio.wait_for(held.reached.wait(), 10)
        mortal.left = 0
        held.go.set()
        await asyncio.gather(call, return_exceptions=True)
    async with open_world(tmp_path, sandbox=sandbox, clock=Clock(NOON + LEASE)) as world:
        unread = await sent(world, DIRECT_KEY, "update_campaign", arguments)
        await recover(world.door, world.store, world.audit)

        told = await sent(world, DIRECT_KEY, "update_campaign", arguments)

        (change,) = (await world.call(OWNER, "list_changes"))["items"]
        assert unread.code == "idempotency_in_progress"
        assert (told.code, told.status) == ("conflict", 409)
        assert told.details == {"outcome": "done", "changes": [change["id"]]}
        assert len(await world.writes_seen()) == 1


async def test_a_proposal_made_by_a_process_that_died_is_found_again(tmp_path: Path) -> None:
    sandbox = create_sandbox(now=Clock())
    for step in range(1, LONG_ENOUGH):
        path = tmp_path / str(step)
        path.mkdir()
        async with open_world(path, sandbox=sandbox) as world:
            arguments = await budget(world)
            await world.audit.flush()  # which it else does by the clock, in mid-count
            mortal = Mortal(world, step)
            await asyncio.gather(sent(world, AGENT, "update_campaign", arguments), return_exceptions=True)
            if not mortal.dead:
                return
        async with open_world(path, sandbox=sandbox, clock=Clock(NOON + LEASE)) as world:
            again = await sent(world, AGENT, "update_campaign", arguments)
            proposals = (await world.call(OWNER, "list_approvals"))["items"]
            assert again.code == "confirm_required"
            assert [each["id"] for each in proposals] == [again.approval["id"]], mortal.trace
    raise AssertionError("the proposal never ended")


def test_a_key_is_kept_for_24_hours() -> None:
    assert dt.timedelta(hours=24) == KEPT
