"""What a tool call answers, as bytes that both lanes send: an output, or our error body marked as one."""

import logging
from dataclasses import dataclass
from typing import Any

import orjson
from mcp.types import CallToolResult, TextContent

from tools.capability import AnyCapability, Output
from tools.errors import CapabilityError, Internal, TooLarge
from tools.idempotency import Replayed

log = logging.getLogger(__name__)

KEY_META = "idempotency_key"
REPLAYED_META = "idempotent_replayed"
"""Beside the arguments, not among them: what a tool takes is the same on every face."""

TEXT_LIMIT = 150_000
"""Characters of text that the narrowest of the large clients accepts in one result."""


@dataclass(frozen=True, slots=True)
class Answer:
    wire: bytes  # one JSON object
    is_error: bool = False
    replayed: bool = False  # of an earlier call with the same idempotency key

    def result(self) -> CallToolResult:
        """Structured content, and the same as compact text for clients that read only text."""
        return CallToolResult(
            content=[TextContent(text=self.wire.decode())],
            structured_content=orjson.loads(self.wire),
            is_error=self.is_error,
            _meta={REPLAYED_META: True} if self.replayed else None,
        )


def answered(capability: AnyCapability, output: Output, request_id: str) -> Answer:
    wire = output.wire_json()
    if len(wire) > TEXT_LIMIT and (characters := len(wire.decode())) > TEXT_LIMIT:
        return refused(_too_large(capability, characters).body(request_id))
    return Answer(wire, replayed=isinstance(output, Replayed))


def refused(body: dict[str, Any], *, replayed: bool = False) -> Answer:
    return Answer(orjson.dumps(body), is_error=True, replayed=replayed)


def failed(request_id: str, error: Exception) -> Answer:
    """Whatever escapes becomes our error body: the SDK would tell the model nothing it can act on."""
    if isinstance(error, CapabilityError):
        return refused(error.body(request_id), replayed=error.replays is not None)
    log.error("a call escaped the door: request %s", request_id, exc_info=error)
    internal = Internal("Something went wrong on our side.", fix=f"Try again; if it stays, report {request_id}.")
    return refused(internal.body(request_id))


def _too_large(capability: AnyCapability, characters: int) -> TooLarge:
    fields = capability.input.model_fields
    ways = []
    if "limit" in fields and capability.lists:
        ways.append("Call again with a smaller limit and page on with next_cursor")
    if "since" in fields:
        ways.append("ask for fewer days" if ways else "Ask for fewer days")
    fix = " or ".join(ways) or "Ask for one object at a time, by its id"
    return TooLarge(
        f"The result has {characters:,} characters; a tool result may have {TEXT_LIMIT:,}.",
        fix=f"{fix}.",
        characters=characters,
        limit=TEXT_LIMIT,
    )
