"""The statements behind every answer from the cache: several entries at once, their values still JSON text."""

from collections.abc import Sequence

from sqlalchemy import Text, bindparam, or_, select, type_coerce

from tools.store.statements import Prepared, Row
from tools.store.tables import insights_cache, platform_writes
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
_WRITTEN_SINCE = Prepared(
    select(platform_writes.c.id)
    .where(
        platform_writes.c.workspace_id == bindparam("of"),
        platform_writes.c.connection_id == bindparam("connection_id"),
        platform_writes.c.account_id == bindparam("account_id"),
        or_(platform_writes.c.finished_at.is_(None), platform_writes.c.finished_at >= bindparam("asked_at")),
    )
    .limit(1)
)


async def entries(rows: Rows, keys: Sequence[str], now: int) -> dict[str, Row]:
    """Those of at most LOOKED_UP entries that exist and have not expired, by key."""
    slots = dict.fromkeys(_SLOTS, "") | dict(zip(_SLOTS, keys, strict=False))
    return {row.cache_key: row for row in await rows.all(_ENTRIES, now=now, **slots)}


async def written_since(rows: Rows, connection_id: str, account_id: str, asked_at: int) -> bool:
    """A write in between has dropped this account's entries; what was read beside it may be older than the write."""
    about = {"connection_id": connection_id, "account_id": account_id}
    return bool(await rows.all(_WRITTEN_SINCE, asked_at=asked_at, **about))
