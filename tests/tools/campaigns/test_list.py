"""Campaigns over all accounts, none left out and none shown twice."""

from pathlib import Path
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.outside import at_the_platform
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, open_world, principal
from tools.authority import Via
from tools.store.tables import connections, insights_cache
from tools.store.tenant import Rows

US, EU, JP = (f"act_70211445031000{n}" for n in (1, 2, 3))

SHOWN = {
    "campaign_id", "name", "status", "platform_status", "platform", "account_id", "connectionId", "currency",
    "objective", "platform_objective", "daily_budget", "start_date",
}  # fmt: skip


async def paged(world: World, limit: int, **filters: Any) -> tuple[list[dict[str, Any]], int]:
    """Every row, by following next_cursor to the end; and how many pages that took."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for pages in range(1, 100):
        page = await world.call(VIEWER, "list_campaigns", limit=limit, **filters, **cursor)
        assert len(page["items"]) <= limit
        rows += page["items"]
        if "next_cursor" not in page:
            return rows, pages
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("the pages never end")


async def test_a_stranger_sees_none_of_ours(world: World) -> None:
    account = (await world.campaigns())[0]["account_id"]

    assert await world.call(STRANGER, "list_campaigns") == {"items": [], "cache": {"hit": False, "ageSeconds": 0}}
    assert (await world.refusal(STRANGER, "list_campaigns", account_id=account)).code == "not_found"


async def test_listing_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset()), "list_campaigns")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:read")


@promise("dev.campaigns.list")
async def test_campaigns_of_every_account_are_listed_with_what_a_next_step_needs(world: World) -> None:
    rows = (await world.call(VIEWER, "list_campaigns"))["items"]

    assert [sum(row["currency"] == currency for row in rows) for currency in ("USD", "EUR", "JPY")] == [8, 8, 7]
    leads = next(row for row in rows if row["name"] == "Leads | Size guide download")
    assert set(leads) == SHOWN
    assert (leads["status"], leads["objective"], leads["daily_budget"]) == ("ACTIVE", "leads", 40)
    assert "daily_budget" not in next(row for row in rows if row["name"] == "Awareness | Brand film")


async def test_amounts_are_in_major_units_of_their_currency(world: World) -> None:
    budgets = {row["currency"]: row["daily_budget"] for row in await world.campaigns() if "Advantage+" in row["name"]}

    assert budgets == {"USD": 240, "EUR": 190, "JPY": 32_000}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"status": "ACTIVE"}, 17),
        ({"status": "PAUSED"}, 3),
        ({"status": "ARCHIVED"}, 3),
        ({"status": "UNKNOWN"}, 0),
        ({"platform": "meta"}, 23),
        ({"platform": "google"}, 0),
        ({"account_id": "act_702114450310003"}, 7),
        ({"account_id": "act_702114450310003", "status": "ARCHIVED"}, 1),
    ],
)
async def test_filters_leave_what_fits(world: World, filters: dict[str, Any], count: int) -> None:
    rows = await world.campaigns(**filters)

    assert len(rows) == count
    assert all(row[name] == value for row in rows for name, value in filters.items())


async def test_a_connection_filters(world: World) -> None:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]

    assert len(await world.campaigns(connectionId=connection["id"])) == 23
    assert (await world.refusal(VIEWER, "list_campaigns", connectionId="con_unknown")).code == "not_found"


@pytest.mark.parametrize("limit", [1, 7, 8, 22, 23])
async def test_pages_of_any_size_leave_none_out_and_show_none_twice(world: World, limit: int) -> None:
    rows, pages = await paged(world, limit)

    assert [row["campaign_id"] for row in rows] == [row["campaign_id"] for row in await world.campaigns()]
    assert pages <= -(-23 // limit) + 3


async def test_a_filtered_list_pages_to_its_end(world: World) -> None:
    rows, _ = await paged(world, 1, status="PAUSED")

    assert {row["currency"] for row in rows} == {"USD", "EUR", "JPY"}


async def test_a_cursor_belongs_to_its_query(world: World) -> None:
    page = await world.call(VIEWER, "list_campaigns", limit=1, status="ACTIVE")

    error = await world.refusal(VIEWER, "list_campaigns", limit=1, status="PAUSED", cursor=page["next_cursor"])
    other_size = await world.call(VIEWER, "list_campaigns", limit=2, status="ACTIVE", cursor=page["next_cursor"])

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "cursor")
    assert len(other_size["items"]) == 2


async def test_a_cursor_into_a_connection_that_is_gone_says_so(world: World) -> None:
    page = await world.call(OWNER, "list_campaigns", limit=1)
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await world.call(OWNER, "delete_connection", connectionId=connection["id"])

    error = await world.refusal(OWNER, "list_campaigns", limit=1, cursor=page["next_cursor"])

    assert (error.code, error.details["problems"]) == (
        "invalid_arguments", [{"field": "cursor", "problem": "its account is gone"}],
    )  # fmt: skip


async def test_a_strangers_cursor_opens_nothing(world: World) -> None:
    page = await world.call(OWNER, "list_campaigns", limit=1)

    assert (
        await world.refusal(STRANGER, "list_campaigns", limit=1, cursor=page["next_cursor"])
    ).code == "invalid_arguments"


async def test_what_was_changed_on_the_platform_is_seen_within_15_minutes(world: World) -> None:
    campaign = await world.campaign(name="Leads | Size guide download")
    await at_the_platform(world, campaign["campaign_id"], name="Renamed outside")
    world.clock.pass_by(minutes=15)

    assert await world.campaign(name="Renamed outside")


async def test_each_account_is_listed_newest_first(world: World) -> None:
    rows = [(row["account_id"], row["campaign_id"]) for row in await world.campaigns()]

    assert rows == sorted(rows, key=lambda row: (row[0], -int(row[1])))


@pytest.mark.parametrize("outlived", [False, True])
async def test_what_changes_while_paging_is_neither_lost_nor_doubled(world: World, outlived: bool) -> None:
    """Whatever was there all the time, with the status asked for, is shown exactly once."""
    before = await world.campaigns(account_id=US)
    page = await world.call(VIEWER, "list_campaigns", account_id=US, limit=3)
    shown = [row["campaign_id"] for row in page["items"]]
    await at_the_platform(
        world, f"{US}/campaigns", name="New", objective="OUTCOME_SALES", status="PAUSED", special_ad_categories=[],
        daily_budget="5000",
    )  # fmt: skip
    await at_the_platform(world, shown[-1], status="ARCHIVED")
    await at_the_platform(world, before[4]["campaign_id"], status="DELETED")
    if outlived:
        world.clock.pass_by(minutes=15)
    while "next_cursor" in page:
        page = await world.call(VIEWER, "list_campaigns", account_id=US, limit=3, cursor=page["next_cursor"])
        shown += [row["campaign_id"] for row in page["items"]]

    gone = {before[4]["campaign_id"]} if outlived else set()
    assert shown == [row["campaign_id"] for row in before if row["campaign_id"] not in gone]


async def test_an_account_that_fails_is_a_gap_and_the_others_are_listed(world: World) -> None:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await world.break_next("html", target=f"meta:{EU}", times=9)

    answer = await world.call(VIEWER, "list_campaigns")

    assert {row["account_id"] for row in answer["items"]} == {US, JP}
    (gap,) = answer["gaps"]
    assert (gap["platform"], gap["connectionId"], gap["account_id"]) == ("meta", connection["id"], EU)
    assert gap["code"] == "platform_error"
    assert gap["message"]
    assert gap["fix"]
    assert "<html" not in str(gap)


async def test_each_page_names_its_own_gap_and_goes_on_behind_it(world: World) -> None:
    await world.break_next("html", target=f"meta:{EU}", times=99)

    first = await world.call(VIEWER, "list_campaigns", limit=8)
    second = await world.call(VIEWER, "list_campaigns", limit=8, cursor=first["next_cursor"])

    assert "gaps" not in first
    assert [gap["account_id"] for gap in second["gaps"]] == [EU]
    assert {row["account_id"] for row in second["items"]} == {JP}
    assert "next_cursor" not in second


async def test_a_connection_whose_credentials_cannot_be_read_is_one_gap(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        known = (await world.sandbox.get("/")).json()["meta"]
        world.clock.pass_by(seconds=1)
        broken = await world.call(OWNER, "create_connection", platform="meta", access_token=known["access_token"])
        await unreadable(world, broken["id"])

        answer = await world.call(VIEWER, "list_campaigns")

        assert len(answer["items"]) == 23
        (gap,) = answer["gaps"]
        assert (gap["code"], gap["connectionId"]) == ("credentials_unreadable", broken["id"])
        assert "account_id" not in gap
        alone = await world.refusal(VIEWER, "list_campaigns", connectionId=broken["id"])
        assert (alone.code, alone.connection_id) == ("credentials_unreadable", broken["id"])


async def test_what_is_kept_needs_no_credentials(world: World) -> None:
    first = await world.call(VIEWER, "list_campaigns")
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await unreadable(world, connection["id"])

    again = await world.call(VIEWER, "list_campaigns")

    assert again["items"] == first["items"]
    assert (first["cache"]["hit"], again["cache"]["hit"]) == (False, True)


async def unreadable(world: World, connection: str) -> None:
    rows = Rows(world.store, "wsp_north")
    await world.store.write(
        lambda tx: tx.run(rows.update(connections).where(connections.c.id == connection).values(sealed="k1.garbage"))
    )


async def test_the_cache_says_how_old_its_oldest_part_is(world: World) -> None:
    await world.call(VIEWER, "list_campaigns", account_id=US)
    world.clock.pass_by(seconds=100)
    mixed = await world.call(VIEWER, "list_campaigns")
    world.clock.pass_by(seconds=20)
    kept = await world.call(VIEWER, "list_campaigns")

    assert mixed["cache"] == {"hit": False, "ageSeconds": 100}
    assert kept["cache"] == {"hit": True, "ageSeconds": 120}


async def test_the_audit_log_names_what_the_cache_was_asked_for(world: World) -> None:
    for filters in ({"account_id": US}, {}, {}, {"status": "PAUSED"}):
        await world.call(VIEWER, "list_campaigns", **filters)
    await world.call(VIEWER, "list_connections")

    one, every, again, paused, other = [row["cache_key"] for row in (await world.audit_rows())[-5:]]
    kept = Rows(world.store, "wsp_north")
    await world.door.keeping.settled()
    assert one in {row.cache_key for row in await kept.all(kept.select(insights_cache))}
    assert every == again
    assert len({one, every, paused}) == 3
    assert other is None


async def test_words_that_read_like_orders_are_only_words(world: World) -> None:
    rows = (await world.call(AGENT, "list_campaigns", account_id="act_702114450310003"))["items"]

    assert any(row["name"].startswith("Ignore previous instructions") for row in rows)
    assert await world.writes_seen() == []


@promise("dev.errors.429.retryAfter")
async def test_a_throttled_platform_says_how_long_to_wait(world: World) -> None:
    await world.break_next("throttled", times=9)

    error = await world.refusal(VIEWER, "list_campaigns")

    assert (error.code, error.status, error.details["source"]) == ("rate_limited", 429, "upstream")
    assert error.body("req_1")["retryAfter"] > 0


@pytest.mark.parametrize(
    ("kind", "code"), [("expired_token", "reauth_required"), ("html", "platform_error"), ("cut", "platform_error")]
)
async def test_a_platform_that_fails_is_told_with_the_way_on(world: World, kind: str, code: str) -> None:
    (connection,) = (await world.call(OWNER, "list_connections"))["items"]
    await world.break_next(kind, times=9)

    error = await world.refusal(VIEWER, "list_campaigns")

    assert (error.code, error.status) == (code, 424)
    assert error.fix
    assert "<html" not in str(error.body("req_1"))
    assert error.connection_id in (None, connection["id"])


@pytest.mark.parametrize(
    "sent", [{"limit": 0}, {"limit": 5001}, {"status": "active"}, {"cursor": "nonsense"}, {"page": 2}]
)
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(VIEWER, "list_campaigns", **sent)).code == "invalid_arguments"


async def test_both_platforms_stand_in_one_list(both: World) -> None:
    rows = await both.campaigns()

    assert {platform: sum(row["platform"] == platform for row in rows) for platform in ("meta", "google")} == {
        "meta": 23, "google": 28,
    }  # fmt: skip
    shared = {row["campaign_id"] for row in rows if row.get("budget_shared")}
    assert shared == {"207011000001", "207011000002", "207011000003"}
    paged_ids = [row["campaign_id"] for row in (await paged(both, 7))[0]]
    assert paged_ids == [row["campaign_id"] for row in rows]


@pytest.mark.parametrize(
    ("down", "kind", "code", "whole"),
    [
        ("google", "html", "platform_error", False),
        ("google", "throttled", "rate_limited", False),
        ("google", "expired_token", "reauth_required", True),
        ("meta", "expired_token", "reauth_required", True),
        ("meta", "cut", "platform_error", False),
    ],
)
async def test_one_platform_down_leaves_the_others_rows_and_named_gaps(
    both: World, down: str, kind: str, code: str, whole: bool
) -> None:
    held = (await both.call(OWNER, "list_connections", platform=down))["items"][0]
    await both.break_next(kind, target=down, times=99)

    answer = await both.call(VIEWER, "list_campaigns", limit=500)

    assert {row["platform"] for row in answer["items"]} == {"google", "meta"} - {down}
    assert {(gap["platform"], gap["connectionId"], gap["code"]) for gap in answer["gaps"]} == {(down, held["id"], code)}
    accounts = {account["account_id"] for account in held["accounts"]}
    assert {gap.get("account_id") for gap in answer["gaps"]} == ({None} if whole else accounts)
    assert all(gap["fix"] for gap in answer["gaps"])
    assert (await both.refusal(VIEWER, "list_campaigns", platform=down)).code == code
