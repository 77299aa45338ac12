"""What one model call said, put together from the events of its stream."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.failures import Cut, Told
from agent.prices import Usage

Say = Callable[[str, str], None]
"""Is called with (text_delta | thinking_delta, the words) as they arrive."""

_FIELDS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_THINKING = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`content` holds the blocks that came to their end, as the API sent them."""

    content: list[dict[str, Any]]
    usage: Usage
    stop_reason: str | None = None  # None: it broke off
    stop_details: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [block for block in self.content if block["type"] == "tool_use"]

    @property
    def text(self) -> str:
        return "\n\n".join(block["text"] for block in self.content if block["type"] == "text")

    def sendable(self) -> list[dict[str, Any]]:
        """What the API takes back: no empty text, and no thinking without anything after it."""
        kept = [block for block in self.content if block["type"] != "text" or block["text"]]
        while kept and kept[-1]["type"] in _THINKING:
            kept.pop()
        return kept


class Building:
    def __init__(self, say: Say) -> None:
        self._say = say
        self._blocks: list[dict[str, Any]] = []
        self._parts: list[list[str]] = []
        self._complete: set[int] = set()
        self._usage: dict[str, Any] = {}
        self._stop: dict[str, Any] = {}
        self.request_id: str | None = None
        self.ended = False
        self.read = False  # some of its text is before people's eyes

    @property
    def began(self) -> bool:
        """What it read costs, whatever becomes of it."""
        return bool(self._usage)

    def take(self, event: dict[str, Any]) -> None:
        """One event, of whatever kind: those that a later API adds are passed over."""
        match event["type"]:
            case "content_block_delta":
                self._delta(event["index"], event["delta"])
            case "content_block_start":
                if event["index"] != len(self._blocks):
                    raise Cut
                self._blocks.append(event["content_block"])
                self._parts.append([])
            case "content_block_stop":
                self._close(event["index"])
            case "message_start":
                self._usage.update(event["message"]["usage"])
            case "message_delta":
                self._stop.update(event["delta"])
                self._usage.update(event.get("usage") or {})
            case "message_stop":
                self.ended = self._stop.get("stop_reason") is not None
            case "error":
                raise Told(event["error"]["type"], event["error"]["message"])

    def answer(self) -> Answer:
        """What there is by now; a broken one's last blocks are shown to people, and never acted on."""
        if self.ended:
            content = [block for at, block in enumerate(self._blocks) if at in self._complete]
        else:
            content = [self._so_far(at) for at, block in enumerate(self._blocks) if block["type"] == "text"]
        return Answer(
            content=content,
            usage=self._used(),
            stop_reason=self._stop.get("stop_reason") if self.ended else None,
            stop_details=self._stop.get("stop_details") or {},
            request_id=self.request_id,
        )

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        kind = delta["type"]
        if kind == "input_json_delta":
            self._parts[index].append(delta["partial_json"])
        elif kind in _FIELDS:
            words = delta[_FIELDS[kind]]
            if kind == "signature_delta":
                self._blocks[index]["signature"] = words
                return
            self._parts[index].append(words)
            if words:
                self.read = self.read or kind == "text_delta"
                self._say(kind, words)
        elif kind == "citations_delta":
            self._blocks[index]["citations"] = [*(self._blocks[index].get("citations") or ()), delta["citation"]]

    def _close(self, index: int) -> None:
        block, said = self._blocks[index], "".join(self._parts[index])
        if block["type"] in ("tool_use", "server_tool_use"):
            if said:
                block["input"] = json.loads(said)
            if not isinstance(block["input"], dict):
                raise Cut
        elif said:
            block.update(self._so_far(index))
        self._complete.add(index)

    def _so_far(self, index: int) -> dict[str, Any]:
        block = self._blocks[index]
        name = "thinking" if block["type"] == "thinking" else "text"
        if index in self._complete:
            return block
        return block | {name: block.get(name, "") + "".join(self._parts[index])}

    def _used(self) -> Usage:
        used = self._usage
        split = used.get("cache_creation") or {}
        written, hour = used.get("cache_creation_input_tokens") or 0, split.get("ephemeral_1h_input_tokens") or 0
        return Usage(
            input=used.get("input_tokens") or 0,
            output=used.get("output_tokens") or 0,
            cache_read=used.get("cache_read_input_tokens") or 0,
            cache_write_5m=written - hour,
            cache_write_1h=hour,
            estimated=not self.ended,
        )
