"""`ad_sync_logs`: one append-only row a call, chained by hash per workspace, committed in groups."""

import asyncio
import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import bindparam, insert, select, union, update
from sqlalchemy.dialects.postgresql import insert as insert_on_conflict

from tools.secret import redact
from tools.store.engine import Statement, Store, StoreUnavailable, Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import ad_sync_logs, audit_heads

logger = logging.getLogger(__name__)

GENESIS: Final = "0" * 64
FLUSH_SECONDS: Final = 0.1
FLUSH_ROWS: Final = 500
RETRY_SECONDS: Final = 1.0
KEPT_ROWS: Final = 10_000
MINUTE_MS: Final = 60_000
_PAGE = 1000

# What the hash covers, in this order; the payload only by its digest, so that a purge still verifies.
_CHAINED = (
    "workspace_id", "seq", "at", "request_id", "action", "status", "error_message", "principal_id", "via",
    "approval_id", "cache_key", "payload_digest",
)  # fmt: skip
_content = itemgetter(*_CHAINED)

_HEAD = Prepared(select(audit_heads.c.seq, audit_heads.c.hash).where(audit_heads.c.workspace_id == bindparam("of")))
_SET_HEAD = Prepared(
    insert_on_conflict(audit_heads)
    .values(workspace_id=bindparam("of"), seq=bindparam("to_seq"), hash=bindparam("to_hash"))
    .on_conflict_do_update(
        index_elements=["workspace_id"], set_={"seq": bindparam("to_seq"), "hash": bindparam("to_hash")}
    )
)
_INSERT = Prepared(insert(ad_sync_logs))
_PAGE_AFTER = Prepared(
    select(ad_sync_logs)
    .where(ad_sync_logs.c.workspace_id == bindparam("of"), ad_sync_logs.c.seq > bindparam("after"))
    .order_by(ad_sync_logs.c.seq)
    .limit(_PAGE)
)


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


class Entry(NamedTuple):
    """One call as the log tells it. `payload` is JSON, its secrets hidden by their type; what only looks like one is
    masked on the way in. `at` is when the outcome was known, in ms."""

    workspace_id: str
    at: int
    request_id: str
    action: str
    status: str
    principal_id: str
    via: str
    error_message: str | None = None
    approval_id: str | None = None
    cache_key: str | None = None
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading a chain from its first row found. `rows` were good before `first_bad_seq`."""

    ok: bool
    rows: int
    first_bad_seq: int | None = None
    problem: str | None = None


async def append(transaction: Transaction, entries: Iterable[Entry]) -> None:
    """Write entries at the end of their chains, inside the caller's transaction."""
    by_workspace: dict[str, list[Entry]] = {}
    for entry in entries:
        by_workspace.setdefault(entry.workspace_id, []).append(entry)
    for workspace_id, ours in by_workspace.items():
        # Read inside the transaction, not remembered: one lookup a flush, and no state that a rollback could spoil.
        head = await transaction.first(_HEAD, of=workspace_id)
        rows = _chained(ours, *(head or (0, GENESIS)))
        await transaction.run_many(_INSERT, rows)
        await transaction.run(_SET_HEAD, of=workspace_id, to_seq=rows[-1]["seq"], to_hash=rows[-1]["hash"])


def _chained(entries: list[Entry], seq: int, previous: str) -> list[dict[str, Any]]:
    rows = []
    for entry in entries:
        seq += 1
        row = entry._asdict()
        row["seq"], row["payload_digest"], row["previous_hash"] = seq, None, previous
        if entry.error_message and "\0" in entry.error_message:  # PostgreSQL would keep another text than the digest's
            row["error_message"] = entry.error_message.replace("\0", "\ufffd")
        if entry.payload is not None:
            row["payload"] = payload = redact(_json(entry.payload).decode())
            row["payload_digest"] = hashlib.sha256(payload.encode()).hexdigest()
        try:
            previous = _digest(previous, row)
        except TypeError:  # lone surrogates, which neither hash nor database take
            row = {name: _encodable(value) for name, value in row.items()}
            previous = _digest(previous, row)
        row["hash"], row["id"] = previous, _id(previous)
        rows.append(row)
    return rows


