"""Google's metric rows become one comparable report: exact money, and what bidding counts as a conversion."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from server.platforms.google.answers import part
from server.platforms.google.gaql import Query, between, is_id
from server.platforms.google.money import to_major
from server.platforms.google.wire import GOOGLE, Row
from tools.errors import PlatformFailure
from tools.ports import InsightsQuery, InsightsReport, InsightsRow

ATTRIBUTION = "each conversion action's own model and window, on the day of the click or view"
CONVERSIONS = "conversions (the account's primary conversion actions)"
_METRICS = (
    "metrics.cost_micros", "metrics.impressions", "metrics.clicks", "metrics.conversions", "metrics.conversions_value",
)  # fmt: skip


def metrics_query(query: InsightsQuery) -> Query:
    """No status is named, so that removed campaigns count too: the rows add up to what the account spent."""
    by_campaign = query.by_campaign or query.campaign_id is not None
    return Query(
        select=(
            *(("campaign.id", "campaign.name") if by_campaign else ()),
            *(("segments.date",) if query.by_day else ()),
            *_METRICS,
        ),
        resource="campaign" if by_campaign else "customer",
        where=(
            between(query.since, query.until),
            *((is_id("campaign.id", query.campaign_id),) if query.campaign_id else ()),
        ),
    )


def report(found: Sequence[Row], as_of: dt.datetime) -> InsightsReport:
    """Without a day, Google has a row for campaigns that were not shown at all: they are left out, as days are."""
    read = [insights_row(row) for row in found]
    rows = tuple(
        row for row in read if row.impressions or row.clicks or row.spend or row.conversions or row.conversion_value
    )
    converted = any(row.conversions or row.conversion_value for row in rows)
    return InsightsReport(
        rows=rows, conversion_action=CONVERSIONS if converted else None, attribution=ATTRIBUTION, as_of=as_of
    )


def insights_row(row: Row) -> InsightsRow:
    """What is zero, Google leaves out."""
    metrics, segments, campaign = part(row, "metrics"), part(row, "segments"), part(row, "campaign")
    try:
        return InsightsRow(
            spend=to_major(metrics.get("costMicros")),
            impressions=int(metrics.get("impressions", 0)),
            clicks=int(metrics.get("clicks", 0)),
            conversions=_number(metrics, "conversions"),
            conversion_value=_number(metrics, "conversionsValue"),
            day=dt.date.fromisoformat(segments["date"]) if "date" in segments else None,
            campaign_id=campaign.get("id"),
            campaign_name=campaign.get("name"),
        )
    except (ArithmeticError, ValueError, TypeError) as error:
        raise PlatformFailure(
            f"Google sent a report row that cannot be read ({type(error).__name__}).",
            fix="Try again; if it stays, check GOOGLE_ADS_API_VERSION and report it.",
            platform=GOOGLE,
        ) from error


def _number(metrics: Mapping[str, Any], name: str) -> Decimal:
    """A JSON number as it was written: conversions are fractions where several clicks share one."""
    number = Decimal(repr(metrics.get(name, 0)))
    if not number.is_finite():
        raise ValueError(name)
    return number
