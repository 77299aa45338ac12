"""A server in the test's own event loop that ends when it is told to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp

SECOND = 1.0
GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """uvicorn looks every tenth of a second whether it should end, and then waits for another."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which sets the date that answers bear
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.told.wait(), SECOND)
                self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:  # an answer is under way
            await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """`app` answers there while the body runs; its lifespan and the socket are the caller's."""
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.told.set()
        await serving
