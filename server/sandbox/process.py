"""The sandbox as a process: one per directory, found by `sandbox.json`, gone by itself when nobody asks any more."""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from server.sandbox.app import create_app
from server.sandbox.google.quota import operations_per_day
from server.sandbox.meta.limits import points_per_hour
from server.sandbox.state import write_private

SECONDS_WITHOUT_OWNER = 600


class Watched:
    """Notes when the last request came; any request is a sign of an owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._last = time.monotonic()
        await self._app(scope, receive, send)


class Server(uvicorn.Server):
    """Announces itself once it serves, and stops when left alone."""

    def __init__(self, config: uvicorn.Config, watched: Watched, announcement: Path, url: str, patience: int) -> None:
        super().__init__(config)
        self._watched = watched
        self._announcement = announcement
        self._url = url
        self._patience = patience

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        write_private(self._announcement, orjson.dumps({"url": self._url, "pid": os.getpid()}))

    async def on_tick(self, counter: int) -> bool:
        abandoned = 0 < self._patience < self._watched.idle_seconds
        return await super().on_tick(counter) or abandoned


def serve(host: str, port: int, data: Path, *, seconds_without_owner: int = SECONDS_WITHOUT_OWNER) -> None:
    """Serve until SIGTERM, or until no request has come for so long; port 0 means the last one used, if it is free."""
    hourly, daily = points_per_hour(), operations_per_day()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _end)
    with _only_one(data) as lock:
        listener = _listen(host, port, lock)
        bound = listener.getsockname()[1]
        url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        watched = Watched(create_app(data, meta_points_per_hour=hourly, google_operations_per_day=daily))
        config = uvicorn.Config(
            watched,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            proxy_headers=False,
            server_header=False,
        )
        announcement = data / "sandbox.json"
        try:
            Server(config, watched, announcement, url, seconds_without_owner).run(sockets=[listener])
        finally:
            announcement.unlink(missing_ok=True)


def _end(_signal: int, _frame: FrameType | None) -> None:
    # uvicorn raises the signal again once it has shut down; ending politely lets the `finally` above run.
    sys.exit(0)


@contextmanager
def _only_one(data: Path) -> Iterator[IO[str]]:
    """Hold the directory's lock; the kernel lets go of it however the process ends."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "sandbox.lock").open("a+", encoding="utf-8")
    except OSError as error:
        sys.exit(f"cannot write in {data}: {error.strerror}; choose another --data")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another sandbox serves {data}; its address is in {data / 'sandbox.json'}")
        yield lock


def _listen(host: str, port: int, lock: IO[str]) -> socket.socket:
    """The lock file remembers the port, so that addresses given out stay good over a restart."""
    lock.seek(0)
    remembered = lock.read().strip()
    wanted = [port] if port else [*([int(remembered)] if remembered.isdecimal() else []), 0]
    for candidate in wanted:
        try:
            listener = socket.create_server(
                (host, candidate), family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
        except OSError as error:
            failure = error
            continue
        # asyncio does not, for a socket it is handed; the body of an answer would wait 40 ms for its headers' ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lock.seek(0)
        lock.truncate()
        lock.write(str(listener.getsockname()[1]))
        lock.flush()
        return listener
    sys.exit(f"cannot listen on {host}:{wanted[-1]}: {failure.strerror}; choose another --port, or 0 for a free one")
