"""Two upstreams: the sandbox on a real socket, and a stand-in that answers what one test tells it to."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from server.platforms.meta.adapter import MetaAdapter
from server.sandbox.meta import world
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import APP_SECRET, NOW, TOKEN, Sleeps, StandIn, Upstream
from tools.ports import Account, Credential
from tools.secret import Secret


@pytest.fixture
def sandbox(sandbox_url: str, sandbox_http: httpx2.Client) -> Iterator[Sandbox]:
    """The same one for every test: each makes what it changes, and faults do not outlive it."""
    yield Sandbox(sandbox_url, Credential("con_1", {"access_token": Secret(world.ACCESS_TOKEN)}), sandbox_http)
    sandbox_http.delete("/faults")


@pytest.fixture
async def meta(sandbox: Sandbox, sleeps: Sleeps) -> AsyncIterator[MetaAdapter]:
    adapter = MetaAdapter(
        f"{sandbox.url}/meta",
        "v26.0",
        world.APP_ID,
        Secret(world.APP_SECRET),
        lambda: NOW,
        sleep=sleeps,
    )
    yield adapter
    await adapter.aclose()


@pytest.fixture
async def accounts(meta: MetaAdapter, sandbox: Sandbox) -> dict[str, Account]:
    """The sandbox's accounts by currency."""
    return {account.currency: account for account in (await meta.probe(sandbox.credential)).accounts}


@pytest.fixture
async def upstream(sleeps: Sleeps) -> AsyncIterator[Upstream]:
    stand_in = StandIn()
    adapter = MetaAdapter(
        "https://graph.test",
        "v26.0",
        "42",
        Secret(APP_SECRET),
        lambda: NOW,
        sleep=sleeps,
        transport=httpx2.ASGITransport(stand_in.app),
    )
    yield Upstream(stand_in, adapter, Credential("con_1", {"access_token": Secret(TOKEN)}))
    await adapter.aclose()


@pytest.fixture
def account() -> Account:
    return Account("act_1", "One", "USD", "Europe/Berlin")


@pytest.fixture
def sent_at() -> dt.datetime:
    return NOW
