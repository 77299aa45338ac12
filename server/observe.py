"""One log line and one measurement a request, with nothing in them that a person typed."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics

logger = logging.getLogger("adwright.access")

FACES = (("/api/", "rest"), ("/mcp", "mcp"), ("/local/", "local"), ("/static/", "static"))
QUIET = frozenset({"/livez", "/healthz", "/metrics"})


class Observe:
    """ASGI middleware. The path is logged without its query, which may hold anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.metrics: Metrics | None = None  # until the house is open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in QUIET:
            await self._app(scope, receive, send)
            return
        started, status, request_id = perf_counter(), 0, b""

        async def watched(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = next((value for name, value in message["headers"] if name == b"x-request-id"), b"")
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = perf_counter() - started
            path: str = scope["path"]
            face = next((name for prefix, name in FACES if path.startswith(prefix)), "web")
            if self.metrics:
                self.metrics.answered(face, status, seconds)
            if logger.isEnabledFor(logging.INFO):
                extra = {"status": status, "ms": round(seconds * 1000, 2), "request_id": request_id.decode()}
                logger.info("%s %s", scope["method"], path, extra=extra)
