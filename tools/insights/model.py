"""Metrics and their formulas: sums of what the platforms report, and ratios of those sums."""

import datetime as dt
from decimal import Decimal

from tools.capability import Output
from tools.fields import Platform, Ratio
from tools.ports import InsightsRow
from tools.together import Freshness, Gap

RATE = Decimal("0.0001")


class Metrics(Output):
    """Money in major units of `currency`, which is never summed with another.

    ctr = clicks / impressions (0.02 is 2 %), cpc = spend / clicks, roas = conversion_value / spend; each is null where
    its denominator is 0. A ratio of sums, never a mean of ratios.
    """

    currency: str
    spend: Ratio
    impressions: int
    clicks: int
    conversions: Ratio
    conversion_value: Ratio
    roas: Ratio | None
    ctr: Ratio | None
    cpc: Ratio | None


class MetricsRow(Metrics):
    day: dt.date | None = None
    platform: Platform | None = None
    account_id: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None


class Source(Output):
    """One account the figures come from, and what has to be known to compare it with another."""

    platform: Platform
    connectionId: str
    account_id: str
    name: str
    currency: str
    time_zone: str  # days are this zone's days
    attribution: str
    conversion_action: str | None  # the one action counted as a conversion; null: none happened
    asOf: str


class Insights(Output):
    since: dt.date
    until: dt.date
    breakdown: str  # day | campaign | platform | none
    rows: tuple[MetricsRow, ...]
    totals: tuple[Metrics, ...]  # one a currency, over all rows of all pages
    sources: tuple[Source, ...]
    gaps: tuple[Gap, ...]  # what is missing above because it could not be read
    cache: Freshness
    next_cursor: str | None = None


class Sums:
    """Running sums of one row to be."""

    __slots__ = ("clicks", "conversion_value", "conversions", "impressions", "spend")

    def __init__(self) -> None:
        self.spend = self.conversions = self.conversion_value = Decimal(0)
        self.impressions = self.clicks = 0

    def add(self, row: InsightsRow) -> None:
        self.spend += row.spend
        self.impressions += row.impressions
        self.clicks += row.clicks
        self.conversions += row.conversions
        self.conversion_value += row.conversion_value

    def metrics(self) -> dict[str, object]:
        return {
            "spend": self.spend,
            "impressions": self.impressions,
            "clicks": self.clicks,
            "conversions": self.conversions,
            "conversion_value": self.conversion_value,
            "roas": _ratio(self.conversion_value, self.spend, RATE),
            "ctr": _ratio(Decimal(self.clicks), Decimal(self.impressions), Decimal("0.000001")),
            "cpc": _ratio(self.spend, Decimal(self.clicks), RATE),
        }


def _ratio(above: Decimal, below: Decimal, precision: Decimal) -> Decimal | None:
    return (above / below).quantize(precision) if below else None
