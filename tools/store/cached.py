"""The one statement behind every answer from the cache: several entries at once, their values still JSON text."""

from collections.abc import Sequence

from sqlalchemy import Text, bindparam, or_, select, type_coerce

from tools.store.statements import Prepared, Row
from tools.store.tables import insights_cache
from tools.store.tenant import Rows

LOOKED_UP = 20
"""Entries in one statement."""

_SLOTS = [f"key{at}" for at in range(LOOKED_UP)]
_ENTRIES = Prepared(
    select(
        insights_cache.c.cache_key,
        insights_cache.c.created_at,
        type_coerce(insights_cache.c.value, Text).label("value"),  # who decodes it, if anyone does, knows what it is
    ).where(
        insights_cache.c.workspace_id == bindparam("of"),
        insights_cache.c.expires_at > bindparam("now"),
        or_(*(insights_cache.c.cache_key == bindparam(slot) for slot in _SLOTS)),
    )
)


async def entries(rows: Rows, keys: Sequence[str], now: int) -> dict[str, Row]:
    """Those of at most LOOKED_UP entries that exist and have not expired, by key."""
    slots = dict.fromkeys(_SLOTS, "") | dict(zip(_SLOTS, keys, strict=False))
    return {row.cache_key: row for row in await rows.all(_ENTRIES, now=now, **slots)}
