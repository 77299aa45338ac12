"""One capability called through each face with the same API key, the answers in one comparable form."""

import asyncio
import contextlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from server.cli.main import main
from server.cli.output import CONFIRM
from tests.app import Caller, Product
from tools.catalog import catalog
from tools.store.tables import ad_sync_logs, spend_syncs
from tools.store.tenant import Rows

CLIENT = {"name": "parity", "version": "1"}
NEVER_MS = 2**52


@dataclass(frozen=True)
class Answer:
    """`kind`: ok with `data`; proposed or refused with the body in `data`; absent where a face does not show it."""

    kind: str
    data: Any = field(compare=False)
    replayed: bool = field(default=False, compare=False)  # of an earlier call with the same idempotency key

    @property
    def code(self) -> str:
        return str(self.data["code"]) if self.kind != "ok" else "ok"


async def at_rest(product: Product, workspace: str, connection: str) -> None:
    """What its accounts spent is not brought over: a product that lives for many tests would begin, in their midst."""
    rows = Rows(product.house.store, workspace)

    async def work(tx: Any) -> None:
        for account in product.known["accounts"]:
            about = {"connection_id": connection, "account_id": account["id"], "next_at": NEVER_MS}
            await tx.run(rows.insert_once(spend_syncs, **about))

    await product.house.store.write(work)


class Log:
    """The rows of the audit log, each read once: by then there may be a thousand of them."""

    def __init__(self, product: Product) -> None:
        self._product, self._seen = product, 0

    async def new(self) -> list[dict[str, Any]]:
        """Those since the last time."""
        audit, rows = self._product.house.audit, Rows(self._product.house.store, self._product.home)
        await audit.flush()
        later = rows.select(ad_sync_logs).where(ad_sync_logs.c.seq > self._seen).order_by(ad_sync_logs.c.seq)
        found = [row.as_dict() for row in await rows.all(later)]
        self._seen = max((row["seq"] for row in found), default=self._seen)
        return found


class Call(Protocol):
    async def __call__(
        self, caller: Caller, name: str, arguments: Mapping[str, Any], *, once: str | None = None
    ) -> Answer: ...


async def rest(caller: Caller, name: str, arguments: Mapping[str, Any], *, once: str | None = None) -> Answer:
    """Path, query and body as the route takes them."""
    route, given = catalog[name].rest, dict(arguments)
    path = re.sub(r"{(\w+)}", lambda found: str(given.pop(found[1])), route.path)
    body, query = (None, given) if route.method in ("GET", "DELETE") else (given, {})
    headers = {} if once is None else {"idempotency-key": once}
    answer = await caller.http.request(route.method, f"/api/v1{path}", json=body, params=query, headers=headers)
    replayed = answer.headers.get("idempotent-replayed") == "true"
    return replace(_of_rest(answer.status_code, answer.json()), replayed=replayed)


def _of_rest(status: int, body: dict[str, Any]) -> Answer:
    if "data" not in body:
        return Answer("proposed" if status == 202 else "refused", body)
    data, meta = body["data"], body["meta"]
    return Answer("ok", {"items": data} | _beside(meta) if isinstance(data, list) else data)


def _beside(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name != "request_id"}


async def mcp_modern(caller: Caller, name: str, arguments: Mapping[str, Any], *, once: str | None = None) -> Answer:
    return _of_mcp(await modern(caller.http, "tools/call", _tool_call(name, arguments, once)))


def _tool_call(name: str, arguments: Mapping[str, Any], once: str | None) -> dict[str, Any]:
    meta = {} if once is None else {"_meta": {"idempotency_key": once}}
    return {"name": name, "arguments": dict(arguments)} | meta


async def mcp_handshake(caller: Caller, name: str, arguments: Mapping[str, Any], *, once: str | None = None) -> Answer:
    opening = {"protocolVersion": LATEST_HANDSHAKE_VERSION, "capabilities": {}, "clientInfo": CLIENT}
    opened = await handshake(caller.http, "initialize", opening)
    assert opened["result"]["protocolVersion"] == LATEST_HANDSHAKE_VERSION
    return _of_mcp(await handshake(caller.http, "tools/call", _tool_call(name, arguments, once)))


async def modern(http: httpx2.AsyncClient, method: str, params: dict[str, Any]) -> dict[str, Any]:
    envelope = {
        PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION,
        CLIENT_CAPABILITIES_META_KEY: {},
        CLIENT_INFO_META_KEY: CLIENT,
    }
    headers = {"mcp-protocol-version": LATEST_MODERN_VERSION, "mcp-method": method}
    if "name" in params:
        headers["mcp-name"] = params["name"]
    return await _posted(http, method, params | {"_meta": envelope | params.get("_meta", {})}, headers)


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
    replayed = result.get("_meta", {}).get("idempotent_replayed", False)
    if not result.get("isError", False):
        return Answer("ok", data, replayed)
    return Answer("proposed" if data["code"] == "confirm_required" else "refused", data, replayed)


async def cli(caller: Caller, name: str, arguments: Mapping[str, Any], *, once: str | None = None) -> Answer:
    """`adwright tools call` against the server that ADWRIGHT_URL names, with the key of ADWRIGHT_API_KEY."""
    argv = ["tools", "call", name, "--args", json.dumps(arguments), "--json"]
    argv += [] if once is None else ["--idempotency-key", once]
    said, told = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        patch.setenv("ADWRIGHT_URL", str(caller.http.base_url).rstrip("/"))
        patch.setenv("ADWRIGHT_API_KEY", caller.key)
        patch.delenv("ADWRIGHT_DATA", raising=False)
        patch.chdir(Path(__file__).parent)
        status = await asyncio.to_thread(main, argv)
    body = json.loads(said.getvalue())
    replayed = "earlier call with the same key" in told.getvalue()
    if status == 0:
        return Answer("ok", body, replayed)
    return Answer("proposed" if status == CONFIRM else "refused", body, replayed)


FACES: dict[str, Call] = {
    "REST": rest,
    f"MCP {LATEST_MODERN_VERSION}": mcp_modern,
    f"MCP {LATEST_HANDSHAKE_VERSION}": mcp_handshake,
    "CLI": cli,
}
