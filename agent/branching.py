"""A turn asked in another way: a conversation of its own that shares everything before it, so that thinking stays bound
and the cache is read."""

import json
from typing import Any

from tools.conversations import store as conversations
from tools.conversations.store import Kind, ResultState, Status
from tools.store.engine import Transaction
from tools.store.statements import Row
from tools.store.tables import chat_events, chat_messages, chat_results
from tools.store.tenant import Rows

_SHARED = ("user_id", "surface", "title", "titled_by", "model", "effort", "snapshot")
_PAID_ELSEWHERE: dict[str, None] = dict.fromkeys(
    ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost", "estimated")
)


async def branch(tx: Transaction, rows: Rows, original: Row, turn: int, identifier: str, **values: Any) -> bool:
    """Copy what came before the turn, byte for byte; false where a part of it is not finished. An approval that waits
    in the turn itself, or after it, stays the original's."""
    said = chat_messages.c.kind.in_([Kind.SENT, Kind.SHOWN])
    messages = await tx.all(_before(rows, chat_messages, original, turn).where(said).order_by(chat_messages.c.seq))
    results = await tx.all(_before(rows, chat_results, original, turn))
    if any(row.state == ResultState.WAITING for row in results):
        return False
    events = await _told_before(tx, rows, original, turn)
    last = {"last_message": messages[-1].seq if messages else 0, "last_event": events[-1].seq if events else 0}
    shared = {name: getattr(original, name) for name in _SHARED}
    from_there = {"branched_from": original.id, "branched_turn": turn, "turn": turn - 1, "spent_ms": 0}
    added = shared | from_there | last | {"status": Status.IDLE} | values
    await tx.run(conversations.session_added(rows, id=identifier, **added))
    ours = {"conversation_id": identifier}
    for table, copies in (
        (chat_messages, [row.as_dict() | ours | _PAID_ELSEWHERE for row in messages]),
        (chat_results, [row.as_dict() | ours for row in results]),
        (chat_events, [row.as_dict() | ours | _told_of(row, identifier) for row in events]),
    ):
        await rows.only_new(table, copies, among=table.c.conversation_id == identifier)(tx)
    return True


def _before(rows: Rows, table: Any, original: Row, turn: int) -> Any:
    return rows.select(table).where(table.c.conversation_id == original.id, table.c.turn < turn)


async def _told_before(tx: Transaction, rows: Rows, original: Row, turn: int) -> list[Row]:
    """The events of the turns before: to where the first run of this one started, if any has told of it."""
    asked = await tx.first(conversations.asked(rows, original.id, turn))
    began = asked.run_id if asked is not None else None
    events = rows.select(chat_events).where(chat_events.c.conversation_id == original.id)
    for row in await tx.all(conversations.runs_started(rows, original.id).order_by(chat_events.c.seq)):
        if row.run_id == began or json.loads(row.data).get("turn") == turn:
            events = events.where(chat_events.c.seq < row.seq)
            break
    return await tx.all(events.order_by(chat_events.c.seq))


def _told_of(row: Row, identifier: str) -> dict[str, str]:
    if row.name != "run_started":  # the one event that names its conversation
        return {}
    return {"data": json.dumps(json.loads(row.data) | {"conversationId": identifier}, ensure_ascii=False)}
