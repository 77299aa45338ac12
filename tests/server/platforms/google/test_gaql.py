"""Queries: what they look like, and what can never get into one."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.platforms.google.gaql import Query, above_id, between, is_false, is_id, one_of


def test_a_query_is_its_parts() -> None:
    query = Query(
        select=("campaign.id", "metrics.cost_micros"),
        resource="campaign",
        where=(
            between(dt.date(2026, 11, 1), dt.date(2026, 11, 7)),
            is_id("campaign_budget.id", "222"),
            above_id("campaign.id", "7"),
            one_of("campaign.status", ("ENABLED", "PAUSED")),
            is_false("customer_client.manager"),
        ),
        order_by="campaign.id",
        limit=501,
    )
    assert str(query) == (
        "SELECT campaign.id, metrics.cost_micros FROM campaign WHERE segments.date BETWEEN '2026-11-01' AND "
        "'2026-11-07' AND campaign_budget.id = 222 AND campaign.id > 7 AND campaign.status IN ('ENABLED', 'PAUSED') "
        "AND customer_client.manager = FALSE ORDER BY campaign.id LIMIT 501"
    )
    assert str(Query(select=("customer.id",), resource="customer")) == "SELECT customer.id FROM customer"


def test_an_early_day_is_written_with_four_digits_of_year() -> None:
    assert "'0999-01-01'" in str(between(dt.date(999, 1, 1), dt.date(2026, 1, 1)))


@pytest.mark.parametrize(
    "value", ["", "1 OR 1=1", "7'", "-1", "1.5", "١٢", "7\n", "9" * 21, "PAUSED", "customers/1/campaigns/7"]
)
def test_what_is_no_id_is_refused(value: str) -> None:
    for condition in (is_id, above_id):
        with pytest.raises(ValueError, match="does not belong in a query"):
            condition("campaign.id", value)


@given(st.text())
def test_whatever_is_sent_as_an_id_is_digits_in_a_query_or_not_in_one(value: str) -> None:
    try:
        condition = str(is_id("campaign.id", value))
    except ValueError:
        return
    assert re.fullmatch(r"campaign\.id = [0-9]+", condition)


@pytest.mark.parametrize("word", ["", "paused", "PAUSED'", "A B", "A--", "REMOVED' OR 'A", "ÄNDERN"])
def test_what_is_no_constant_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="does not belong in a query"):
        one_of("campaign.status", ("ENABLED", word))


@pytest.mark.parametrize("name", ["", "campaign", "campaign.id FROM", "Campaign.id", "campaign..id", "campaign.id,a.b"])
def test_what_is_no_field_is_refused_wherever_a_field_stands(name: str) -> None:
    for query in (
        Query(select=(name,), resource="campaign"),
        Query(select=("campaign.id",), resource="campaign", order_by=name or "."),
    ):
        with pytest.raises(ValueError, match="does not belong in a query"):
            str(query)
    with pytest.raises(ValueError, match="does not belong in a query"):
        is_id(name, "1")


def test_what_is_no_resource_is_refused() -> None:
    with pytest.raises(ValueError, match="does not belong in a query"):
        str(Query(select=("campaign.id",), resource="campaign WHERE 1"))
