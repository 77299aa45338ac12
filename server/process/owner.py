"""What the owner of a data directory is made of: settings, a socket, the application, the children, and an end."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import uvloop
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from server.logs import configure
from server.process.children import Children
from server.process.local import Presence
from server.process.ownership import Ownership, Record, address, listen
from server.process.serving import Stop, end_at_the_latest, serve
from server.process.simulated import simulate
from server.process.stored import store
from server.process.workers import Workers
from server.settings import Settings
from tools.errors import Conflict, Unavailable
from tools.secret import Secret
from tools.store.engine import StoreUnavailable
from tools.store.migrations import SchemaMismatch


class CreateApp(Protocol):
    def __call__(
        self, settings: Settings, *, local_token: Secret, extra: Callable[..., Sequence[BaseRoute]]
    ) -> ASGIApp: ...


Serving = Callable[[str, Secret, Settings], Awaitable[None]]
"""Runs once requests are answered: the address on this machine, the local token, the settings."""


async def _nothing_more(_url: str, _token: Secret, _settings: Settings) -> None:
    return


def run(
    ownership: Ownership,
    create_app: CreateApp,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int = 1,
    serving: Serving = _nothing_more,
) -> None:
    """Until a signal, or for a background owner until nobody uses it. Raises CapabilityError where it cannot start."""
    try:
        uvloop.run(_own(ownership, create_app, host, port, workers, serving))
    except SchemaMismatch as error:
        raise Conflict(
            f"{ownership.directory}: {error}.",
            fix="Nothing was changed. Run that version, or restore a backup of adwright.db.",
        ) from error
    except StoreUnavailable as error:
        raise Unavailable(
            f"The database in {ownership.directory} cannot be used: {error}.",
            fix=_remedy(error),
        ) from error


def _remedy(error: StoreUnavailable) -> str:
    if any(sign in str(error) for sign in ("not a database", "malformed")):  # SQLite's words for a damaged file
        return "Restore a backup of adwright.db, or move it away to start anew."
    return "Make the directory writable, or free some space; adwright doctor tells more."


async def _own(
    ownership: Ownership, create_app: CreateApp, host: str | None, port: int | None, workers: int, serving: Serving
) -> None:
    async with Children(ownership.directory) as children:
        await simulate(ownership.directory, children)

        async def first(url: str, token: Secret, settings: Settings) -> None:
            store(ownership.directory, children)  # only now: loading the engine takes a second of a core
            await serving(url, token, settings)

        settings = Settings.load(ownership.directory)
        configure(settings)
        host = settings.adwright_host if host is None else host
        port = settings.adwright_port if port is None else port
        remembered = Record.read(ownership.directory).port
        with listen(host, port, remembered=remembered) as listener:
            url = address(host, listener)
            settings = settings.listening(url).with_workers(workers)
            presence = Presence(ownership.token, background=ownership.background, version=ownership.version)
            async with Workers(ownership.directory, listener, workers) as others:
                await _serve(create_app, listener, url, settings, ownership, presence, others, first)


async def _serve(
    create_app: CreateApp,
    listener: socket.socket,
    url: str,
    settings: Settings,
    ownership: Ownership,
    presence: Presence,
    others: Workers,
    serving: Serving,
) -> None:
    beside: list[asyncio.Task[None]] = []

    def ready(stop: Stop) -> None:
        presence.stop = stop
        ownership.announce(url)
        others.start(url)
        task = asyncio.create_task(_beside(serving, url, settings, presence))
        task.add_done_callback(lambda done: stop() if not done.cancelled() and done.exception() else None)
        beside.append(task)

    def draining() -> None:
        end_at_the_latest()
        presence.draining.set()
        others.drain()

    app = create_app(settings, local_token=presence.token, extra=presence.mounted)
    await serve(app, listener, ready=ready, draining=draining)
    for task in beside:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _beside(serving: Serving, url: str, settings: Settings, presence: Presence) -> None:
    await serving(url, presence.token, settings)
    if presence.background:
        await presence.until_unused(settings.adwright_idle_seconds)
        presence.draining.set()
        presence.stop()
