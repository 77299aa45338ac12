"""What calls of models used in a month, summed by one statement over an index."""

from decimal import Decimal

from sqlalchemy import Numeric, Text, bindparam, cast, func, select

from tools.store.engine import Transaction
from tools.store.statements import Prepared, Row
from tools.store.tables import chat_messages
from tools.store.tenant import Rows

_C = chat_messages.c
_SUMMED = (_C.input_tokens, _C.output_tokens, _C.cache_read_tokens, _C.cache_write_tokens)
_USED = Prepared(
    select(
        *(func.coalesce(func.sum(each), 0).label(each.name) for each in _SUMMED),
        cast(func.coalesce(func.sum(cast(_C.cost, Numeric)), 0), Text).label("cost"),  # as the digits they are
        (func.count() - func.count(_C.cost)).label("unpriced"),
    ).where(_C.workspace_id == bindparam("of"), _C.created_at >= bindparam("since"), _C.input_tokens.is_not(None))
)


async def used_since(rows: Rows, since: int) -> Row:
    """Tokens and dollars of all conversations, deleted ones too; `unpriced` calls have no known price. From an index
    alone, which needs the condition on the tokens."""
    (found,) = await rows.scan(_USED, since=since)
    return found


async def spent_since(tx: Transaction, rows: Rows, since: int) -> Decimal:
    """Dollars alone, within a transaction."""
    (found,) = await tx.all(_USED, of=rows.workspace_id, since=since)
    return Decimal(found.cost)
