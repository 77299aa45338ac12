"""Sums of single days of websites that are looked at, kept ready, so that any range of theirs is answered at once.

Four pipes have a twin that adds them up and answers the same. Where nothing is ready, or it lags behind, they answer
themselves. Only where one process writes everything is it known what is missing: elsewhere nothing is kept."""

import asyncio
import dataclasses
import datetime as dt
import logging
import math
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import orjson

from server.analytics.composition import Composition, Constant, Values
from server.analytics.datafiles.model import Project
from server.analytics.engine import Engine, EngineError, Format, quoted
from server.analytics.known import CURRENCY
from server.analytics.ready.questions import SUMMARY, TWINS, Place, place
from server.analytics.ready.summary import summary
from server.analytics.ready.sums import ROWS, TABLE, with_sums
from server.analytics.tables.ddl import create
from server.analytics.template.errors import TemplateError

LAG_SECONDS = 2.0
"""How long what was written may be missing from an answer."""
LOOKED_AT_SECONDS = 600.0
"""A website asked about twice within it is looked at; one not asked about for as long no longer is."""
_REST = 3  # times as long as a round took: at most a fourth of a core
_MOST = 1000
# Whether one that is written again with another moment is the same one, so that another day loses it.
_MOVES = {"pageviews": False, "custom_goals": True, "visitor_payments": True}
_MADE = TABLE + "__made"
logger = logging.getLogger(__name__)


class Compose(Protocol):
    def __call__(self, pipe: str, values: Values, node: str | None = None) -> Awaitable[tuple[Composition, str]]: ...


@dataclass(frozen=True, slots=True)
class Twin:
    """What is asked the same in place of a pipe."""

    pipe: str
    known: Mapping[str, Constant]
    told: Callable[[bytes], bytes] = bytes
    """The answer of the pipe, from its own."""


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
    partition: str = ""  # as long as it has no rows, nor may have
    asked: float = -math.inf
    looked_at: bool = False
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
        summed = with_sums(project) if engine.sole else None
        self._on = summed is not None
        self.project = summed or project
        self._engine, self._database, self._compose = engine, database, compose
        self._days: OrderedDict[Place, _Days] = OrderedDict()  # the one asked about last at the end
        self._zones: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._left: list[str] = []
        self._wanted = asyncio.Event()
        self._one = asyncio.Lock()

    async def begin(self) -> None:
        """With nothing: what was written while nobody listened is not known."""
        for name in (TABLE, _MADE) if self._on else ():
            await self._engine.command(f"DROP TABLE IF EXISTS {quoted(self._database, name)} SYNC")
            await self._engine.command(create(self.project.datasources[TABLE], database=self._database, name=name))

    def twin(self, pipe: str, values: Values, output: Format) -> Twin | None:
        """Of a question that can be answered from what is ready, and is."""
        where = place(pipe, values, output) if self._on else None
        if where is None:
            return None
        days, now = self._asked(where), time.monotonic()
        days.looked_at, days.asked = now - days.asked < LOOKED_AT_SECONDS, now
        if days.due:
            self._wanted.set()
        if days.currency is None or days.lag(now) > LAG_SECONDS:
            return None
        twin = Twin(TWINS[pipe], {CURRENCY: days.currency})
        if pipe != SUMMARY:
            return twin
        told = partial(summary, currency=days.currency.text, compare=values.get("compare") != "0")
        return dataclasses.replace(twin, told=told)

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
            for where in list(self._days):
                days = self._days.get(where)  # meanwhile it may have gone
                if days is not None and days.due:
                    await self._try(where, days)

    async def _clear(self) -> None:
        """The rows of what nobody looks at any more; where that fails, the next time."""
        try:
            while self._left:
                if self._left[0] not in {days.partition for days in self._days.values()}:  # looked at again, and made
                    await self._engine.command(f"ALTER TABLE {self._table} DROP PARTITION {self._left[0]}")
                del self._left[0]  # others may have come behind it
        except EngineError as error:
            logger.warning("ready sums that nobody looks at stay: %s", error.message)

    async def _try(self, where: Place, days: _Days) -> None:
        days.being_added, days.missing = days.missing, None
        made: Constant | None = None  # also where it was cut off: then nothing is answered from it
        try:
            made = await self._made(where, days)
        except Exception as error:  # others must still be made, and the pipes answer meanwhile
            expected = isinstance(error, EngineError | TemplateError)
            logger.warning("the ready sums of %r failed: %s", where[0][1], error, exc_info=not expected)
            days.looked_at = False  # until somebody asks again, for it may fail again
        finally:
            days.currency, days.being_added = made, None

    async def _made(self, where: Place, days: _Days) -> Constant:
        (workspace, website), zone = where
        all_days = {"workspace_id": workspace, "website_id": website, "tz": zone}
        days.partition = days.partition or str(await self._told(all_days, "place"))
        since = _since(days.being_added.moment) if days.being_added and days.currency else None
        told = all_days if since is None else {**all_days, "since": since}
        composition, sql = await self._compose(ROWS, told)
        if since is not None and (composition.known[CURRENCY] != days.currency or await self._moved(days, told)):
            composition, sql = await self._compose(ROWS, all_days)
        made = quoted(self._database, _MADE)
        await self._engine.command(f"TRUNCATE TABLE {made}")
        # One thread: who asks meanwhile has the others.
        await self._engine.command(f"INSERT INTO {made} SETTINGS max_threads = 1 {sql}")
        if composition.known[CURRENCY] != days.currency:
            days.currency = None  # until all is over: new sums are not of the old currency
        await self._engine.command(
            f"ALTER TABLE {self._table} REPLACE PARTITION {days.partition} FROM {made}"
            " SETTINGS allow_replace_partition_from_empty_source = 1"
        )
        return composition.known[CURRENCY]

    async def _moved(self, days: _Days, told: Values) -> bool:
        """Whether an earlier day has lost something to one of those that are told anew."""
        return days.being_added is not None and days.being_added.moves and bool(await self._told(told, "moved"))

    async def _told(self, values: Values, node: str) -> object:
        """The one value of a node of that name."""
        _, sql = await self._compose(ROWS, values, node)
        return orjson.loads(await self._engine.query(sql, output=Format.JSON))["data"][0][node]

    def _asked(self, where: Place) -> _Days:
        days = self._days.get(where)
        if days is None:
            days = self._days[where] = _Days()
            self._zones[where[0]].add(where[1])
            if len(self._days) > _MOST:
                self._drop(next(iter(self._days)))
        self._days.move_to_end(where)
        return days

    def _forget(self) -> None:
        """What nobody looks at any more."""
        long_ago = time.monotonic() - LOOKED_AT_SECONDS
        for where in [where for where, days in self._days.items() if days.asked < long_ago]:
            self._drop(where)

    def _drop(self, where: Place) -> None:
        days = self._days.pop(where)
        if days.partition:
            self._left.append(days.partition)
        site, zone = where
        self._zones[site].discard(zone)
        if not self._zones[site]:
            del self._zones[site]

    @property
    def _table(self) -> str:
        return quoted(self._database, TABLE)


def _since(moment: str) -> str | None:
    """In whole seconds; None where that is not known, or no day of a Date."""
    try:
        at = dt.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.tzinfo is None and 1970 < at.year < 2106 else None
