"""The HTTP face of the Messages API: keys, headers and events, and the connection as faults leave it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.sandbox import connection
from server.sandbox.anthropic import errors, models, stream
from server.sandbox.anthropic.controls import Controls
from server.sandbox.anthropic.errors import ApiError
from server.sandbox.anthropic.messages import Messages, Prepared, tags
from server.sandbox.anthropic.received import Inbox, Received
from server.sandbox.anthropic.reply import Reply, identifier
from server.sandbox.anthropic.script import Script
from server.sandbox.faults import Fault, Faults, Kind
from server.sandbox.log import RequestLog

API_KEY, OTHER_API_KEY = (
    "sk-ant-api03-" + sha256(f"adwright sandbox {name}".encode()).hexdigest() for name in ("a", "b")
)
"""Two workspaces, which share nothing that is cached."""
MOST_BYTES = 32 * 1024 * 1024

_BEFORE = frozenset({
    Kind.EXPIRED_TOKEN, Kind.THROTTLED, Kind.SERVER_ERROR, Kind.OVERLOADED, Kind.TOO_LONG, Kind.HTML,
})  # fmt: skip
"""Faults that answer instead of the API."""
_ADDED = "content_block_delta"
_DURING = frozenset({Kind.CUT, Kind.TRUNCATED, Kind.OVERLOADED_MID, Kind.SLOW, Kind.SILENT})


class AnthropicEndpoint:
    """An ASGI application, so that it can break a stream instead of ending it."""

    def __init__(self, faults: Faults, log: RequestLog, now: Callable[[], datetime]) -> None:
        self.script = Script()
        self._messages = messages = Messages(faults, self.script, now)
        self._faults = faults
        self._log = log
        self._inbox = Inbox()
        self._controls = Controls(messages, self._inbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["path"].removeprefix(scope["root_path"])
        if (control := await self._controls.answer(request, path)) is not None:
            await control(scope, receive, send)
            return
        request_id = identifier("req")
        try:
            raw = await _body(request)
        except ApiError as error:
            await self._refuse(error, request_id, request)(scope, receive, send)
            return
        received = self._inbox.add(path, raw.decode(errors="replace"), request_id)
        try:
            await self._answer(request, path, raw, received, send)
        except ApiError as error:
            received.status, received.ended = error.status, "complete"
            await self._refuse(error, request_id, request)(scope, receive, send)
        self._record(request, path, received)

    async def _answer(self, request: Request, path: str, raw: bytes, received: Received, send: Send) -> None:
        key = _key(request)
        body = _parsed(raw) if request.method == "POST" else None
        named = tags(request.method, path, body)
        if fault := self._faults.take("anthropic", named, _BEFORE):
            await self._instead(fault, request, received, send)
        elif (request.method, path) == ("POST", "/v1/messages"):
            await self._create(request, body, key, named, received, send)
        else:
            answer = self._plain(request, path, body)
            received.status, received.ended = 200, "complete"
            await self._json(answer, received.request_id, key)(request.scope, request.receive, send)

    def _plain(self, request: Request, path: str, body: object) -> object:
        if path == "/v1/messages/count_tokens":
            _only("POST", request)
            return {"input_tokens": self._messages.count(_mapping(body))}
        first, _, name = path.removeprefix("/v1/").partition("/")
        if first != "models":
            raise errors.method_not_allowed() if path == "/v1/messages" else errors.no_such_path()
        _only("GET", request)
        if name:
            return models.find(name).to_json()
        query = request.query_params
        return models.page(query.get("after_id"), query.get("before_id"), _limit(query.get("limit", "20")))

    async def _create(
        self, request: Request, body: object, key: str, named: set[str], received: Received, send: Send
    ) -> None:
        self._messages.limits.check(key)
        prepared = self._messages.prepare(_mapping(body), key)
        turn = self._messages.turn(prepared, named)
        fault = turn.fault if turn.fault is not None else self._faults.take("anthropic", named, _DURING)
        if fault is not None and fault.kind in _BEFORE:
            await self._instead(fault, request, received, send)
            return
        reply = self._messages.reply(prepared, turn)
        received.status, received.usage = 200, reply.final_usage
        if prepared.body.get("stream"):
            await self._stream(request, prepared, reply, fault, received, send)
            return
        if fault is not None and fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.kind in _DURING:
            received.ended = "cut"
            await connection.cut(send)
            return
        self._messages.begun(prepared, reply)
        received.ended = "complete"
        await self._json(reply.whole(), received.request_id, key)(request.scope, request.receive, send)

    async def _stream(
        self, request: Request, prepared: Prepared, reply: Reply, fault: Fault | None, received: Received, send: Send
    ) -> None:
        kind = fault.kind if fault is not None else None
        events = stream.events(reply, kind, received.request_id)
        tokens = sum(event["type"] == _ADDED for event in events)
        pause = fault.seconds / max(1, tokens) if fault is not None and kind is Kind.SLOW else 0.0
        self._messages.begun(prepared, reply)
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            **self._headers(received.request_id, prepared.key),
        }
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        gone = asyncio.ensure_future(_gone(request))
        try:
            for event in events:
                waits = pause if event["type"] == _ADDED else 0.0
                await (asyncio.wait({gone}, timeout=waits) if waits else asyncio.sleep(0))
                if gone.done():
                    received.ended = "aborted"
                    return
                await send({"type": "http.response.body", "body": stream.encode(event), "more_body": True})
            if fault is not None and kind is Kind.SILENT:
                await asyncio.wait({gone}, timeout=fault.seconds)
                received.ended = "aborted" if gone.done() else "cut"
                return
        finally:
            gone.cancel()
        received.ended = "complete" if kind in {None, Kind.SLOW} else "cut"
        if kind is not Kind.CUT:  # left open, the server can only close the connection
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _instead(self, fault: Fault, request: Request, received: Received, send: Send) -> None:
        received.ended = "complete"
        if fault.kind is Kind.HTML:
            received.status = connection.BAD_GATEWAY.status_code
            await connection.BAD_GATEWAY(request.scope, request.receive, send)
            return
        raise {
            Kind.EXPIRED_TOKEN: errors.key_invalid(),
            Kind.THROTTLED: errors.rate_limited(fault.retry_after),
            Kind.OVERLOADED: errors.overloaded(fault.retry_after),
            Kind.TOO_LONG: errors.too_long(1_000_001, 1_000_000),
        }.get(fault.kind, errors.server_error())

    def _refuse(self, error: ApiError, request_id: str, request: Request) -> Response:
        headers = self._headers(request_id, _given_key(request) or "") | dict(error.headers)
        headers["x-should-retry"] = "true" if error.retryable else "false"
        return _json(error.body(request_id), error.status, headers)

    def _json(self, content: object, request_id: str, key: str) -> Response:
        return _json(content, 200, self._headers(request_id, key))

    def _headers(self, request_id: str, key: str) -> dict[str, str]:
        limits = self._messages.limits.headers(key) if key in {API_KEY, OTHER_API_KEY} else {}
        return {"request-id": request_id, "anthropic-organization-id": "5a7d0b0c-0000-4000-8000-00005a4db0c5", **limits}

    def _record(self, request: Request, path: str, received: Received) -> None:
        self._log.add(
            platform="anthropic",
            method=request.method,
            path=path,
            params={"request_id": received.request_id, "ended": received.ended, "usage": received.usage},
            status=received.status,
        )


async def _gone(request: Request) -> None:
    """Ends when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST_BYTES:
            raise errors.too_large()
    return bytes(found)


def _given_key(request: Request) -> str | None:
    """The SDK has sent a bearer token since 2.12, and x-api-key before."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return request.headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else None)


def _key(request: Request) -> str:
    key = _given_key(request)
    if key is None:
        raise errors.key_missing()
    if key not in {API_KEY, OTHER_API_KEY}:
        raise errors.key_invalid()
    if "anthropic-version" not in request.headers:
        raise errors.invalid("anthropic-version: header is required")
    return key


def _parsed(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.invalid(f"The request body is not valid JSON: {error}") from None


def _mapping(body: object) -> Mapping[str, object]:
    if not isinstance(body, Mapping):
        raise errors.invalid("Input should be a valid dictionary")
    return body


def _only(method: str, request: Request) -> None:
    if request.method != method:
        raise errors.method_not_allowed()


def _limit(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 1000:
        raise errors.invalid("limit: Input should be from 1 to 1000")
    return int(given)


def _json(content: object, status: int, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")
