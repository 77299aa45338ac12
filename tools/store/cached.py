"""The statements behind every answer from the cache, several entries at once; and the commits of what is kept, which
no answer waits for."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, or_, select

from tools.store.engine import Store, StoreUnavailable, Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import insights_cache, platform_writes
from tools.store.tenant import Rows

logger = logging.getLogger(__name__)

LOOKED_UP = 20
"""Entries in one statement."""
MOST_BYTES = 8 << 20
"""Of what is held in memory: to read a list of thousands from the database costs more than to send it."""

_SLOTS = [f"key{at}" for at in range(LOOKED_UP)]
_ENTRIES = Prepared(
    select(
        insights_cache.c.cache_key,
        insights_cache.c.created_at,
        insights_cache.c.expires_at,
        insights_cache.c.value,
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


async def written_since(transaction: Transaction, rows: Rows, about: Mapping[str, str], asked_at: int) -> bool:
    """A write in between has dropped this account's entries; what was read beside it may be older than the write."""
    account = {"connection_id": about["connection_id"], "account_id": about["account_id"]}
    found = await transaction.first(_WRITTEN_SINCE, of=rows.workspace_id, asked_at=asked_at, **account)
    return found is not None


class Keeping:
    """What is kept, and what is on its way there: the next one who looks waits for it. Not to be kept fails no answer.

    What was read is held until an entry of anybody is written, where no other process writes any.
    """

    def __init__(self, store: Store) -> None:
        self._under_way: set[asyncio.Future[None]] = set()
        self._changes = store.changes_to(insights_cache)
        self._as_of = -1
        self._held: dict[tuple[str, str], Row] = {}
        self._bytes = 0

    async def entries(self, rows: Rows, keys: Sequence[str], now: int) -> dict[str, Row]:
        """Those of at most LOOKED_UP entries that exist and have not expired, by key."""
        if self._changes is not None and self._as_of != (as_of := self._changes.count):  # before the reading
            self._forget(as_of)
        held = {key: row for key in keys if (row := self._held.get((rows.workspace_id, key))) is not None}
        found = {key: row for key, row in held.items() if row.expires_at > now}
        if asked := [key for key in keys if key not in held]:
            slots = dict.fromkeys(_SLOTS, "") | dict(zip(_SLOTS, asked, strict=False))
            for row in await rows.all(_ENTRIES, now=now, **slots):
                found[row.cache_key] = row
                self._hold(rows.workspace_id, row)
        return found

    def submit(self, store: Store, works: Sequence[Work[int]]) -> None:
        async def all_of_them(transaction: Transaction) -> None:
            for work in works:
                await work(transaction)

        try:
            keeping = store.submit(all_of_them)
        except StoreUnavailable as down:
            logger.warning("nothing is kept: %s", down)
            return
        self._under_way.add(keeping)
        keeping.add_done_callback(self._kept)

    async def settled(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _forget(self, as_of: int) -> None:
        self._held.clear()
        self._as_of, self._bytes = as_of, 0

    def _hold(self, workspace_id: str, row: Row) -> None:
        if self._changes is None or len(row.value) > MOST_BYTES:
            return
        if self._bytes + len(row.value) > MOST_BYTES:
            self._forget(self._as_of)
        self._held[workspace_id, row.cache_key] = row
        self._bytes += len(row.value)

    def _kept(self, keeping: "asyncio.Future[None]") -> None:
        self._under_way.discard(keeping)
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            logger.warning("nothing is kept: %s", error)
