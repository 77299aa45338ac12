"""Read the rows of a pipe."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, JsonValue

from tools import cursors
from tools.analytics import Pipe, PipeParameter, PipeRows
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
OTHER_SPEND = "other_currency_spend_rows"
"""The same of ad spend: days of a campaign."""
PANEL = "p_mmm_input"
"""Its rows of one period repeat what was paid in it."""

Word = Annotated[str, Field(max_length=500)]


class MetricQuery(Input):
    pipe: Annotated[str, Field(description="What to read, from list_metrics.")]
    websiteId: (
        Annotated[AnyWebsite, Field(description="Implied when there is one; left out otherwise: all together.")] | None
    ) = None
    since: Annotated[Since | None, Field(description="First day, YYYY-MM-DD; 29 days before until if left out.")] = None
    until: Annotated[Until | None, Field(description="Last day (included); today if left out.")] = None
    tz: Annotated[TimeZone, Field(description="IANA zone of the days; the website's if left out.")] | None = None
    interval: Annotated[Word, Field(description="Of a series or cohorts, such as week.")] | None = None
    metric: Annotated[Word, Field(description="What a series measures.")] | None = None
    model: Annotated[Word, Field(description="Attribution model, such as last_touch.")] | None = None
    by: Annotated[Word, Field(description="What rows are split by, such as channel or device.")] | None = None
    currency: Annotated[Word, Field(description="Of revenue; the most frequent if left out.")] | None = None
    path: Annotated[Word, Field(description="Only this page.")] | None = None
    country: Annotated[Word, Field(description="Only this, ISO 3166.")] | None = None
    device: Annotated[Word, Field(description="Only this: desktop, mobile, tablet.")] | None = None
    browser: Annotated[Word, Field(description="Only this.")] | None = None
    os: Annotated[Word, Field(description="Only this.")] | None = None
    channel: Annotated[Word, Field(description="Only this, such as paid_search or ai.")] | None = None
    referrer_host: Annotated[Word, Field(description="Only from this host.")] | None = None
    utm_source: Annotated[Word, Field(description="Only this.")] | None = None
    utm_campaign: Annotated[Word, Field(description="Only this.")] | None = None
    event: Annotated[Word, Field(description="Only this custom event.")] | None = None
    goal: Annotated[Word, Field(description="Only this goal.")] | None = None
    visitor_id: Annotated[VisitorId, Field(description="The visitor.")] | None = None
    steps: Annotated[str, Field(max_length=5000, description="Of a funnel, as its pipe describes.")] | None = None
    window_s: Annotated[int, Field(ge=1, description="Of a funnel: seconds from first to last step.")] | None = None
    mode: Annotated[Word, Field(description="Of a funnel: how strict the order is.")] | None = None
    periods: Annotated[int, Field(ge=1, description="Of cohorts: how many to follow.")] | None = None
    minutes: Annotated[int, Field(ge=1, description="Of realtime: how far back.")] | None = None
    lookback_days: Annotated[int, Field(ge=1, description="Of attribution: how long a touch counts.")] | None = None
    half_life_days: Annotated[int, Field(ge=1, description="Of the model time_decay.")] | None = None
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
    """Read web analytics of websites: visitors, sessions, pages, channels, funnels, revenue by attribution model,
    retention, realtime, and assistants such as ChatGPT. Answers the rows of one pipe, such as p_top_pages,
    p_traffic_sources, p_attributed_revenue or p_funnel, for days and filters. list_metrics names the pipes,
    describe_metric what one takes and answers. Bots are left out; money is in one currency, and caveats say what is
    missing, unfinished or not added up. Pages with next_cursor."""
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
        known = {field: parameter for parameter in pipe.parameters if (field := field_of(parameter.name))}
        if problems := list(_problems(pipe.name, known, given)):
            raise invalid_arguments(query_metrics, problems)
        self.pipe, self.site, self.now = pipe.name, site, context.clock()
        self.parameters = {known[name].name: text for name, text in given.items() if name not in _OURS}
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
        require_range(self._query.since, until)
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


_OURS = ("websiteId", "since", "until")
"""Checked, and said to the pipe, apart from the others."""


def _problems(pipe: str, known: Mapping[str, PipeParameter], given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for name, text in given.items():
        if name not in known:
            yield {"field": name, "problem": f"is not for {pipe}, which takes {', '.join(known) or 'nothing'}"}
        elif known[name].choices and text not in known[name].choices:
            yield {"field": name, "problem": f"must be one of {', '.join(known[name].choices)}"}
    for name, parameter in known.items():
        if parameter.required and name not in {*given, *_OURS}:
            yield {"field": name, "problem": f"is required by {pipe}"}


def _caveats(asked: _Asked, found: PipeRows) -> Iterator[str]:
    if asked.pipe != HEALTH:
        yield "Bots are left out."
    if asked.site is None:
        yield "All websites of the workspace together."
    if asked.since and asked.until:
        yield f"Days are those of {asked.tz or 'UTC'}."
        if asked.since <= asked.today <= asked.until:
            yield f"{asked.today} is not over: its figures still grow."
    if others := _counted(found, OTHERS, once_a="t" if asked.pipe == PANEL else None):
        yield f"Payments in other currencies, not in the revenue: {others}; ask for them with currency."
    if others := _counted(found, OTHER_SPEND):
        yield f"Days of campaigns paid in other currencies, not in the spend: {others}; ask for them with currency."


def _counted(found: PipeRows, column: str, *, once_a: str | None = None) -> int:
    counts = [(row[once_a] if once_a else place, int(row.get(column) or 0)) for place, row in enumerate(found.rows)]
    return sum(dict(counts).values())
