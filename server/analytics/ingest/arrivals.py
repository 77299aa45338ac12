"""The domain's way in: events are enriched, written to the spool together, and acknowledged when that is on disk."""

import asyncio
import time
from collections.abc import Callable, Sequence

from server.analytics.ingest import agents, sources
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.records import record
from server.analytics.ingest.rows import Enricher
from server.analytics.ingest.spool import Spool
from server.analytics.ingest.times import stamp
from tools.analytics import Event


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


class SpooledArrivals:
    """A tools.analytics.Arrivals."""

    def __init__(self, spool: Spool, countries: Countries, clock: Callable[[], int] = wall_clock) -> None:
        self.events = 0  # accepted since the start
        self._spool, self._countries, self._clock = spool, countries, clock
        self._enricher = Enricher(countries)
        self._loaded = False
        self._loading: asyncio.Future[None] | None = None

    async def accept(self, events: Sequence[Event]) -> None:
        """Durable when it returns. Raises IngestUnavailable; then nothing of it need be there, and it is sent again."""
        if not events:
            return
        if not self._loaded:
            await self.load()
        count, told = len(events), self._record(events)
        del events  # what waits for the disk is bytes: of objects, the collector would go through all, again and again
        await self._spool.append(told)
        self.events += count

    def _record(self, events: Sequence[Event]) -> bytes:
        now_ms = self._clock()
        ingest_ts = stamp(now_ms)
        return record(self._enricher.row(event, now_ms, ingest_ts) for event in events)

    async def load(self) -> None:
        """The lists and the database of countries, once; an event waits for them rather than going without."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load))
        await asyncio.shield(self._loading)

    def _load(self) -> None:
        self._countries.load()
        sources.lists()
        agents.warm()
        self._loaded = True
