"""One capability called through each face with the same API key, the answers in one comparable form."""

import asyncio
import contextlib
import io
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from server.cli.main import main
from server.cli.output import CONFIRM
from tests.app import Caller
from tools.catalog import catalog

CLIENT = {"name": "parity", "version": "1"}


@dataclass(frozen=True)
class Answer:
    """`kind`: ok with `data`; proposed or refused with the body in `data`; absent where a face does not show it."""

    kind: str
    data: Any = field(compare=False)

    @property
    def code(self) -> str:
        return str(self.data["code"]) if self.kind != "ok" else "ok"


Call = Callable[[Caller, str, Mapping[str, Any]], Awaitable[Answer]]


async def rest(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Answer:
    """Path, query and body as the route takes them."""
    route, given = catalog[name].rest, dict(arguments)
    path = re.sub(r"{(\w+)}", lambda found: str(given.pop(found[1])), route.path)
    if route.method in ("GET", "DELETE"):
        answer = await caller(route.method, path, **given)
    else:
        answer = await caller(route.method, path, given)
    return _of_rest(answer.status_code, answer.json())


def _of_rest(status: int, body: dict[str, Any]) -> Answer:
    if "data" not in body:
        return Answer("proposed" if status == 202 else "refused", body)
    data, meta = body["data"], body["meta"]
    return Answer("ok", {"items": data} | _beside(meta) if isinstance(data, list) else data)


def _beside(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name != "request_id"}


async def mcp_modern(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Answer:
    return _of_mcp(await modern(caller.http, "tools/call", {"name": name, "arguments": dict(arguments)}))


async def mcp_handshake(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Answer:
    opening = {"protocolVersion": LATEST_HANDSHAKE_VERSION, "capabilities": {}, "clientInfo": CLIENT}
    opened = await handshake(caller.http, "initialize", opening)
    assert opened["result"]["protocolVersion"] == LATEST_HANDSHAKE_VERSION
    return _of_mcp(await handshake(caller.http, "tools/call", {"name": name, "arguments": dict(arguments)}))


async def modern(http: httpx2.AsyncClient, method: str, params: dict[str, Any]) -> dict[str, Any]:
    envelope = {
        PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION,
        CLIENT_CAPABILITIES_META_KEY: {},
        CLIENT_INFO_META_KEY: CLIENT,
    }
    headers = {"mcp-protocol-version": LATEST_MODERN_VERSION, "mcp-method": method}
    if "name" in params:
        headers["mcp-name"] = params["name"]
    return await _posted(http, method, params | {"_meta": envelope}, headers)


async def handshake(http: httpx2.AsyncClient, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return await _posted(http, method, params, {"mcp-protocol-version": LATEST_HANDSHAKE_VERSION})


async def _posted(
    http: httpx2.AsyncClient, method: str, params: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = await http.post("/mcp", json=message, headers={"accept": "application/json", **headers})
    body: dict[str, Any] = answer.json()
    return body


def _of_mcp(message: dict[str, Any]) -> Answer:
    if "error" in message:
        return Answer("absent", {"code": str(message["error"]["code"]), "message": message["error"]["message"]})
    result = message["result"]
    data = result["structuredContent"]
    assert json.loads(result["content"][0]["text"]) == data  # the text and the structure say the same
    if not result.get("isError", False):
        return Answer("ok", data)
    return Answer("proposed" if data["code"] == "confirm_required" else "refused", data)


async def cli(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Answer:
    """`adwright tools call` against the server that ADWRIGHT_URL names, with the key of ADWRIGHT_API_KEY."""
    argv = ["tools", "call", name, "--args", json.dumps(arguments), "--json"]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("ADWRIGHT_URL", str(caller.http.base_url).rstrip("/"))
        patch.setenv("ADWRIGHT_API_KEY", caller.key)
        patch.delenv("ADWRIGHT_DATA", raising=False)
        patch.chdir(Path(__file__).parent)
        status = await asyncio.to_thread(main, argv)
    body = json.loads(said.getvalue())
    if status == 0:
        return Answer("ok", body)
    return Answer("proposed" if status == CONFIRM else "refused", body)


FACES: dict[str, Call] = {
    "REST": rest,
    f"MCP {LATEST_MODERN_VERSION}": mcp_modern,
    f"MCP {LATEST_HANDSHAKE_VERSION}": mcp_handshake,
    "CLI": cli,
}
