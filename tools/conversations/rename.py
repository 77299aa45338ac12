"""Rename a conversation with the assistant."""

from typing import Annotated

from pydantic import Field

from tools.authority import Scope
from tools.capability import PATCH, Effect, Input, Toolset, human
from tools.context import Context
from tools.conversations.model import TITLE_LENGTH, Conversation, ConversationId, one_line, shown
from tools.conversations.store import conversation, renamed
from tools.redaction import redact


class Renaming(Input):
    conversationId: ConversationId
    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH, pattern=r"\S", description="Its new title.")]


@human(scope=Scope.ADS_READ, effect=Effect.CHANGE, rest=PATCH("/chat/{conversationId}"), toolset=Toolset.WORKSPACE)
async def rename_conversation(context: Context, renaming: Renaming) -> Conversation:
    """Give one of your conversations another title, which the assistant then leaves alone. Only a signed-in person."""
    row = await conversation(context, renaming.conversationId)
    title = redact(one_line(renaming.title))
    context.rows.stage(renamed(context.rows, row.id, title))
    return Conversation.model_validate(shown(row) | {"title": title})
