"""An answer as server-sent events, and what may go wrong in the middle of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from server.sandbox.anthropic.errors import overloaded
from server.sandbox.anthropic.reply import Part, Reply
from server.sandbox.faults import Kind

Event = Mapping[str, Any]


def encode(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: ".encode() + orjson.dumps(event) + b"\n\n"


def events(reply: Reply, fault: Kind | None, request_id: str) -> list[Event]:
    """All that is sent; after a fault the rest is missing."""
    tidy = list(_events(reply))
    middle = _middle(tidy)
    if fault is Kind.OVERLOADED_MID:
        return [*tidy[:middle], overloaded().body(request_id)]
    if fault in {Kind.CUT, Kind.SILENT}:
        return tidy[:middle]
    if fault is Kind.TRUNCATED:
        return tidy[:-2]
    return tidy


def _middle(tidy: list[Event]) -> int:
    """Behind half of what is added, so that a sentence has begun and not ended."""
    added = [at for at, event in enumerate(tidy) if event["type"] == "content_block_delta"]
    return added[len(added) // 2] + 1 if added else 1


def _events(reply: Reply) -> Iterator[Event]:
    yield {"type": "message_start", "message": reply.opening()}
    yield {"type": "ping"}
    for index, part in enumerate(reply.parts):
        yield from _block(index, part)
    yield {
        "type": "message_delta",
        "delta": {
            "stop_reason": reply.stop_reason,
            "stop_sequence": reply.stop_sequence,
            "stop_details": reply.stop_details,
        },
        "usage": {
            name: value
            for name, value in reply.final_usage.items()
            if name not in {"cache_creation", "service_tier", "inference_geo"}
        },
    }
    yield {"type": "message_stop"}


def _block(index: int, part: Part) -> Iterator[Event]:
    yield {"type": "content_block_start", "index": index, "content_block": part.start}
    for delta in part.deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    if part.closed:
        yield {"type": "content_block_stop", "index": index}
