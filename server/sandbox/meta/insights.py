"""The Insights API: one row a campaign or account, period and breakdown value; no row where nothing was delivered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.sandbox.meta import dates, errors, filtering, params
from server.sandbox.meta.campaigns import filter_row
from server.sandbox.meta.delivery import PLATFORM_SHARES, Facts, total
from server.sandbox.meta.metrics import FIELDS, METRICS, RETIRED_WINDOWS, WINDOWS, Counted, reach_of, render
from server.sandbox.meta.paging import page
from server.sandbox.meta.seed import Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import Campaign, World

PARAMETERS = params.PAGED | {
    "action_attribution_windows", "action_breakdowns", "action_report_time", "breakdowns", "date_preset",
    "default_summary", "filtering", "level", "sort", "time_increment", "time_range", "time_ranges",
    "use_account_attribution_setting", "use_unified_attribution_setting",
}  # fmt: skip
_BREAKDOWN = "publisher_platform"
_FILTERS = tuple(f"campaign.{name}" for name in ("id", "name", "objective", "status", "effective_status"))
_SORTED_BY = ("spend", "impressions", "clicks", "reach", "ctr", "cpc", "cpm")


@dataclass(frozen=True)
class Query:
    account: Account
    campaigns: tuple[Campaign, ...]
    level: str
    fields: tuple[str, ...]
    periods: tuple[dates.Range, ...]
    windows: tuple[str, ...]
    breakdown: bool
    sort: str | None
    summary: bool


def read_insights(world: World, node: Account | Campaign, call: Call) -> Answer:
    query = parse(world, node, call)
    return Answer(answer(world, query, call))


def parse(world: World, node: Account | Campaign, call: Call) -> Query:
    raw = call.params
    params.only(raw, PARAMETERS)
    account = node if isinstance(node, Account) else world.accounts[node.account_id]
    levels = ("account", "campaign") if isinstance(node, Account) else ("campaign",)
    level = params.one_of("level", raw.get("level", levels[0]), levels)
    increment = raw.get("time_increment", "all_days")
    tests = filtering.parse(raw.get("filtering"), _FILTERS)
    campaigns = world.of_account(account) if isinstance(node, Account) else [node]
    periods = [chunk for period in dates.ranges(raw, world.today(account)) for chunk in dates.chunks(period, increment)]
    return Query(
        account=account,
        campaigns=tuple(each for each in campaigns if all(test(filter_row(each)) for test in tests)),
        level=level,
        fields=fields(raw.get("fields"), level),
        periods=tuple(periods),
        windows=_windows(raw),
        breakdown=bool(params.list_of("breakdowns", raw.get("breakdowns", ""), (_BREAKDOWN,))),
        sort=_sort(raw.get("sort")),
        summary=raw.get("default_summary", "false") == "true",
    )


def answer(world: World, query: Query, call: Call) -> dict[str, object]:
    rows = list(_rows(world, query))
    if query.sort is not None:
        metric, _, direction = query.sort.rpartition("_")
        rows.sort(key=lambda row: float(str(METRICS[metric](row) or 0)), reverse=direction == "descending")
    shown = [render(row, query.fields) | _broken_down(row) for row in rows]
    paged = page(call, shown, [str(index) for index in range(len(rows))])
    if query.summary and rows:
        paged["summary"] = render(_summary(query, rows), query.fields)
    return paged


def fields(raw: str | None, level: str) -> tuple[str, ...]:
    if not raw:
        own = ("campaign_id",) if level == "campaign" else ()
        return ("account_id", *own, "impressions", "spend", "date_start", "date_stop")
    asked = tuple(dict.fromkeys(params.names(raw)))
    for name in asked:
        if name not in FIELDS:
            raise errors.no_such_insights_field(name)
    return asked


def _windows(raw: Mapping[str, str]) -> tuple[str, ...]:
    for name in ("use_unified_attribution_setting", "use_account_attribution_setting"):
        params.boolean(name, raw.get(name, "false"))
    params.list_of("action_breakdowns", raw.get("action_breakdowns", ""), ("action_type",))
    params.one_of("action_report_time", raw.get("action_report_time", "mixed"), ("mixed", "impression", "conversion"))
    asked = params.list_of(
        "action_attribution_windows", raw.get("action_attribution_windows", ""), (*WINDOWS, *RETIRED_WINDOWS, "default")
    )
    return tuple(window for window in asked if window in WINDOWS)


def _sort(raw: str | None) -> str | None:
    if not raw:
        return None
    allowed = [f"{name}_{direction}" for name in _SORTED_BY for direction in ("ascending", "descending")]
    return params.list_of("sort", raw, allowed)[0]


def _rows(world: World, query: Query) -> Iterator[Counted]:
    groups: Sequence[tuple[Campaign, ...]] = (
        [(campaign,) for campaign in query.campaigns] if query.level == "campaign" else [query.campaigns]
    )
    for period in query.periods:
        for group in groups:
            by_campaign = [_delivered(world, campaign, period) for campaign in group]
            for platform in PLATFORM_SHARES if query.breakdown else (None,):
                parts = [total(_pick(days, platform)) for days in by_campaign]
                row = _count(query, group, parts, period, platform)
                if row.facts.impressions:
                    yield row


def _delivered(world: World, campaign: Campaign, period: dates.Range) -> list[dict[str, Facts]]:
    since = max(period[0], world.first_day(world.accounts[campaign.account_id]))
    until = min(period[1], world.today(world.accounts[campaign.account_id]))
    days = (since + timedelta(days=offset) for offset in range((until - since).days + 1))
    return [world.delivered(campaign, day) for day in days]


def _pick(days: Sequence[dict[str, Facts]], platform: str | None) -> Iterator[Facts]:
    for by_platform in days:
        if platform is None:
            yield from by_platform.values()
        elif platform in by_platform:
            yield by_platform[platform]


def _count(
    query: Query, group: Sequence[Campaign], parts: Sequence[Facts], period: dates.Range, platform: str | None
) -> Counted:
    reaches = [reach_of(part.impressions, (period[1] - period[0]).days + 1) for part in parts]
    # Campaigns of one account meet some of the same people.
    reach = max([*reaches, round(0.85 * sum(reaches))])
    identity = _identity(query, group, period)
    if platform is not None:
        identity[_BREAKDOWN] = platform
    return Counted(total(parts), reach, query.account.offset, query.windows, identity)


def _identity(query: Query, group: Sequence[Campaign], period: tuple[date, date]) -> dict[str, str]:
    identity = {
        "account_id": query.account.id,
        "account_name": query.account.name,
        "account_currency": query.account.currency,
        "attribution_setting": "7d_click_1d_view",
        "date_start": period[0].isoformat(),
        "date_stop": period[1].isoformat(),
    }
    if query.level == "campaign":
        campaign = group[0]
        identity |= {
            "campaign_id": campaign.id,
            "campaign_name": campaign.name,
            "objective": campaign.objective,
            "buying_type": "AUCTION",
            "created_time": campaign.created_time[:10],
            "updated_time": campaign.updated_time[:10],
        }
    return identity


def _broken_down(row: Counted) -> dict[str, str]:
    return {_BREAKDOWN: row.identity[_BREAKDOWN]} if _BREAKDOWN in row.identity else {}


def _summary(query: Query, rows: Sequence[Counted]) -> Counted:
    facts = total(row.facts for row in rows)
    first, last = min(start for start, _ in query.periods), max(end for _, end in query.periods)
    identity = {
        "account_id": query.account.id,
        "account_currency": query.account.currency,
        "date_start": first.isoformat(),
        "date_stop": last.isoformat(),
    }
    return Counted(
        facts, reach_of(facts.impressions, (last - first).days + 1), query.account.offset, query.windows, identity
    )
