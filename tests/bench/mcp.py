"""What a tool call and a tool list cost over MCP, beside the SDK's raw low-level server and fastmcp.

CPU time of a process, threads included; every side gets the same bytes, in turns. Ours resolves an API key, counts it
against its limits and writes an audit row; the peers do none of it.
"""

import asyncio
import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from mcp.types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION
from starlette.types import ASGIApp

from server.mcp_endpoint.endpoint import McpEndpoint
from server.mcp_endpoint.listing import described
from tests.bench.load import Load, Request
from tests.bench.mcp_peers import fastmcp_server, raw
from tests.bench.processes import Side, settle, started
from tests.server.identity.directory import Directory
from tests.server.mcp_endpoint.kit import PUBLIC_URL, REGISTRY, STATE_KEYS, VERSION, Query, Row, kit_in
from tools.authority import Role
from tools.store.audit import AuditLog

VERSIONS = (LATEST_MODERN_VERSION, LATEST_HANDSHAKE_VERSION)
BATCHES = 9
CALLS_A_BATCH = 150
LISTS_A_BATCH = 30
SERVED_TIMES = 10
"""A server does some work every tenth of a second, asked or not: batches long enough to tell that apart."""


@dataclass(frozen=True)
class Measured:
    """CPU µs a request of both sides; `target` bounds the ratio where the peer is one to beat."""

    name: str
    ours: float
    peer: float
    target: float | None

    @property
    def ratio(self) -> float:
        return self.ours / self.peer


@dataclass(frozen=True)
class Message:
    """What a client of one era sends."""

    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, version: str, method: str, params: dict[str, Any]) -> "Message":
        headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        headers |= {"host": "127.0.0.1:8000", "mcp-protocol-version": version}
        if version == LATEST_MODERN_VERSION:
            info = {"name": "bench", "version": "1"}
            meta = {PROTOCOL_VERSION_META_KEY: version, CLIENT_CAPABILITIES_META_KEY: {}, CLIENT_INFO_META_KEY: info}
            params = {**params, "_meta": meta}
            headers["mcp-method"] = method
            if "name" in params:
                headers["mcp-name"] = params["name"]
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return cls("/mcp", [(k.encode(), v.encode()) for k, v in headers.items()], body)

    def by(self, key: str) -> "Message":
        return Message(self.path, [*self.headers, (b"authorization", b"Bearer " + key.encode())], self.body)

    def wire(self, key: str | None) -> Request:
        """The same over HTTP/1.1."""
        headers = {name.decode(): value.decode() for name, value in self.headers if name != b"host"}
        headers |= {"authorization": f"Bearer {key}"} if key else {}
        return Request.of("POST", self.path, headers, self.body)

    async def send(self, app: ASGIApp) -> bytes:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": self.path, "raw_path": self.path.encode(), "root_path": "", "query_string": b"",
            "headers": self.headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {},
        }  # fmt: skip
        answer = bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Any) -> None:
            assert message.get("status", 200) == 200, message
            answer.extend(message.get("body", b""))

        await app(scope, receive, send)
        return bytes(answer)


@dataclass(frozen=True)
class _Ours:
    endpoint: McpEndpoint
    audit: AuditLog
    keys: list[str]  # one for every batch: a limit counts what one key did in a minute


@contextlib.asynccontextmanager
async def _ours(directory: Path) -> AsyncIterator[_Ours]:
    """The endpoint behind the real resolver."""
    async with kit_in(directory) as kit:
        identity = Directory(kit.store, public_url=PUBLIC_URL)
        await identity.workspace("main")
        await identity.user("ada", Role.OWNER)
        tokens = [(await identity.key()).text for _ in range(10 * BATCHES)]
        endpoint = McpEndpoint(
            kit.door, identity.resolver.resolve, version=VERSION, public_url=PUBLIC_URL, state_keys=STATE_KEYS
        )
        async with endpoint.run():
            yield _Ours(endpoint, kit.audit, tokens)
        await identity.identity.flush()


def _rows(arguments: dict[str, Any]) -> dict[str, Any]:
    query = Query.model_validate(arguments)
    rows = [Row(campaign_id=f"c{i}", name="ü" * query.padding, daily_budget=12.5) for i in range(query.limit)]
    return {"items": [row.model_dump(mode="json") for row in rows], "next_cursor": "more"}


async def _cost(app: ASGIApp, request: Message, times: int, audit: AuditLog | None = None) -> float:
    """The loop turns after every call, and what a call left to be written counts as its cost."""
    started = time.process_time()
    for _ in range(times):
        await request.send(app)
        await asyncio.sleep(0)
    if audit is not None:
        await audit.flush()
    return (time.process_time() - started) * 1e6 / times


