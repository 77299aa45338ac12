"""The sandbox on a real socket, one for the adapters of all platforms, and a clock that nobody waits for."""

import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
import uvicorn

from server.sandbox.app import create_app
from tests.server.platforms.meta.standin import NOW, Sleeps


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(now=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def sandbox_http(sandbox_url: str) -> Iterator[httpx2.Client]:
    # Without keeping connections: one that lay idle may be closed by the server as it is used again.
    with httpx2.Client(base_url=sandbox_url, limits=httpx2.Limits(max_keepalive_connections=0)) as http:
        yield http


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()
