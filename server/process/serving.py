"""One ASGI application on one socket, in this process alone: a kill frees the port, and a stop ends in bounded time."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any

import orjson
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER_READ_MS = 10_000
GRACE_SECONDS = 3.0
STOP_SECONDS = 4.8
_CLOSE_SECONDS = 0.5
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_ENDING_BODY = orjson.dumps(
    {"code": "unavailable", "message": "This process is ending.", "fix": "Send it again.", "retryAfter": 1}
)
_ENDING = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_ENDING_BODY)).encode()),
    (b"retry-after", b"1"),
    (b"connection", b"close"),
]

Stop = Callable[[], None]


class OnSocket(Server):
    """granian's embedded server, given a socket that is ours alone: it would bind one that others may share."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MS),
            websockets=False,
            backlog=1024,
            log_enabled=False,
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # Undeclared in granian's stub, yet how its own workers receive a socket. It closes what it is given.
        self._shd: Any = SocketHolder(self._listener.detach(), False, 1024)  # type: ignore[call-arg]  # see above


class Requests:
    """The requests in flight, so that a stop lets them finish, and ends those that never would. What comes after that
    on connections still open is refused, for whoever sent it to send it again."""

    def __init__(self, app: ASGIApp, state: MutableMapping[str, Any]) -> None:
        self._app, self._state = app, state
        self._endless: set[asyncio.Task[Any]] = set()
        self._running: set[asyncio.Task[Any]] = set()
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("granian runs each request as a task")
        if self._ending:
            await send({"type": "http.response.start", "status": 503, "headers": _ENDING})
            await send({"type": "http.response.body", "body": _ENDING_BODY})
            return
        scope["state"] = dict(self._state)
        self._running.add(task)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "GET" and _is_events(message):
                self._endless.add(task)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._running.discard(task)
            self._endless.discard(task)

    async def finish(self, seconds: float) -> None:
        """Streams that a GET opened carry no work of their own and end at once; the rest has its time."""
        self._ending = True
        for task in list(self._endless):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        for task in list(self._running):
            task.cancel()


def _is_events(start: Message) -> bool:
    return any(name.lower() == b"content-type" and b"event-stream" in value for name, value in start["headers"])


async def serve(app: ASGIApp, listener: socket.socket, *, ready: Callable[[Stop], None], draining: Stop) -> None:
    """Until a signal or the `Stop` handed to `ready`; then `draining` is told and all ends in five seconds."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    try:
        async with _lifespan(app) as state:
            requests = Requests(app, state)
            server = OnSocket(requests, listener)
            serving = asyncio.create_task(server.serve())
            stopped = asyncio.create_task(stopping.wait())
            ready(stopping.set)
            await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            draining()
            server.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian leaves it untyped
            await requests.finish(GRACE_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(serving, _CLOSE_SECONDS)
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def end_at_the_latest() -> None:
    """From now on, whatever hangs (a thread, a driver, a lifespan): the port and the locks are free in time."""

    def end() -> None:
        sys.stderr.write(f"not everything stopped within {STOP_SECONDS} s; ending anyway\n")
        sys.stderr.flush()
        os._exit(1)

    watchdog = threading.Timer(STOP_SECONDS, end)
    watchdog.daemon = True
    watchdog.start()


@contextlib.asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """The application's own, driven here so that what fails in it is raised as it is; granian would only log it."""
    state: dict[str, Any] = {}
    told: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}

    async def run() -> None:
        await app(scope, told.get, heard.put)

    running = asyncio.create_task(run(), name="lifespan")

    async def step(event: str) -> None:
        await told.put({"type": f"lifespan.{event}"})
        answer = asyncio.create_task(heard.get())
        await asyncio.wait((answer, running), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() or answer.result()["type"] != f"lifespan.{event}.complete":
            answer.cancel()
            await running
            raise RuntimeError(f"the application ended at its lifespan's {event}")

    await step("startup")
    try:
        yield state
    finally:
        await step("shutdown")
        await running
