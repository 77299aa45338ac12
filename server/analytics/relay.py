"""/v0/pipes/NAME.FORMAT on the product's own origin, passed on to the store: a page needs no second address, and of
the store's API nothing else is within reach."""

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterable

import httpx2
import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.analytics.client import Address, TinybirdClient
from server.analytics.leaving import Left, while_wanted
from server.platforms.exchange import http_client
from tools.analytics import ABSENT
from tools.errors import Unavailable

PIPES = "/v0/pipes"
MOST_BODY_BYTES = 1024 * 1024
SECONDS = 30.0
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
_PATH = re.compile(r"/v0/pipes/\w{1,200}\.(?:json|csv|csvwithnames|ndjson|parquet|prometheus)")
_SENT = ("authorization", "content-type", "accept-encoding")
_KEPT = ("content-type", "content-encoding", "content-length", *RATE_HEADERS)


@contextlib.asynccontextmanager
async def relaying(pipes: TinybirdClient | None, *, public_url: str) -> AsyncIterator[ASGIApp]:
    async with http_client(public_url, SECONDS) as http:
        yield CORSMiddleware(
            Relay(ABSENT.mint if pipes is None else pipes.find, http),
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=RATE_HEADERS,
            max_age=600,
        )


class Relay:
    """Without cookies: what opens the store is the token that the request carries."""

    def __init__(self, find: Callable[[], Address], http: httpx2.AsyncClient) -> None:
        self._find, self._http = find, http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._relayed(request)
        except Left:
            return
        except Unavailable as error:
            response = _refusal(503, error.message, {"retry-after": str(error.retry_after or 1)})
        except (httpx2.TimeoutException, httpx2.TransportError):
            response = _refusal(503, "The analytics store does not answer.", {"retry-after": "2"})
        await response(scope, receive, send)

    async def _relayed(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            return _refusal(405, "Pipes are read with GET or POST.", {"allow": "GET, POST"})
        if _PATH.fullmatch(request.url.path) is None:
            return _refusal(404, "Only pipes are served here: /v0/pipes/NAME.json.")
        body = await _body(request.stream())
        if body is None:
            return _refusal(413, f"The body is longer than {MOST_BODY_BYTES} bytes.")
        upstream = await while_wanted(request.receive, self._http.send(self._onward(request, body), stream=True))
        headers = {name: upstream.headers[name] for name in _KEPT if name in upstream.headers}
        headers["cache-control"] = "no-store"
        return StreamingResponse(_bytes(upstream), upstream.status_code, headers)

    def _onward(self, request: Request, body: bytes) -> httpx2.Request:
        query = request.scope["query_string"].decode("latin-1")
        return self._http.build_request(
            request.method,
            f"{self._find().url}{request.url.path}{'?' if query else ''}{query}",
            content=body or None,
            headers=_picked(request.headers, _SENT),
        )


async def _body(chunks: AsyncIterator[bytes]) -> bytes | None:
    """None where it is too long."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return None
    return bytes(body)


async def _bytes(upstream: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in upstream.aiter_raw():
            yield chunk
    finally:
        await upstream.aclose()


def _picked(headers: Headers, names: Iterable[str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps({"error": message}), status, headers, media_type="application/json")
