"""Ingest as one thing that is opened and closed: the spool, what empties it, and the two ways in."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from server.analytics.ingest.addresses import Addresses
from server.analytics.ingest.arrivals import SpooledArrivals, wall_clock
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.drops import Drops
from server.analytics.ingest.endpoint import Endpoint
from server.analytics.ingest.flusher import Flusher
from server.analytics.ingest.metrics import IngestMetrics
from server.analytics.ingest.quarantine import Quarantine
from server.analytics.ingest.records import record
from server.analytics.ingest.sites import Sites
from server.analytics.ingest.spool import Spool
from server.analytics.ingest.visitors import DailyVisitors
from server.settings import Settings
from tools.analytics import PipeStore
from tools.errors import Unavailable
from tools.limits import MemoryLimiter
from tools.store.engine import Store

DROPS_EVERY_SECONDS = 10.0
LOOK_EVERY_SECONDS = 10.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ingest:
    arrivals: SpooledArrivals
    endpoint: Endpoint
    metrics: IngestMetrics
    flusher: Flusher


@contextlib.asynccontextmanager
async def open_ingest(settings: Settings, store: Store, pipes: PipeStore) -> AsyncIterator[Ingest]:
    """What is not in the store at the end stays on disk for the next start."""
    directory = settings.data_dir / "ingest"
    spool, quarantine, drops = Spool(directory), Quarantine(directory), Drops(wall_clock)
    arrivals = SpooledArrivals(spool, Countries(settings.country_database))
    flusher, sites = Flusher(spool, pipes, quarantine, drops), Sites(store)
    endpoint = Endpoint(
        arrivals,
        sites,
        drops,
        DailyVisitors(directory),
        MemoryLimiter(),
        Addresses(settings.trusted_networks),
        per_address=settings.ingest_per_address,
        per_website=settings.ingest_per_website,
        clock=wall_clock,
    )
    await spool.open()
    tasks = [
        asyncio.create_task(flusher.run(), name="ingest-flush"),
        asyncio.create_task(_tell_drops(drops, spool), name="ingest-drops"),
        asyncio.create_task(load_ahead(arrivals, sites), name="ingest-load"),
    ]
    try:
        yield Ingest(arrivals, endpoint, IngestMetrics(arrivals, spool, flusher, quarantine, drops), flusher)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _told(drops, spool)
        await spool.close()


async def load_ahead(
    arrivals: SpooledArrivals, sites: Sites, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """So that no sender waits for it. It takes 20 MB, which a server without a website is spared."""
    while True:
        try:
            if await sites.any():
                await arrivals.load()
                return
        except Exception:  # an event is told of it, too, and tries again as this does
            logger.exception("cannot prepare for events; it is tried again in %s s", LOOK_EVERY_SECONDS)
        await pause(LOOK_EVERY_SECONDS)


async def _tell_drops(drops: Drops, spool: Spool) -> None:
    while True:
        await asyncio.sleep(DROPS_EVERY_SECONDS)
        await _told(drops, spool)


async def _told(drops: Drops, spool: Spool) -> None:
    rows = drops.take()
    if rows:
        try:
            await spool.append(record(rows))
        except Unavailable:
            logger.warning("%s counts of dropped events are lost: they cannot be made durable", len(rows))
