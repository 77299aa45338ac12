"""A turn as the API gives it: with ids, signatures and a token count, and cut where its tokens run out."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from server.sandbox.anthropic.models import Model
from server.sandbox.anthropic.prefix import estimate
from server.sandbox.anthropic.thinking import Binding
from server.sandbox.anthropic.turn import Block, Turn

_CHUNK = 16
_BYTES_A_TOKEN = 4
_INPUT = frozenset({"tool_use", "server_tool_use"})
_OURS = frozenset({"json", "open"})


@dataclass(frozen=True, slots=True)
class Part:
    """A block: how it starts, what is added to it, whether it ends, and what it is in the end."""

    start: Block
    deltas: tuple[Block, ...]
    closed: bool
    block: Block
    tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    id: str
    model: str
    parts: tuple[Part, ...]
    stop_reason: str
    stop_sequence: str | None
    stop_details: Block | None
    usage: dict[str, Any]
    """At the start of the answer; `final_usage` is at its end."""
    final_usage: dict[str, Any]
    extra: dict[str, Any]

    def opening(self) -> dict[str, Any]:
        return self._message([], None, None, None, self.usage)

    def whole(self) -> dict[str, Any]:
        content = [part.block for part in self.parts]
        return self._message(content, self.stop_reason, self.stop_sequence, self.stop_details, self.final_usage)

    def _message(
        self, content: list[Block], reason: str | None, sequence: str | None, details: Block | None, usage: Block
    ) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": sequence,
            "stop_details": details,
            "usage": usage,
        } | self.extra


def identifier(prefix: str) -> str:
    """Never the same twice, since the ids of one transcript must differ over restarts too."""
    return f"{prefix}_01{secrets.token_hex(11)}"


def compose(
    model: Model, body: Mapping[str, Any], turn: Turn, binding: Binding, usage: dict[str, Any], extra: dict[str, Any]
) -> Reply:
    turn = _stopped(turn, body.get("stop_sequences") or ())
    shows = _shows(model, body)
    parts = [_part(block, binding, shows=shows) for block in turn.blocks]
    reason, sequence = turn.reason, turn.stop_sequence
    full, room = _room(model, body, usage)
    kept = _within(parts, _in_call(parts) if turn.cut else room * _BYTES_A_TOKEN)
    if kept is not None:
        parts, reason, sequence = kept, turn.cut or full, None
    spent = sum(part.tokens for part in parts)
    thought = sum(part.tokens for part in parts if part.block["type"] in {"thinking", "redacted_thinking"})
    final = usage | {"output_tokens": spent, "output_tokens_details": {"thinking_tokens": thought}} | dict(turn.usage)
    return Reply(
        identifier("msg"), body["model"], tuple(parts), reason, sequence, turn.stop_details, usage, final, extra
    )


def _room(model: Model, body: Mapping[str, Any], usage: Mapping[str, Any]) -> tuple[str, int]:
    """Why an answer would be cut, and after how many tokens."""
    asked = sum(usage[name] for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
    left = model.max_input_tokens - asked
    if left < body["max_tokens"]:
        return "model_context_window_exceeded", left
    return "max_tokens", int(body["max_tokens"])


def _shows(model: Model, body: Mapping[str, Any]) -> bool:
    display = (body.get("thinking") or {}).get("display")
    return display == "summarized" if display else model.shows_thinking


def _stopped(turn: Turn, sequences: Sequence[str]) -> Turn:
    """The text ends before the first stop sequence in it, and nothing comes after."""
    for at, block in enumerate(turn.blocks):
        if block["type"] != "text":
            continue
        found = [(block["text"].index(each), each) for each in sequences if each in block["text"]]
        if found:
            end, sequence = min(found)
            blocks = (*turn.blocks[:at], {**block, "text": block["text"][:end]})
            return Turn(blocks, "stop_sequence", sequence, None, turn.usage, turn.fault)
    return turn


def _part(given: Block, binding: Binding, *, shows: bool) -> Part:
    block = {name: value for name, value in given.items() if name not in _OURS}
    kind = block["type"]
    if kind == "text":
        return _text(block)
    if kind == "thinking":
        return _thinking(block, binding, shows=shows)
    if kind == "redacted_thinking":
        sealed = {**block, "data": f"{block['data']}.{binding.sign(block['data'])}"}
        return Part(sealed, (), True, sealed, estimate(block["data"].encode()))
    if kind in _INPUT:
        written = str(given.get("json", orjson.dumps(block.get("input", {})).decode()))
        return _input(block, written, closed=not given.get("open", False))
    return Part(block, (), True, block, 1)


def _text(block: dict[str, Any]) -> Part:
    citations = block.get("citations")
    start = {**block, "text": ""} | ({"citations": []} if citations else {})
    deltas = [{"type": "text_delta", "text": piece} for piece in _chunks(block["text"])]
    deltas += [{"type": "citations_delta", "citation": citation} for citation in citations or ()]
    return Part(start, tuple(deltas), True, block, estimate(block["text"].encode()))


def _thinking(block: dict[str, Any], binding: Binding, *, shows: bool) -> Part:
    """What is not shown is counted all the same."""
    shown = block["thinking"] if shows else ""
    signed = {"type": "thinking", "thinking": shown, "signature": binding.sign(shown)}
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _chunks(shown)]
    deltas.append({"type": "signature_delta", "signature": signed["signature"]})
    start = {"type": "thinking", "thinking": "", "signature": ""}
    return Part(start, tuple(deltas), True, signed, estimate(block["thinking"].encode()))


def _input(block: dict[str, Any], written: str, *, closed: bool) -> Part:
    identified = {"type": block["type"], "id": block.get("id") or _tool_id(block["type"]), "name": block["name"]}
    identified |= {name: value for name, value in block.items() if name not in {"type", "id", "name", "input"}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_chunks(written)]]
    whole = {**identified, "input": _readable(written)}
    return Part({**identified, "input": {}}, tuple(deltas), closed, whole, estimate((block["name"] + written).encode()))


def _tool_id(kind: str) -> str:
    return identifier("toolu" if kind == "tool_use" else "srvtoolu")


def _readable(written: str) -> object:
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return {}


def _chunks(text: str) -> Iterator[str]:
    return (text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK))


def _in_call(parts: list[Part]) -> int:
    """Bytes up to the middle of the first call's arguments, or of the whole answer where there is no call."""
    before = 0
    for part in parts:
        size = sum(len(_added(delta).encode()) for delta in part.deltas)
        if part.block["type"] == "tool_use":
            return before + size // 2
        before += size
    return before // 2


def _within(parts: list[Part], budget: int) -> list[Part] | None:
    """The parts that fit, the last one cut and never closed; None where all fit."""
    kept: list[Part] = []
    for part in parts:
        deltas: list[Block] = []
        for delta in part.deltas:
            added = _added(delta)
            if len(added.encode()) > budget:
                return [
                    *kept,
                    _cut(part, [*deltas, _shortened(delta, added.encode()[:budget].decode(errors="ignore"))]),
                ]
            budget -= len(added.encode())
            deltas.append(delta)
        kept.append(part)
    return None


def _added(delta: Block) -> str:
    for name in ("text", "thinking", "partial_json"):
        if name in delta:
            return str(delta[name])
    return ""


def _shortened(delta: Block, added: str) -> Block:
    name = next(name for name in ("text", "thinking", "partial_json") if name in delta)
    return {**delta, name: added}


def _cut(part: Part, deltas: list[Block]) -> Part:
    written = "".join(_added(delta) for delta in deltas)
    kind = part.block["type"]
    block = {**part.block, **({"input": _readable(written)} if kind in _INPUT else {kind: written})}
    return Part(part.start, tuple(deltas), kind not in _INPUT, block, estimate(written.encode()))
