"""The analytics owner: one process a directory holds the engine's data, and all others reach it over the wire."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from server.analytics.clickhouse import ClickHouseEngine
from server.analytics.datafiles.loading import OURS, load
from server.analytics.datafiles.model import DatafileError, Project
from server.analytics.deployment import Deployed
from server.analytics.engine import DeploymentError, Engine, EngineError
from server.analytics.wire.app import create_app
from server.analytics.wire.tokens import Identity
from server.process.environment import variables
from server.process.files import make_directory, read_json, write_private
from server.process.ownership import Held, address, listen, locked
from server.process.serving import Stop, end_at_the_latest, serve
from tools.errors import Conflict, InvalidRequest, Unavailable

NAME = "analytics"
DATABASE = "analytics"
SECONDS_WITHOUT_OWNER = 600.0
COPIES_EVERY_SECONDS = 10.0
RESERVE_BYTES = 64 * 1024 * 1024
"""Left free on the disk: an engine that cannot write its own files cannot be stopped in order either."""
logger = logging.getLogger(__name__)


class Watched:
    """Notes when the last request came; any request is a sign of an owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._last = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._last = time.monotonic()
        await self._app(scope, receive, send)

    async def until_left_alone(self, seconds: float) -> None:
        while True:
            left = self._last + seconds - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)


@dataclass(frozen=True, slots=True)
class Place:
    """What a data directory keeps of its store: analytics.lock, analytics.json while it serves, and analytics/."""

    directory: Path

    @property
    def announcement(self) -> Path:
        return self.directory / f"{NAME}.json"

    @property
    def data(self) -> Path:
        return self.directory / NAME / "clickhouse"

    @property
    def _kept(self) -> Path:
        return self.directory / NAME / "identity.json"

    def identity(self) -> tuple[Identity, int]:
        """Who signs here, and the port it had last."""
        known = read_json(self._kept)
        if not {"workspace_id", "admin_token"} <= known.keys():
            return Identity.new(), 0
        return Identity(str(known["workspace_id"]), str(known["admin_token"])), int(known.get("port", 0))

    def keep(self, identity: Identity, port: int) -> None:
        make_directory(self._kept.parent)
        kept = {"workspace_id": identity.workspace_id, "admin_token": identity.admin_token, "port": port}
        if read_json(self._kept) != kept:
            write_private(self._kept, json.dumps(kept) + "\n")

    def announce(self, identity: Identity, url: str) -> None:
        told = {"url": url, "admin_token": identity.admin_token, "workspace_id": identity.workspace_id}
        write_private(self.announcement, json.dumps({**told, "pid": os.getpid()}) + "\n")

    def withdraw(self) -> None:
        self.announcement.unlink(missing_ok=True)


def run(
    directory: Path,
    *,
    project: Path = OURS,
    host: str = "127.0.0.1",
    port: int = 0,
    alone_seconds: float = 0,
    told: Callable[[str], None] = logger.info,
) -> None:
    """Until a signal, or until no request has come for so long (0: however long). Raises CapabilityError where it
    cannot start."""
    place = Place(directory)
    make_directory(directory)
    with _only_one(place):
        loaded = _loaded(project)
        identity, remembered = place.identity()
        with listen(host, port, remembered=remembered) as listener:
            place.keep(identity, listener.getsockname()[1])
            try:
                url = address(host, listener)
                serving = Serving(place, loaded, identity, url, alone_seconds, told)
                uvloop.run(serving.until_stopped(listener))
            except DeploymentError as error:
                raise Conflict(error.message, fix="Serve that project from another --data DIR.") from error
            except EngineError as error:
                fix = f"Free some space, or move {place.data} away to start anew."
                raise Unavailable(f"The analytics engine cannot start: {error.message}", fix=fix) from error
            finally:
                place.withdraw()


@contextlib.contextmanager
def _only_one(place: Place) -> Iterator[None]:
    try:
        with locked(place.directory / f"{NAME}.lock"):
            place.withdraw()  # left behind by one that was killed
            yield
    except Held:
        known = read_json(place.announcement)
        raise Conflict(
            f"Another analytics owner (pid {known.get('pid', '?')}) serves {place.directory}.",
            fix=f"Use that one at {known.get('url', 'the address in analytics.json')}, or choose another --data DIR.",
        ) from None


def _loaded(project: Path) -> Project:
    try:
        return load(project)
    except DatafileError as error:
        raise InvalidRequest(str(error), fix="Correct the file.") from None
    except OSError as error:
        raise InvalidRequest(f"{project} cannot be read: {error.strerror}.", fix="Pass a --project DIR.") from None


@dataclass(frozen=True, slots=True)
class Serving:
    place: Place
    project: Project
    identity: Identity
    url: str
    alone_seconds: float
    told: Callable[[str], None]

    async def until_stopped(self, listener: socket.socket) -> None:
        async with _engine(self.place) as (engine, database):
            deployed = await Deployed.open(self.project, engine, database=database)
            app = Watched(create_app(deployed, self.identity))
            beside: list[asyncio.Task[None]] = []

            def ready(stop: Stop) -> None:
                self.place.announce(self.identity, self.url)
                self.told(self.url)
                beside.append(asyncio.create_task(_copies(deployed), name="copies"))
                beside.append(asyncio.create_task(deployed.keep_ready(), name="ready sums"))
                if self.alone_seconds:
                    beside.append(asyncio.create_task(_leave(app, self.alone_seconds, stop), name="left alone"))

            try:
                await serve(app, listener, ready=ready, draining=end_at_the_latest)
            finally:
                self.place.withdraw()
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)


@contextlib.asynccontextmanager
async def _engine(place: Place) -> AsyncIterator[tuple[Engine, str]]:
    """The engine and the name of its database: a ClickHouse where one is set, else the one inside this process."""
    # The child starts in the data directory, so an .env beside us is the one of whoever started `adwright analytics`.
    if url := variables(place.directory).get("CLICKHOUSE_URL"):
        async with ClickHouseEngine(url) as server:
            yield server, urlsplit(url).path.strip("/") or DATABASE
        return
    try:
        # Late: half a gigabyte of library, which only this process loads, and only where it is the engine.
        from server.analytics.chdb.engine import ChdbEngine  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Unavailable(
            "The embedded analytics engine is not installed.",
            fix="pip install 'adwright[analytics]', or set CLICKHOUSE_URL, or ADWRIGHT_ANALYTICS=off.",
        ) from error

    async with await ChdbEngine.open(place.data, reserve_bytes=RESERVE_BYTES) as engine:
        yield engine, DATABASE


async def _copies(deployed: Deployed) -> None:
    while True:
        try:
            await deployed.run_due_copies(dt.datetime.now(dt.UTC))
        except EngineError as error:
            logger.warning("a copy failed; the next is tried when it is due: %s", error.message)
        await asyncio.sleep(COPIES_EVERY_SECONDS)


async def _leave(app: Watched, seconds: float, stop: Stop) -> None:
    await app.until_left_alone(seconds)
    stop()
