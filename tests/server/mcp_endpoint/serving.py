"""An ASGI application on a real socket, in the test's own event loop."""

import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from tests.served import served as served_on


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The base URL of `app` while the body runs; its lifespan is the caller's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with served_on(app, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
