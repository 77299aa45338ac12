"""What the model says next, before it is put on the wire: by the planner, by a script, and as a fault disturbs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.sandbox.faults import Fault

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """A `tool_use` block may leave out its id. Two keys are ours: `json` streams exactly this text as its input, and
    `open` lets the block never end."""

    blocks: tuple[Block, ...]
    stop_reason: str | None = None
    """tool_use or end_turn where it is left out."""
    stop_sequence: str | None = None
    stop_details: Block | None = None
    usage: Block = field(default_factory=dict)
    """Wins over what was computed."""
    fault: Fault | None = None
    cut: str | None = None
    """Why it ends within the tool call, or in mid-sentence where there is none."""

    @property
    def calls(self) -> list[Block]:
        return [block for block in self.blocks if block["type"] == "tool_use"]

    @property
    def reason(self) -> str:
        return self.stop_reason or ("tool_use" if self.calls else "end_turn")


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def thinking(words: str) -> Block:
    return {"type": "thinking", "thinking": words}


def call(name: str, arguments: Mapping[str, Any]) -> Block:
    return {"type": "tool_use", "name": name, "input": dict(arguments)}
