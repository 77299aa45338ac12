"""The made-up figures agree with each other however they are cut, and keep the story they were made to tell."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.server.sandbox.conftest import Clock
from tests.server.sandbox.graph_client import GraphClient

COUNTS = "spend,impressions,clicks"
ALL = ["spend", "impressions", "clicks", "reach", "actions", "action_values", "purchase_roas", "ctr", "cpc", "cpm"]


def rows(graph: GraphClient, node: str, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = graph.get(f"{node}/insights", limit="5000", **asked)["data"]
    return found


def summed(found: list[dict[str, Any]]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in found:
        for name in COUNTS.split(","):
            sums[name] += Decimal(row[name])
        for action in row.get("action_values", []):
            sums[action["action_type"]] += Decimal(action["value"])
    return dict(sums)


@pytest.mark.parametrize(
    "asked", [{"level": "campaign"}, {"time_increment": "1"}, {"breakdowns": "publisher_platform"}]
)
def test_every_way_of_cutting_adds_up_to_the_account(graph: GraphClient, asked: dict[str, str]) -> None:
    for account in (graph.us, graph.eu, graph.jp):
        whole = rows(graph, account, fields=f"{COUNTS},action_values", date_preset="last_90d")
        cut = rows(graph, account, fields=f"{COUNTS},action_values", date_preset="last_90d", **asked)

        assert len(whole) == 1 < len(cut)
        assert summed(cut) == summed(whole)


def test_the_same_question_has_the_same_answer_all_day(graph: GraphClient, clock: Clock) -> None:
    asked = {"fields": ALL, "level": "campaign", "date_preset": "this_month", "time_increment": "1"}
    before = rows(graph, graph.us, **asked)
    clock.pass_by(hours=5)
    graph.post(graph.campaign_named(graph.us, "Retargeting"), status="PAUSED")

    assert rows(graph, graph.us, **asked) == before


def test_numbers_are_strings_and_ratios_are_of_their_parts(graph: GraphClient) -> None:
    (row,) = rows(graph, graph.us, fields=ALL, date_preset="last_7d")

    spend, clicks, impressions = (Decimal(row[name]) for name in ("spend", "clicks", "impressions"))
    assert abs(Decimal(row["ctr"]) - 100 * clicks / impressions) < Decimal("0.000001")
    assert abs(Decimal(row["cpc"]) - spend / clicks) < Decimal("0.000001")
    assert abs(Decimal(row["cpm"]) - 1000 * spend / impressions) < Decimal("0.000001")
    assert int(row["reach"]) <= impressions
    value = next(Decimal(each["value"]) for each in row["action_values"] if each["action_type"] == "omni_purchase")
    (roas,) = row["purchase_roas"]
    assert roas["action_type"] == "omni_purchase"
    assert abs(Decimal(roas["value"]) - value / spend) < Decimal("0.000001")


def test_yen_have_no_decimals_and_dollars_two(graph: GraphClient) -> None:
    assert "." not in rows(graph, graph.jp, fields="spend")[0]["spend"]
    assert len(rows(graph, graph.us, fields="spend")[0]["spend"].partition(".")[2]) == 2


def test_one_purchase_is_counted_under_several_types(graph: GraphClient) -> None:
    (row,) = rows(graph, graph.us, fields="actions", date_preset="last_30d")
    counts = {each["action_type"]: int(each["value"]) for each in row["actions"]}

    assert counts["purchase"] == counts["offsite_conversion.fb_pixel_purchase"]
    assert counts["omni_purchase"] == counts["purchase"] + counts["offline_conversion.purchase"]
    assert counts["link_click"] > counts["landing_page_view"] > counts["purchase"]
    assert counts["lead"] == counts["offsite_conversion.fb_pixel_lead"]


def test_windows_appear_beside_the_default_and_only_when_asked(graph: GraphClient) -> None:
    windows = ["1d_click", "7d_click", "28d_click", "1d_view", "7d_view"]
    (row,) = rows(
        graph, graph.us, fields="actions", action_attribution_windows=windows, use_unified_attribution_setting="true"
    )
    (plain,) = rows(graph, graph.us, fields="actions")
    purchase = {each["action_type"]: each for each in row["actions"]}["purchase"]

    assert int(purchase["value"]) == int(purchase["7d_click"]) + int(purchase["1d_view"])
    assert int(purchase["1d_click"]) < int(purchase["7d_click"]) < int(purchase["28d_click"])
    assert "7d_view" not in purchase
    assert all(each.keys() == {"action_type", "value"} for each in plain["actions"])


def test_days_without_delivery_have_no_row(graph: GraphClient) -> None:
    paused = graph.campaign_named(graph.us, "Traffic")

    days = rows(graph, paused, fields="spend", date_preset="last_90d", time_increment="1")

    assert 50 <= len(days) < 90
    assert max(each["date_stop"] for each in days) == "2026-10-21"
    assert rows(graph, paused, fields="spend", date_preset="last_7d") == []


def test_spend_keeps_to_the_budget(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")

    for row in rows(graph, campaign, fields="spend", date_preset="last_90d", time_increment="1"):
        assert Decimal(54) <= Decimal(row["spend"]) <= Decimal(66)


def test_a_changed_budget_shows_from_the_next_day_on(graph: GraphClient, clock: Clock) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")
    graph.post(campaign, daily_budget="60000")
    clock.pass_by(days=2)

    days = rows(graph, campaign, fields="spend", date_preset="last_3d", time_increment="1")

    assert [Decimal(each["spend"]) > 500 for each in days] == [False, False, True]


def test_a_created_campaign_delivers_once_it_is_active(graph: GraphClient, clock: Clock) -> None:
    campaign = graph.create(graph.us, status="ACTIVE")
    clock.pass_by(days=3)

    assert len(rows(graph, campaign, fields="spend", date_preset="last_7d", time_increment="1")) == 2


@pytest.mark.parametrize("account", ["us", "eu", "jp"])
def test_every_account_has_one_active_campaign_that_wastes_money(graph: GraphClient, account: str) -> None:
    found = rows(
        graph,
        getattr(graph, account),
        level="campaign",
        fields="campaign_name,spend,purchase_roas,objective",
        filtering=[
            {"field": "campaign.effective_status", "operator": "EQUAL", "value": "ACTIVE"},
            {"field": "campaign.objective", "operator": "EQUAL", "value": "OUTCOME_SALES"},
        ],
    )
    poor = [row for row in found if Decimal(row["purchase_roas"][0]["value"]) < Decimal("0.6")]

    assert len(poor) == 1
    assert Decimal(poor[0]["spend"]) > sum(Decimal(row["spend"]) for row in found) / 10


@pytest.mark.parametrize(
    ("account", "name", "metric", "recent", "factor"),
    [
        ("us", "Prospecting | Broad", "spend", ("2026-11-18", "2026-11-20"), (1.4, 1.8)),
        ("eu", "Prospecting | DACH", "purchase", ("2026-11-15", "2026-11-21"), (0.0, 0.2)),
        ("jp", "新規獲得 | 幅広い", "impressions", ("2026-11-16", "2026-11-21"), (0.3, 0.6)),
    ],
)
def test_every_account_has_one_recent_anomaly(
    graph: GraphClient, account: str, name: str, metric: str, recent: tuple[str, str], factor: tuple[float, float]
) -> None:
    campaign = graph.campaign_named(getattr(graph, account), name)

    def daily(since: str, until: str) -> float:
        found = rows(
            graph,
            campaign,
            fields="spend,impressions,actions",
            time_range={"since": since, "until": until},
            time_increment="1",
        )
        values = [
            float(row[metric]) if metric in row
            else sum(float(each["value"]) for each in row["actions"] if each["action_type"] == metric)
            for row in found
        ]  # fmt: skip
        return sum(values) / len(values)

    assert factor[0] <= daily(*recent) / daily("2026-10-01", "2026-10-31") <= factor[1]


@pytest.mark.parametrize(
    ("asked", "periods"),
    [
        ({"date_preset": "yesterday"}, [("2026-11-21", "2026-11-21")]),
        ({"date_preset": "today"}, [("2026-11-22", "2026-11-22")]),
        ({}, [("2026-10-23", "2026-11-21")]),
        ({"date_preset": "last_week_mon_sun"}, [("2026-11-09", "2026-11-15")]),
        ({"date_preset": "last_week_sun_sat"}, [("2026-11-15", "2026-11-21")]),
        ({"date_preset": "last_month"}, [("2026-10-01", "2026-10-31")]),
        ({"date_preset": "last_quarter"}, [("2026-07-01", "2026-09-30")]),
        (
            {"time_range": {"since": "2026-10-20", "until": "2026-11-05"}, "time_increment": "monthly"},
            [("2026-10-20", "2026-10-31"), ("2026-11-01", "2026-11-05")],
        ),
        (
            {"time_range": {"since": "2026-11-01", "until": "2026-11-08"}, "time_increment": "7"},
            [("2026-11-01", "2026-11-07"), ("2026-11-08", "2026-11-08")],
        ),
        (
            {
                "time_ranges": [
                    {"since": "2026-11-01", "until": "2026-11-02"},
                    {"since": "2026-11-05", "until": "2026-11-06"},
                ]
            },
            [("2026-11-01", "2026-11-02"), ("2026-11-05", "2026-11-06")],
        ),
    ],
)
def test_periods_are_cut_in_the_accounts_calendar(
    graph: GraphClient, asked: dict[str, Any], periods: list[tuple[str, str]]
) -> None:
    found = rows(graph, graph.us, fields="spend", **asked)

    assert [(row["date_start"], row["date_stop"]) for row in found] == periods


def test_today_is_the_accounts_today(graph: GraphClient, clock: Clock) -> None:
    clock.pass_by(hours=2)

    dates = [rows(graph, account, date_preset="today")[0]["date_start"] for account in (graph.us, graph.jp)]

    assert dates == ["2026-11-22", "2026-11-23"]


def test_rows_are_sorted_paged_and_summed_up_on_request(graph: GraphClient) -> None:
    page = graph.get(
        f"{graph.us}/insights",
        level="campaign",
        fields="spend,campaign_id",
        sort=["spend_descending"],
        limit="2",
        default_summary="true",
    )
    spends = [Decimal(row["spend"]) for row in page["data"]]
    rest = graph.get(
        f"{graph.us}/insights",
        level="campaign",
        fields="spend,campaign_id",
        sort=["spend_descending"],
        after=page["paging"]["cursors"]["after"],
    )["data"]

    assert len(spends) == 2
    assert spends == sorted(spends, reverse=True)
    assert Decimal(rest[0]["spend"]) <= spends[-1]
    assert Decimal(page["summary"]["spend"]) == sum(spends) + sum(Decimal(row["spend"]) for row in rest)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"fields": "spend,colour"}, 100),
        ({"colour": "red"}, 100),
        ({"level": "ad"}, 100),
        ({"breakdowns": "age"}, 100),
        ({"date_preset": "last_5d"}, 100),
        ({"time_increment": "0"}, 100),
        ({"time_increment": "hourly"}, 100),
        ({"time_range": {"since": "2026-11-02", "until": "2026-11-01"}}, 100),
        ({"time_range": {"since": "2026-11-02"}}, 100),
        ({"time_range": {"since": "2026-11-02", "until": "9999-12-31"}, "time_increment": "1"}, 100),
        ({"time_range": {"since": "2026-11-02", "until": "soon"}}, 100),
        ({"time_range": {"since": "2023-10-21", "until": "2023-12-01"}}, 3018),
        ({"time_ranges": []}, 100),
        ({"action_attribution_windows": ["90d_click"]}, 100),
        ({"use_unified_attribution_setting": "perhaps"}, 100),
        ({"sort": ["colour_ascending"]}, 100),
    ],
)
def test_a_bad_question_is_refused(graph: GraphClient, asked: dict[str, Any], code: int) -> None:
    assert graph.error("GET", f"{graph.us}/insights", **asked)["code"] == code


def test_an_unknown_field_gets_the_insights_message(graph: GraphClient) -> None:
    assert graph.error("GET", f"{graph.us}/insights", fields="colour")["message"].startswith(
        "(#100) colour is not valid for fields param."
    )
