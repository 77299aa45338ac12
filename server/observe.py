"""One log line and one measurement a request, with nothing in them that a person typed."""

import logging
from collections.abc import Awaitable, Iterable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics

logger = logging.getLogger("adwright.access")

FACES = (("/api/", "rest"), ("/mcp", "mcp"), ("/v0/", "pipes"), ("/local/", "local"), ("/static/", "static"))
QUIET = frozenset({"/livez", "/healthz", "/metrics"})
INGEST = "/e"
"""Measured, without a line each: thousands a second would drown what happened."""
_NO_HEADERS: Iterable[tuple[bytes, bytes]] = ()


class Observe:
    """ASGI middleware. The path is logged without its query, which may hold anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.metrics: Metrics | None = None  # until the house is open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in QUIET:
            await self._app(scope, receive, send)
            return
        started, status, headers = perf_counter(), 0, _NO_HEADERS

        def watched(message: Message) -> Awaitable[None]:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            return send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = perf_counter() - started
            path: str = scope["path"]
            if self.metrics:
                self.metrics.answered(_face(path), status, seconds)
            if path != INGEST and logger.isEnabledFor(logging.INFO):
                request_id = dict(headers).get(b"x-request-id", b"").decode()
                extra = {"status": status, "ms": round(seconds * 1000, 2), "request_id": request_id}
                logger.info("%s %s", scope["method"], path, extra=extra)


def _face(path: str) -> str:
    if path == INGEST:
        return "ingest"
    for prefix, face in FACES:
        if path.startswith(prefix):
            return face
    return "web"
