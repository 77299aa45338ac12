"""Two upstreams: the sandbox on a real socket, and a stand-in that answers what one test tells it to."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from server.platforms.google.adapter import GoogleAdapter
from server.sandbox.google import oauth, seed
from tests.server.platforms.google.standin import CLIENT_SECRET, CREDENTIAL, NOW, StandIn, Upstream
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import Sleeps
from tools.ports import Account, Credential
from tools.secret import Secret


@pytest.fixture
def sandbox(sandbox_url: str, sandbox_http: httpx2.Client) -> Iterator[Sandbox]:
    """The same one for every test: each makes what it changes, and faults do not outlive it."""
    yield Sandbox(sandbox_url, Credential("con_1", {"refresh_token": Secret(oauth.REFRESH_TOKEN)}), sandbox_http)
    sandbox_http.delete("/faults")


@pytest.fixture
async def google(sandbox: Sandbox, sleeps: Sleeps) -> AsyncIterator[GoogleAdapter]:
    adapter = GoogleAdapter(
        f"{sandbox.url}/google",
        "v26",
        f"{sandbox.url}/google/token",
        oauth.CLIENT_ID,
        Secret(oauth.CLIENT_SECRET),
        lambda: NOW,
        sleep=sleeps,
    )
    yield adapter
    await adapter.aclose()


@pytest.fixture
def credential(sandbox: Sandbox) -> Credential:
    """With its accounts, as a connection's row keeps them; test_accounts.py holds that a probe finds these."""
    below = [(seed.EU, seed.MANAGER), (seed.JP, seed.MANAGER), (seed.OUTLET, None), (seed.US, seed.MANAGER)]
    accounts = [
        Account(each.id, each.name, each.currency, each.time_zone, login_customer_id=manager.id if manager else None)
        for each, manager in below
    ]
    return Credential("con_1", sandbox.credential.values, tuple(accounts))


@pytest.fixture
def accounts(credential: Credential) -> dict[str, Account]:
    """The sandbox's accounts by name."""
    return {account.name: account for account in credential.accounts}


@pytest.fixture
async def upstream(sleeps: Sleeps) -> AsyncIterator[Upstream]:
    stand_in = StandIn()
    adapter = GoogleAdapter(
        "https://ads.test",
        "v26",
        "https://oauth.test/token",
        "client-1",
        Secret(CLIENT_SECRET),
        lambda: NOW,
        sleep=sleeps,
        transport=httpx2.ASGITransport(stand_in.app),
    )
    yield Upstream(stand_in, adapter, CREDENTIAL)
    await adapter.aclose()


@pytest.fixture
def account() -> Account:
    return CREDENTIAL.accounts[0]
