"""Calls that wait for a person: what became of their approvals, and how a newer wish takes their place."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.results import decided
from tools.approval import ApprovalStatus, view
from tools.context import Context
from tools.conversations import store as conversations
from tools.errors import Conflict
from tools.store.statements import Row

Views = dict[str, dict[str, Any]]
"""Each approval as faces show it, by its id."""


async def views(context: Context, waiting: Sequence[Row]) -> Views:
    known = await conversations.approvals_of(context.rows, [row.approval_id for row in waiting])
    return {identifier: view(row, context.public_url, context.now_ms()) for identifier, row in known.items()}


async def supersede(context: Context, conversation_id: str) -> Sequence[Row]:
    """Nobody waits for these any more. One that another conversation proposed, too, stays open there."""
    waiting = await context.rows.all(conversations.waiting(context.rows, conversation_id))
    known = await conversations.approvals_of(context.rows, [row.approval_id for row in waiting])
    for row in waiting:
        if known[row.approval_id].conversation_id == conversation_id:
            await context.gate.supersede(context, row.approval_id)
    return waiting


def outcome(call: str, approval: Mapping[str, Any]) -> str:
    """The result of a call that a new message does not wait for: what was decided, or that it was superseded."""
    status = ApprovalStatus(approval["status"])
    if status is ApprovalStatus.EXECUTING:
        raise Conflict("A change of this conversation is being made.", fix="Send the message again in a moment.")
    over = approval if status.settled else {**approval, "status": ApprovalStatus.SUPERSEDED}
    return decided(call, over).block
