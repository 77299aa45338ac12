"""Holding an idempotency key in the database, so that of all processes and requests one acts under it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, case, delete, null

from tools.store.engine import Statement, Store
from tools.store.tables import idempotency_keys
from tools.store.tenant import Rows

LEASE = dt.timedelta(seconds=60)
"""How long a call that gives no sign counts as running; each write it journals is a sign."""


@dataclass(frozen=True, slots=True)
class Claim:
    """That this request, and no other, may act under its key."""

    rows: Rows
    ours: tuple[ColumnElement[bool], ...]
    request_id: str
    key_digest: str

    def renewed(self, now_ms: int) -> Update:
        """For a transaction that is about to act. It fails where another request took the key over meanwhile."""
        return self._held().values(lease_until=now_ms + int(LEASE.total_seconds() * 1000))

    def concluded(self, status: str, answer: dict[str, Any]) -> Update:
        """Remember the answer, in the transaction of what it tells; this one fails as well."""
        return self._held().values(status=status, answer=answer)

    def given_back(self) -> Statement:
        held = idempotency_keys.c.request_id == self.request_id
        return self.rows.delete(idempotency_keys).where(*self.ours, held)

    def _held(self) -> Update:
        # Null where it must not be is the one refusal that every database gives in mid-transaction.
        holder = case((idempotency_keys.c.request_id == self.request_id, self.request_id), else_=null())
        return self.rows.update(idempotency_keys).where(*self.ours).values(request_id=holder)


async def forget_expired(store: Store, now_ms: int) -> int:
    """Over all workspaces; answers how many keys are free again."""
    expired = delete(idempotency_keys).where(idempotency_keys.c.expires_at <= now_ms)
    return await store.write(lambda tx: tx.run(expired))
