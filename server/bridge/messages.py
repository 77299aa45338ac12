"""JSON-RPC as the bridge has to see it: which era a message is of, which headers carry it, how a failure is told."""

import base64
import json
import re
from typing import Any

from tools.errors import CapabilityError, Unavailable
from tools.ids import request_id

PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
_META = "io.modelcontextprotocol/"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")

Message = dict[str, Any]


class Said(CapabilityError):
    """An error of the server's, passed on as it came."""

    def __init__(self, told: Message) -> None:
        super().__init__(str(told.get("message", "The server refused.")))
        self._told = told

    def body(self, _: str) -> Message:
        return self._told


def said(status: int, body: bytes) -> Message:
    """A refusal's body: a JSON-RPC error, our error shape, or what stands for an answer that is neither."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if isinstance(told, dict) and ("jsonrpc" in told or "code" in told):
        return told
    unclear = Unavailable(
        f"The server answered {status} without saying why.",
        fix="Check ADWRIGHT_URL: something else than Adwright may answer there. Look at list_changes before a change "
        "is asked for again.",
    )
    return unclear.body(request_id())


def compact(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def params_of(message: Message) -> dict[str, Any]:
    params = message.get("params")
    return params if isinstance(params, dict) else {}


def meta_of(message: Message, name: str) -> Any:
    meta = params_of(message).get("_meta")
    return meta.get(_META + name) if isinstance(meta, dict) else None


def modern_version(message: Message) -> str | None:
    """Only the stateless era names its version in each message."""
    version = meta_of(message, "protocolVersion")
    return version if isinstance(version, str) else None


def opens_urls(capabilities: Any) -> bool:
    """Whether a client with these capabilities shows a person a link when asked to."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(elicitation, dict) and "url" in elicitation


def stateless_headers(message: Message, version: str) -> dict[str, str]:
    method = str(message["method"])
    headers = {"mcp-protocol-version": _field(version), "mcp-method": _field(method)}
    name = params_of(message).get(_NAMED.get(method, ""))
    return headers | ({"mcp-name": _field(name)} if isinstance(name, str) else {})


def _field(text: str) -> str:
    """A header's value; what does not survive in one goes in the specification's base64 wrapping."""
    if _PLAIN.fullmatch(text) and not text.startswith("=?base64?"):
        return text
    return f"=?base64?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?="


def result(message: Message, content: Any) -> bytes:
    return compact({"jsonrpc": "2.0", "id": message["id"], "result": content})


def error(code: int, text: str, id_: Any = None, data: Any = None) -> bytes:
    body = {"code": code, "message": text} | ({"data": data} if data is not None else {})
    return compact({"jsonrpc": "2.0", "id": id_, "error": body})


def failure(message: Message, cause: CapabilityError) -> bytes:
    """The one error shape: as a result that a model reads where a tool was called, else as a JSON-RPC error."""
    body = cause.body(request_id())
    if message["method"] != "tools/call":
        return error(INTERNAL_ERROR, str(body.get("message", "failed")), message["id"], body)
    text = compact(body).decode("utf-8", "replace")
    told = {"content": [{"type": "text", "text": text}], "structuredContent": body, "isError": True}
    return result(message, {"resultType": "complete", **told} if modern_version(message) else told)
