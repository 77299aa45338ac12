"""The rows of the journal: what is about to be sent, what became of it, and what the platform shows of it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from tools.context import Context
from tools.errors import CapabilityError, Conflict, Unavailable
from tools.leases import Fenced
from tools.plan import Operation
from tools.ports import AdsPlatform, Credential, Observation, Observed
from tools.store.engine import ConstraintViolated, Statement, StoreUnavailable, Transaction
from tools.store.tables import approvals, insights_cache, platform_writes
from tools.store.tenant import Rows


class WriteStatus(StrEnum):
    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One operation under one journal row, and with what it is sent."""

    context: Context
    port: AdsPlatform
    credential: Credential
    operation: Operation
    change_id: str
    sent_at: dt.datetime


async def intend(writes: Sequence[tuple[Write, Mapping[str, JsonValue] | None]], undoes: str | None) -> None:
    """Write down what is about to be sent, with its inverse; nothing is sent without it."""
    context = writes[0][0].context

    async def work(tx: Transaction) -> None:
        if context.claim is not None:
            await tx.run(context.claim.renewed(context.now_ms()))
        if context.approval_id is not None:
            await context.writes.leases.require(tx, context, approvals, context.approval_id)
        for write, inverse in writes:
            await tx.run(_intent(write, inverse, undoes))

    try:
        await context.store.write(work)
    except StoreUnavailable as unwritten:
        raise Unavailable(
            "The change could not be journalled, so it was not sent.",
            fix="Try again once the store can write.",
            outcome="not_sent",
        ) from unwritten
    except Fenced as taken:
        raise _too_late() from taken
    except ConstraintViolated as lost:
        raise Conflict(
            "Another call with the same idempotency key took over; this one was not sent.",
            fix="Send the same again: it answers what that call did.",
            outcome="not_sent",
        ) from lost


def _not_journalled() -> Unavailable:
    return Unavailable(
        "The change could not be journalled, so it was not sent.",
        fix="Try again once the store can write.",
        outcome="not_sent",
    )


def _intent(write: Write, inverse: Mapping[str, JsonValue] | None, undoes: str | None) -> Statement:
    context, operation = write.context, write.operation
    return context.rows.insert(
        platform_writes,
        id=write.change_id,
        approval_id=context.approval_id,
        request_id=context.request_id,
        principal_id=context.principal.id,
        via=context.principal.via,
        connection_id=operation.connectionId,
        platform=operation.platform,
        account_id=operation.account_id,
        campaign_id=operation.campaign_id,
        kind=operation.kind,
        fields=operation.fields,
        before=operation.before,
        inverse=dict(inverse) if inverse else None,
        undoes=undoes,
        status=WriteStatus.INTENT,
        created_at=context.now_ms(),
        **context.writes.leases.fresh(context.now_ms()),
    )


def _too_late() -> Unavailable:
    return Unavailable(
        "This took so long that another process settled it; nothing was sent.",
        fix="Look at list_changes, then propose the change again.",
        outcome="not_sent",
    )


async def in_time(writes: Sequence[Write]) -> None:
    """A process that stood still since the intent does not send: another may have noted by now that nothing came."""
    context = writes[0].context
    if context.clock() - writes[0].sent_at < context.writes.leases.lasts / 2:
        return
    for write in writes:
        await note(write, WriteStatus.FAILED, told=told_of(_too_late()))
    raise _too_late()


async def date_anew(writes: Sequence[Write]) -> None:
    """They waited for those before them: how long a write may still arrive counts from when it is sent."""
    context, now = writes[0].context, writes[0].context.now_ms()

    async def work(tx: Transaction) -> None:
        for write in writes:
            await context.writes.leases.require(tx, context, platform_writes, write.change_id)
            ours = context.rows.update(platform_writes).where(platform_writes.c.id == write.change_id)
            await tx.run(ours.values(created_at=now))

    try:
        await context.store.write(work)
    except Fenced as taken:
        raise _too_late() from taken
    except StoreUnavailable as unwritten:
        raise _not_journalled() from unwritten


async def note(
    write: Write,
    status: WriteStatus,
    *,
    campaign_id: str | None = None,
    told: dict[str, JsonValue] | None = None,
) -> None:
    context, at = write.context, campaign_id or write.operation.campaign_id
    now = context.now_ms()

    async def work(tx: Transaction) -> None:
        await context.writes.leases.require(tx, context, platform_writes, write.change_id)
        await conclude(tx, context.rows, write.change_id, write.operation, status, campaign_id=at, told=told, now=now)

    try:
        await context.store.write(work)
    except Fenced as taken:
        raise Unavailable(
            f"{_SENT[status]}, but it took so long that another process had noted what it saw.",
            fix="Look at list_changes. Do not repeat the change.",
            outcome="refused" if status is WriteStatus.FAILED else status.value,
        ) from taken
    except StoreUnavailable as unwritten:  # the journal still says intent, which recovery will look into
        raise Unavailable(
            f"{_SENT[status]}, but that could not be stored.",
            fix="Look at list_changes once the store can write again. Do not repeat the change.",
            outcome="refused" if status is WriteStatus.FAILED else status.value,
        ) from unwritten


_SENT = {
    WriteStatus.DONE: "The change was made",
    WriteStatus.FAILED: "The platform did not make the change",
    WriteStatus.UNKNOWN: "Whether the change was made is not known",
}


def overall(states: Iterable[str]) -> WriteStatus:
    found = set(states)
    if found & {WriteStatus.UNKNOWN, WriteStatus.INTENT}:
        return WriteStatus.UNKNOWN
    return WriteStatus.DONE if found == {WriteStatus.DONE} else WriteStatus.FAILED


async def conclude(
    tx: Transaction,
    rows: Rows,
    change_id: str,
    operation: Operation,
    status: WriteStatus,
    *,
    campaign_id: str | None,
    told: dict[str, JsonValue] | None,
    now: int,
) -> None:
    """Write down what became of an operation, and forget the figures its account was remembered by."""
    await tx.run(
        rows.update(platform_writes)
        .where(platform_writes.c.id == change_id)
        .values(status=status, campaign_id=campaign_id, outcome=told, finished_at=now)
    )
    if status is WriteStatus.DONE:
        undone = rows.select(platform_writes, platform_writes.c.undoes).where(platform_writes.c.id == change_id)
        await tx.run(
            rows.update(platform_writes)
            .where(platform_writes.c.id == undone.scalar_subquery())
            .values(undone_by=change_id)
        )
    await tx.run(
        rows.delete(insights_cache).where(
            insights_cache.c.connection_id == operation.connectionId,
            insights_cache.c.account_id == operation.account_id,
        )
    )


async def observed(write: Write) -> Observed:
    """Ask the platform what it has now; not being able to ask is as unclear as an unclear answer."""
    try:
        seen = await write.port.observe(write.credential, write.operation, write.sent_at)
    except CapabilityError:
        return Observed(Observation.UNCLEAR)
    if write.operation.campaign_id is None and seen.campaign_id and await _is_known(write, seen.campaign_id):
        return Observed(Observation.UNCLEAR)  # of the same name, and created by another change
    return seen


async def _is_known(write: Write, campaign_id: str) -> bool:
    rows = write.context.rows
    others = rows.select(platform_writes, platform_writes.c.id).where(
        platform_writes.c.campaign_id == campaign_id, platform_writes.c.id != write.change_id
    )
    return await rows.first(others) is not None


def told_of(error: CapabilityError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, **error.details}
