"""The processes that serve beside the owner, on its socket: they end with it, whatever ends it."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from server.process.serving import STOP_SECONDS
from server.process.spawning import module

AGAIN_SECONDS = 1.0
logger = logging.getLogger(__name__)


class Workers:
    """Entered once the owner answers; told to drain when it does; left when all of them are gone."""

    def __init__(self, directory: Path, listener: socket.socket, count: int) -> None:
        self._directory, self._count = directory, count
        self._listener = os.dup(listener.fileno())  # the server that is handed the socket closes it
        # Nobody writes into this pipe: its other end is closed, by the kernel if need be, when this process ends.
        self._lifeline, self._life = os.pipe()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._kept: list[asyncio.Task[None]] = []
        self._draining = False

    async def __aenter__(self) -> Self:
        return self

    def start(self, url: str) -> None:
        self._kept = [asyncio.create_task(self._keep(number, url)) for number in range(1, self._count)]

    def drain(self) -> None:
        self._draining = True
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._kept, return_exceptions=True), STOP_SECONDS)
        for process in self._running.values():
            process.kill()
        for descriptor in (self._listener, self._lifeline, self._life):
            os.close(descriptor)

    async def _keep(self, number: int, url: str) -> None:
        """One that ends by itself is started again."""
        while not self._draining:
            arguments = (str(self._directory), str(self._listener), str(self._lifeline), str(self._count), url)
            process = self._running[number] = subprocess.Popen(  # noqa: S603, ASYNC220 -- our own module; it returns at once
                module("server.process.worker", *arguments),
                stdin=subprocess.DEVNULL,
                pass_fds=(self._listener, self._lifeline),
                start_new_session=True,
            )
            status = await asyncio.to_thread(process.wait)
            del self._running[number]
            if not self._draining:
                logger.error("worker %s ended with status %s; it is started again", number, status)
                await asyncio.sleep(AGAIN_SECONDS)
