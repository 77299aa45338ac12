"""What a stopped process left behind, told and never repeated: writes without outcome, approvals half applied."""

import datetime as dt
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from tools import ids
from tools.approval import ApprovalStatus
from tools.authority import Principal, Role, Via
from tools.context import Context
from tools.conversations.store import ResultState, Status
from tools.errors import CapabilityError
from tools.invoke import Door
from tools.journal import Write, WriteStatus, conclude, observed, overall
from tools.plan import Operation
from tools.ports import Observation, Observed
from tools.store.audit import AuditLog, Entry, append
from tools.store.engine import Store, Transaction
from tools.store.statements import Row
from tools.store.tables import ad_sync_logs, approvals, chat_results, chat_sessions, platform_writes
from tools.targets import all_connections, port_for, unsealed

EARLY = "Adwright stopped before anything was sent. Propose the change again."
UNSEEN = "Adwright stopped while this was being sent, and reading back does not confirm it. Look at the campaign first."
NEWEST = 50
IN_TRANSIT = dt.timedelta(seconds=60)
"""How long a write may still arrive after the process that sent it is gone; until then "not there" proves nothing."""
PARTIAL = "Adwright stopped while this was being applied; look at list_changes for what was done."


@dataclass(frozen=True, slots=True)
class Recovered:
    writes: int
    approvals: int


async def recover(door: Door, store: Store, audit: AuditLog) -> Recovered:
    """Settle every write and approval that no running task of this process is about to settle itself."""
    writes = [row for row in await _unsettled_writes(store) if await _settle_write(door, store, row)]
    executing = [row for row in await _executing(store) if await _settle_approval(door, store, row, audit)]
    await audit.flush()
    await _tell_untold(door, store)
    return Recovered(len(writes), len(executing))


async def unsettled(store: Store, now_ms: int) -> bool:
    """Whether anything waits for a person or is being applied, in any workspace."""
    open_states = (approvals.c.status == ApprovalStatus.EXECUTING) | (
        (approvals.c.status == ApprovalStatus.PENDING) & (approvals.c.expires_at > now_ms)
    )
    waiting = select(approvals.c.id).where(open_states).limit(1)
    sending = select(platform_writes.c.id).where(platform_writes.c.status == WriteStatus.INTENT).limit(1)
    talking = select(chat_sessions.c.id).where(chat_sessions.c.status == Status.RUNNING).limit(1)

    async def work(tx: Transaction) -> bool:
        return any([await tx.first(statement) is not None for statement in (waiting, sending, talking)])

    return await store.scan(work)


async def unfinished_turns(store: Store, now_ms: int, left_before: int) -> list[tuple[str, str]]:
    """(workspace, conversation) of each turn to go on with: its lease ended by then, or what it waited for came."""
    left = select(chat_sessions.c.workspace_id, chat_sessions.c.id).where(
        chat_sessions.c.status == Status.RUNNING, chat_sessions.c.lease_until <= left_before
    )
    came = approvals.c.status.not_in([ApprovalStatus.PENDING, ApprovalStatus.EXECUTING])
    lapsed = (approvals.c.status == ApprovalStatus.PENDING) & (approvals.c.expires_at <= now_ms)
    decided = (
        select(chat_sessions.c.workspace_id, chat_sessions.c.id)
        .join_from(chat_results, approvals, approvals.c.id == chat_results.c.approval_id)
        .join(
            chat_sessions,
            (chat_sessions.c.id == chat_results.c.conversation_id)
            & (chat_sessions.c.workspace_id == chat_results.c.workspace_id),
        )
        .where(chat_results.c.state == ResultState.WAITING, chat_sessions.c.status == Status.WAITING, came | lapsed)
        .distinct()
    )

    async def work(tx: Transaction) -> list[tuple[str, str]]:
        return [(row.workspace_id, row.id) for each in (left, decided) for row in await tx.all(each)]

    return await store.scan(work)


def _context(door: Door, workspace: str) -> Context:
    adwright = Principal(
        id="operator",
        name="Adwright",
        user="operator",
        workspace=workspace,
        role=Role.OWNER,
        scopes=Role.OWNER.scopes,
        via=Via.OPERATOR,
    )
    return door.context(adwright, ids.request_id())


async def _unsettled_writes(store: Store) -> list[Row]:
    """Over all workspaces: the one reader besides identity that runs before a workspace is known."""
    return await store.scan(
        lambda tx: tx.all(select(platform_writes).where(platform_writes.c.status == WriteStatus.INTENT))
    )


async def _executing(store: Store) -> list[Row]:
    return await store.scan(lambda tx: tx.all(select(approvals).where(approvals.c.status == ApprovalStatus.EXECUTING)))


async def _settle_write(door: Door, store: Store, row: Row) -> bool:
    context = _context(door, row.workspace_id)
    # Asked again, for a task of this process may have finished it since; between here and there nothing else runs.
    now = await context.rows.first(context.rows.select(platform_writes).where(platform_writes.c.id == row.id))
    if now is None or now.status != WriteStatus.INTENT or not door.leases.has_lapsed(now, context.now_ms(), store):
        return False
    with door.leases.holding(row.id):
        if not await door.leases.take_over(context, platform_writes, now):
            return False
        await _conclude(context, now)
    return True


