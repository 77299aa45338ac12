"""Ingest as the product opens it."""

import asyncio
import json
import logging
import lzma
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from server.analytics.ingest.arrivals import SpooledArrivals
from server.analytics.ingest.countries import EMBEDDED, Countries
from server.analytics.ingest.opening import Ingest, load_ahead, logger, open_ingest
from server.settings import Settings
from tests.analytics import StandInPipes
from tests.server.analytics.ingest.rig import CHROME, SHOP, Rig
from tools.errors import InvalidRequest, Unavailable
from tools.store.sealing import generate_key
from tools.store.tables import websites

PATIENCE = 20


@dataclass
class Waiting(StandInPipes):
    """Says when it got rows of a datasource."""

    got: dict[str, asyncio.Event] = field(default_factory=dict)

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        aside = await super().append(datasource, rows)
        self.of(datasource).set()
        return aside

    def of(self, datasource: str) -> asyncio.Event:
        return self.got.setdefault(datasource, asyncio.Event())


class Held(Countries):
    """Says when it is read, and is not done before it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on, self.readings = threading.Event(), threading.Event(), 0

    def load(self) -> None:
        self.readings += 1
        self.begun.set()
        self.go_on.wait(PATIENCE)
        super().load()


class Told(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.something = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.something.set()


@pytest.fixture
def countries(rig: Rig) -> Iterator[Held]:
    held = Held()
    rig.arrivals = SpooledArrivals(rig.spool, held, rig.clock)
    rig.open_endpoint()
    yield held
    held.go_on.set()


def settings_of(rig: Rig, **more: str) -> Settings:
    return Settings.read(rig.directory, {"ENCRYPTION_KEYS": generate_key("k1"), **more})


async def send(ingest: Ingest, rig: Rig, **told: Any) -> int:
    transport = httpx2.ASGITransport(app=ingest.endpoint, client=("81.2.69.142", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://in.adwright.test") as http:
        event = rig.event(**told) | {"t": 0}
        return (await http.post("/e", content=json.dumps(event), headers={"user-agent": CHROME})).status_code


async def test_what_is_sent_reaches_the_store_by_itself(rig: Rig) -> None:
    store = Waiting()
    async with open_ingest(settings_of(rig), rig.database, store) as ingest:
        assert await send(ingest, rig) == 202
        async with asyncio.timeout(PATIENCE):
            await store.of("pageviews").wait()

    assert [row["event_id"] for row in store.appended["pageviews"]] == ["e-1"]


async def test_what_the_store_did_not_take_reaches_it_after_a_restart_and_so_do_the_drops(rig: Rig) -> None:
    away, store = StandInPipes(failure=Unavailable("away")), Waiting()
    async with open_ingest(settings_of(rig), rig.database, away) as ingest:
        assert await send(ingest, rig) == 202
        assert await send(ingest, rig, k="unheard of") == 202
    async with open_ingest(settings_of(rig), rig.database, store):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(store.of("pageviews").wait(), store.of("ingest_drops").wait())

    assert [row["event_id"] for row in store.appended["pageviews"]] == ["e-1"]
    assert [(row["website_id"], row["events"]) for row in store.appended["ingest_drops"]] == [(SHOP, 1)]


async def test_how_it_is_doing_is_told_without_naming_a_website(rig: Rig) -> None:
    store, registry = Waiting(), CollectorRegistry()
    async with open_ingest(settings_of(rig), rig.database, store) as ingest:
        registry.register(ingest.metrics)
        await send(ingest, rig)
        await send(ingest, rig, u="https://evil.example/")
        async with asyncio.timeout(PATIENCE):
            await store.of("pageviews").wait()
            await asyncio.sleep(0)
        told = generate_latest(registry).decode()

    assert "adwright_ingest_events_total 1.0" in told
    assert 'adwright_ingest_dropped_total{reason="wrong_domain"} 1.0' in told
    assert SHOP not in told


async def test_limits_and_proxies_are_settings(rig: Rig) -> None:
    store = Waiting()
    async with open_ingest(settings_of(rig, INGEST_PER_ADDRESS="1"), rig.database, store) as ingest:
        await send(ingest, rig)
        await send(ingest, rig, i="e-2")
        async with asyncio.timeout(PATIENCE):
            await store.of("pageviews").wait()

    assert [row["event_id"] for row in store.appended["pageviews"]] == ["e-1"]
    assert settings_of(rig, TRUSTED_PROXIES=" 10.1.2.3/8, ::1 ").trusted_proxies == "10.0.0.0/8,::1/128"
    with pytest.raises(InvalidRequest, match="TRUSTED_PROXIES"):
        settings_of(rig, TRUSTED_PROXIES="everybody")


async def test_what_an_event_needs_is_loaded_ahead_of_it_and_once_while_all_else_is_answered(
    rig: Rig, countries: Held
) -> None:
    loading = asyncio.create_task(load_ahead(rig.arrivals, rig.sites))
    assert await asyncio.to_thread(countries.begun.wait, PATIENCE)

    first = asyncio.create_task(rig.send(rig.event()))
    assert (await rig.send(rig.event(w="admx_of_nobody"))).status_code == 202
    assert not (first.done() or loading.done())
    countries.go_on.set()

    assert (await first).status_code == 202
    await loading
    assert (await rig.send(rig.event(i="e-2"))).status_code == 202
    assert (countries.readings, [row["country"] for row in await rig.stored()]) == (1, ["GB", "GB"])


async def test_a_server_without_a_website_loads_nothing_until_it_has_one(rig: Rig, countries: Held) -> None:
    countries.go_on.set()
    before: list[int] = []

    async def added(_: float) -> None:
        before.append(countries.readings)
        await rig.database.write(lambda tx: tx.run(websites.update().values(deleted_at=None)))

    await rig.database.write(lambda tx: tx.run(websites.update().values(deleted_at=1)))
    await load_ahead(rig.arrivals, rig.sites, pause=added)

    assert (before, countries.readings) == ([0], 1)


async def test_whoever_closes_does_not_wait_for_what_is_being_loaded(rig: Rig, countries: Held) -> None:
    loading = asyncio.create_task(load_ahead(rig.arrivals, rig.sites))
    assert await asyncio.to_thread(countries.begun.wait, PATIENCE)

    loading.cancel()
    await asyncio.wait({loading}, timeout=PATIENCE)

    assert loading.cancelled()
    assert not countries.go_on.is_set()


async def test_what_cannot_be_loaded_is_told_at_the_start_and_tried_again_for_each_event(rig: Rig) -> None:
    database, told = rig.directory / "mine.mmdb", Told()
    logger.addHandler(told)
    try:
        async with open_ingest(settings_of(rig, COUNTRY_DATABASE=str(database)), rig.database, Waiting()) as ingest:
            async with asyncio.timeout(PATIENCE):
                await told.something.wait()
            assert [await send(ingest, rig), await send(ingest, rig)] == [503, 503]
            database.write_bytes(lzma.decompress(EMBEDDED.read_bytes()))
            assert await send(ingest, rig) == 202
    finally:
        logger.removeHandler(told)
