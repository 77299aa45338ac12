"""What a run writes many times a second, compiled once: that it still holds its conversation, and its events."""

from typing import Any

from sqlalchemy import bindparam, insert, update

from tools.store.engine import Transaction
from tools.store.statements import Prepared
from tools.store.tables import chat_events, chat_sessions
from tools.store.tenant import Rows

_S = chat_sessions.c
MOVED = {"last_event", "last_message", "lease_until", "updated_at"}
_EVENT = ("conversation_id", "seq", "run_id", "name", "data", "at")
_HELD = Prepared(
    update(chat_sessions)
    .where(
        _S.workspace_id == bindparam("of"), _S.id == bindparam("conversation"), _S.run_id == bindparam("by_run"),
        _S.status == "running",
    )
    .values({name: bindparam(f"its_{name}") for name in sorted(MOVED)})
)  # fmt: skip
_TOLD = Prepared(
    insert(chat_events).values(workspace_id=bindparam("of"), **{name: bindparam(f"its_{name}") for name in _EVENT})
)


async def moved(tx: Transaction, rows: Rows, conversation_id: str, run_id: str, **values: Any) -> bool:
    """The session's counters and its lease; false where another run holds it."""
    told = {f"its_{name}": values[name] for name in MOVED}
    return bool(await tx.run(_HELD, of=rows.workspace_id, conversation=conversation_id, by_run=run_id, **told))


async def event_told(tx: Transaction, rows: Rows, **values: Any) -> None:
    """One event."""
    await tx.run(_TOLD, of=rows.workspace_id, **{f"its_{name}": values[name] for name in _EVENT})
