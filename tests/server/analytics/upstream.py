"""A store that answers whatever a test wants, and remembers what it was asked."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.analytics.client import Address, TinybirdClient
from tests.app import _served_new
from tools.secret import Secret

ADMIN = "p.admin-token-of-forty-characters-or-more-0123"
WORKSPACE = "3b1e3f8a-6d3c-4c9b-9d5e-000000000001"
ROWS = {
    "meta": [{"name": "path", "type": "String"}, {"name": "visitors", "type": "UInt64"}],
    "data": [{"path": "/", "visitors": 3}],
    "rows": 1,
    "statistics": {"elapsed": 0.002, "rows_read": 12, "bytes_read": 80},
}


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, str | bytes) else orjson.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Response(content, status, named, media_type=named.get("content-type", "application/json")))

    async def __call__(self, request: Request) -> Response:
        query, headers = dict(request.query_params), dict(request.headers)
        self.asked.append(Asked(request.method, request.url.path, query, headers, await request.body()))
        return self.answers.pop(0) if self.answers else Response(orjson.dumps(ROWS), media_type="application/json")


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    seen = Upstream()
    routes = [Route("/{path:path}", seen.__call__, methods=["GET", "POST", "DELETE", "OPTIONS"])]
    async with _served_new(Starlette(routes=routes)) as url:
        seen.url = url
        yield seen


@contextlib.asynccontextmanager
async def client_of(url: str) -> AsyncIterator[TinybirdClient]:
    address = Address(url, Secret(ADMIN), WORKSPACE)
    client = TinybirdClient(lambda: address, url="https://ads.example.com/")
    try:
        yield client
    finally:
        await client.aclose()
