"""A website, its endpoint and what is behind it, on a real database and a real disk; the store is a stand-in."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.analytics.ingest.addresses import Addresses
from server.analytics.ingest.arrivals import SpooledArrivals
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.drops import Drops
from server.analytics.ingest.endpoint import Endpoint
from server.analytics.ingest.flusher import Flusher
from server.analytics.ingest.quarantine import Quarantine
from server.analytics.ingest.sites import Sites
from server.analytics.ingest.spool import Spool
from server.analytics.ingest.visitors import DailyVisitors
from tests.analytics import StandInPipes
from tests.database import database_in
from tools.limits import MemoryLimiter
from tools.store.engine import Store
from tools.store.opening import open_store
from tools.store.tables import websites, workspaces

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SHOP, LOCAL = "admx_shop", "admx_local"


@dataclass
class Clock:
    ms: int = NOON

    def __call__(self) -> int:
        return self.ms


@dataclass
class Rig:
    database: Store
    spool: Spool
    directory: Path
    clock: Clock = field(default_factory=Clock)
    store: StandInPipes = field(default_factory=StandInPipes)
    per_address: int = 1000
    per_website: int = 1000
    trusted: str = ""

    def __post_init__(self) -> None:
        self.drops = Drops(self.clock)
        self.arrivals = SpooledArrivals(self.spool, COUNTRIES, self.clock)
        self.quarantine = Quarantine(self.spool.directory)
        self.flusher = Flusher(self.spool, self.store, self.quarantine, self.drops, pause=self._paused)
        self.sites = Sites(self.database)
        self.pauses: list[float] = []
        self.open_endpoint()

    def open_endpoint(self, addresses: Addresses | None = None) -> None:
        self.endpoint = Endpoint(
            self.arrivals, self.sites, self.drops, DailyVisitors(self.spool.directory), MemoryLimiter(self.clock),
            addresses or Addresses(), per_address=self.per_address, per_website=self.per_website, clock=self.clock,
        )  # fmt: skip

    async def _paused(self, seconds: float) -> None:
        """An outage ends after the third try."""
        self.pauses.append(seconds)
        if len(self.pauses) == 3:
            self.store.failure = None

    def event(self, **more: Any) -> dict[str, Any]:
        """What the script sends of a view, and what is told instead."""
        told = {
            "w": SHOP, "k": "pageview", "i": "e-1", "t": self.clock.ms, "v": "v-1", "s": "s-1",
            "u": "https://www.shop.example/shoes", "r": "", "h": "Shoes", "l": "de-DE", "x": 1280,
        }  # fmt: skip
        return told | more

    async def send(self, *events: Any, ip: str = "81.2.69.142", headers: Mapping[str, str] = {}) -> httpx2.Response:
        body = json.dumps(events[0] if len(events) == 1 else events)
        return await self.post(body.encode(), ip=ip, headers=headers)

    async def post(self, body: bytes, *, ip: str = "81.2.69.142", headers: Mapping[str, str] = {}) -> httpx2.Response:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.endpoint, client=(ip, 1)), base_url="https://in.adwright.test"
        ) as client:
            sent = {"content-type": "text/plain", "user-agent": CHROME, **headers}
            return await client.post("/e", content=body, headers=sent)

    async def stored(self, datasource: str = "pageviews") -> list[Mapping[str, Any]]:
        """What the store has once it was brought everything."""
        await self.flusher.drain()
        return self.store.appended.get(datasource, [])


COUNTRIES = Countries()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    database = await open_store(database_in(tmp_path))
    spool = Spool(tmp_path / "ingest")
    await spool.open()

    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id="wsp_shop", name="Shop", created_at=1))
        for identifier, domain, settings in (
            (SHOP, "shop.example", {}),
            (LOCAL, "local.example", {"allow_localhost": True}),
        ):
            row = {"id": identifier, "workspace_id": "wsp_shop", "domain": domain, "name": "Shop", "created_at": 1}
            await tx.run(websites.insert().values(**row, time_zone="UTC", currency="EUR", settings=settings))

    await database.write(work)
    try:
        yield Rig(database, spool, tmp_path)
    finally:
        await spool.close()
        await database.close()
