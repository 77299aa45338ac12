"""What calls of models used in a month, and what those under way can cost: statements of each call, compiled once."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric, Text, bindparam, cast, delete, func, select, update

# Both dialects spell ON CONFLICT alike, and this construct compiles on both.
from sqlalchemy.dialects.postgresql import insert

from tools.store.engine import Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import chat_messages, usage_counters
from tools.store.tenant import Rows

_C, _N = chat_messages.c, usage_counters.c
_SUMMED = (_C.input_tokens, _C.output_tokens, _C.cache_read_tokens, _C.cache_write_tokens)
_USED = Prepared(
    select(
        *(func.coalesce(func.sum(each), 0).label(each.name) for each in _SUMMED),
        cast(func.coalesce(func.sum(cast(_C.cost, Numeric)), 0), Text).label("cost"),  # as the digits they are
        (func.count() - func.count(_C.cost)).label("unpriced"),
    ).where(_C.workspace_id == bindparam("of"), _C.created_at >= bindparam("since"), _C.input_tokens.is_not(None))
)
_COUNTED = Prepared(
    update(usage_counters)
    .where(
        _N.workspace_id == bindparam("of"), _N.meter == bindparam("counted_as"), _N.period == bindparam("in_period"),
        _N.used <= bindparam("at_most"),
    )
    .values(used=_N.used + bindparam("more"))
)  # fmt: skip
_KEPT = (
    "conversation_id", "seq", "turn", "run_id", "kind", "model", "stop_reason", "model_request_id", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost", "estimated", "created_at",
)  # fmt: skip
_ADDED = Prepared(
    insert(chat_messages)
    .values(
        workspace_id=bindparam("of"), role="assistant", content="[]", tool_calls=[],
        **{name: bindparam(f"its_{name}") for name in _KEPT},
    )
    .on_conflict_do_nothing()
)  # fmt: skip
_REMOVED = Prepared(
    delete(chat_messages).where(
        _C.workspace_id == bindparam("of"),
        _C.conversation_id == bindparam("in_conversation"),
        _C.seq == bindparam("at"),
    )
)


async def count(tx: Transaction, rows: Rows, meter: str, period: str, more: int, at_most: int = 1 << 62) -> bool:
    """Add to a counter that stands at no more than this; false where it does, or where there is none."""
    told = {"counted_as": meter, "in_period": period, "more": more, "at_most": at_most}
    return bool(await tx.run(_COUNTED, of=rows.workspace_id, **told))


def cost_added(rows: Rows, **values: Any) -> Work[int]:
    """A row that says what a call cost, or can cost, and nothing of what was said; a second is not stored."""
    told = {f"its_{name}": values.get(name) for name in _KEPT}
    return lambda tx: tx.run(_ADDED, of=rows.workspace_id, **told)


def cost_removed(rows: Rows, conversation_id: str, seq: int) -> Work[int]:
    return lambda tx: tx.run(_REMOVED, of=rows.workspace_id, in_conversation=conversation_id, at=seq)


async def used_since(rows: Rows, since: int) -> Row:
    """Tokens and dollars of all conversations, deleted ones too; `unpriced` calls have no known price. From an index
    alone, which needs the condition on the tokens."""
    (found,) = await rows.scan(_USED, since=since)
    return found


async def spent_since(tx: Transaction, rows: Rows, since: int) -> Decimal:
    """Dollars alone, within a transaction."""
    (found,) = await tx.all(_USED, of=rows.workspace_id, since=since)
    return Decimal(found.cost)
