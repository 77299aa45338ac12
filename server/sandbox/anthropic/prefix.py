"""A request as the model reads it: a chain of pieces, each hashed together with everything before it.

Order and bytes count: tools, then system, then messages; keys are not sorted. `cache_control` is no part of a piece.
Tokens are estimated: one for four bytes of a piece's JSON, at least one a piece.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

_BYTES_A_TOKEN = 4
THINKING = frozenset({"thinking", "redacted_thinking"})


class Tier(StrEnum):
    TOOLS = "tools"
    SYSTEM = "system"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Piece:
    tier: Tier
    text: bytes
    mark: Mapping[str, str] | None
    """Its `cache_control`."""
    thought: bool = False

    @property
    def tokens(self) -> int:
        return estimate(self.text)


@dataclass(frozen=True, slots=True)
class Prefix:
    model: str
    pieces: Sequence[Piece]
    hashes: Sequence[str]
    """For each piece, of everything up to it."""
    sums: Sequence[int]
    """For each piece, the tokens up to it."""

    @property
    def tokens(self) -> int:
        return self.sums[-1] if self.sums else 0

    def end(self, tier: Tier) -> int:
        """How many pieces there are up to the end of a tier."""
        order = list(Tier)
        return sum(order.index(piece.tier) <= order.index(tier) for piece in self.pieces)


def estimate(text: bytes) -> int:
    return max(1, len(text) // _BYTES_A_TOKEN)


def blocks(content: object) -> list[dict[str, Any]]:
    """A string stands for one block of text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content) if isinstance(content, list) else []


def read(body: Mapping[str, Any]) -> Prefix:
    """How to choose tools and how to think belong to the messages: changing them keeps what is cached before."""
    digest = sha256(orjson.dumps(body["model"]))
    pieces = list(_pieces(body))
    hashes: list[str] = []
    sums: list[int] = []
    for piece in pieces:
        if piece.tier is Tier.MESSAGES and (not hashes or pieces[len(hashes) - 1].tier is not Tier.MESSAGES):
            digest.update(orjson.dumps([body.get("tool_choice"), body.get("thinking")]))
        digest.update(piece.tier.encode() + piece.text)
        hashes.append(digest.hexdigest())
        sums.append(piece.tokens + (sums[-1] if sums else 0))
    return Prefix(body["model"], pieces, hashes, sums)


def _pieces(body: Mapping[str, Any]) -> Iterator[Piece]:
    deferred = {tool["name"]: tool for tool in body.get("tools") or () if tool.get("defer_loading")}
    for tool in body.get("tools") or ():
        if tool["name"] not in deferred:
            yield _piece(Tier.TOOLS, tool)
    for block in blocks(body.get("system")):
        yield _piece(Tier.SYSTEM, block)
    for message in body["messages"]:
        for block in blocks(message["content"]):
            yield _piece(Tier.MESSAGES, block, message["role"])
            for name in _references(block):
                if (tool := deferred.pop(name, None)) is not None:
                    yield _piece(Tier.MESSAGES, tool)


def _piece(tier: Tier, block: Mapping[str, Any], role: str = "") -> Piece:
    text = orjson.dumps([role, unmarked(block)] if role else unmarked(block))
    return Piece(tier, text, block.get("cache_control"), block.get("type") in THINKING)


def unmarked(block: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in block.items() if name != "cache_control"}
    if block.get("type") == "tool_result" and isinstance(block.get("content"), list):
        kept["content"] = [unmarked(part) for part in block["content"]]
    return kept


def _references(block: Mapping[str, Any]) -> list[str]:
    if block.get("type") != "tool_result":
        return []
    return [part["tool_name"] for part in blocks(block.get("content")) if part["type"] == "tool_reference"]
