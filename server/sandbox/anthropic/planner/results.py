"""What a tool answered: its data, or why there is none, in words for the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_WRAPPED_IN = ("untrusted", "result", "data")
"""Names under which applications hand on what a tool said, beside a status of their own."""
_DECIDED = frozenset({"already_decided", "approval_expired"})
"""Their messages tell the person all; what there is to fix is the model's."""


@dataclass(frozen=True, slots=True)
class Result:
    data: Any
    is_error: bool

    @classmethod
    def read(cls, content: object, *, is_error: bool) -> "Result":
        """Text that is no JSON stays text."""
        text = _text(content)
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError:
            return cls(text, is_error)
        data = _unwrapped(data)
        failed = isinstance(data, dict) and "code" in data and "message" in data
        return cls(data, is_error or failed)

    @property
    def items(self) -> list[dict[str, Any]]:
        found = self.data.get("items", []) if isinstance(self.data, dict) else self.data
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def turned_down(self) -> bool:
        """A person did not agree to it, so nothing came of it."""
        return self.is_error and isinstance(self.data, dict) and self.data.get("code") in _DECIDED

    def problem(self) -> str:
        """Why there is no data."""
        if not isinstance(self.data, dict):
            return f"That did not work. {self.data}".strip()
        approval = self.data.get("approval")
        if isinstance(approval, dict):
            return _waiting(approval)
        said = [str(self.data[name]).strip() for name in ("message", "fix") if self.data.get(name)]
        if self.data.get("code") in _DECIDED:
            return said[0]
        return " ".join(["That did not work.", *said])


def _waiting(approval: Mapping[str, Any]) -> str:
    plan = approval.get("plan") or {}
    lines = ["This waits for your yes; nothing has changed yet.", str(plan.get("summary", ""))]
    lines += [f"- {warning}" for warning in plan.get("warnings", ())]
    if approval.get("url"):
        lines.append(f"Decide here: {approval['url']}")
    return "\n".join(line for line in lines if line)


def _text(content: object) -> str:
    if not isinstance(content, list):
        return str(content)
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


def _unwrapped(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    for name in _WRAPPED_IN:
        inner = data.get(name)
        if isinstance(inner, dict) and ("status" in data or "decision" in data or len(data) == 1):
            return _unwrapped(inner | {key: data[key] for key in ("code", "fix", "left_out") if key in data})
    return data
