"""A query asks for what goes together, in values that fit, over dates that end."""

from datetime import date
from itertools import product

import pytest

from server.sandbox.google import gaql
from server.sandbox.google.errors import Failure
from server.sandbox.google.fields import FIELDS, GOES_WITH
from server.sandbox.google.gaql import COMPARISONS
from server.sandbox.google.query import check
from tests.server.sandbox.ads_client import MANAGER, US, AdsClient


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT campaign.start_date FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaign WHERE campaign.nothing = 1", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaign ORDER BY campaign.nothing", "UNRECOGNIZED_FIELD"),
        ("SELECT customer_client.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM customer", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT customer.id FROM customer WHERE campaign.id = 1", "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE"),
        ("SELECT metrics.clicks FROM customer_client", "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE"),
        (
            "SELECT customer_client.id FROM customer_client WHERE segments.date DURING TODAY",
            "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        ("SELECT campaign.id FROM campaign WHERE campaign.name > 'a'", "OPERATOR_FIELD_MISMATCH"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status LIKE '%A%'", "OPERATOR_FIELD_MISMATCH"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status < ENABLED", "OPERATOR_FIELD_MISMATCH"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id DURING TODAY", "OPERATOR_FIELD_MISMATCH"),
        ("SELECT campaign.id FROM campaign WHERE segments.date != '2026-11-01'", "OPERATOR_FIELD_MISMATCH"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status = 'ARCHIVED'", "BAD_ENUM_CONSTANT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status IN ('ENABLED', 'paused')", "BAD_ENUM_CONSTANT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 'first'", "BAD_NUMBER"),
        ("SELECT campaign.id FROM campaign WHERE campaign_budget.explicitly_shared = 1", "BAD_VALUE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = Brand", "INVALID_STRING_VALUE"),
        (
            "SELECT campaign.id FROM campaign WHERE segments.date DURING LAST_90_DAYS",
            "INVALID_VALUE_WITH_DURING_OPERATOR",
        ),
        ("SELECT campaign.id FROM campaign WHERE segments.date = '2026-13-01'", "INVALID_DATE_FORMAT"),
        ("SELECT campaign.id FROM campaign WHERE segments.date = 'today'", "INVALID_DATE_FORMAT"),
        ("SELECT campaign.id FROM campaign WHERE segments.month = '2026-11-02'", "MISALIGNED_DATE_FOR_FILTER"),
        (
            "SELECT campaign.id FROM campaign WHERE segments.date BETWEEN '2026-11-07' AND '2026-11-01'",
            "DATE_RANGE_TOO_NARROW",
        ),
        ("SELECT segments.date, metrics.clicks FROM campaign", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        (
            "SELECT segments.week, metrics.clicks FROM campaign WHERE segments.date >= '2026-11-01'",
            "EXPECTED_FILTERS_ON_DATE_RANGE",
        ),
        (
            "SELECT metrics.clicks FROM campaign WHERE segments.device = MOBILE",
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
        ),
        ("SELECT campaign.id FROM campaign ORDER BY metrics.clicks", "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"),
        ("SELECT segments.year FROM campaign WHERE segments.year = 'last'", "INVALID_DATE_FORMAT"),
        ("SELECT segments.year FROM campaign WHERE segments.year DURING TODAY", "OPERATOR_FIELD_MISMATCH"),
    ],
)
def test_what_does_not_go_together_is_refused(ads: AdsClient, query: str, code: str) -> None:
    customer = MANAGER if "customer_client" in query.split(" FROM ")[1] else US

    assert ads.query_refused(query, customer) == [f"queryError.{code}"]


@pytest.mark.parametrize("query", ["SELECT metrics.clicks FROM campaign", "SELECT metrics.clicks FROM customer"])
def test_a_manager_has_no_metrics(ads: AdsClient, query: str) -> None:
    assert ads.query_refused(query, MANAGER) == ["queryError.REQUESTED_METRICS_FOR_MANAGER"]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("campaign.status = 'REMOVED'", {"Clearance | Last season"}),
        ("campaign.status NOT IN (ENABLED, REMOVED)", {"Display | Remarketing"}),
        ("campaign.status != ENABLED AND campaign.status != PAUSED", {"Clearance | Last season"}),
        ("campaign.name = 'Competitors'", {"Competitors"}),
        ("campaign.name = 'competitors'", set()),
        ("campaign.name LIKE 'brand%'", {"Brand | Exact", "Brand | Phrase"}),
        ("campaign.name LIKE '%.%'", set()),
        ("campaign.name NOT LIKE '% | %'", {"Competitors"}),
        ("campaign_budget.explicitly_shared = TRUE", {"Brand | Exact", "Brand | Phrase", "Competitors"}),
        ("campaign_budget.amount_micros >= 200000000", {"Performance Max | Full catalog"}),
        ("campaign_budget.amount_micros BETWEEN 30000000 AND 40000000 AND campaign.status = ENABLED",
         {"Leads | Store appointments"}),
        ("campaign.end_date_time IS NOT NULL", set()),
        ("campaign.start_date_time > '2026-08-30 00:00:00' AND campaign.end_date_time IS NULL",
         {"Generic | Rain jackets broad"}),
        ("customer.currency_code != 'USD'", set()),
    ],
)  # fmt: skip
def test_conditions_choose_rows(ads: AdsClient, condition: str, names: set[str]) -> None:
    rows = ads.select(US, "campaign.name", "campaign", condition)

    assert {row["campaign"]["name"] for row in rows} == names


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("segments.date DURING TODAY", ("2026-11-22", "2026-11-22")),
        ("segments.date DURING YESTERDAY", ("2026-11-21", "2026-11-21")),
        ("segments.date DURING LAST_7_DAYS", ("2026-11-15", "2026-11-21")),
        ("segments.date DURING LAST_30_DAYS", ("2026-10-23", "2026-11-21")),
        ("segments.date DURING THIS_MONTH", ("2026-11-01", "2026-11-22")),
        ("segments.date DURING LAST_MONTH", ("2026-10-01", "2026-10-31")),
        ("segments.date DURING LAST_BUSINESS_WEEK", ("2026-11-09", "2026-11-13")),
        ("segments.date DURING LAST_WEEK_MON_SUN", ("2026-11-09", "2026-11-15")),
        ("segments.date DURING LAST_WEEK_SUN_SAT", ("2026-11-15", "2026-11-21")),
        ("segments.date DURING THIS_WEEK_MON_TODAY", ("2026-11-16", "2026-11-22")),
        ("segments.date DURING THIS_WEEK_SUN_TODAY", ("2026-11-22", "2026-11-22")),
        ("segments.date = '2026-11-03'", ("2026-11-03", "2026-11-03")),
        ("segments.date > '2026-11-03' AND segments.date < '2026-11-06'", ("2026-11-04", "2026-11-05")),
        ("segments.date >= '2026-11-03' AND segments.date <= '2026-11-06'", ("2026-11-03", "2026-11-06")),
        ("segments.year = 2026 AND segments.date <= '2026-08-01'", ("2026-07-25", "2026-08-01")),
        (
            "segments.date BETWEEN '0001-01-01' AND '9999-12-31' AND segments.date >= '2026-11-20'",
            ("2026-11-20", "2026-11-22"),
        ),
        ("segments.date < '9999-12-31' AND segments.date > '2026-11-20'", ("2026-11-21", "2026-11-22")),
        ("segments.week = '2026-11-09'", ("2026-11-09", "2026-11-15")),
        ("segments.month = '2026-10-01'", ("2026-10-01", "2026-10-31")),
        ("segments.month BETWEEN '2026-09-01' AND '2026-10-01'", ("2026-09-01", "2026-10-31")),
        ("segments.quarter = '2026-07-01' AND segments.date >= '2026-09-01'", ("2026-09-01", "2026-09-30")),
    ],
)
def test_dates_are_the_accounts_own(ads: AdsClient, condition: str, days: tuple[str, str]) -> None:
    rows = ads.select(US, "segments.date", "customer", f"{condition} ORDER BY segments.date")
    found = [row["segments"]["date"] for row in rows]

    assert (found[0], found[-1]) == days
    assert len(found) == len(set(found))


