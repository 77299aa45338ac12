"""What the API holds while it idles, without a website and with one, and whether it stays there over many requests."""

import itertools
import json
import tempfile
from collections.abc import Iterator

from mcp.types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from tests.bench.ingest_sides import WEBSITE
from tests.bench.load import Load, Request
from tests.bench.processes import Side, settle, started
from tests.bench.table import Row

IDLE_MB = 150.0
FLAT = 1.1
"""How much of itself at half time the process may hold at the end."""
_INGEST = "tests.bench.ingest_sides"
_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def measure(*, quick: bool) -> list[Row]:
    half = 1_000 if quick else 50_000
    with tempfile.TemporaryDirectory() as name, started(["tests.bench.sides", "ours", name]) as ours:
        settle(1)
        idle = ours.rss_mb()
        load, asked = Load(ours.url), _mixed(ours)
        held = []
        for _ in range(2):
            load.send(itertools.islice(asked, half))
            settle(1)
            held.append(ours.rss_mb())
        load.close()
    return [
        Row("memory, idle after the start", "MB", idle, None, IDLE_MB),
        Row("memory with a website, after its first event", "MB", _with_a_website(), None, IDLE_MB),
        Row(f"memory after {half:,} mixed requests", "MB", held[0]),
        Row(f"memory after {2 * half:,}, beside {half:,}", "MB", held[1], held[0], FLAT),
    ]


def _with_a_website() -> float:
    """An event is answered when all that events are read with is loaded."""
    with (
        tempfile.TemporaryDirectory() as name,
        started([_INGEST, "store", "-1"]) as store,
        started([_INGEST, "product", "0", name, store.url]) as side,
    ):
        load = Load(side.url)
        load.send([_event()])
        load.close()
        settle(1)
        return side.rss_mb()


def _event() -> Request:
    told = {"w": WEBSITE, "k": "pageview", "i": "e-1", "v": "v-1", "s": "s-1", "u": "https://shop.example/"}
    headers = {"content-type": "text/plain", "user-agent": _CHROME, "origin": "https://shop.example"}
    return Request.of("POST", "/e", headers, json.dumps(told).encode(), statuses=(202,))


def _mixed(ours: Side) -> Iterator[Request]:
    """Reads and refusals of REST, calls of both eras of MCP; every key in its turn."""
    kinds = itertools.cycle([_read, _modern_call, _bad_arguments, _handshake_call, _nothing_there, _stranger])
    return (kind(key) for kind, key in zip(kinds, itertools.cycle(ours.told["keys"]), strict=False))


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _read(key: str) -> Request:
    return Request.of("GET", "/api/v1/me", _bearer(key))


def _bad_arguments(key: str) -> Request:
    return Request.of("GET", "/api/v1/ads/campaigns?limit=many", _bearer(key), statuses=(422,))


def _nothing_there(key: str) -> Request:
    return Request.of("GET", "/api/v1/approvals/apr_none", _bearer(key), statuses=(404,))


def _stranger(_: str) -> Request:
    return Request.of("GET", "/api/v1/me", _bearer("adw_live_nobody"), statuses=(401,))


def _modern_call(key: str) -> Request:
    meta = {PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION, CLIENT_CAPABILITIES_META_KEY: {}}
    return _call(key, LATEST_MODERN_VERSION, {"_meta": meta}, {"mcp-method": "tools/call", "mcp-name": "whoami"})


def _handshake_call(key: str) -> Request:
    return _call(key, LATEST_HANDSHAKE_VERSION, {}, {})


def _call(key: str, version: str, more: dict[str, object], headers: dict[str, str]) -> Request:
    params = {"name": "whoami", "arguments": {}} | more
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    sent = {"content-type": "application/json", "accept": "application/json", "mcp-protocol-version": version}
    return Request.of("POST", "/mcp", _bearer(key) | sent | headers, body)
