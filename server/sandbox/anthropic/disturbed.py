"""Turns as faults make them: the model itself misbehaves, and says so or does not."""

from dataclasses import replace
from typing import Any

from server.sandbox.anthropic.turn import Block, Turn, call, text
from server.sandbox.faults import Kind

IN_CALLS = frozenset({Kind.INVALID_ARGUMENTS, Kind.UNKNOWN_TOOL, Kind.PARALLEL})
"""They wait for a turn that calls a tool."""
IN_TURNS = frozenset({Kind.REFUSAL, Kind.MAX_TOKENS, Kind.PAUSE_TURN, Kind.CONTEXT_WINDOW})

_REFUSED = {
    "type": "refusal",
    "category": "general_harms",
    "explanation": "The request was declined by a safety classifier.",
}
_BESIDES = 3


def disturb(turn: Turn, kind: Kind, tools: list[Block]) -> Turn:
    match kind:
        case Kind.REFUSAL:
            return Turn((), "refusal", stop_details=_REFUSED)
        case Kind.MAX_TOKENS:
            return replace(turn, cut="max_tokens")
        case Kind.CONTEXT_WINDOW:
            return replace(turn, cut="model_context_window_exceeded")
        case Kind.PAUSE_TURN:
            return Turn(
                (
                    text("Let me look that up."),
                    {"type": "server_tool_use", "name": "web_search", "input": {"query": "?"}},
                ),
                "pause_turn",
            )
        case Kind.INVALID_ARGUMENTS:
            return _each_call(turn, lambda block: {**block, "input": {"nonsense": [True, {"limit": "many"}]}})
        case Kind.UNKNOWN_TOOL:
            return _each_call(turn, lambda block: {**block, "name": f"{block['name']}_everywhere"})
        case Kind.PARALLEL:
            return _beside(turn, tools)
    return turn


def _each_call(turn: Turn, change: Any) -> Turn:
    return replace(turn, blocks=tuple(change(b) if b["type"] == "tool_use" else b for b in turn.blocks))


def _beside(turn: Turn, tools: list[Block]) -> Turn:
    """Reads that need no argument."""
    asked = {block["name"] for block in turn.calls}
    more = [
        call(tool["name"], {})
        for tool in tools
        if tool["name"] not in asked
        and tool["name"].startswith(("list_", "get_", "whoami"))
        and not tool["input_schema"].get("required")
    ]
    return replace(turn, blocks=(*turn.blocks, *more[:_BESIDES]))
