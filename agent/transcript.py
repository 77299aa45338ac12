"""A conversation as it is sent: rows spliced together byte for byte, so that each request begins with the last."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.model import About
from agent.snapshot import Snapshot, compact

MAX_TOKENS = 16_000


@dataclass(frozen=True)
class Message:
    """One row of the transcript; `content` is the JSON text that was stored, and is what is sent."""

    role: str
    content: str
    turn: int
    stop_reason: str | None = None

    @cached_property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = json.loads(self.content)
        return blocks

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [block for block in self.blocks if block["type"] == "tool_use"]


def body(
    about: About, effort: str, snapshot: Snapshot, messages: Sequence[Message], *, without_tools: bool = False
) -> bytes:
    """A request. What may differ between two of a conversation stands after the messages.

    `cache_control` at the top marks the tail, for five minutes; the hour of system and tools is in the snapshot.
    """
    head: dict[str, Any] = {"model": about.id, "max_tokens": MAX_TOKENS, "stream": True}
    if about.adaptive:  # without a display the model is silent between its calls
        head["thinking"] = {"type": "adaptive", "display": "summarized"}
    if about.effort:
        head["output_config"] = {"effort": effort}
    head["cache_control"] = {"type": "ephemeral"}
    sent = ",".join(f'{{"role":"{message.role}","content":{message.content}}}' for message in messages)
    tail = ',"tool_choice":{"type":"none"}' if without_tools else ""
    return (
        f'{compact(head)[:-1]},"tools":{snapshot.tools},"system":{snapshot.system},"messages":[{sent}]{tail}}}'
    ).encode()


def user_content(results: Sequence[str], texts: Sequence[str]) -> str:
    """Results come first, as the API wants them; each is the JSON text that was stored for its call."""
    return f"[{','.join([*results, *(compact({'type': 'text', 'text': text}) for text in texts)])}]"


def context_text(facts: dict[str, Any]) -> str:
    """What holds for one message only, frozen into it."""
    return f"<context>{compact(facts)}</context>"


def tool_result(tool_use_id: str, told: dict[str, Any], *, is_error: bool = False) -> str:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_use_id, "content": compact(told)}
    return compact(block | {"is_error": True} if is_error else block)


def not_executed(tool_use_id: str, why: str) -> str:
    """The API refuses a call without a result; this is the result of one that never ran."""
    return tool_result(tool_use_id, {"status": "not_executed", "message": why}, is_error=True)
