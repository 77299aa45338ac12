"""What is sent to the chat and answered by it, beside its events; and a conversation as every face shows it."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tools.approval import moment
from tools.capability import Input, Output
from tools.conversations.store import Status
from tools.errors import InvalidArguments
from tools.fields import member
from tools.store.statements import Row

TITLE_LENGTH = 80

ConversationId = Annotated[
    str, Field(pattern=r"^cnv_[A-Za-z0-9]{1,40}$", description="Conversation id, from list_conversations.")
]


class Surface(StrEnum):
    ADS = "ads"
    ANALYTICS = "analytics"


SurfaceField = Annotated[Surface, BeforeValidator(member(Surface))]


class Conversation(Output):
    """Of the person who asks. `waiting`: for a person's decision."""

    id: str
    title: str
    surface: Surface
    status: Status
    turns: int
    createdAt: str
    updatedAt: str
    branchedFrom: str | None = None
    branchedTurn: int | None = None  # the turn of that conversation that it asks in another way


def shown(row: Row) -> dict[str, Any]:
    """The fields of a Conversation."""
    return {
        "id": row.id,
        "title": row.title,
        "surface": row.surface,
        "status": row.status,
        "turns": row.turn,
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.updated_at),
        "branchedFrom": row.branched_from,
        "branchedTurn": row.branched_turn,
    }


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
    replacesTurn: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000,
            description="Ask this instead of what that turn of the conversation asked: a new conversation begins that "
            "shares what came before it.",
        ),
    ] = None
    page: Annotated[
        str | None,
        Field(
            max_length=200,
            pattern=r"^/[a-z0-9-]*(/[A-Za-z0-9_.-]{1,64})?$",
            description="Path of the page that the person looks at; the agent is told.",
        ),
    ] = None

    @model_validator(mode="after")
    def _of_a_conversation(self) -> "Asked":
        if self.replacesTurn is not None and self.conversationId is None:
            raise ValueError("replacesTurn is a turn of a conversation; send its conversationId, too")
        return self

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
        return one_line(self.message)


class Stopping(Output):
    """The answer to a stop."""

    conversationId: str
    stopping: bool  # false: nothing ran


def one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown; this takes {', '.join(Asked.model_fields)}"
    blank = kind == "string_pattern_mismatch" and r"'\S'" in message
    return "says nothing" if blank else message.removeprefix("Value error, ")