@pytest.mark.parametrize("condition", ["< '0001-01-01'", "> '9999-12-31'", "= '0001-01-01'", ">= '9999-12-31'"])
def test_the_ends_of_the_calendar_hold_no_rows(ads: AdsClient, condition: str) -> None:
    assert (
        ads.select(US, "campaign.id, metrics.clicks", "campaign", f"segments.date {condition} AND metrics.clicks > 0")
        == []
    )


LITERALS = ("1", "'x'", "ENABLED", "TRUE", "'2026-11-02'", "'0001-01-01'", "-5", "1.5", "99999999999999999999", "TODAY")


@pytest.mark.parametrize("operator", [*COMPARISONS, "LIKE", "NOT LIKE", "DURING", "BETWEEN", "IN", "NOT IN"])
def test_any_field_with_any_operator_and_value_is_planned_or_refused(operator: str) -> None:
    refused = planned = 0
    for field, literal in product(FIELDS.values(), LITERALS):
        value = {"BETWEEN": f"{literal} AND {literal}", "IN": f"({literal})", "NOT IN": f"({literal})"}
        resource = field.resource if field.resource in GOES_WITH else "campaign"
        text = f"SELECT {field.name} FROM {resource} WHERE {field.name} {operator} {value.get(operator, literal)}"  # noqa: S608  # GAQL of a test
        try:
            plan = check(gaql.parse(text), date(2026, 11, 22))
        except Failure as failure:
            refused += 1
            assert all(problem.code.startswith("queryError.") for problem in failure.problems)
        else:
            planned += 1
            assert plan.select == (field,)
    assert refused
    assert planned
