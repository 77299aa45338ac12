"""Read the rows of a pipe."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, JsonValue

from tools import cursors
from tools.analytics import Pipe, PipeRows
from tools.approval import moment
from tools.authority import Scope
from tools.capability import GET, Input, Output, Toolset, read
from tools.codec import invalid_arguments
from tools.context import Context
from tools.fields import AnyWebsite, Cursor, Limit, Since, Until, VisitorId
from tools.pipes import HEALTH, field_of, one_pipe, require_range
from tools.pixel.model import TimeZone
from tools.pixel.store import website
from tools.store.statements import Row
from tools.store.tables import websites

USUAL_DAYS = 30
OTHERS = "other_currency_payments"
"""The column in which a pipe of revenue counts what it did not add up."""

Filter = Annotated[str, Field(max_length=500)]


class MetricQuery(Input):
    pipe: Annotated[str, Field(description="What to read, from list_metrics; describe_metric tells what each takes.")]
    websiteId: (
        Annotated[AnyWebsite, Field(description="Website id; implied when there is one, else left out: all together.")]
        | None
    ) = None
    since: Annotated[Since | None, Field(description="First day, YYYY-MM-DD; 29 days before until if left out.")] = None
    until: Annotated[Until | None, Field(description="Last day (included), YYYY-MM-DD; today if left out.")] = None
    tz: Annotated[TimeZone, Field(description="Time zone of the days; the website's own if left out.")] | None = None
    interval: Annotated[Filter, Field(description="Of a series: hour, day, week or month.")] | None = None
    metric: Annotated[Filter, Field(description="Of p_metric_series: what is measured.")] | None = None
    model: Annotated[Filter, Field(description="Attribution model, such as last_touch.")] | None = None
    by: Annotated[Filter, Field(description="What rows are about, such as channel, source or campaign.")] | None = None
    breakdown: Annotated[Filter, Field(description="Of a funnel: a dimension to split it by.")] | None = None
    currency: Annotated[Filter, Field(description="Revenue in this one; the most frequent if left out.")] | None = None
    path: Annotated[Filter, Field(description="Only this page.")] | None = None
    country: Annotated[Filter, Field(description="Only this country, ISO 3166 code.")] | None = None
    device: Annotated[Filter, Field(description="Only this device: desktop, mobile, tablet.")] | None = None
    browser: Annotated[Filter, Field(description="Only this browser.")] | None = None
    os: Annotated[Filter, Field(description="Only this operating system.")] | None = None
    channel: Annotated[Filter, Field(description="Only this channel, such as paid_search or ai.")] | None = None
    referrer_host: Annotated[Filter, Field(description="Only visits from this host.")] | None = None
    utm_source: Annotated[Filter, Field(description="Only this utm_source.")] | None = None
    utm_campaign: Annotated[Filter, Field(description="Only this utm_campaign.")] | None = None
    event: Annotated[Filter, Field(description="Only this custom event.")] | None = None
    goal: Annotated[Filter, Field(description="Only this goal.")] | None = None
    visitor_id: Annotated[VisitorId, Field(description="The visitor.")] | None = None
    steps: (
        Annotated[str, Field(max_length=5000, description="Of a funnel, as describe_metric says of its pipe.")] | None
    ) = None
    window_s: Annotated[int, Field(ge=1, description="Of p_funnel_v2: seconds from first to last step.")] | None = None
    mode: Annotated[Filter, Field(description="Of p_funnel_v2: how strict the order is.")] | None = None
    level: Annotated[Filter, Field(description="Of p_geo: country, region or city.")] | None = None
    dim: Annotated[Filter, Field(description="Of p_devices and p_tech: device, browser, os or screen.")] | None = None
    period: Annotated[Filter, Field(description="Of cohorts: day, week or month.")] | None = None
    n: Annotated[int, Field(ge=1, le=1000, description="Of cohorts: how many periods.")] | None = None
    horizon: Annotated[int, Field(ge=1, le=1000, description="Of cohorts of revenue: periods to follow.")] | None = None
    minutes: Annotated[int, Field(ge=1, le=30, description="Of p_realtime_visitors: how far back.")] | None = None
    lookback_days: (
        Annotated[int, Field(ge=1, le=365, description="Of attribution: how long a touch counts.")] | None
    ) = None
    half_life_days: Annotated[int, Field(ge=1, le=365, description="Of the model time_decay.")] | None = None
    compare: Annotated[bool, Field(description="Beside each figure that of the period before.")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class MetricColumn(Output):
    name: str
    type: str  # ClickHouse's


class MetricRows(Output):
    pipe: str
    columns: tuple[MetricColumn, ...]
    rows: tuple[dict[str, JsonValue], ...]
    caveats: tuple[str, ...]  # what has to be known to read the figures right
    as_of: str
    elapsed: float  # seconds in the engine
    websiteId: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    tz: str | None = None
    next_cursor: str | None = None


@read(scope=Scope.ANALYTICS_READ, rest=GET("/analytics/metrics/{pipe}/rows"), toolset=Toolset.ANALYTICS)
async def query_metrics(context: Context, query: MetricQuery) -> MetricRows:
    """Read web analytics: the rows of one pipe, such as p_top_pages, p_traffic_sources, p_attributed_revenue or
    p_funnel, for days and filters. list_metrics names the pipes, describe_metric what one takes and answers. Bots are
    left out; money is in one currency, and caveats say what is missing, unfinished or not added up. Pages with
    next_cursor."""
    pipe = await one_pipe(context, query.pipe)
    site = await _site(context, query.websiteId)
    asked = _Asked(context, query, pipe, site)
    found = await context.pipes.query(pipe.name, asked.parameters)
    rows, following = asked.page(found)
    return MetricRows(
        pipe=pipe.name,
        columns=tuple(MetricColumn(name=column.name, type=column.type) for column in found.columns),
        rows=rows,
        caveats=tuple(_caveats(asked, found)),
        as_of=moment(context.now_ms()),
        elapsed=found.elapsed,
        websiteId=site.id if site else None,
        since=asked.since,
        until=asked.until,
        tz=asked.tz,
        next_cursor=following,
    )


async def _site(context: Context, website_id: str | None) -> Row | None:
    """The one that is named, or the only one there is."""
    if website_id is not None:
        return await website(context, website_id)
    alive = context.rows.select(websites).where(websites.c.deleted_at.is_(None))
    held = await context.rows.all(alive.limit(2))
    return held[0] if len(held) == 1 else None


class _Asked:
    """A query as its pipe takes it. What the pipe does not know is refused, and the workspace is nobody's to choose."""

    def __init__(self, context: Context, query: MetricQuery, pipe: Pipe, site: Row | None) -> None:
        self._query, self._takes = query, {parameter.name for parameter in pipe.parameters}
        self._same = query.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_unset=True)
        self._skipped = cursors.decode(self._same, query.cursor) or 0
        given = {name: _text(value) for name, value in self._same.items() if name != "pipe"}
        if problems := list(_problems(pipe, given)):
            raise invalid_arguments(query_metrics, problems)
        self.pipe, self.site, self.now = pipe.name, site, context.clock()
        self.parameters = {name: text for name, text in given.items() if name not in ("websiteId", "since", "until")}
        self.parameters["workspace_id"] = context.principal.workspace
        if site is not None and "website_id" in self._takes:
            self.parameters["website_id"] = site.id
        self.since, self.until, self.tz = self._days()
        if self._pages:  # one row more than asked for tells whether there are more
            self.parameters |= {"limit": str(query.limit + 1), "offset": str(self._skipped)}

    @property
    def _pages(self) -> bool:
        return {"limit", "offset"} <= self._takes

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(ZoneInfo(self.parameters.get("tz", "UTC"))).date()

    def _days(self) -> tuple[dt.date | None, dt.date | None, str | None]:
        """Said in so many words to the pipe, so that the answer can say them."""
        tz = None
        if "tz" in self._takes:
            tz = self._query.tz or (self.site.time_zone if self.site else "UTC")
            self.parameters["tz"] = tz
        if not {"from", "to"} <= self._takes:
            return None, None, tz
        until = self._query.until or self.today
        since = self._query.since or until - dt.timedelta(days=USUAL_DAYS - 1)
        require_range(since, until)
        self.parameters |= {"from": since.isoformat(), "to": until.isoformat()}
        return since, until, tz

    def page(self, found: PipeRows) -> tuple[tuple[dict[str, Any], ...], str | None]:
        start, limit = 0 if self._pages else self._skipped, self._query.limit
        more = len(found.rows) > start + limit
        following = cursors.encode(self._same, self._skipped + limit) if more else None
        return tuple(dict(row) for row in found.rows[start : start + limit]), following


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _problems(pipe: Pipe, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    known = {field: parameter for parameter in pipe.parameters if (field := field_of(parameter.name))}
    for name, text in given.items():
        if name not in known:
            yield {"field": name, "problem": f"is not for {pipe.name}, which takes {', '.join(known) or 'nothing'}"}
        elif known[name].choices and text not in known[name].choices:
            yield {"field": name, "problem": f"must be one of {', '.join(known[name].choices)}"}
    for name, parameter in known.items():
        if parameter.required and name not in given and name not in ("websiteId", "since", "until"):
            yield {"field": name, "problem": f"is required by {pipe.name}"}


def _caveats(asked: _Asked, found: PipeRows) -> Iterator[str]:
    if asked.pipe != HEALTH:
        yield "Bots are left out."
    if asked.site is None:
        yield "All websites of the workspace together."
    if asked.since and asked.until:
        yield f"Days are those of {asked.tz or 'UTC'}."
        if asked.until >= asked.today:
            yield f"{asked.today} is not over: its figures still grow."
    others = sum(row.get(OTHERS) or 0 for row in found.rows)
    if others:
        yield f"{others} payments in other currencies are not in the revenue; ask for them with currency."
