"""Sums of single days of websites that are looked at, kept ready, so that any range of theirs is answered at once.

Four pipes have a twin that adds them up and answers the same. Where nothing is ready, or it lags behind, they answer
themselves. Only where one process writes everything is it known what is missing: elsewhere nothing is kept."""

import asyncio
import datetime as dt
import logging
import math
import re
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol
from zoneinfo import ZoneInfo

import orjson

from server.analytics.composition import Composition, Constant, Values
from server.analytics.datafiles.model import Project
from server.analytics.engine import Engine, EngineError, Format, quoted
from server.analytics.known import CURRENCY, CUTS
from server.analytics.tables.reconcile import staged
from server.analytics.template.errors import TemplateError

TABLE, ROWS = "ready_days", "ready_days_of_site"
TWINS = {
    "p_visitors_summary": "ready_visitors_summary",
    "p_metric_series": "ready_metric_series",
    "p_channel_series": "ready_channel_series",
    "p_revenue_series": "ready_revenue_series",
}
LAG_SECONDS = 2.0
"""How long what was written may be missing from an answer."""
LOOKED_AT_SECONDS = 600.0
"""A website asked about twice within it is looked at; one not asked about for as long no longer is."""
_REST = 3  # times as long as a round took: at most a fourth of a core
_MOST = 1000
_FIRST, _LAST = dt.date(1970, 1, 2), dt.date(2105, 12, 30)
_TAKEN = frozenset(
    ("workspace_id", "website_id", "tz", "from", "to", "interval", "metric", "compare", "limit", "offset")
)
_METRICS = frozenset(
    (
        "visitors",
        "sessions",
        "pageviews",
        "bounce_rate",
        "avg_seconds",
        "goals",
        "revenue",
        "payments",
        "customers",
        "aov",
    )
)
_DAY, _NUMBER = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{1,9}", re.ASCII)
# Whether one that is written again with another moment is the same one, so that another day loses it.
_MOVES = {"pageviews": False, "custom_goals": True, "visitor_payments": True}
Place = tuple[tuple[str, str], str]  # workspace and website, and the zone
logger = logging.getLogger(__name__)


class Compose(Protocol):
    def __call__(self, pipe: str, values: Values, node: str | None = None) -> Awaitable[tuple[Composition, str]]: ...


@dataclass(frozen=True, slots=True)
class Twin:
    """What is asked in place of a pipe."""

    pipe: str
    values: Values
    known: Mapping[str, Constant]


@dataclass(frozen=True, slots=True)
class _Missing:
    """What was written since the days were made: from which moment on (as it is written; "": of any), and when."""

    moment: str
    at: float
    moves: bool

    def with_(self, other: "_Missing | None") -> "_Missing":
        if other is None:
            return self
        return _Missing(min(self.moment, other.moment), min(self.at, other.at), self.moves or other.moves)


@dataclass(slots=True)
class _Days:
    number: int
    asked: float = -math.inf
    looked_at: bool = False
    has_rows: bool = False  # or may have
    currency: Constant | None = None  # of the revenue in them; None as long as they are not made
    missing: _Missing | None = None
    being_added: _Missing | None = None

    @property
    def due(self) -> bool:
        return self.looked_at and (self.currency is None or self.missing is not None)

    def lag(self, now: float) -> float:
        return max((now - each.at for each in (self.missing, self.being_added) if each is not None), default=0.0)


