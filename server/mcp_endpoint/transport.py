"""The HTTP side of MCP: guard, authenticate, cap and route each request to the way its era is served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Protocol

import orjson
from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Message, Receive, Scope, Send

from api.received import refuse_deep
from server.mcp_endpoint.eras import Headers, Lane, lane, repaired
from server.mcp_endpoint.hosts import HostGuard
from server.mcp_endpoint.surface import CALLER, Caller, surface_of
from tools import ids
from tools.authority import Principal
from tools.errors import CapabilityError, MethodNotAllowed, TooLarge

BODY_LIMIT = 1024 * 1024
PATIENCE_SECONDS = 0.2
"""Only a request still running after this is watched for its client going away; most are long done."""


class Resolve(Protocol):
    """Who sends this request; raises the 401 and 403 errors of tools.errors."""

    def __call__(self, scope: Scope, *, face: str) -> Awaitable[Principal]: ...


class FastLane(Protocol):
    """Answers the plainest requests itself; None leaves a request to the SDK."""

    async def answer(self, caller: Caller, headers: Headers, message: Any) -> bytes | None: ...


class Transport:
    """An ASGI application around one MCP server. Enter `run()` once, in the lifespan of the app that mounts it."""

    def __init__(
        self,
        server: Server[Any],
        resolve: Resolve,
        *,
        public_url: str,
        fast: FastLane | None = None,
        sessions: bool = True,
    ) -> None:
        self._server, self._resolve, self._fast, self._sessions = server, resolve, fast, sessions
        self._guard = HostGuard(public_url)
        self._lanes: dict[Lane, StreamableHTTPSessionManager] = {}

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        self._lanes = {
            Lane.JSON: StreamableHTTPSessionManager(self._server, json_response=True, stateless=True),
            Lane.STREAM: StreamableHTTPSessionManager(self._server, stateless=True),
            Lane.SESSION: StreamableHTTPSessionManager(self._server),
        }
        async with contextlib.AsyncExitStack() as stack:
            for manager in self._lanes.values():
                await stack.enter_async_context(manager.run())
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, request_id = dict(scope["headers"]), ids.request_id()
        send = _identified(send, request_id)
        try:
            self._guard.check(headers)
            surface = surface_of(scope["path"], headers.get(b"x-mcp-toolsets"), headers.get(b"x-mcp-readonly"))
            _check_method(scope["method"], headers)
            caller = Caller(await self._resolve(scope, face="mcp"), surface, request_id)
            body = await _read(receive, headers) if scope["method"] == "POST" else b""
            message = _parsed(body)
        except CapabilityError as error:
            await _refuse(send, error, request_id)
            return
        scope = {**scope, CALLER: caller}
        if scope["method"] == "POST":
            with contextlib.suppress(_ClientGone):
                await self._post(scope, headers, body, message, receive, send)
        else:
            await self._within_session(scope, receive, send)

    async def _post(
        self, scope: Scope, headers: Headers, body: bytes, message: Any, receive: Receive, send: Send
    ) -> None:
        if (changed := repaired(headers, message)) is not None:
            headers, scope = changed, {**scope, "headers": list(changed.items())}
        if self._fast is not None and len(headers) == len(scope["headers"]):  # a header given twice is not plain
            async with _UntilGone(receive):
                answer = await self._fast.answer(scope[CALLER], headers, message)
            if answer is not None:
                await _send(send, 200, answer)
                return
        await self._through_sdk(lane(headers, message, sessions=self._sessions), scope, body, receive, send)

    async def _through_sdk(self, way: Lane, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        unread = [body]

        async def replay() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        if way is Lane.SESSION:
            await self._within_session(scope, replay, send)
        elif way is Lane.STREAM:  # watches for the client going away by itself
            await self._lanes[way].handle_request(scope, replay, send)
        else:
            async with _UntilGone(receive):
                await self._lanes[way].handle_request(scope, replay, send)

    async def _within_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The SDK holds a session to the identity that opened it; to everyone else it does not exist."""
        principal: Principal = scope[CALLER].principal
        token = AccessToken(token="", client_id=principal.id, subject=principal.workspace, scopes=[])
        await self._lanes[Lane.SESSION].handle_request({**scope, "user": AuthenticatedUser(token)}, receive, send)


def _check_method(method: str, headers: Headers) -> None:
    if method == "POST" or (method in ("GET", "DELETE") and b"mcp-session-id" in headers):
        return
    raise MethodNotAllowed(f"{method} is not served here.", fix="Send each MCP message as a POST.")


async def _read(receive: Receive, headers: Headers) -> bytes:
    if headers.get(b"content-length", b"0").isdigit() and int(headers.get(b"content-length", b"0")) > BODY_LIMIT:
        raise _too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        if len(body) > BODY_LIMIT:
            break
        message = await receive()
        body += message.get("body", b"")
    if len(body) > BODY_LIMIT:
        raise _too_large()
    return body


def _parsed(body: bytes) -> Any:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None  # the SDK reads it again and says what is wrong
    refuse_deep(body, message)
    return message


def _too_large() -> TooLarge:
    return TooLarge(f"The message is larger than {BODY_LIMIT} bytes.", fix="Send less in one call.")


class _ClientGone(Exception):
    """Nobody waits for the answer any more."""


class _UntilGone:
    """Cancels the body, which then ends in _ClientGone, once its client has gone away."""

    __slots__ = ("_gone", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._timer = loop.call_later(PATIENCE_SECONDS, self._start)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        # As asyncio.timeout does: only our own cancellation is taken back, one from outside goes on.
        if self._gone and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise _ClientGone from None

    def _start(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()


def _identified(send: Send, request_id: str) -> Send:
    """Every answer carries the id that its audit row and its log line have."""

    async def identified(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
        await send(message)

    return identified


async def _refuse(send: Send, error: CapabilityError, request_id: str) -> None:
    more: list[tuple[bytes, bytes]] = []
    if error.status == 401:
        known = b"" if error.code == "missing_authorization" else b', error="invalid_token"'
        more.append((b"www-authenticate", b'Bearer realm="adwright"' + known))
    if error.status == 405:
        more.append((b"allow", b"POST"))
    if error.retry_after is not None:
        more.append((b"retry-after", str(error.retry_after).encode()))
    await _send(send, error.status, orjson.dumps(error.body(request_id)), more)


async def _send(send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]] | None = None) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
