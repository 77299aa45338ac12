"""A request as the planner reads it: what is asked now, what was called for it, and what was said before."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.sandbox.anthropic.planner.results import Result
from server.sandbox.anthropic.prefix import blocks

_TODAY = re.compile(r"\b(?:today|date|day)\b\D{0,16}(\d{4}-\d{2}-\d{2})", re.IGNORECASE)
_ASIDE = re.compile(r"<(context|system-reminder)>.*?</\1>|^\s*\[[^\]\n]*\]\s*$", re.DOTALL | re.MULTILINE)
"""What an application adds to a message: no words of the person's."""


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Mapping[str, Any]
    result: Result | None


@dataclass(slots=True)
class Exchange:
    """One message of the person and all that followed it."""

    words: str
    raw: str
    calls: list[Call] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return "\n\n".join(self.answers)


@dataclass(frozen=True, slots=True)
class Conversation:
    exchanges: Sequence[Exchange]
    tools: Mapping[str, Mapping[str, Any]]
    today: dt.date
    may_call: bool
    parallel: bool

    @property
    def now(self) -> Exchange:
        return self.exchanges[-1]

    @property
    def before(self) -> Sequence[Exchange]:
        return self.exchanges[:-1]

    def called(self, name: str, arguments: Mapping[str, Any]) -> Result | None:
        """What this very call answered since the person's last message."""
        return next(
            (call.result for call in reversed(self.now.calls) if call.name == name and call.arguments == arguments),
            None,
        )


def read(body: Mapping[str, Any], today: dt.date) -> Conversation:
    exchanges = _exchanges(body["messages"])
    choice = body.get("tool_choice") or {}
    return Conversation(
        exchanges,
        {tool["name"]: tool for tool in body.get("tools") or ()},
        _today(exchanges[-1].raw) or today,
        choice.get("type") != "none",
        not choice.get("disable_parallel_tool_use"),
    )


def _exchanges(messages: Sequence[Mapping[str, Any]]) -> list[Exchange]:
    results = _results(messages)
    found: list[Exchange] = []
    for message in messages:
        content = blocks(message["content"])
        said = "\n".join(block["text"] for block in content if block["type"] == "text")
        if message["role"] == "user" and (said or not found):
            found.append(Exchange(_ASIDE.sub("", said).strip(), said))
        elif message["role"] == "assistant":
            found[-1].answers += [said] if said else []
            found[-1].calls += [
                Call(block["name"], block["input"], results.get(block["id"]))
                for block in content
                if block["type"] == "tool_use"
            ]
    return found


def _results(messages: Sequence[Mapping[str, Any]]) -> dict[str, Result]:
    return {
        block["tool_use_id"]: Result.read(block.get("content", ""), is_error=bool(block.get("is_error")))
        for message in messages
        for block in blocks(message["content"])
        if block["type"] == "tool_result"
    }


def _today(said: str) -> dt.date | None:
    found = _TODAY.search(said)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
