"""Turns that a test has written down, served in order before the planner is asked.

`POST /script` takes `{"turns": [...]}`; each turn is

    {
      "blocks": [                                   as the API gives them, ids and signatures left out
        {"type": "thinking", "thinking": "..."},    shown as the request's `display` says, and signed
        {"type": "redacted_thinking", "data": "..."},
        {"type": "text", "text": "...", "citations": [...]},
        {"type": "tool_use", "name": "list_campaigns", "input": {}, "id": "toolu_1"}
      ],
      "stop_reason": "...",          left out: tool_use where there is a call, else end_turn
      "stop_sequence": "...", "stop_details": {...},
      "usage": {"output_tokens": 9},                wins over what was computed
      "fault": {"kind": "cut"},                     what befalls this very answer, as in /faults, without target
      "model": "claude-haiku-5-5",                  only for requests to this model
      "says": "pause it"                            only where the last user message contains this
    }

A `tool_use` block may carry `json`, the exact text streamed as its input, and `open`, true where the block never ends.
A turn without `model` waits for a request that has tools, so that a title asked for in between does not take it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.sandbox.anthropic.prefix import blocks
from server.sandbox.anthropic.turn import Turn
from server.sandbox.faults import FaultRefused, parse

_KNOWN = frozenset({"blocks", "stop_reason", "stop_sequence", "stop_details", "usage", "fault", "model", "says"})


class ScriptRefused(ValueError):
    """The turns cannot be queued as written; the message says what to send instead."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    turn: Turn
    model: str | None
    says: str | None

    def fits(self, body: Mapping[str, Any]) -> bool:
        if self.says is not None and self.says not in _last_words(body):
            return False
        return body["model"] == self.model if self.model is not None else bool(body.get("tools"))


class Script:
    def __init__(self) -> None:
        self._queue: list[_Waiting] = []

    def add(self, wanted: object) -> int:
        """Queue `{"turns": [...]}`; how many wait now."""
        turns = wanted.get("turns") if isinstance(wanted, Mapping) else None
        if not isinstance(turns, list) or not turns:
            raise ScriptRefused('send {"turns": [{"blocks": [{"type": "text", "text": "..."}]}]}')
        self._queue += [_parse(turn) for turn in turns]
        return len(self._queue)

    def take(self, body: Mapping[str, Any]) -> Turn | None:
        for waiting in self._queue:
            if waiting.fits(body):
                self._queue.remove(waiting)
                return waiting.turn
        return None

    def clear(self) -> None:
        self._queue.clear()

    def __len__(self) -> int:
        return len(self._queue)


def _parse(wanted: object) -> _Waiting:
    if not isinstance(wanted, Mapping):
        raise ScriptRefused("a turn is an object with blocks")
    if unknown := set(wanted) - _KNOWN:
        raise ScriptRefused(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}")
    given = wanted.get("blocks", [])
    if not isinstance(given, list) or not all(isinstance(block, Mapping) and "type" in block for block in given):
        raise ScriptRefused("blocks is a list of objects with a type")
    fault = None
    if wanted.get("fault") is not None:
        try:
            fault = parse({"target": "anthropic", **wanted["fault"]})
        except (FaultRefused, TypeError) as error:
            raise ScriptRefused(f"fault: {error}") from error
    turn = Turn(
        tuple(given),
        wanted.get("stop_reason"),
        wanted.get("stop_sequence"),
        wanted.get("stop_details"),
        wanted.get("usage") or {},
        fault,
    )
    return _Waiting(turn, wanted.get("model"), wanted.get("says"))


def _last_words(body: Mapping[str, Any]) -> str:
    said = [block for block in blocks(body["messages"][-1]["content"]) if block["type"] == "text"]
    return "\n".join(str(block["text"]) for block in said)