def _json(payload: Any) -> bytes:
    """What a caller sent may be no proper JSON; its row is written all the same, or the log would stop at it."""
    try:
        return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        try:
            return json.dumps(payload, default=str, skipkeys=True).encode()
        except (RecursionError, ValueError):
            return b'"unreadable"'


def _encodable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _digest(previous: str, row: Mapping[str, Any]) -> str:
    return hashlib.sha256(previous.encode() + orjson.dumps(_content(row))).hexdigest()


def _id(digest: str) -> str:
    return f"log_{digest[:20]}"


async def verify(store: Store, workspace_id: str) -> Verification:
    """Recompute a workspace's chain: finds edited, removed, reordered and cut-off rows; purged payloads are fine.

    Whoever rewrites the whole chain and its head is not found out: for that, keep a copy of the head elsewhere.
    """
    return await store.scan(lambda transaction: _verify(transaction, workspace_id))


async def verify_all(store: Store) -> dict[str, Verification]:
    """Every chain there is or should be, by workspace."""
    everyone = union(select(ad_sync_logs.c.workspace_id), select(audit_heads.c.workspace_id)).order_by("workspace_id")
    found = await store.scan(lambda transaction: transaction.all(everyone))
    return {row.workspace_id: await verify(store, row.workspace_id) for row in found}


async def _verify(transaction: Transaction, workspace_id: str) -> Verification:
    seq, previous = 0, GENESIS
    while page := await transaction.all(_PAGE_AFTER, of=workspace_id, after=seq):
        for row in page:
            if problem := _problem(row, seq + 1, previous):
                return Verification(False, seq, seq + 1, problem)
            seq, previous = row.seq, row.hash
    head = await transaction.first(_HEAD, of=workspace_id)
    if (seq, previous) != (head or (0, GENESIS)):
        return Verification(
            False, seq, seq + 1, f"the chain ends at row {seq}, its head says {head.seq if head else 0}"
        )
    return Verification(True, seq)


def _problem(row: Row, seq: int, previous: str) -> str | None:
    if row.seq != seq:
        return f"row {seq} is missing"
    if row.previous_hash != previous:
        return "the row does not follow the one before it"
    if (_digest(previous, row.as_dict()), _id(row.hash)) != (row.hash, row.id):
        return "the row was changed"
    if row.payload is not None and hashlib.sha256(row.payload.encode()).hexdigest() != row.payload_digest:
        return "the payload was changed"
    return None


async def purge_payloads(store: Store, workspace_id: str, before: int) -> int:
    """Forget what calls older than `before` (ms) carried; that they happened stays, and still verifies."""
    old = (ad_sync_logs.c.workspace_id == workspace_id) & (ad_sync_logs.c.at < before)
    statement = update(ad_sync_logs).where(old, ad_sync_logs.c.payload.is_not(None)).values(payload=None)
    return await store.write(lambda transaction: transaction.run(statement))


