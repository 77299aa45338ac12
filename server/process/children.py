"""Processes that belong to the owner's data directory yet outlive a kill of the owner: started, or found again."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from server.process.asking import ask
from server.process.files import read_json, size, tail
from server.process.ownership import is_held, wait_until_free
from server.process.spawning import forget, spawn
from tools.errors import Unavailable

START_SECONDS = 20.0
END_SECONDS = 1.0
HEARTBEAT_SECONDS = 60.0
_LOOK_EVERY = 0.05
logger = logging.getLogger(__name__)


class Children:
    """A child NAME holds NAME.lock, writes NAME.json {"url", "pid"} and ends by itself without heartbeats."""

    def __init__(self, directory: Path, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._directory, self._heartbeat_seconds = directory, heartbeat_seconds
        self._beating: dict[str, asyncio.Task[None]] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(self.end(name) for name in list(self._beating)))
        for process in self._started:
            forget(process)

    async def start(self, name: str, command: Sequence[str]) -> str:
        """The URL of the child: the one that runs already, else of a new one. From now on it is kept alive."""
        url = await self._found_or_started(name, command)
        self._beating[name] = asyncio.create_task(self._heartbeats(name, command), name=f"{name} heartbeats")
        return url

    async def _found_or_started(self, name: str, command: Sequence[str]) -> str:
        started: subprocess.Popen[bytes] | None = None
        log = self._directory / f"{name}.log"
        since = size(log)
        async with _limit(START_SECONDS, name, log):
            while not (url := await self._answering(name)):
                if started is None and not self._lives(name):
                    started = spawn(command, log)
                    self._started.append(started)
                elif started is not None and started.poll() is not None and not self._lives(name):
                    raise Unavailable(f"The {name} did not start.\n{tail(log, since=since)}", fix=f"See {log}.")
                await asyncio.sleep(_LOOK_EVERY)
        return url

    async def end(self, name: str) -> None:
        """Asked first, then made to."""
        if (beating := self._beating.pop(name, None)) is not None:
            beating.cancel()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._lives(name):
                break
            if pid := int(read_json(self._directory / f"{name}.json").get("pid", 0)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            await asyncio.to_thread(wait_until_free, self._directory / f"{name}.lock", END_SECONDS)

    def _lives(self, name: str) -> bool:
        return is_held(self._directory / f"{name}.lock")

    async def _answering(self, name: str) -> str:
        """Its URL, once the process that holds the lock answers there."""
        url = str(read_json(self._directory / f"{name}.json").get("url", ""))
        return url if url and self._lives(name) and await asyncio.to_thread(_alive, url) else ""

    async def _heartbeats(self, name: str, command: Sequence[str]) -> None:
        """Without them a child ends by itself; one that crashed is started again."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            try:
                await self._found_or_started(name, command)
            except Unavailable as error:
                logger.warning("%s", error.message)


def _alive(url: str) -> bool:
    try:
        status, connection = ask(url, "POST", "/alive", seconds=2)
    except ConnectionError:
        return False
    connection.close()
    return status < 400


@contextlib.asynccontextmanager
async def _limit(seconds: float, name: str, log: Path) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable(f"The {name} did not answer within {seconds:g} s.\n{tail(log)}", fix=f"See {log}.") from None
