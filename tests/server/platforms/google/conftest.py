"""Two upstreams: the sandbox on a real socket, and a stand-in that answers what one test tells it to."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from server.platforms.google.adapter import GoogleAdapter
from tests.server.platforms.google.standin import CLIENT_SECRET, CREDENTIAL, NOW, StandIn, Upstream
from tests.server.platforms.meta.standin import Sleeps
from tools.ports import Account
from tools.secret import Secret


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


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
