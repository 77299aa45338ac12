"""Campaigns over all accounts, none left out and none shown twice."""

from typing import Any

import pytest

from tests.promises import promise
from tests.tools.outside import at_the_platform
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Via

SHOWN = {
    "campaign_id", "name", "status", "platform_status", "platform", "account_id", "connectionId", "currency",
    "objective", "platform_objective", "daily_budget",
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

    assert await world.call(STRANGER, "list_campaigns") == {"items": []}
    assert (await world.refusal(STRANGER, "list_campaigns", account_id=account)).code == "not_found"


async def test_listing_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset()), "list_campaigns")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:read")


@promise("dev.campaigns.list")
async def test_campaigns_of_every_account_are_listed_with_what_a_next_step_needs(world: World) -> None:
    rows = (await world.call(VIEWER, "list_campaigns"))["items"]

    assert [sum(row["currency"] == currency for row in rows) for currency in ("USD", "EUR", "JPY")] == [8, 8, 7]
    assert set(rows[0]) == SHOWN
    leads = next(row for row in rows if row["name"] == "Leads | Size guide download")
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
    "sent", [{"limit": 0}, {"limit": 501}, {"status": "active"}, {"cursor": "nonsense"}, {"page": 2}]
)
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(VIEWER, "list_campaigns", **sent)).code == "invalid_arguments"
