"""Who uses this owner: each command holds one stream open, and a background owner ends after the last has left."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from server.identity.requests import from_this_machine
from tools.errors import CapabilityError, Conflict, InvalidApiKey, Unavailable
from tools.ids import request_id
from tools.secret import Secret

BUSY_AGAIN_SECONDS = 5.0


async def _never_busy() -> bool:
    return False


class Working(Protocol):
    async def busy(self) -> bool:
        """Whether something is pending or executing."""
        ...


class Presence:
    """Made before the application, which calls `mounted` with what is open in it."""

    def __init__(self, token: str, *, background: bool, version: str) -> None:
        self.token = Secret(token)
        self.background, self.version = background, version
        self.busy: Callable[[], Awaitable[bool]] = _never_busy
        self.draining = asyncio.Event()
        self.holders = 0
        self._left = asyncio.Event()
        self._came = asyncio.Event()
        self.stop: Callable[[], None] = self.draining.set

    def mounted(self, house: Working) -> list[Route]:
        """The routes to mount."""
        self.busy = house.busy
        return [hold_route(self), drain_route(self)]

    def entered(self) -> None:
        self.holders += 1
        self._came.set()

    def left(self) -> None:
        self.holders -= 1
        if not self.holders:
            self._left.set()

    async def until_unused(self, seconds: float) -> None:
        """Nobody has held a stream for so long, and nothing is pending or executing."""
        while True:
            while self.holders:
                self._left.clear()
                await self._left.wait()
            self._came.clear()
            if await _within(self._came, seconds):
                continue
            while await self.busy() and not self.holders:
                await _within(self._came, min(seconds, BUSY_AGAIN_SECONDS))
            if not self.holders:
                return


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def hold_route(presence: Presence) -> Route:
    """GET /local/hold: says which process this is, then stays open until either side leaves."""

    class Hold:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            refusal = _refusal(presence, scope)
            if refusal is None and presence.draining.is_set():
                refusal = _shown(Unavailable("This owner is stopping.", fix="Try again.", retry_after=1))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            presence.entered()
            try:
                await _hold(presence, receive, send)
            finally:
                presence.left()

    return Route("/local/hold", Hold(), methods=["GET"])


def drain_route(presence: Presence) -> Route:
    """POST /local/drain: a background owner finishes what it does and ends; one that a person started stays."""

    async def drain(request: Request) -> Response:
        if (refusal := _refusal(presence, request.scope)) is not None:
            return refusal
        if not presence.background:
            return _shown(Conflict("This owner was started by a person.", fix="Stop it where it was started."))
        presence.draining.set()
        presence.stop()
        return JSONResponse({"data": {"draining": True}, "meta": {"request_id": request_id()}}, 202)

    return Route("/local/drain", drain, methods=["POST"])


async def _hold(presence: Presence, receive: Receive, send: Send) -> None:
    known = {"version": presence.version, "background": presence.background}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(known).encode() + b"\n", "more_body": True})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    waits = {asyncio.create_task(gone()), asyncio.create_task(presence.draining.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if presence.draining.is_set():
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _refusal(presence: Presence, scope: Scope) -> Response | None:
    given = dict(scope["headers"]).get(b"authorization", b"")
    if from_this_machine(scope) and hmac.compare_digest(given, b"Bearer " + presence.token.reveal().encode()):
        return None
    return _shown(InvalidApiKey("This is not the local token of this data directory.", fix="Use the adwright command."))


def _shown(error: CapabilityError) -> Response:
    body: dict[str, Any] = error.body(request_id())
    return JSONResponse(body, error.status, {"x-request-id": body["meta"]["request_id"]})
