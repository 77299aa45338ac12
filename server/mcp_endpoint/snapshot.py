"""What a client may ask before it does anything, answered once: the bridge serves it while its server comes up."""

import asyncio
from typing import Any

import httpx2
from mcp.types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from server.mcp_endpoint.discovery import Discovery
from server.mcp_endpoint.listing import Tools
from server.mcp_endpoint.transport import Transport
from server.version import VERSION
from tools.authority import Principal, Role, Scope, Via
from tools.capability import Toolset
from tools.catalog import catalog

SURFACES = {"all": "/mcp", **{toolset.value: f"/mcp/x/{toolset}" for toolset in Toolset}, "readonly": "/mcp/readonly"}
_LISTS = ("prompts/list", "resources/list", "resources/templates/list")
_OWNER = Principal(
    id="usr_snapshot",
    name="snapshot",
    user="usr_snapshot",
    workspace="wsp_snapshot",
    role=Role.OWNER,
    scopes=frozenset(Scope),
    via=Via.MCP,
)


def build() -> dict[str, Any]:
    """{"initialize": {version: result}, "handshake" | "modern": {method: result, "tools/list": {surface: result}}}

    As an owner sees it, asked over HTTP of the very transport that serves it.
    """
    return asyncio.run(_asked())


async def _asked() -> dict[str, Any]:
    server = Discovery(Tools(catalog)).server(version=VERSION, state_keys=[bytes(32)])
    transport = Transport(server, _owner, public_url="http://localhost")
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=transport), base_url="http://localhost")
    async with transport.run(), client:
        snapshot: dict[str, Any] = {
            "initialize": {version: await _initialize(client, version) for version in HANDSHAKE_PROTOCOL_VERSIONS}
        }
        for era, version, more in (
            ("handshake", LATEST_HANDSHAKE_VERSION, ()),
            ("modern", LATEST_MODERN_VERSION, ("server/discover",)),
        ):
            answers = {method: await _result(client, "/mcp", version, method, {}) for method in (*more, *_LISTS)}
            listed = {name: await _result(client, path, version, "tools/list", {}) for name, path in SURFACES.items()}
            snapshot[era] = answers | {"tools/list": listed}
    return snapshot


async def _owner(scope: object, *, face: str) -> Principal:  # noqa: ARG001 - there is only one
    return _OWNER


async def _initialize(client: httpx2.AsyncClient, version: str) -> Any:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "snapshot", "version": "1"}}
    return await _result(client, "/mcp", version, "initialize", params)


async def _result(client: httpx2.AsyncClient, path: str, version: str, method: str, params: dict[str, Any]) -> Any:
    if version == LATEST_MODERN_VERSION:
        params = params | {"_meta": {PROTOCOL_VERSION_META_KEY: version, CLIENT_CAPABILITIES_META_KEY: {}}}
    answer = await client.post(
        path,
        json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        headers={"accept": "application/json", "mcp-protocol-version": version, "mcp-method": method},
    )
    return answer.raise_for_status().json()["result"]
