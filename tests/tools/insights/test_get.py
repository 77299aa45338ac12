"""Figures that agree with the platform to the cent, and say what they mean."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.outside import ask_the_platform, at_the_platform
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Via
from tools.insights.model import Sums
from tools.ports import InsightsRow

US, EU, JP = (f"act_70211445031000{n}" for n in (1, 2, 3))
WEEK = {"since": "2026-11-10", "until": "2026-11-16"}
SUMS = ("spend", "impressions", "clicks", "conversions", "conversion_value")


async def insights(world: World, **query: Any) -> dict[str, Any]:
    return await world.call(VIEWER, "get_insights", **(WEEK | query))


def summed(rows: list[dict[str, Any]], currency: str) -> dict[str, Decimal]:
    return {
        name: sum((Decimal(repr(row[name])) for row in rows if row["currency"] == currency), Decimal(0))
        for name in SUMS
    }


async def test_a_stranger_sees_no_figures_of_ours(world: World) -> None:
    campaign = (await world.campaigns())[0]["campaign_id"]

    empty = await world.call(STRANGER, "get_insights", **WEEK)
    assert (empty["rows"], empty["totals"], empty["sources"], empty["gaps"]) == ([], [], [], [])
    assert (await world.refusal(STRANGER, "get_insights", campaign_id=campaign)).code == "not_found"
    assert (await world.refusal(STRANGER, "get_insights", account_id=US)).code == "not_found"


async def test_reading_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset()), "get_insights")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:read")


@promise("dev.insights.metrics")
@pytest.mark.parametrize("account", [US, EU, JP])
async def test_sums_are_the_platforms_own_to_the_cent(world: World, account: str) -> None:
    ours = (await insights(world, account_id=account))["totals"][0]
    theirs = await ask_the_platform(
        world,
        f"{account}/insights",
        fields="spend,impressions,clicks,inline_link_clicks",
        time_range=WEEK,
        level="account",
    )
    (row,) = theirs["data"]

    assert Decimal(repr(ours["spend"])) == Decimal(row["spend"])
    assert ours["impressions"] == int(row["impressions"])
    assert ours["clicks"] in (int(row["clicks"]), int(row["inline_link_clicks"]))
    assert ours["conversions"] > 0


async def test_ratios_are_ratios_of_sums(world: World) -> None:
    row = (await insights(world, account_id=US))["rows"][0]

    assert row["ctr"] == pytest.approx(row["clicks"] / row["impressions"], abs=1e-6)
    assert row["cpc"] == pytest.approx(row["spend"] / row["clicks"], abs=1e-4)
    assert row["roas"] == pytest.approx(row["conversion_value"] / row["spend"], abs=1e-4)


async def test_a_ratio_without_a_denominator_is_null(world: World) -> None:
    made = await at_the_platform(
        world, f"{US}/campaigns", name="Idle", objective="OUTCOME_SALES", status="PAUSED", special_ad_categories=[],
        daily_budget="5000",
    )  # fmt: skip

    nothing = await insights(world, campaign_id=made["id"])

    assert nothing["rows"] == []
    assert [(total["spend"], total["roas"], total["ctr"], total["cpc"]) for total in nothing["totals"]] == [
        (0, None, None, None)
    ]


async def test_currencies_are_never_added_up(world: World) -> None:
    answer = await insights(world)

    assert [row["currency"] for row in answer["rows"]] == ["EUR", "JPY", "USD"]
    assert [total["currency"] for total in answer["totals"]] == ["EUR", "JPY", "USD"]
    single = {(await insights(world, account_id=a))["totals"][0]["spend"] for a in (US, EU, JP)}
    assert {total["spend"] for total in answer["totals"]} == single


@promise("dev.insights.breakdown")
@pytest.mark.parametrize(
    ("breakdown", "names", "count"),
    [
        ({"breakdown": "day"}, {"day"}, 21),
        ({"breakdown": "campaign"}, {"platform", "account_id", "campaign_id", "campaign_name"}, None),
        ({"breakdown": "platform"}, {"platform"}, 3),
        ({}, set(), 3),
    ],
)
async def test_rows_are_broken_down_as_asked_and_add_up_to_the_totals(
    world: World, breakdown: dict[str, str], names: set[str], count: int | None
) -> None:
    answer = await insights(world, **breakdown)

    dimensions = {"day", "platform", "account_id", "campaign_id", "campaign_name"}
    assert {frozenset(row.keys() & dimensions) for row in answer["rows"]} == {frozenset(names)}
    assert count in (None, len(answer["rows"]))
    assert answer["breakdown"] == breakdown.get("breakdown", "none")
    for total in answer["totals"]:
        assert summed(answer["rows"], total["currency"]) == summed([total], total["currency"])


async def test_days_are_in_order_and_campaigns_by_what_they_cost(world: World) -> None:
    days = [row["day"] for row in (await insights(world, account_id=US, breakdown="day"))["rows"]]
    costs = [row["spend"] for row in (await insights(world, account_id=US, breakdown="campaign"))["rows"]]

    assert days == [f"2026-11-{day}" for day in range(10, 17)]
    assert costs == sorted(costs, reverse=True)


@promise("dev.insights.params")
async def test_one_campaign_is_asked_for_by_its_id(world: World) -> None:
    campaign = (await world.campaign(name="Leads | Size guide download"))["campaign_id"]
    every = (await insights(world, account_id=US, breakdown="campaign"))["rows"]

    answer = await insights(world, campaign_id=campaign, platform="meta")

    (row,) = [row for row in every if row["campaign_id"] == campaign]
    assert answer["totals"][0]["spend"] == row["spend"]
    assert (await insights(world, campaign_id=campaign, platform="google"))["rows"] == []


@pytest.mark.parametrize("query", [{}, {"breakdown": "day"}, {"breakdown": "campaign"}, {"breakdown": "platform"}])
async def test_pages_of_one_row_make_up_the_whole(world: World, query: dict[str, str]) -> None:
    whole = await insights(world, account_id=US, **query)
    rows: list[dict[str, Any]] = []
    page = await insights(world, account_id=US, limit=1, **query)
    while "next_cursor" in page:
        rows += page["rows"]
        assert page["totals"] == whole["totals"]
        page = await insights(world, account_id=US, limit=1, cursor=page["next_cursor"], **query)

    assert rows + page["rows"] == whole["rows"]


async def test_a_cursor_of_other_days_is_refused(world: World) -> None:
    page = await insights(world, breakdown="day", limit=1)

    error = await world.refusal(
        VIEWER, "get_insights", since="2026-11-01", until="2026-11-16", breakdown="day", cursor=page["next_cursor"]
    )

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "cursor")


async def test_sources_say_what_the_figures_mean(world: World) -> None:
    source = (await insights(world, account_id=JP))["sources"][0]

    assert (source["account_id"], source["currency"], source["time_zone"]) == (JP, "JPY", "Asia/Tokyo")
    assert source["attribution"] == "7-day click, 1-day view"
    assert "purchase" in source["conversion_action"]
    assert source["asOf"] == "2026-11-20T12:00:00+00:00"


async def test_an_account_that_cannot_be_read_is_a_named_gap(world: World) -> None:
    whole = await insights(world)
    world.clock.pass_by(minutes=15)
    await world.break_next("html", target=f"meta:{EU}:insights", times=9)

    answer = await insights(world)

    (gap,) = answer["gaps"]
    assert (gap["account_id"], gap["code"]) == (EU, "platform_error")
    assert [total["currency"] for total in answer["totals"]] == ["JPY", "USD"]
    assert answer["totals"] == [total for total in whole["totals"] if total["currency"] != "EUR"]


@promise("dev.limits.retry-after")
async def test_when_nothing_can_be_read_the_reason_is_the_answer(world: World) -> None:
    await world.break_next("throttled", target="meta:insights", times=20)

    error = await world.refusal(VIEWER, "get_insights", **WEEK)

    assert (error.code, error.status, error.details["source"]) == ("rate_limited", 429, "upstream")
    assert error.retry_after


async def test_an_account_that_two_connections_reach_is_counted_once(world: World) -> None:
    once = await insights(world)
    token = (await world.sandbox.get("/")).json()["meta"]["access_token"]
    world.clock.pass_by(seconds=1)
    second = await world.call(OWNER, "create_connection", platform="meta", access_token=token, name="Agency")

    twice = await insights(world)

    assert (twice["totals"], twice["rows"]) == (once["totals"], once["rows"])
    assert len({source["connectionId"] for source in twice["sources"]}) == 1
    assert (await insights(world, connectionId=second["id"]))["totals"] == once["totals"]


async def test_left_out_days_are_the_last_four_weeks(world: World) -> None:
    answer = await world.call(AGENT, "get_insights", account_id=US)

    assert (answer["since"], answer["until"]) == ("2026-10-24", "2026-11-20")


@pytest.mark.parametrize(
    "sent",
    [
        {"since": "2026-11-16", "until": "2026-11-10"},
        {"since": "2026-11-31"},
        {"since": "yesterday"},
        {"until": 20261116},
        {"breakdown": "hour"},
        {"limit": 0},
        {"cursor": "nonsense"},
        {"campaign_id": "../act_1"},
    ],
)
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(OWNER, "get_insights", **sent)).code == "invalid_arguments"


async def test_days_the_platform_no_longer_has_are_refused_with_the_way_on(world: World) -> None:
    error = await world.refusal(OWNER, "get_insights", since="1999-01-01", until="2026-11-01")

    assert error.code == "invalid_arguments"
    assert error.fix


def test_sums_of_nothing_have_no_ratios() -> None:
    sums = Sums()
    assert [sums.metrics()[name] for name in ("spend", "roas", "ctr", "cpc")] == [0, None, None, None]

    sums.add(
        InsightsRow(
            spend=Decimal("0.1"), impressions=3, clicks=0, conversions=Decimal(1), conversion_value=Decimal("0.2"),
            day=dt.date(2026, 11, 10),
        )
    )  # fmt: skip
    sums.add(
        InsightsRow(
            spend=Decimal("0.2"), impressions=0, clicks=1, conversions=Decimal(0), conversion_value=Decimal("0.4")
        )
    )

    assert sums.metrics() == {
        "spend": Decimal("0.3"), "impressions": 3, "clicks": 1, "conversions": 1, "conversion_value": Decimal("0.6"),
        "roas": Decimal("2.0000"), "ctr": Decimal("0.333333"), "cpc": Decimal("0.3000"),
    }  # fmt: skip


async def test_both_platforms_are_broken_down_and_never_added_up_over_currencies(both: World) -> None:
    answer = await insights(both, breakdown="platform")

    assert [(row["currency"], row["platform"]) for row in answer["rows"]] == [
        (currency, platform) for currency in ("EUR", "JPY", "USD") for platform in ("google", "meta")
    ]
    assert [total["currency"] for total in answer["totals"]] == ["EUR", "JPY", "USD"]
    for total in answer["totals"]:
        assert summed(answer["rows"], total["currency"]) == summed([total], total["currency"])
    assert {source["platform"] for source in answer["sources"]} == {"google", "meta"}
    assert all(source["attribution"] and source["time_zone"] for source in answer["sources"])


@pytest.mark.parametrize("down", ["google", "meta"])
async def test_one_platform_down_leaves_the_others_figures_and_named_gaps(both: World, down: str) -> None:
    await both.break_next("html", target=down, times=99)

    answer = await insights(both, breakdown="platform")

    assert {row["platform"] for row in answer["rows"]} == {"google", "meta"} - {down}
    assert {gap["platform"] for gap in answer["gaps"]} == {down}
    assert all(gap["account_id"] and gap["fix"] for gap in answer["gaps"])


async def test_figures_kept_say_how_old_they_are(both: World) -> None:
    first = await insights(both, platform="meta")
    both.clock.pass_by(seconds=61)
    mixed, again = await insights(both), await insights(both, platform="meta")

    assert first["cache"] == {"hit": False, "ageSeconds": 0}
    assert mixed["cache"] == {"hit": False, "ageSeconds": 61}
    assert again["cache"] == {"hit": True, "ageSeconds": 61}
