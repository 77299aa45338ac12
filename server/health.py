"""/livez, /healthz and /metrics: whether the process runs, whether it can work, and how it has been doing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.house import House
from tools.analytics import PipeStore
from tools.errors import CapabilityError
from tools.store.engine import StoreUnavailable

KEPT_SECONDS = 1.0
"""A probe's answer is kept this long: a flood of probes is not passed on to the dependencies."""
ANALYTICS_SECONDS = 2.0

Check = Callable[[], Awaitable[str | None]]
"""Answers what is wrong, or None."""


class Health:
    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._answered, self._status, self._body = float("-inf"), 200, b""

    async def answer(self, _: Request) -> Response:
        """200 while every dependency answers, else 503 with its name and what is wrong."""
        if time.monotonic() - self._answered >= KEPT_SECONDS:
            await self._look()
        return _json(self._body, self._status)

    async def _look(self) -> None:
        seen: dict[str, dict[str, Any]] = {}
        for name, check in self._checks.items():
            started = time.perf_counter()
            problem = await check()
            seen[name] = {"ok": problem is None, "ms": round((time.perf_counter() - started) * 1000, 2)}
            if problem:
                seen[name]["problem"] = problem
        healthy = all(each["ok"] for each in seen.values())
        self._status = 200 if healthy else 503
        self._body = orjson.dumps({"status": "ok" if healthy else "unavailable", "dependencies": seen})
        self._answered = time.monotonic()


def health_routes(house: House) -> list[Route]:
    async def database() -> str | None:
        try:
            await house.store.ping()
        except StoreUnavailable as down:
            return str(down)
        return None

    async def audit() -> str | None:
        house.metrics.audit_healthy.set(house.audit.healthy)
        return None if house.audit.healthy else "the audit log cannot be written, so writes are refused"

    async def analytics(pipes: PipeStore) -> str | None:
        try:
            await asyncio.wait_for(pipes.ping(), ANALYTICS_SECONDS)
        except TimeoutError:
            return f"no answer within {ANALYTICS_SECONDS:g} s"
        except CapabilityError as error:
            return error.message
        if house.ingest is not None and (problem := house.ingest.flusher.problem):
            return f"it answers, but takes no events now, which wait here: {problem}"
        return None

    async def metrics(_: Request) -> Response:
        house.metrics.audit_healthy.set(house.audit.healthy)
        house.metrics.audit_dropped.set(house.audit.dropped)
        return Response(house.metrics.text(), media_type="text/plain; version=0.0.4")

    checks: dict[str, Check] = {"postgres" if house.store.shared else "database": database, "audit": audit}
    if house.pipes is not None:
        checks["tinybird" if house.settings.tinybird_host else "analytics"] = partial(analytics, house.pipes)
    health = Health(checks)
    return [
        Route("/livez", _alive, methods=["GET"]),
        Route("/healthz", health.answer, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


async def _alive(_: Request) -> Response:
    return _json(b'{"status":"ok"}', 200)


def _json(body: bytes, status: int) -> Response:
    return Response(body, status, media_type="application/json", headers={"cache-control": "no-store"})
