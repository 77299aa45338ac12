"""The real processes: a sandbox, and an owner that is killed, stopped, replaced and started again on one directory."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2

from server.process.files import read_json, tail
from server.process.ownership import is_held
from tests.chaos.starting import Forked, Running, command

FREE_SECONDS = 2.0
STOP_SECONDS = 5.0
START_SECONDS = 40.0
"""Generous: on two shared cores the start itself is not what is judged."""
_LOOK_EVERY = 0.01


class Violation(Exception):
    """A promise was broken; the message says which."""


async def until(met: Callable[[], bool], seconds: float, broken: str) -> None:
    give_up = time.monotonic() + seconds
    while not met():
        if time.monotonic() > give_up:
            raise Violation(f"{broken} within {seconds:g} s")
        await asyncio.sleep(_LOOK_EVERY)


async def _killed(process: Running) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: process.poll() is not None, FREE_SECONDS, "a killed process did not end")


@dataclass
class Sandbox:
    url: str
    process: Running
    known: dict[str, Any]

    @classmethod
    async def start(cls, directory: Path, environment: Mapping[str, str]) -> "Sandbox":
        endless = {
            **environment,
            "SANDBOX_META_CALLS_PER_HOUR": "10000000",
            "SANDBOX_GOOGLE_OPERATIONS_PER_DAY": "10000000",
        }
        process = command("server.sandbox", ["--data", str(directory), "--port", "0"], directory, endless)
        await until((directory / "sandbox.json").exists, START_SECONDS, "the sandbox did not start")
        url = str(read_json(directory / "sandbox.json")["url"])
        async with httpx2.AsyncClient() as client:
            return cls(url, process, (await client.get(url)).json()["meta"])

    async def end(self) -> None:
        await _killed(self.process)

    def settings(self) -> dict[str, str]:
        return {
            "META_GRAPH_URL": f"{self.url}/meta",
            "META_APP_ID": str(self.known["app_id"]),
            "META_APP_SECRET": str(self.known["app_secret"]),
        }


@dataclass
class Owner:
    """Whoever owns the directory now. `background` owners hand over when asked, those of `serve` end by a signal."""

    directory: Path
    environment: Mapping[str, str]
    process: Running | None = None
    background: bool = False
    url: str = ""
    workers: int = 1

    async def start(self, *, background: bool) -> None:
        """The directory keeps its port, so that approval links survive."""
        name = "server.process.background" if background else "server.cli.main"
        arguments = [*([] if background else ["serve"]), "--data", str(self.directory)]
        if self.workers > 1:
            arguments += ["--workers", str(self.workers)]
        how = command if self.process is None else Forked  # the first one as a user starts it
        process = await asyncio.to_thread(how, name, arguments, self.directory, self.environment)
        self.process, self.background = process, background
        await until(lambda: self._announced(process), START_SECONDS, "the owner did not start")
        if (status := process.poll()) is not None:
            raise Violation(f"the owner ended with {status}: {tail(self.directory / 'chaos.log')}")
        url = str(read_json(self.directory / "serve.json")["url"])
        if self.url not in ("", url):
            raise Violation(f"the owner moved from {self.url} to {url}")
        self.url = url
        if self.workers > 1:
            await until(lambda: len(self._others()) == self.workers - 1, START_SECONDS, "not all workers started")

    def kill_worker(self, random: Random) -> int:
        """kill -9 of one beside the owner: the owner starts another, the rest goes on."""
        chosen = random.choice(self._others())
        os.kill(chosen, signal.SIGKILL)
        return chosen

    def _others(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children") if self.process else Path()
        found = [int(pid) for pid in children.read_text(encoding="utf-8").split()]
        return [pid for pid in found if b"server.process.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    async def kill(self) -> None:
        """kill -9: the port and the lock are the kernel's to free."""
        await self._ended(signal.SIGKILL, FREE_SECONDS)

    async def stop(self) -> None:
        """SIGTERM: what is being applied has its time, and the end comes all the same."""
        await self._ended(signal.SIGTERM, STOP_SECONDS)

    async def hand_over(self) -> None:
        """`serve` asks a background owner to drain, and takes its place."""
        left = self.process
        if left is None or not self.background:
            raise ValueError("only a background owner hands over")
        await self.start(background=False)
        await until(lambda: left.poll() is not None, STOP_SECONDS, "the owner that handed over did not end")

    async def end(self) -> None:
        if self.process is not None:
            await _killed(self.process)

    @property
    def token(self) -> str:
        return str(read_json(self.directory / "serve.json").get("token", ""))

    def _announced(self, process: Running) -> bool:
        return process.poll() is not None or read_json(self.directory / "serve.json").get("pid") == process.pid

    async def _ended(self, number: signal.Signals, seconds: float) -> None:
        process = self.process
        if process is None:
            raise ValueError("no owner runs")
        started = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        await until(lambda: process.poll() is not None, seconds, f"{number.name} did not end the owner")
        left = seconds - (time.monotonic() - started)
        await until(self._free, max(left, 0.1), f"after {number.name} the port and the lock were not free")

    def _free(self) -> bool:
        if is_held(self.directory / "owner.lock"):
            return False
        parts = urlsplit(self.url)
        try:
            socket.create_server((parts.hostname or "", parts.port or 0)).close()
        except OSError:
            return False
        return True


def plain_environment() -> dict[str, str]:
    """Ours, without what would configure the product."""
    ours = ("ADWRIGHT_", "META_", "SANDBOX_", "PUBLIC_URL", "DATABASE_URL", "ENCRYPTION_KEY", "SESSION_", "SENTRY_DSN")
    known = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return known | {"ADWRIGHT_ANALYTICS": "off"}
