"""One client of one era, as raw HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_MODERN_VERSION


@dataclass
class Rpc:
    http: httpx2.AsyncClient
    version: str = LATEST_MODERN_VERSION
    capabilities: dict[str, Any] = field(default_factory=dict)
    path: str = "/mcp"

    async def post(self, method: str, params: Mapping[str, Any] | None = None, **headers: Any) -> httpx2.Response:
        """Headers are written with underscores; an empty one is left out."""
        params = dict(params or {})
        sent = {"mcp-protocol-version": self.version}
        if self.version == LATEST_MODERN_VERSION:
            envelope = {
                PROTOCOL_VERSION_META_KEY: self.version,
                CLIENT_CAPABILITIES_META_KEY: self.capabilities,
                CLIENT_INFO_META_KEY: {"name": "test client", "version": "1"},
            }
            params["_meta"] = envelope | params.get("_meta", {})
            sent["mcp-method"] = method
            if "name" in params or "uri" in params:
                sent["mcp-name"] = params.get("name") or params["uri"]
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self.http.post(self.path, json=body, headers={k: v for k, v in sent.items() if v})

    async def result(self, method: str, params: Mapping[str, Any] | None = None, **headers: Any) -> dict[str, Any]:
        answer = await self.post(method, params, **headers)
        message = answer.json() if "json" in answer.headers["content-type"] else list(events(answer.text))[-1]
        assert "result" in message, message
        found: dict[str, Any] = message["result"]
        return found

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return await self.result("tools/call", {"name": name, "arguments": arguments or {}} | more)


def events(text: str) -> Iterator[Any]:
    """The messages of an event stream."""
    return (orjson.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:"))
