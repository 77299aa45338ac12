"""What calls of models used, summed by one statement that is asked before every turn and hence compiled once."""

from sqlalchemy import Numeric, Text, bindparam, case, cast, func, select

from tools.store.statements import Prepared, Row
from tools.store.tables import chat_messages
from tools.store.tenant import Rows

_C = chat_messages.c
_DARK = _C.cost.is_(None)
_SUMS = {
    "input_tokens": _C.input_tokens,
    "output_tokens": _C.output_tokens,
    "cache_read_tokens": _C.cache_read_tokens,
    "cache_write_tokens": _C.cache_write_tokens,
    "unpriced_sent": case((_DARK, _C.input_tokens + _C.cache_read_tokens + _C.cache_write_tokens), else_=0),
    "unpriced_output": case((_DARK, _C.output_tokens), else_=0),
}
_USED = Prepared(
    select(
        *(func.coalesce(func.sum(each), 0).label(name) for name, each in _SUMS.items()),
        cast(func.coalesce(func.sum(cast(_C.cost, Numeric)), 0), Text).label("cost"),  # as the digits they are
        (func.count() - func.count(_C.cost)).label("unpriced"),
    ).where(_C.workspace_id == bindparam("of"), _C.created_at >= bindparam("since"), _C.input_tokens.is_not(None))
)


async def used_since(rows: Rows, since: int) -> Row:
    """Tokens and dollars of all conversations, deleted ones too; `unpriced` calls have no known price. From an index
    alone, which needs the condition on the tokens."""
    (found,) = await rows.scan(_USED, since=since)
    return found
