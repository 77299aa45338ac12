"""What is kept, for how long, and what makes it forgotten; the platform counts how often it was asked."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.tools.outside import at_the_platform, full_disk
from tests.world import OWNER, World, renamed
from tools.insights_cache import Cache, Part
from tools.store.engine import Store, StoreUnavailable, Transaction
from tools.store.tables import insights_cache, platform_writes
from tools.store.tenant import Rows
from tools.targets import Target, spending, targets

WEEK = {"since": "2026-11-10", "until": "2026-11-17"}
ACCOUNT = "act_702114450310001"


async def asked(world: World) -> int:
    return len((await world.sandbox.get("/log", params={"kind": "all"})).json())


@pytest.mark.parametrize(("name", "arguments"), [("list_campaigns", {}), ("get_insights", WEEK)])
async def test_the_same_question_is_asked_once_in_15_minutes(
    world: World, name: str, arguments: dict[str, str]
) -> None:
    first, before = await world.call(OWNER, name, **arguments), await asked(world)
    world.clock.pass_by(minutes=14, seconds=59)
    again, after = await world.call(OWNER, name, **arguments), await asked(world)
    world.clock.pass_by(seconds=1)
    await world.call(OWNER, name, **arguments)

    assert (first.pop("cache"), again.pop("cache")) == (
        {"hit": False, "ageSeconds": 0}, {"hit": True, "ageSeconds": 899},
    )  # fmt: skip
    assert (again, after) == (first, before)
    assert await asked(world) > after


async def test_another_question_is_asked_by_itself(world: World) -> None:
    await world.call(OWNER, "get_insights", **WEEK)
    for other in (WEEK | {"until": "2026-11-16"}, WEEK | {"breakdown": "day"}, WEEK | {"breakdown": "campaign"}):
        before = await asked(world)
        await world.call(OWNER, "get_insights", **other)
        assert await asked(world) > before


async def test_two_workspaces_share_nothing(world: World) -> None:
    theirs = renamed(OWNER, workspace="wsp_south", id="usr_south_owner", user="usr_south_owner")
    known = (await world.sandbox.get("/")).json()["meta"]
    await world.call(theirs, "create_connection", platform="meta", access_token=known["access_token"])
    await world.call(OWNER, "list_campaigns")
    before = await asked(world)

    await world.call(theirs, "list_campaigns")

    assert await asked(world) > before


async def test_a_change_made_here_shows_at_once_and_spares_other_accounts(world: World) -> None:
    campaign = await world.campaign(account_id=ACCOUNT, status="PAUSED")
    kept = await accounts_kept(world)

    await world.call(OWNER, "update_campaign", campaign_id=campaign["campaign_id"], name="Renamed here")

    assert await accounts_kept(world) == kept - {ACCOUNT}
    assert (await world.campaign(campaign_id=campaign["campaign_id"]))["name"] == "Renamed here"


async def test_planning_sees_what_the_list_does_not_yet(world: World) -> None:
    campaign = await world.campaign(account_id=ACCOUNT, status="PAUSED")
    await at_the_platform(world, campaign["campaign_id"], name="Renamed outside")

    listed = await world.campaign(campaign_id=campaign["campaign_id"])
    refused = await world.refusal(OWNER, "update_campaign", campaign_id=campaign["campaign_id"], name="Renamed outside")

    assert listed["name"] == campaign["name"]
    assert (refused.code, refused.details["current"]["name"]) == ("conflict", "Renamed outside")


async def test_what_was_read_beside_an_open_write_is_not_kept(world: World) -> None:
    campaign = await world.campaign(account_id=ACCOUNT, status="PAUSED")
    await world.call(OWNER, "update_campaign", campaign_id=campaign["campaign_id"], name="Once")
    rows = Rows(world.store, "wsp_north")

    async def reopen(tx: Transaction) -> None:
        await tx.run(rows.update(platform_writes).values(finished_at=None))

    await world.store.write(reopen)
    await world.campaigns()

    assert ACCOUNT not in await accounts_kept(world)


async def accounts_kept(world: World) -> set[str]:
    await world.door.keeping.settled()
    rows = Rows(world.store, "wsp_north")
    return {row.account_id for row in await rows.all(rows.select(insights_cache))}


async def test_what_cannot_be_kept_fails_no_answer_and_is_asked_anew(world: World) -> None:
    with full_disk(world.store):
        first = await world.call(OWNER, "list_campaigns")
    again = await world.call(OWNER, "list_campaigns")

    assert (first["cache"]["hit"], again["cache"]["hit"]) == (False, False)
    assert again["items"] == first["items"]


async def test_an_answer_waits_for_nothing_that_is_kept_and_the_next_question_does(world: World) -> None:
    with _held(world.store):
        first = await world.call(OWNER, "list_campaigns")
        asking = asyncio.create_task(world.call(OWNER, "list_campaigns"))
        before = await asked(world)
    again = await asking

    assert (first["cache"]["hit"], again["cache"]["hit"]) == (False, True)
    assert await asked(world) == before


@contextlib.contextmanager
def _held(store: Store) -> Iterator[None]:
    """Holds back what is submitted meanwhile, as a slow disk would."""
    kind, held = type(store), list[tuple[asyncio.Future[Any], Store, Any]]()
    submit = kind.submit

    def later(store: Store, work: Any) -> asyncio.Future[Any]:
        held.append((asyncio.get_running_loop().create_future(), store, work))
        return held[-1][0]

    kind.submit = later  # type: ignore[method-assign,assignment]  # the disk is outside of the code under test
    try:
        yield
    finally:
        kind.submit = submit  # type: ignore[method-assign]  # as it was
        for told, on, work in held:
            asyncio.ensure_future(submit(on, work)).add_done_callback(partial(_pass_on, told))


def _pass_on(told: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
    told.set_result(done.result())


class OnceDown:
    """What is kept cannot be read the first time."""

    def __init__(self) -> None:
        self.asked = 0

    async def settled(self) -> None: ...

    async def entries(self, *_: Any) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked == 1:
            raise StoreUnavailable("down")
        return {}


async def test_accounts_whose_look_up_failed_are_looked_up_again_by_whoever_waits(world: World) -> None:
    keeping: Any = OnceDown()
    context = replace(world.context(OWNER), keeping=keeping)
    (target, *_) = spending(await targets(context))

    async def ask(_: Target) -> bytes:
        return b"answered"

    cache = Cache(context, [target], {}, ask, keep=bytes, back=bytes)
    first, second = await asyncio.gather(cache.of(target), cache.of(target), return_exceptions=True)

    assert isinstance(first, StoreUnavailable)
    assert isinstance(second, Part)
    assert (second.value, keeping.asked) == (b"answered", 2)
