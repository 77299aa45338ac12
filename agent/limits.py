"""How far one turn may go; what it meets ends it with a summary, not in the middle."""

from dataclasses import dataclass

from agent.transcript import Message


@dataclass(frozen=True, slots=True)
class Limits:
    model_calls: int = 12  # of a turn, the summary among them
    tool_calls: int = 30
    seconds: float = 180.0  # of a turn's runs, without the time a person takes to decide

    def met(self, *, asked: int, turn: list[Message], seconds: float) -> str | None:
        """Which limit leaves no more than the summary; `asked` is how often the model was called in this turn."""
        if asked >= self.model_calls - 1:
            return f"{self.model_calls} calls of the model"
        if sum(len(message.calls) for message in turn if message.role == "assistant") >= self.tool_calls:
            return f"{self.tool_calls} calls of tools"
        return f"{self.seconds:.0f} seconds" if seconds >= self.seconds else None


def last_words(limit: str) -> str:
    return (
        f"This turn has reached its limit of {limit}, so no tool can be called any more. Say in a few sentences what "
        "was found and done, and what is left to do."
    )
