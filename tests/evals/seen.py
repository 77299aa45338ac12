"""What was seen of a task: what the model said and called, what people decided, and what the platforms then held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Campaigns = Mapping[str, Mapping[str, Any]]
"""By id, as the platform tells them."""


@dataclass(frozen=True, slots=True)
class Call:
    turn: int
    step: int  # which answer of the model it was part of
    id: str
    name: str
    arguments: Mapping[str, Any]
    outcome: str = ""  # ok, confirm_required, or the code of the error


@dataclass(frozen=True, slots=True)
class Said:
    """`done`: how many changes people had agreed to, and were made, by then."""

    turn: int
    text: str
    done: int


@dataclass(frozen=True, slots=True)
class Approval:
    capability: str
    status: str
    decided_by: str | None
    via: str


@dataclass(frozen=True, slots=True)
class Spent:
    model_calls: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    calls: tuple[Call, ...]
    said: tuple[Said, ...]
    stops: tuple[str, ...]  # how each turn ended
    approvals: tuple[Approval, ...]
    before: Campaigns
    after: Campaigns
    writes: int
    unused: int = 0  # scripted turns that the model was never asked for
    reported: tuple[str, ...] = ()
    spent: Spent = field(default_factory=Spent)

    def answer(self, turn: int) -> str:
        return "\n".join(each.text for each in self.said if each.turn == turn)
