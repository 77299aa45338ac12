"""Read one conversation with the assistant."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from tools.approval import moment
from tools.capability import GET, Input, Output, Toolset, read
from tools.context import Context
from tools.conversations.model import Conversation, ConversationId, shown
from tools.conversations.store import Kind, ResultState, all_messages, all_results, conversation
from tools.fields import Ratio
from tools.store.statements import Row


class ConversationQuery(Input):
    conversationId: ConversationId


class ToolCall(Output):
    """`status` is absent where the call was never made."""

    toolUseId: str
    name: str
    title: str
    arguments: JsonValue
    status: Literal["ok", "error", "waiting"] | None = None
    approvalId: str | None = None


class Message(Output):
    """Tokens and cost (USD) are there where the model was called for it, and its price is known."""

    turn: int
    role: Literal["user", "assistant"]
    text: str
    toolCalls: tuple[ToolCall, ...] = ()
    createdAt: str
    inputTokens: Annotated[int, Field(description="Those that no cache held.")] | None = None
    outputTokens: int | None = None
    cacheReadTokens: int | None = None
    cost: Ratio | None = None


class ConversationDetail(Conversation):
    """`lastEvent`: follow the events after it."""

    model: str
    lastEvent: int
    messages: tuple[Message, ...]


@read(scope=None, rest=GET("/chat/{conversationId}"), toolset=Toolset.WORKSPACE)
async def get_conversation(context: Context, query: ConversationQuery) -> ConversationDetail:
    """Read one of the caller's own conversations with the assistant: what was said in each turn, the calls that were
    made and how they ended, tokens and cost. The results of calls are in its events."""
    row = await conversation(context, query.conversationId)
    rows = context.rows
    results = {result.tool_use_id: result for result in await rows.scan(all_results(rows, row.id))}
    found = await rows.scan(all_messages(rows, row.id))
    return ConversationDetail.model_validate(
        shown(row)
        | {
            "model": row.model,
            "lastEvent": row.last_event,
            "messages": tuple(_messages(found, results)),
        }
    )


def _messages(found: list[Row], results: Mapping[str, Row]) -> Iterator[Message]:
    for row in found:
        if row.kind not in (Kind.SENT, Kind.SHOWN) or (row.role == "user" and row.said is None):
            continue  # costs alone, and results on their way to the model: the calls tell how they ended
        yield Message(
            turn=row.turn,
            role=row.role,
            text=row.said if row.role == "user" else _text(row.content),
            toolCalls=tuple(_call(call, results.get(call["toolUseId"])) for call in row.tool_calls),
            createdAt=moment(row.created_at),
            inputTokens=row.input_tokens,
            outputTokens=row.output_tokens,
            cacheReadTokens=row.cache_read_tokens,
            cost=None if row.cost is None else Decimal(row.cost),
        )


def _text(content: str) -> str:
    return "\n\n".join(block["text"] for block in json.loads(content) if block["type"] == "text")


def _call(call: Mapping[str, Any], result: Row | None) -> ToolCall:
    return ToolCall(**call, status=_status(result), approvalId=result.approval_id if result else None)


def _status(result: Row | None) -> Literal["ok", "error", "waiting"] | None:
    if result is None:
        return None
    if result.state == ResultState.WAITING:
        return "waiting"
    return "error" if json.loads(result.content).get("is_error") else "ok"