async def _conclude(context: Context, row: Row) -> None:
    age = dt.timedelta(milliseconds=context.now_ms() - row.created_at)
    seen = await _read_back(context, row)
    status = {
        Observation.APPLIED: WriteStatus.DONE,
        Observation.NOT_APPLIED: WriteStatus.FAILED if age >= IN_TRANSIT else WriteStatus.UNKNOWN,
        Observation.UNCLEAR: WriteStatus.UNKNOWN,
    }[seen.observation]

    async def work(tx: Transaction) -> None:
        await conclude(
            tx,
            context.rows,
            row.id,
            _operation(row),
            status,
            campaign_id=seen.campaign_id or row.campaign_id,
            told={"recovered": True, "readBack": seen.observation.value},
            now=context.now_ms(),
        )

    await context.store.write(work)


def _operation(row: Row) -> Operation:
    return Operation(
        kind=row.kind,
        connectionId=row.connection_id,
        platform=row.platform,
        account_id=row.account_id,
        campaign_id=row.campaign_id,
        fields=row.fields,
        before=row.before or {},
    )


async def _read_back(context: Context, row: Row) -> Observed:
    try:
        (connection,) = await all_connections(context, connection_id=row.connection_id)
        write = Write(
            context=context,
            port=port_for(context, connection),
            credential=unsealed(context, connection),
            operation=_operation(row),
            change_id=row.id,
            sent_at=dt.datetime.fromtimestamp(row.created_at / 1000, dt.UTC),
        )
    except CapabilityError:  # disconnected since, or its credentials unreadable: nobody can look any more
        return Observed(Observation.UNCLEAR)
    return await observed(write)


async def _settle_approval(door: Door, store: Store, row: Row, audit: AuditLog) -> bool:
    context = _context(door, row.workspace_id)
    now = await context.rows.first(context.rows.select(approvals).where(approvals.c.id == row.id))
    if now is None or now.status != ApprovalStatus.EXECUTING:
        return False
    if not door.leases.has_lapsed(now, context.now_ms(), store):
        return False
    with door.leases.holding(row.id):
        if not await door.leases.take_over(context, approvals, now):
            return False
        await _tell(context, now, audit)
    door.gate.tell(await door.gate.find(context, row.id))
    return True


async def _tell(context: Context, row: Row, audit: AuditLog) -> None:
    journal = await context.rows.all(
        context.rows.select(platform_writes).where(platform_writes.c.approval_id == row.id)
    )
    status, message = _verdict(journal)
    result = {"recovered": True, "changes": [write.id for write in journal]} if journal else None
    error = {"code": "internal", "message": message} if message else None
    update = (
        context.rows.update(approvals)
        .where(approvals.c.id == row.id, approvals.c.status == ApprovalStatus.EXECUTING)
        .values(status=status, result=result, error=error, updated_at=context.now_ms())
    )
    entry = Entry(
        workspace_id=row.workspace_id,
        at=context.now_ms(),
        request_id=context.request_id,
        action=row.capability,
        status="ok" if status is ApprovalStatus.DONE else status.value,
        error_message=message,
        principal_id=row.requested_by,
        via=row.via,
        approval_id=row.id,
        payload={"arguments": row.arguments, "decidedBy": row.decided_by, "outcome": status.value, "recovered": True},
    )
    await audit.record(entry, durable=True, with_=[update])


def _verdict(journal: list[Row]) -> tuple[ApprovalStatus, str | None]:
    """First-party records are committed together with `done`, so without a journal nothing happened."""
    match overall(write.status for write in journal):
        case WriteStatus.DONE:
            return ApprovalStatus.DONE, None
        case WriteStatus.UNKNOWN:
            return ApprovalStatus.UNKNOWN, UNSEEN
    return ApprovalStatus.FAILED, PARTIAL if any(write.status == WriteStatus.DONE for write in journal) else EARLY


async def _tell_untold(door: Door, store: Store) -> None:
    """The audit row of a write that nobody had to agree to, where its call ended before it could write one.

    Only the newest can lack theirs: a process that cannot write its log takes no further writes.
    """
    direct = (
        select(platform_writes)
        .where(platform_writes.c.approval_id.is_(None), platform_writes.c.status != WriteStatus.INTENT)
        .order_by(platform_writes.c.created_at.desc())
        .limit(NEWEST)
    )
    now = int(door.clock().timestamp() * 1000)
    for row in await store.scan(lambda tx: tx.all(direct)):
        if row.request_id in door.running or row.id in door.writes.told:
            continue
        if row.lease_holder == door.leases.holder or door.leases.has_lapsed(row, now, store):
            await store.write(partial(_tell_once, row=row, late=_late(door, row)))
            door.writes.told.add(row.id)


async def _tell_once(tx: Transaction, *, row: Row, late: Entry) -> None:
    known = (
        select(ad_sync_logs.c.seq)
        .where(ad_sync_logs.c.workspace_id == row.workspace_id, ad_sync_logs.c.request_id == row.request_id)
        .limit(1)
    )
    if await tx.first(known) is None:
        await append(tx, [late])


def _late(door: Door, row: Row) -> Entry:
    return Entry(
        workspace_id=row.workspace_id,
        at=int(door.clock().timestamp() * 1000),
        request_id=row.request_id,
        action=row.kind,
        status="ok" if row.status == WriteStatus.DONE else row.status,
        error_message=None if row.status == WriteStatus.DONE else UNSEEN,
        principal_id=row.principal_id,
        via=row.via,
        payload={"fields": row.fields, "change_id": row.id, "recovered": True},
    )
