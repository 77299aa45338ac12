"""How far one turn may go; what it meets ends it with a summary, not in the middle."""

from dataclasses import dataclass
from decimal import Decimal

from agent.transcript import Message


@dataclass(frozen=True, slots=True)
class Limits:
    model_calls: int = 12  # of a turn, the summary among them
    tool_calls: int = 30
    seconds: float = 180.0  # of a turn's runs, without the time a person takes to decide
    dollars: Decimal = Decimal(1)  # the call that goes beyond is finished, and the summary comes on top

    def met(self, *, asked: int, turn: list[Message], seconds: float, dollars: Decimal) -> str | None:
        """Which limit leaves no more than the summary; `asked` is how often the model was called in this turn."""
        if asked >= self.model_calls - 1:
            return f"its limit of {self.model_calls} calls of the model"
        if sum(len(message.calls) for message in turn if message.role == "assistant") >= self.tool_calls:
            return f"its limit of {self.tool_calls} calls of tools"
        if dollars >= self.dollars:
            return f"its limit of {self.dollars:.2f} USD"
        return f"its limit of {self.seconds:.0f} seconds" if seconds >= self.seconds else None


def last_words(limit: str) -> str:
    return (
        f"This turn has reached {limit}, so no tool can be called any more. Say in a few sentences what was found and "
        "done, and what is left to do."
    )


def in_words(limit: str) -> str:
    """For people, beside the summary."""
    return f"The turn reached {limit}."