class AuditLog:
    """Takes the rows of calls. What cannot be written is kept and retried, within bounds, and `healthy` says so."""

    def __init__(self, store: Store, clock: Callable[[], int] = wall_clock) -> None:
        self.healthy = True
        self.dropped = 0
        self._store = store
        self._clock = clock
        self._queue: list[Entry] = []
        self._rollups: dict[tuple[str, ...], _Rollup] = {}
        self._sending: set[asyncio.Future[None]] = set()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._minute_timer: asyncio.TimerHandle | None = None

    async def record(
        self, entry: Entry, *, durable: bool = False, with_: Sequence[Statement | Work[int]] = ()
    ) -> list[int]:
        """Queue an entry; or, when durable, commit it now with these statements and answer the rows each touched.

        A durable one is written after everything queued before it. Raises StoreUnavailable: then nothing of it was.
        """
        if not durable:
            if with_:
                raise ValueError("statements are committed with a durable entry only")
            self._enqueue([entry])
            return []

        async def write(transaction: Transaction) -> list[int]:
            touched = [await (step(transaction) if callable(step) else transaction.run(step)) for step in with_]
            await append(transaction, [entry])
            return touched

        self._send()
        try:
            touched = await self._store.turn(entry.workspace_id).write(write)
        except StoreUnavailable:
            self.healthy = False
            raise
        self.healthy = True
        return touched

    def record_rollup(self, entry: Entry) -> None:
        """Count a call that is one of many; a principal's calls of one status become one row when the minute ends."""
        key = (entry.workspace_id, entry.principal_id, entry.via, entry.status)
        rollup = self._rollups.setdefault(key, _Rollup(entry))
        rollup.latest = entry
        rollup.actions[entry.action] += 1
        if self._minute_timer is None:
            rest = (MINUTE_MS - self._clock() % MINUTE_MS) / 1000
            self._minute_timer = asyncio.get_running_loop().call_later(rest, self._end_minute)

    async def flush(self) -> None:
        """Write what is queued; afterwards `healthy` tells whether it could be."""
        self._send()
        while self._sending:
            await asyncio.wait(self._sending)

    async def close(self) -> None:
        """Write everything, the running minute included; what cannot be written now is lost and counted."""
        self._end_minute()
        await self.flush()
        self._stop_timer()
        self.dropped += len(self._queue)
        self._queue = []

    def _enqueue(self, entries: Sequence[Entry]) -> None:
        room = KEPT_ROWS - len(self._queue)
        self.dropped += max(0, len(entries) - room)
        self._queue.extend(entries[: max(0, room)])
        if self.healthy and len(self._queue) >= FLUSH_ROWS:
            self._send()
        elif self._flush_timer is None:
            self._start_timer(FLUSH_SECONDS)

    def _send(self) -> None:
        self._stop_timer()
        if not self._queue:
            return
        entries, self._queue = self._queue, []
        chains: dict[str, list[Entry]] = {}
        for entry in entries:
            chains.setdefault(entry.workspace_id, []).append(entry)
        for chain in chains.values():
            self._submit(chain)

    def _submit(self, entries: list[Entry]) -> None:
        try:
            sending = self._store.turn(entries[0].workspace_id).submit(lambda transaction: append(transaction, entries))
        except StoreUnavailable:
            self._keep(entries)
            return
        self._sending.add(sending)
        sending.add_done_callback(lambda sent: self._sent(sent, entries))

    def _sent(self, sent: asyncio.Future[None], entries: list[Entry]) -> None:
        self._sending.discard(sent)
        error = sent.exception()
        if error is None:
            self.healthy = True
        elif isinstance(error, StoreUnavailable):
            self._keep(entries)
        elif len(entries) > 1:  # one of them is refused for what it is: find it, so that it holds up no other
            for entry in entries:
                self._submit([entry])
        else:
            self.dropped += 1
            logger.error("an audit row of %s was refused: %s", entries[0].action, error)

    def _keep(self, entries: list[Entry]) -> None:
        self.healthy = False
        newer, self._queue = self._queue, []
        self._enqueue([*entries, *newer])
        self._stop_timer()
        self._start_timer(RETRY_SECONDS)

    def _end_minute(self) -> None:
        if self._minute_timer is not None:
            self._minute_timer.cancel()
            self._minute_timer = None
        rollups, self._rollups = self._rollups, {}
        if rollups:
            self._enqueue([rollup.entry() for rollup in rollups.values()])

    def _start_timer(self, seconds: float) -> None:
        self._flush_timer = asyncio.get_running_loop().call_later(seconds, self._send)

    def _stop_timer(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None


@dataclass(slots=True)
class _Rollup:
    latest: Entry
    actions: Counter[str] = field(default_factory=Counter)

    def entry(self) -> Entry:
        """The row of the whole minute, told as its latest call with the counts."""
        action = self.latest.action if len(self.actions) == 1 else "several"
        return self.latest._replace(
            action=action, payload={"count": self.actions.total(), "actions": dict(self.actions)}
        )
