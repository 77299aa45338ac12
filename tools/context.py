"""Everything a handler may touch, handed to it; built by the door for one call."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tools.analytics import Arrivals, PipeStore
from tools.authority import Principal
from tools.fields import Platform
from tools.ports import AdsPlatform
from tools.store.cached import Keeping
from tools.store.claims import Claim
from tools.store.engine import Store
from tools.store.sealing import KeyRing
from tools.store.tenant import Rows

if TYPE_CHECKING:  # these use a context themselves
    from tools.gate import Gate
    from tools.writes import Writes

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""(done, total or None, message): shown by faces that can, ignored by the others."""


async def no_progress(done: float, total: float | None, message: str) -> None:
    """For faces that show none."""


@dataclass(frozen=True, slots=True)
class AskedIn:
    """The conversation, and the call in it, that an approval answers to."""

    conversation_id: str
    tool_use_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    principal: Principal
    request_id: str
    store: Store
    rows: Rows  # this workspace's, and no other's
    platforms: Mapping[Platform, AdsPlatform]
    keyring: KeyRing
    clock: Callable[[], dt.datetime]  # aware, UTC
    public_url: str  # without a trailing slash
    gate: "Gate"
    writes: "Writes"
    pipes: PipeStore
    arrivals: Arrivals
    keeping: Keeping
    chat_month_usd: Decimal  # what the chat may cost a workspace that set no limit of its own
    progress: Progress = field(default=no_progress)
    cache_keys: set[str] = field(default_factory=set)  # of the entries the answer is made of; the audit row names them
    approval_id: str | None = None  # set while an agreed plan is applied
    agreed: Mapping[str, Any] | None = None  # that plan as it was shown: the targets of a bulk change are fixed in it
    claim: Claim | None = None  # set where the caller sent an idempotency key
    asked_in: AskedIn | None = None  # set where a model asks, in a conversation

    def cache_key(self) -> str | None:
        """The entry the answer is made of; of several, a digest of their keys."""
        if not self.cache_keys:
            return None
        keys = sorted(self.cache_keys)
        return sha256(",".join(keys).encode()).hexdigest() if len(keys) > 1 else keys[0]

    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    def applying(
        self,
        principal: Principal,
        approval_id: str,
        rows: Rows,
        asked_in: AskedIn | None,
        agreed: Mapping[str, Any] | None = None,
    ) -> "Context":
        """For the time an agreed plan is applied: whose change it is, under which approval, with a stage of its own."""
        return replace(self, principal=principal, approval_id=approval_id, rows=rows, asked_in=asked_in, agreed=agreed)
