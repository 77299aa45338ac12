"""What ads cost reaches the analytics store: all of it once, then what may still change, and by one process alone."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from server.jobs.spend import SpendSync
from tests.world import NOON, OWNER, World
from tools.analytics import Absent
from tools.errors import Unavailable

HISTORY = dt.timedelta(days=60)
META = {"act_702114450310001", "act_702114450310002", "act_702114450310003"}


class Kept(Absent):
    """Keeps the rows it is handed, the last of a key as the table does."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], Mapping[str, Any]] = {}
        self.asked: list[int] = []
        self.down = False

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:  # type: ignore[override]  # a store that is there
        assert datasource == "ad_spend_daily"
        if self.down:
            raise Unavailable("down", fix="wait")
        self.asked.append(len(rows))
        key = ("workspace_id", "date", "platform", "account_id", "campaign_id")
        self.rows |= {tuple(row[name] for name in key): row for row in rows}
        return 0


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def sync(world: World, kept: Kept) -> SpendSync:
    return SpendSync(world.door, world.store, kept, HISTORY)


async def test_the_history_of_every_account_is_brought_over_as_the_platform_tells_it(
    world: World, kept: Kept, sync: SpendSync
) -> None:
    assert await sync.once() == len(META)

    told = await world.call(OWNER, "get_insights", since="2026-11-01", until="2026-11-10", breakdown="campaign")
    spent: Counter[str] = Counter()
    for row in kept.rows.values():
        if "2026-11-01" <= row["date"] <= "2026-11-10":
            spent[row["campaign_id"]] += Decimal(repr(row["spend"]))  # type: ignore[assignment]  # exact sums
    assert {row["campaign_id"]: Decimal(repr(row["spend"])) for row in told["rows"]} == dict(spent)
    assert {row["account_id"] for row in kept.rows.values()} == META
    assert {(row["platform"], row["channel"], row["workspace_id"]) for row in kept.rows.values()} == {
        ("meta", "paid_social", "wsp_north")
    }
    assert {row["currency"] for row in kept.rows.values()} == {"USD", "EUR", "JPY"}


async def test_an_hour_later_only_the_days_that_may_still_change_are_told_again(
    world: World, kept: Kept, sync: SpendSync
) -> None:
    await sync.once()
    everything = len(kept.rows)
    kept.asked.clear()
    assert await sync.once() == 0

    world.clock.pass_by(hours=1)
    assert await sync.once() == len(META)
    assert 0 < sum(kept.asked) < everything / 5
    assert len(kept.rows) == everything


async def test_of_two_processes_one_brings_an_account(world: World, kept: Kept, sync: SpendSync) -> None:
    other = SpendSync(world.door, world.store, kept, HISTORY)
    assert await sync.once() + await other.once() == len(META)


async def test_a_store_that_is_away_is_tried_again_soon_and_gets_all_of_it(
    world: World, kept: Kept, sync: SpendSync
) -> None:
    kept.down = True
    assert await sync.once() == 0
    kept.down = False
    assert await sync.once() == 0

    world.clock.pass_by(minutes=5)
    assert await sync.once() == len(META)
    assert min(row["date"] for row in kept.rows.values()) < (NOON.date() - HISTORY + dt.timedelta(days=10)).isoformat()


async def test_a_platform_that_refuses_holds_up_no_other_account(world: World, kept: Kept, sync: SpendSync) -> None:
    await world.break_next("server_error", target="meta:act_702114450310001", times=20)
    assert await sync.once() == len(META) - 1
    assert {row["account_id"] for row in kept.rows.values()} == META - {"act_702114450310001"}


async def test_without_a_connection_there_is_nothing_to_bring(world: World, kept: Kept, sync: SpendSync) -> None:
    held = (await world.call(OWNER, "list_connections"))["items"][0]
    await world.call(OWNER, "delete_connection", connectionId=held["id"])
    assert await sync.once() == 0
    assert kept.rows == {}