class Ready:
    def __init__(self, project: Project, engine: Engine, database: str, compose: Compose) -> None:
        ours = {ROWS, CURRENCY, *CUTS, *TWINS, *TWINS.values()} <= project.pipes.keys() and TABLE in project.datasources
        self._on = engine.sole and ours
        self._project, self._engine, self._database, self._compose = project, engine, database, compose
        self._days: OrderedDict[Place, _Days] = OrderedDict()  # the one asked about last at the end
        self._zones: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._left: list[int] = []
        self._numbers = count(1)
        self._wanted = asyncio.Event()
        self._one = asyncio.Lock()

    async def begin(self) -> None:
        if self._on:
            await self._engine.command(f"TRUNCATE TABLE {self._table}")

    def twin(self, pipe: str, values: Values) -> Twin | None:
        """Of a question that can be answered from what is ready, and is."""
        place = _place(pipe, values) if self._on and pipe in TWINS else None
        if place is None:
            return None
        days, now = self._asked(place), time.monotonic()
        days.looked_at, days.asked = now - days.asked < LOOKED_AT_SECONDS, now
        if days.due:
            self._wanted.set()
        if days.currency is None or days.lag(now) > LAG_SECONDS:
            return None
        return Twin(TWINS[pipe], {**values, "place": str(days.number)}, {CURRENCY: days.currency})

    def written(self, datasource: str, earliest: Mapping[tuple[str, str], str]) -> None:
        """After an insert, whether it succeeded or not. `earliest`: the first moment of each website in it, as text."""
        if datasource not in _MOVES:
            return
        for site, moment in earliest.items():
            for zone in self._zones.get(site, ()):
                days = self._days[site, zone]
                days.missing = _Missing(moment, time.monotonic(), _MOVES[datasource]).with_(days.missing)
                if days.looked_at:
                    self._wanted.set()

    async def keep(self) -> None:
        """For ever: makes what is due soon after it is."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            began = time.monotonic()
            await self.make()
            await asyncio.sleep((time.monotonic() - began) * _REST)

    async def make(self) -> None:
        """The days of each website that is looked at, where something is missing; those of others go."""
        async with self._one:
            self._forget()
            await self._clear()
            for place in list(self._days):
                days = self._days.get(place)  # meanwhile it may have gone
                if days is not None and days.due:
                    await self._try(place, days)

    async def _clear(self) -> None:
        """The rows of what nobody looks at any more; where that fails, the next time."""
        try:
            while self._left:
                await self._engine.command(f"ALTER TABLE {self._table} DROP PARTITION {self._left[0]}")
                del self._left[0]  # others may have come behind it
        except EngineError as error:
            logger.warning("ready sums that nobody looks at stay: %s", error.message)

    async def _try(self, place: Place, days: _Days) -> None:
        days.being_added, days.missing, days.has_rows = days.missing, None, True
        made: Constant | None = None  # also where it was cut off: then nothing is answered from it
        try:
            made = await self._made(place, days)
        except (EngineError, TemplateError) as error:
            logger.warning("the ready sums of %r failed: %s", place[0][1], error.message)
            days.looked_at = False  # until somebody asks again, for it may fail again
        finally:
            days.currency, days.being_added = made, None

    async def _made(self, place: Place, days: _Days) -> Constant:
        (workspace, website), zone = place
        all_days = {"workspace_id": workspace, "website_id": website, "tz": zone, "place": str(days.number)}
        since = _since(days.being_added.moment, zone) if days.being_added and days.currency else None
        told = all_days if since is None else {**all_days, "since": since}
        composition, sql = await self._compose(ROWS, told)
        if since is not None and (composition.known[CURRENCY] != days.currency or await self._moved(days, told)):
            composition, sql = await self._compose(ROWS, all_days)
        async with staged(self._engine, self._database, self._project.datasources[TABLE]) as staging:
            table = quoted(self._database, staging)
            # One thread: who asks meanwhile has the others.
            await self._engine.command(f"INSERT INTO {table} SETTINGS max_threads = 1 {sql}")
            if composition.known[CURRENCY] != days.currency:
                days.currency = None  # until all is over: new sums are not of the old currency
            await self._engine.command(
                f"ALTER TABLE {self._table} REPLACE PARTITION {days.number} FROM {table}"
                " SETTINGS allow_replace_partition_from_empty_source = 1"
            )
        return composition.known[CURRENCY]

    async def _moved(self, days: _Days, told: Values) -> bool:
        """Whether an earlier day has lost something to one of those that are told anew."""
        if days.being_added is None or not days.being_added.moves:
            return False
        _, sql = await self._compose(ROWS, told, "moved")
        return bool(orjson.loads(await self._engine.query(sql, output=Format.JSON))["data"][0]["moved"])

    def _asked(self, place: Place) -> _Days:
        days = self._days.get(place)
        if days is None:
            days = self._days[place] = _Days(next(self._numbers))
            self._zones[place[0]].add(place[1])
            if len(self._days) > _MOST:
                self._drop(next(iter(self._days)))
        self._days.move_to_end(place)
        return days

    def _forget(self) -> None:
        """What nobody looks at any more."""
        long_ago = time.monotonic() - LOOKED_AT_SECONDS
        for place in [place for place, days in self._days.items() if days.asked < long_ago]:
            self._drop(place)

    def _drop(self, place: Place) -> None:
        days = self._days.pop(place)
        if days.has_rows:
            self._left.append(days.number)
        site, zone = place
        self._zones[site].discard(zone)
        if not self._zones[site]:
            del self._zones[site]

    @property
    def _table(self) -> str:
        return quoted(self._database, TABLE)


def _place(pipe: str, values: Values) -> Place | None:
    """Of a question about one website, by the day and without filters, whose values are written as they should be."""
    told = {name: value for name, value in values.items() if name in _TAKEN and isinstance(value, str)}
    workspace, website, zone = told.get("workspace_id"), told.get("website_id"), told.get("tz", "UTC")
    if len(told) != len(values) or workspace is None or website is None:
        return None
    by_the_day = told.get("interval", "day") == "day" and told.get("compare", "1") in {"0", "1"}
    measured = told.get("metric") in _METRICS if pipe == "p_metric_series" else "metric" not in told
    page = (
        all(_NUMBER.fullmatch(told.get(name, "0")) for name in ("limit", "offset"))
        and int(told.get("limit", 0)) <= 1000
    )
    return (
        ((workspace, website), zone)
        if by_the_day and measured and page and _is_range(told) and _is_zone(zone)
        else None
    )


def _is_range(told: Mapping[str, str]) -> bool:
    """Whether it and the one before it are days that a Date can tell."""
    if "to" not in told:
        return "from" not in told
    last = _day(told["to"])
    first = _day(told["from"]) if "from" in told else last and last - dt.timedelta(days=29)
    return first is not None and last is not None and first <= last <= _LAST and first - _FIRST > last - first


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ValueError, LookupError, OSError):
        return False


def _since(moment: str, zone: str) -> str | None:
    """The day before the one on which it was; None where that is not known."""
    try:
        at = dt.datetime.fromisoformat(moment)
        # The engine has a table of zones of its own: by that, it may have been the day before.
        day = at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date() - dt.timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return day.isoformat() if at.tzinfo is None and _FIRST <= day <= _LAST else None