async def _compared(
    name: str, request: Message, times: int, ours: _Ours, peers: Mapping[str, tuple[ASGIApp, float | None]]
) -> list[Measured]:
    costs: dict[str, list[float]] = {side: [] for side in ("ours", *peers)}
    answer = orjson.loads(await request.by(ours.keys[0]).send(ours.endpoint))
    assert "result" in answer and not answer["result"].get("isError"), answer
    for peer, (app, _) in peers.items():
        assert "result" in orjson.loads(await request.send(app)), peer
    for _ in range(BATCHES):
        costs["ours"].append(await _cost(ours.endpoint, request.by(ours.keys.pop()), times, ours.audit))
        for peer, (app, _) in peers.items():
            costs[peer].append(await _cost(app, request, times))
    cost = {side: statistics.median(batches) for side, batches in costs.items()}
    return [
        Measured(f"MCP {name}, beside {peer}", cost["ours"], cost[peer], target) for peer, (_, target) in peers.items()
    ]


async def in_process() -> list[Measured]:
    """The same bytes from the same loop, without any server around them."""
    call = {"name": "list_rows", "arguments": {"limit": 5}}
    measured: list[Measured] = []
    sdk = raw([described(capability) for capability in REGISTRY], "list_rows", _rows)
    fastmcp = fastmcp_server("list_rows", _rows)
    with tempfile.TemporaryDirectory() as directory:
        async with (
            _ours(Path(directory)) as ours,
            sdk.router.lifespan_context(sdk),
            fastmcp.router.lifespan_context(fastmcp),
        ):
            for version in VERSIONS:
                peers: dict[str, tuple[ASGIApp, float | None]] = {"the raw SDK": (sdk, 1.0), "fastmcp": (fastmcp, None)}
                request = Message.of(version, "tools/call", call)
                measured += await _compared(f"tools/call {version}", request, CALLS_A_BATCH, ours, peers)
                peers = {"the raw SDK": (sdk, 0.3), "fastmcp": (fastmcp, None)}
                request = Message.of(version, "tools/list", {})
                measured += await _compared(f"tools/list {version}", request, LISTS_A_BATCH, ours, peers)
    return measured


def over_http() -> list[Measured]:
    """The whole product beside its peers on the product's own server, each in a process of its own."""
    asked: tuple[tuple[str, dict[str, Any], int, float], ...] = (
        ("tools/call", {"name": "whoami", "arguments": {}}, CALLS_A_BATCH * SERVED_TIMES, 1.0),
        ("tools/list", {}, LISTS_A_BATCH * SERVED_TIMES, 0.3),
    )
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory() as name, started(["tests.bench.sides", "ours", name]) as ours:
        keys = itertools.cycle(ours.told["keys"])
        whoami = Message.of(LATEST_MODERN_VERSION, "tools/call", {"name": "whoami"})
        asking = Load(ours.url, 1)
        answer = orjson.loads(asking.one(whoami.wire(next(keys))))["result"]["structuredContent"]
        asking.close()
        file = Path(name) / "whoami.json"
        file.write_bytes(orjson.dumps(answer))
        with (
            started(["tests.bench.mcp_peers", "raw", str(file)]) as sdk,
            started(["tests.bench.mcp_peers", "fastmcp", str(file)]) as fastmcp,
        ):
            for version, (method, params, times, target) in itertools.product(VERSIONS, asked):
                message = Message.of(version, method, params)
                cost = _in_turns([(ours, keys), (sdk, None), (fastmcp, None)], message, times)
                title = f"MCP {method} {version} over HTTP, beside"
                measured.append(Measured(f"{title} the raw SDK", cost[0], cost[1], target))
                measured.append(Measured(f"{title} fastmcp", cost[0], cost[2], None))
    return measured


def _in_turns(sides: list[tuple[Side, Iterator[str] | None]], message: Message, times: int) -> list[float]:
    """Median CPU µs a request of each; a first batch only warms up."""
    loads = [Load(side.url) for side, _ in sides]
    spent: list[list[float]] = [[] for _ in sides]
    for _ in range(BATCHES + 1):
        for (side, keys), load, costs in zip(sides, loads, spent, strict=True):
            before = side.cpu()
            load.send([message.wire(next(keys) if keys else None) for _ in range(times)])
            settle()
            costs.append((side.cpu() - before) * 1e6 / times)
    for load in loads:
        load.close()
    return [statistics.median(costs[1:]) for costs in spent]


async def measure() -> list[Measured]:
    """Every comparison: the endpoint by itself, then the product as it is served."""
    return await in_process() + await asyncio.to_thread(over_http)
