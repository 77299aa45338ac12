"""Ingest as the product opens it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from server.analytics.ingest.opening import Ingest, open_ingest
from server.settings import Settings
from tests.analytics import StandInPipes
from tests.server.analytics.ingest.rig import CHROME, SHOP, Rig
from tools.errors import InvalidRequest, Unavailable
from tools.store.sealing import generate_key

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
