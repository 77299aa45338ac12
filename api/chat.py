"""The chat over server-sent events: a turn begins, is followed and stopped here, and runs elsewhere."""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from starlette.types import Receive, Send

from api import received
from api.chat_document import SURFACES, chat_paths
from api.envelope import REPLAYED, Answer, Sendable, success
from api.routes import Handlers, Request, Resolve
from tools.context import Context
from tools.conversations.model import Asked, Stopping
from tools.errors import CapabilityError, InvalidRequest
from tools.invoke import Door

HEARTBEAT_SECONDS = 15.0
_HEARTBEAT = b":\n\n"


class Following(Protocol):
    over: bool
    replayed: bool  # of a turn that began earlier, under the same idempotency key

    async def next(self, seconds: float) -> Sequence[Any]:
        """Events {seq, name, data: JSON text} as soon as there are some; none when the time passes or it is over."""
        ...

    def close(self) -> None: ...


class Turns(Protocol):
    """Whoever runs the turns; they go on whether or not anybody follows them."""

    async def start(self, context: Context, surface: str, asked: Callable[[], Asked], key: str | None) -> Following: ...

    async def follow(self, context: Context, conversation_id: str, after: int | None) -> Following: ...

    async def stop(self, context: Context, conversation_id: str) -> bool: ...


class Chat:
    def __init__(self, door: Door, resolve: Resolve, turns: Turns) -> None:
        self._door, self._resolve, self._turns = door, resolve, turns

    def paths(self) -> dict[str, Any]:
        return chat_paths()

    def handlers(self) -> Handlers:
        return {
            **{f"/{surface}/chat": {"POST": partial(self._ask, surface)} for surface in SURFACES},
            "/chat/{conversationId}/events": {"GET": self._events},
            "/chat/{conversationId}/stop": {"POST": self._stop},
        }

    async def _ask(self, surface: str, request: Request) -> Sendable:
        context = await self._context(request)
        body, refusal = b"", None
        try:
            body = await received.read_body(request.headers, request.receive)
            received.require_json(request.headers)
        except CapabilityError as error:
            refusal = error

        def asked() -> Asked:
            if refusal is not None:  # told after authorisation and rate limit, as everywhere
                raise refusal
            return Asked.of(received.json_object(body))

        key = request.headers.get(b"idempotency-key")
        following = await self._turns.start(context, surface, asked, None if key is None else key.decode("latin-1"))
        return EventStream(following, request.receive)

    async def _events(self, request: Request) -> Sendable:
        context = await self._context(request)
        after = _last_event_id(request.headers)
        following = await self._turns.follow(context, request.path["conversationId"], after)
        found = await following.next(0)
        if not found and following.over:
            following.close()
            return Answer(204, b"", ((b"cache-control", b"no-store"),))  # an EventSource does not come back after it
        return EventStream(following, request.receive, found)

    async def _stop(self, request: Request) -> Sendable:
        context = await self._context(request)
        identifier = request.path["conversationId"]
        stopping = await self._turns.stop(context, identifier)
        return success(200, Stopping(conversationId=identifier, stopping=stopping), request.id)

    async def _context(self, request: Request) -> Context:
        return self._door.context(await self._resolve(request.scope, face="rest"), request.id)


def _last_event_id(headers: received.Headers) -> int | None:
    given = headers.get(b"last-event-id")
    if given is None:
        return None
    if not re.fullmatch(rb"[0-9]{1,15}", given):
        raise InvalidRequest("Last-Event-ID is the number of an event.", fix="Send the id of the last event you have.")
    return int(given)


class EventStream:
    """Ends with what it follows, or when the client leaves."""

    def __init__(self, following: Following, receive: Receive, found: Sequence[Any] = ()) -> None:
        self._following, self._receive, self._found = following, receive, found

    async def send(self, send: Send, request_id: str, *, without_body: bool = False) -> None:
        gone = asyncio.create_task(self._gone())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self._headers(request_id)})
            if not without_body:
                await self._stream(send, gone)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._following.close()

    def _headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # a proxy that waits for a full buffer makes a stream a lump
            (b"x-request-id", request_id.encode()),
            *((REPLAYED,) if self._following.replayed else ()),
        ]

    async def _stream(self, send: Send, gone: "asyncio.Task[None]") -> None:
        await _part(send, _HEARTBEAT + b"".join(map(_event, self._found)))
        while not self._following.over:
            waiting = asyncio.create_task(self._following.next(HEARTBEAT_SECONDS))
            await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                return
            await _part(send, b"".join(map(_event, waiting.result())) or _HEARTBEAT)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _part(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _event(event: Any) -> bytes:
    return f"id: {event.seq}\nevent: {event.name}\ndata: {event.data}\n\n".encode()
