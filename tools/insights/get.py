"""Query the platforms' metrics."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from tools import cursors, insights_cache
from tools.authority import Scope
from tools.capability import GET, Input, Toolset, read
from tools.context import Context
from tools.errors import CapabilityError
from tools.fields import (
    AccountId,
    CampaignId,
    ConnectionId,
    Cursor,
    Limit,
    PlatformField,
    Since,
    Until,
    member,
)
from tools.insights.model import Insights, Metrics, MetricsRow, Source, Sums
from tools.insights_cache import Part, freshness
from tools.ports import Breakdown, InsightsQuery, InsightsReport
from tools.targets import Target, find_campaign, spending, targets
from tools.together import each, gaps

DEFAULT_DAYS = 28

Report = tuple[Target, Part[InsightsReport]]
Failure = tuple[Target, CapabilityError]
Key = tuple[str, str, str, str, str, str]
"""Sorts and groups rows: currency, day, platform, account, campaign, its name."""


class MetricsQuery(Input):
    since: Annotated[Since | None, Field(description="First day, YYYY-MM-DD; 27 days before until if left out.")] = None
    until: Annotated[Until | None, Field(description="Last day (included), YYYY-MM-DD; today if left out.")] = None
    platform: PlatformField | None = None
    connectionId: ConnectionId | None = None
    account_id: AccountId | None = None
    campaign_id: CampaignId | None = None
    breakdown: (
        Annotated[
            Breakdown,
            BeforeValidator(member(Breakdown)),
            Field(description="One row a day, campaign or platform; left out: one a currency."),
        ]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: Limit = 500

    @model_validator(mode="after")
    def _days_in_order(self) -> "MetricsQuery":
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is after until")
        return self


@read(scope=Scope.ADS_READ, rest=GET("/ads/insights"), toolset=Toolset.ADS)
async def get_insights(context: Context, query: MetricsQuery) -> Insights:
    """Read what ads cost and returned, to compare platforms, campaigns or weeks and to find what was wasted: spend,
    impressions, clicks, conversions, conversion value, ROAS, CTR and CPC of connected ad accounts, by day, campaign,
    platform or in total. Ratios are null where undefined, currencies are never added up. Sources name the conversion
    action, attribution, time zone and freshness; gaps name accounts that could not be read."""
    until = query.until or context.clock().date()
    since = query.since or dt.date.fromordinal(max(1, until.toordinal() - DEFAULT_DAYS + 1))
    held = await _targets(context, query)
    asked = InsightsQuery(
        since=since,
        until=until,
        campaign_id=query.campaign_id,
        by_day=query.breakdown is Breakdown.DAY,
        by_campaign=query.breakdown is Breakdown.CAMPAIGN,
    )
    reports, failed = await _reports(context, held, asked)
    rows = _rows(reports, query.breakdown)
    same = query.model_dump(mode="json", exclude={"cursor", "limit"})
    start = cursors.decode(same, query.cursor) or 0
    more = start + query.limit < len(rows)
    return Insights(
        since=since,
        until=until,
        breakdown=query.breakdown or "none",
        rows=tuple(rows[start : start + query.limit]),
        totals=_totals(reports),
        sources=tuple(_source(target, part.value) for target, part in reports),
        gaps=gaps(failed),
        cache=freshness(part for _, part in reports),
        next_cursor=cursors.encode(same, start + query.limit) if more else None,
    )


async def _targets(context: Context, query: MetricsQuery) -> tuple[Target, ...]:
    if query.campaign_id:
        target, _ = await find_campaign(
            context, query.campaign_id, connection_id=query.connectionId, account_id=query.account_id
        )
        return (target,) if query.platform in (None, target.connection.platform) else ()
    held = await targets(
        context, platform=query.platform, connection_id=query.connectionId, account_id=query.account_id
    )
    return spending(held)


async def _reports(
    context: Context, held: tuple[Target, ...], asked: InsightsQuery
) -> tuple[list[Report], list[Failure]]:
    """Every account's report, or why there is none; when nothing could be read, the first reason is the answer."""
    kept = insights_cache.insights(context, held, asked)
    reports: list[Report] = []
    failed: list[Failure] = []

    def take(target: Target, answer: Part[InsightsReport] | CapabilityError) -> bool:
        if isinstance(answer, CapabilityError):
            failed.append((target, answer))
        else:
            reports.append((target, answer))
        return True

    await each(context, held, kept.of, take)
    if failed and not reports:
        raise failed[0][1]
    return reports, failed


def _rows(reports: Iterable[Report], breakdown: Breakdown | None) -> list[MetricsRow]:
    groups: dict[Key, Sums] = {}
    for target, part in reports:
        for row in part.value.rows:
            key = (
                target.account.currency,
                row.day.isoformat() if row.day and breakdown is Breakdown.DAY else "",
                target.connection.platform.value if breakdown else "",
                target.account.account_id if breakdown is Breakdown.CAMPAIGN else "",
                (row.campaign_id or "") if breakdown is Breakdown.CAMPAIGN else "",
                (row.campaign_name or "") if breakdown is Breakdown.CAMPAIGN else "",
            )
            if breakdown is Breakdown.DAY:
                key = (*key[:2], "", "", "", "")
            groups.setdefault(key, Sums()).add(row)
    return [_row(key, sums) for key, sums in sorted(groups.items(), key=lambda item: _order(item, breakdown))]


def _order(item: tuple[Key, Sums], breakdown: Breakdown | None) -> tuple[object, ...]:
    key, sums = item
    return (key[0], -sums.spend, *key[1:]) if breakdown is Breakdown.CAMPAIGN else key


def _row(key: Key, sums: Sums) -> MetricsRow:
    currency, day, platform, account, campaign, name = key
    shown = {"day": day, "platform": platform, "account_id": account, "campaign_id": campaign, "campaign_name": name}
    return MetricsRow.model_validate({"currency": currency, **sums.metrics(), **{k: v for k, v in shown.items() if v}})


def _totals(reports: Iterable[Report]) -> tuple[Metrics, ...]:
    by_currency: dict[str, Sums] = {}
    for target, part in reports:
        sums = by_currency.setdefault(target.account.currency, Sums())
        for row in part.value.rows:
            sums.add(row)
    return tuple(
        Metrics.model_validate({"currency": currency, **sums.metrics()})
        for currency, sums in sorted(by_currency.items())
    )


def _source(target: Target, report: InsightsReport) -> Source:
    return Source(
        platform=target.connection.platform,
        connectionId=target.connection.id,
        account_id=target.account.account_id,
        name=target.account.name,
        currency=target.account.currency,
        time_zone=target.account.time_zone,
        attribution=report.attribution,
        conversion_action=report.conversion_action,
        asOf=report.as_of.isoformat(timespec="seconds"),
    )
