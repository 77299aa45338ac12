"""Delete a conversation with the assistant."""

from tools.approval import moment
from tools.authority import Scope
from tools.capability import DELETE, Effect, Input, Output, Toolset, human
from tools.context import Context
from tools.conversations.model import ConversationId
from tools.conversations.store import Status, conversation, forget
from tools.errors import Conflict
from tools.store.engine import Transaction


class ConversationDeletion(Input):
    conversationId: ConversationId


class DeletedConversation(Output):
    id: str
    deletedAt: str


@human(scope=Scope.ADS_READ, effect=Effect.DESTROY, rest=DELETE("/chat/{conversationId}"), toolset=Toolset.WORKSPACE)
async def delete_conversation(context: Context, deletion: ConversationDeletion) -> DeletedConversation:
    """Delete one of your conversations: what was said and shown in it is removed for good, and a proposal of it that
    nobody decided is superseded. What it cost stays in the month's usage. Refused while a turn runs. Only a signed-in
    person."""
    row = await conversation(context, deletion.conversationId)
    if row.status == Status.RUNNING:
        raise _running()
    now = context.now_ms()

    async def work(tx: Transaction) -> int:
        if not await forget(tx, context.rows, row.id, now):
            raise _running()  # since a moment
        return 1

    context.rows.staged.append(work)
    return DeletedConversation(id=row.id, deletedAt=moment(now))


def _running() -> Conflict:
    return Conflict(
        "A turn of this conversation is still running.",
        fix="Stop it with POST /api/v1/chat/{conversationId}/stop, or wait for its done event.",
    )
