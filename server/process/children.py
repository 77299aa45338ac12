"""Processes that belong to the owner's data directory yet outlive a kill of the owner: started, or found again."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
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
MOST_HEARTBEAT_SECONDS = 300.0
_LOOK_EVERY = 0.05
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None  # beside ours
    heartbeat_seconds: float = HEARTBEAT_SECONDS
    end_seconds: float = END_SECONDS  # what it has to end in order when it is asked to


class Children:
    """A child NAME holds NAME.lock, writes NAME.json {"url", "pid"} and ends by itself without heartbeats."""

    def __init__(self, directory: Path, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._directory, self._heartbeat_seconds = directory, heartbeat_seconds
        self._beating: dict[Child, asyncio.Task[None]] = {}
        self._started: list[tuple[Child, subprocess.Popen[bytes]]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*map(self._end, list(self._beating)))
        for _, process in self._started:
            forget(process)

    async def start(self, name: str, command: Sequence[str]) -> str:
        """The URL of the child: the one that runs already, else of a new one. From now on it is kept alive."""
        child = Child(name=name, command=command, heartbeat_seconds=self._heartbeat_seconds)
        url = await self._found_or_started(child)
        self._beating[child] = asyncio.create_task(self._heartbeats(child, child.heartbeat_seconds), name=name)
        return url

    def keep(self, child: Child) -> None:
        """As `start`, for one that nobody waits for: until it runs, those who ask it are told so."""
        self._beating[child] = asyncio.create_task(self._heartbeats(child, 0), name=child.name)

    async def _found_or_started(self, child: Child) -> str:
        name, started = child.name, None
        log = self._directory / f"{name}.log"
        since = size(log)
        async with _limit(START_SECONDS, name, log):
            while not (url := await self._answering(name)):
                if started is None and not self._lives(name):
                    started = spawn(child.command, log, child.environment)
                    self._started.append((child, started))
                elif started is not None and started.poll() is not None and not self._lives(name):
                    raise Unavailable(f"The {name} did not start.\n{tail(log, since=since)}", fix=f"See {log}.")
                await asyncio.sleep(_LOOK_EVERY)
        return url

    async def _end(self, child: Child) -> None:
        """Asked first, then made to."""
        name = child.name
        if (beating := self._beating.pop(child, None)) is not None:
            beating.cancel()
        for of, process in self._started:
            if of is child and process.poll() is None and not self._announced(name, process.pid):
                process.kill()  # so new that it has not said where it is, and owes nobody anything
                await asyncio.to_thread(process.wait)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._lives(name):
                break
            if pid := int(read_json(self._directory / f"{name}.json").get("pid", 0)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            await asyncio.to_thread(wait_until_free, self._directory / f"{name}.lock", child.end_seconds)

    def _announced(self, name: str, pid: int) -> bool:
        return bool(read_json(self._directory / f"{name}.json").get("pid") == pid)

    def _lives(self, name: str) -> bool:
        return is_held(self._directory / f"{name}.lock")

    async def _answering(self, name: str) -> str:
        """Its URL, once the process that holds the lock answers there."""
        url = str(read_json(self._directory / f"{name}.json").get("url", ""))
        return url if url and self._lives(name) and await asyncio.to_thread(alive, url) else ""

    async def _heartbeats(self, child: Child, first: float) -> None:
        """Without them a child ends by itself; one that crashed is started again, soon at first, then ever later."""
        wait = first
        while True:
            await asyncio.sleep(wait)
            try:
                await self._found_or_started(child)
                wait = child.heartbeat_seconds
            except Unavailable as error:
                logger.warning("%s", error.message)
                wait = min(max(2 * wait, child.heartbeat_seconds), MOST_HEARTBEAT_SECONDS)


def alive(url: str) -> bool:
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
