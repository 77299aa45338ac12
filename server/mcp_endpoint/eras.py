"""Which of the two protocol eras a POST belongs to, and which way of serving it."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from mcp.shared.inbound import NAME_BEARING_METHODS, encode_header_value
from mcp.types import PROTOCOL_VERSION_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

HANDSHAKE = frozenset(version.encode() for version in HANDSHAKE_PROTOCOL_VERSIONS)

Headers = Mapping[bytes, bytes]


class Lane(Enum):
    """How a message is answered: one JSON body, a stream that may carry notifications, or within a session."""

    JSON = "json"
    STREAM = "stream"
    SESSION = "session"


def lane(headers: Headers, message: Any, *, sessions: bool) -> Lane:
    """A session only where the client can be asked something: it ties that client to one process."""
    streams = accepts_stream(headers)
    version = headers.get(b"mcp-protocol-version")
    if version is not None and version not in HANDSHAKE:
        return Lane.STREAM if streams else Lane.JSON
    if b"mcp-session-id" in headers:
        return Lane.SESSION
    params = params_of(message)
    if streams and sessions and method_of(message) == "initialize" and _can_be_asked(params):
        return Lane.SESSION
    return Lane.STREAM if streams and "progressToken" in meta_of(params) else Lane.JSON


def _can_be_asked(params: Mapping[str, Any]) -> bool:
    capabilities = params.get("capabilities")
    return isinstance(capabilities, dict) and capabilities.get("elicitation") is not None


def repaired(headers: Headers, message: Any) -> dict[bytes, bytes] | None:
    """The headers to use instead, where a message of the stateless era arrives under the other era's.

    Some clients negotiate the new version and keep sending the old header (anthropics/claude-code#93290): the body
    tells. Without any version header the message stays wrong, and the empty one makes the SDK say so.
    """
    version = headers.get(b"mcp-protocol-version")
    params, method = params_of(message), method_of(message)
    modern = meta_of(params).get(PROTOCOL_VERSION_META_KEY)
    if modern is None or method in (None, "initialize") or (version is not None and version not in HANDSHAKE):
        return None
    if version is None or modern not in MODERN_PROTOCOL_VERSIONS:
        return {**headers, b"mcp-protocol-version": b""} if version is None else None
    changed = {b"mcp-method": str(method).encode(), **headers, b"mcp-protocol-version": str(modern).encode()}
    name = params.get(NAME_BEARING_METHODS.get(str(method), ""))
    if isinstance(name, str):
        changed.setdefault(b"mcp-name", encode_header_value(name).encode())
    return changed


def accepts_stream(headers: Headers) -> bool:
    accept = headers.get(b"accept", b"")
    return b"text/event-stream" in accept or b"*/*" in accept or b"text/*" in accept


def method_of(message: Any) -> object:
    return message.get("method") if isinstance(message, dict) else None


def params_of(message: Any) -> Mapping[str, Any]:
    params = message.get("params") if isinstance(message, dict) else None
    return params if isinstance(params, dict) else {}


def meta_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if isinstance(meta, dict) else {}
