"""Reports from Google's rows."""

import datetime as dt
from decimal import Decimal

import pytest

from server.platforms.google.insights import ATTRIBUTION, CONVERSIONS, metrics_query, report
from tests.server.platforms.google.standin import NOW
from tools.errors import PlatformFailure
from tools.ports import InsightsQuery

SINCE, UNTIL = dt.date(2026, 11, 1), dt.date(2026, 11, 7)
METRICS = "metrics.cost_micros, metrics.impressions, metrics.clicks, metrics.conversions, metrics.conversions_value"
DAYS = "WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-07'"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (InsightsQuery(since=SINCE, until=UNTIL), (METRICS, "FROM customer", DAYS)),
        (
            InsightsQuery(since=SINCE, until=UNTIL, by_day=True),
            ("segments.date,", METRICS, "FROM customer", DAYS),
        ),
        (
            InsightsQuery(since=SINCE, until=UNTIL, by_campaign=True),
            ("campaign.id, campaign.name,", METRICS, "FROM campaign", DAYS),
        ),
        (
            InsightsQuery(since=SINCE, until=UNTIL, by_day=True, campaign_id="7"),
            ("campaign.id, campaign.name, segments.date,", METRICS, "FROM campaign", DAYS, "AND campaign.id = 7"),
        ),
    ],
)
def test_a_question_becomes_one_query(query: InsightsQuery, expected: tuple[str, ...]) -> None:
    assert str(metrics_query(query)) == " ".join(("SELECT", *expected))


def test_what_google_leaves_out_is_zero_and_money_is_exact() -> None:
    made = report(
        [
            {
                "campaign": {"id": "7", "name": "C"},
                "segments": {"date": "2026-11-01"},
                "metrics": {
                    "costMicros": "12340001",
                    "impressions": "1000",
                    "clicks": "20",
                    "conversions": 1.1,
                    "conversionsValue": 90.25,
                },
            },
            {"campaign": {"id": "8", "name": "D"}, "segments": {"date": "2026-11-02"}, "metrics": {"impressions": "3"}},
        ],
        NOW,
    )
    first, second = made.rows
    assert (first.spend, first.impressions, first.clicks) == (Decimal("12.340001"), 1000, 20)
    assert (first.conversions, first.conversion_value) == (Decimal("1.1"), Decimal("90.25"))
    assert (first.day, first.campaign_id, first.campaign_name) == (SINCE, "7", "C")
    assert not any((second.spend, second.clicks, second.conversions, second.conversion_value))
    assert (made.conversion_action, made.attribution, made.as_of) == (CONVERSIONS, ATTRIBUTION, NOW)


def test_campaigns_that_were_not_shown_are_left_out_and_nothing_converted_is_said() -> None:
    made = report([{"campaign": {"id": "7", "name": "C"}, "metrics": {}}, {"campaign": {"id": "8"}}], NOW)
    assert made.rows == ()
    assert made.conversion_action is None


def test_a_refund_of_clicks_without_a_view_is_still_a_row() -> None:
    assert len(report([{"metrics": {"costMicros": "-500000"}}, {"metrics": {"conversionsValue": 3}}], NOW).rows) == 2


@pytest.mark.parametrize(
    "row",
    [
        {"metrics": {"impressions": "many"}},
        {"metrics": {"conversions": "NaN"}},
        {"metrics": {"conversions": [1]}},
        {"metrics": {"costMicros": "1.5"}},
        {"metrics": {"impressions": "1"}, "segments": {"date": "yesterday"}},
        {"metrics": {"impressions": "1"}, "segments": {"date": 1}},
        {"metrics": 1},
    ],
)
def test_a_row_that_cannot_be_read_is_a_failure(row: dict[str, object]) -> None:
    with pytest.raises(PlatformFailure) as failed:
        report([row], NOW)
    assert failed.value.fix
