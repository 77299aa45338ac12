"""What is sent to the chat and answered by it, beside its events."""

from typing import Annotated, Any

from pydantic import Field, ValidationError

from tools.capability import Input, Output
from tools.errors import InvalidArguments

TITLE_LENGTH = 80


class Asked(Input):
    """The body of a chat request."""

    message: Annotated[
        str,
        Field(min_length=1, max_length=16_000, pattern=r"\S", description="What the person says, in plain text."),
    ]
    conversationId: Annotated[
        str | None,
        Field(
            pattern=r"^cnv_[A-Za-z0-9]{1,40}$",
            description="The conversation to go on with, from run_started; leave out to begin one.",
        ),
    ] = None

    @classmethod
    def of(cls, arguments: dict[str, Any]) -> "Asked":
        try:
            return cls.model_validate(arguments)
        except ValidationError as invalid:
            problems = [
                {
                    "field": ".".join(map(str, problem["loc"])) or "body",
                    "problem": _said(problem["type"], problem["msg"]),
                }
                for problem in invalid.errors(include_url=False, include_input=False)
            ]
            told = "; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems[:3])
            raise InvalidArguments(
                f"The chat cannot take these arguments: {told}",
                fix="Correct the fields named in details.problems.",
                problems=problems,
            ) from None

    @property
    def title(self) -> str:
        line = " ".join(self.message.split())
        return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"


class Stopping(Output):
    """The answer to a stop."""

    conversationId: str
    stopping: bool  # false: nothing ran


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown; this takes message, conversationId"
    return "says nothing" if kind == "string_pattern_mismatch" and "S" in message else message
