"""The plainest requests, answered without the SDK: reading tools and listing them, many times a second.

It knows no errors of the protocol. Whatever is not plain and right falls through to the SDK, whose answer is the
reference; a test holds the two against each other.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from mcp.server import Server
from mcp.shared.inbound import decode_header_value
from mcp.types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
)
from mcp_types import methods
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import ValidationError

from server.mcp_endpoint.answers import Answer
from server.mcp_endpoint.calls import Calls
from server.mcp_endpoint.eras import Headers
from server.mcp_endpoint.listing import Tools
from server.mcp_endpoint.surface import Caller
from tools.capability import Effect

VERSIONS = ("2025-06-18", "2025-11-25", LATEST_MODERN_VERSION)
"""Older ones know no structured content; their few clients take the long way."""

KEPT_ENVELOPES = 512
KEPT_BYTES = 2048
"""Of one envelope: what clients send about themselves is a few hundred, and nobody fills our memory with more."""
_ENVELOPE = frozenset({"jsonrpc", "id", "method", "params"})
_CALL = frozenset({"name", "arguments", "_meta"})


class RegistryFastLane:
    def __init__(self, calls: Calls, tools: Tools, server: Server[Any]) -> None:
        self._calls, self._tools = calls, tools
        self._versions = {version.encode(): version for version in VERSIONS}
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        opening = b'{"_meta":' + orjson.dumps(self._stamp) + b',"content":[{"type":"text","text":'
        self._opening = dict.fromkeys(VERSIONS, b'{"content":[{"type":"text","text":')
        self._opening[LATEST_MODERN_VERSION] = opening
        self._closing = dict.fromkeys(VERSIONS, b"}")
        self._closing[LATEST_MODERN_VERSION] = b',"resultType":"complete"}'
        self._clients: dict[bytes, str | None] = {}

    async def answer(self, caller: Caller, headers: Headers, message: Any) -> bytes | None:
        version = self._versions.get(headers.get(b"mcp-protocol-version", b""))
        if version is None or not _plain(headers, message) or not self._agrees(version, headers, message):
            return None
        params = message.get("params", {})
        try:
            client = self._client(version, params.get("_meta"))
        except ValidationError:
            return None
        if message["method"] == "tools/list":
            result = self._list(caller, version) if params.keys() <= {"_meta"} else None
        else:
            result = await self._call(caller, client, version, params)
        return result and b'{"jsonrpc":"2.0","id":' + orjson.dumps(message["id"]) + b',"result":' + result + b"}"

    def _agrees(self, version: str, headers: Headers, message: Mapping[str, Any]) -> bool:
        """The routing headers say what the body says, as each era wants it."""
        meta = message.get("params", {}).get("_meta")
        if version != LATEST_MODERN_VERSION:
            return meta is None or PROTOCOL_VERSION_META_KEY not in meta
        if meta is None or meta.get(PROTOCOL_VERSION_META_KEY) != version or CLIENT_CAPABILITIES_META_KEY not in meta:
            return False
        if headers.get(b"mcp-method") != message["method"].encode():
            return False
        if message["method"] == "tools/list":
            return True
        name: object = message["params"].get("name")
        return decode_header_value(headers.get(b"mcp-name", b"").decode("latin-1")) == name

    def _client(self, version: str, meta: Mapping[str, Any] | None) -> str | None:
        """What the client calls itself. The SDK's own models judge an envelope, once for each different one."""
        if meta is None:
            return None
        key = version.encode() + orjson.dumps(meta)
        if key in self._clients:
            return self._clients[key]
        methods.validate_client_request("tools/list", version, {"_meta": dict(meta)})
        info = meta.get(CLIENT_INFO_META_KEY) if version == LATEST_MODERN_VERSION else None
        client = info["name"] if info else None
        if len(key) <= KEPT_BYTES:
            if len(self._clients) >= KEPT_ENVELOPES:
                self._clients.clear()
            self._clients[key] = client
        return client

    def _list(self, caller: Caller, version: str) -> bytes:
        listed = self._tools.listed(caller)
        if version not in listed.wire:
            result = listed.result.model_dump(by_alias=True, mode="json", exclude_none=True)
            wire = methods.serialize_server_result("tools/list", version, result)
            if version == LATEST_MODERN_VERSION:
                wire["_meta"] = self._stamp
            listed.wire[version] = orjson.dumps(wire)
        return listed.wire[version]

    async def _call(self, caller: Caller, client: str | None, version: str, params: Mapping[str, Any]) -> bytes | None:
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict) or not params.keys() <= _CALL:
            return None
        capability = self._tools.on(caller.surface).get(name)
        if capability is None or capability.effect is not Effect.READ:
            return None
        context = self._calls.context(caller, client)
        return self._result(await self._calls.attempt(capability, context, arguments), version)

    def _result(self, answer: Answer, version: str) -> bytes:
        text = orjson.dumps(answer.wire.decode())
        error = b',"isError":true' if answer.is_error else b',"isError":false'
        return b"".join(
            (self._opening[version], text, b'}],"structuredContent":', answer.wire, error, self._closing[version])
        )


def _plain(headers: Headers, message: Any) -> bool:
    """A single request for one of the two methods, sent and accepted as JSON, that asks for no progress."""
    if not isinstance(message, dict) or not message.keys() <= _ENVELOPE or b"mcp-session-id" in headers:
        return False
    if message.get("method") not in ("tools/call", "tools/list") or message.get("jsonrpc") != "2.0":
        return False
    if type(message.get("id")) not in (int, str) or b"application/json" not in headers.get(b"accept", b""):
        return False
    if headers.get(b"content-type", b"").partition(b";")[0] != b"application/json":
        return False
    params = message.get("params", {})
    if not isinstance(params, dict):
        return False
    meta = params.get("_meta")
    return "_meta" not in params or (isinstance(meta, dict) and "progressToken" not in meta)
