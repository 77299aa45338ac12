"""List conversations with the assistant."""

from typing import Annotated

from pydantic import Field

from tools import cursors
from tools.capability import GET, Input, Listing, Toolset, read
from tools.context import Context
from tools.conversations.model import Conversation, SurfaceField, shown
from tools.conversations.store import page
from tools.fields import Cursor, Limit


class ConversationsQuery(Input):
    q: (
        Annotated[
            str,
            Field(min_length=1, max_length=200, description="Words in the title or in what the person said."),
        ]
        | None
    ) = None
    surface: Annotated[SurfaceField, Field(description="Only conversations of this chat.")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Conversations(Listing[Conversation]):
    """Those that something happened in last come first."""


@read(scope=None, rest=GET("/chat"), toolset=Toolset.WORKSPACE)
async def list_conversations(context: Context, query: ConversationsQuery) -> Conversations:
    """List the caller's own conversations with the assistant, the latest first: title, chat, turns, and whether one
    runs or waits for a decision. Search titles and what the person said with q; nobody else's are shown."""
    same = query.model_dump(mode="json", include={"q", "surface"})
    rows, following = await page(
        context, q=query.q, surface=query.surface, after=cursors.decode(same, query.cursor), limit=query.limit
    )
    return Conversations(
        items=tuple(Conversation.model_validate(shown(row)) for row in rows),
        next_cursor=cursors.encode(same, following) if following else None,
    )
