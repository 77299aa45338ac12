"""What the store takes with a yes and sets aside all the same, behind its own wire, is counted with its reason."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest

from server.analytics.client import Address, TinybirdClient
from server.analytics.deployment import Deployed
from server.analytics.ingest.flusher import Flusher
from server.analytics.ingest.records import record
from server.analytics.wire.app import create_app
from server.analytics.wire.tokens import Identity
from tests.server.analytics.ingest.rig import Rig
from tools.secret import Secret

IDENTITY = Identity("9a1d7e4e-0000-4000-8000-000000000003", "p.admin-token-of-forty-characters-or-more-8901")
TIME = "2026-11-22 12:00:00.000"


@pytest.fixture
async def store(deployed: Deployed) -> AsyncIterator[TinybirdClient]:
    address = Address("http://store", Secret(IDENTITY.admin_token), IDENTITY.workspace_id)
    transport = httpx2.ASGITransport(create_app(deployed, IDENTITY))
    client = TinybirdClient(lambda: address, url="http://store", transport=transport)
    yield client
    await client.aclose()


def view(website: str, number: int, **more: Any) -> tuple[str, Mapping[str, Any]]:
    row = {
        "workspace_id": "wsp_shop", "website_id": website, "ts": TIME, "event_id": f"e-{number}", "visitor_id": "v-1",
        "session_id": "s-1", "is_bot": 0, "ingest_ts": TIME,
    }  # fmt: skip
    return "pageviews", row | more


async def told(store: TinybirdClient, website: str) -> tuple[object, ...]:
    at = {"workspace_id": "wsp_shop", "website_id": website, "at": "2026-11-22 12:05:00"}
    (row,) = (await store.query("p_pixel_healthcheck", at)).rows
    return row["events_24h"], row["quarantined_24h"], row["dropped_24h"], row["drops_24h"]


async def test_rows_that_the_store_sets_aside_are_counted_with_their_websites_and_the_others_arrive(
    rig: Rig, store: TinybirdClient
) -> None:
    flusher = Flusher(rig.spool, store, rig.quarantine, rig.drops, linger=0)
    bad = {"ts": "yesterday, I think"}
    rows = [view("admx_shop", 1), view("admx_shop", 2, **bad), view("admx_shop", 3, **bad), view("admx_local", 4)]
    await rig.spool.append(record([*rows, view("admx_other", 5, **bad)]))

    await flusher.drain()
    await rig.spool.append(record(rig.drops.take()))
    await flusher.drain()

    aside = [{"reason": "quarantined", "events": 2}]
    assert await told(store, "admx_shop") == (1, 2, 2, aside)
    assert await told(store, "admx_local") == (1, 0, 0, [])
    assert await told(store, "admx_other") == (0, 1, 1, [{"reason": "quarantined", "events": 1}])
    assert flusher.flushed["pageviews"] == 2
    assert rig.spool.waiting == 0


async def test_a_store_that_takes_everything_is_told_everything_once(rig: Rig, store: TinybirdClient) -> None:
    flusher = Flusher(rig.spool, store, rig.quarantine, rig.drops, linger=0)
    await rig.spool.append(record([view("admx_shop", 1), view("admx_local", 2)]))

    await flusher.drain()

    assert (flusher.batches, flusher.flushed["pageviews"]) == (1, 2)
    assert rig.drops.take() == []
