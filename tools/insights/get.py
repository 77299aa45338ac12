"""Query the platforms' metrics."""

import asyncio
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
    Platform,
    PlatformField,
    Since,
    Until,
    member,
)
from tools.insights.model import Gap, Insights, Metrics, MetricsRow, Source, Sums
from tools.ports import Breakdown, InsightsQuery, InsightsReport
from tools.targets import Target, find_campaign, targets

AT_ONCE = 4
"""Accounts asked at the same time; more gets an app throttled, not answered sooner."""

DEFAULT_DAYS = 28

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
    """Read spend, impressions, clicks, conversions, conversion value, ROAS, CTR and CPC of connected ad accounts, by
    day, campaign, platform or in total. Ratios are null where undefined, currencies are never added up. Sources name
    the conversion action, attribution, time zone and freshness; gaps name accounts that could not be read."""
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
    reports, gaps = await _reports(context, held, asked)
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
        sources=tuple(_source(target, report) for target, report in reports),
        gaps=tuple(gaps),
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
    once: dict[tuple[Platform, str], Target] = {}  # an account that two connections reach spends its money once
    for target in held:
        once.setdefault((target.connection.platform, target.account.account_id), target)
    return tuple(once.values())


async def _reports(
    context: Context, held: tuple[Target, ...], asked: InsightsQuery
) -> tuple[list[tuple[Target, InsightsReport]], list[Gap]]:
    """Every account's report, or a named gap; when nothing could be read, the first reason is the answer."""
    room, done = asyncio.Semaphore(AT_ONCE), 0

    async def one(target: Target) -> InsightsReport | CapabilityError:
        nonlocal done
        async with room:
            try:
                return await insights_cache.insights(context, target, asked)
            except CapabilityError as error:
                return error
            finally:
                done += 1
                await context.progress(done, len(held), target.account.name)

    answers = await asyncio.gather(*(one(target) for target in held))
    errors = [answer for answer in answers if isinstance(answer, CapabilityError)]
    if errors and len(errors) == len(answers):
        raise errors[0]
    reports = [(t, a) for t, a in zip(held, answers, strict=True) if isinstance(a, InsightsReport)]
    return reports, [_gap(t, a) for t, a in zip(held, answers, strict=True) if isinstance(a, CapabilityError)]


def _rows(reports: Iterable[tuple[Target, InsightsReport]], breakdown: Breakdown | None) -> list[MetricsRow]:
    groups: dict[Key, Sums] = {}
    for target, report in reports:
        for row in report.rows:
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


def _totals(reports: Iterable[tuple[Target, InsightsReport]]) -> tuple[Metrics, ...]:
    by_currency: dict[str, Sums] = {}
    for target, report in reports:
        sums = by_currency.setdefault(target.account.currency, Sums())
        for row in report.rows:
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


def _gap(target: Target, error: CapabilityError) -> Gap:
    return Gap(
        platform=target.connection.platform,
        connectionId=target.connection.id,
        account_id=target.account.account_id,
        code=error.code,
        message=error.message,
    )
