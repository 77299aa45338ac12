"""The journal of platform writes: intent is committed before a call, outcome after; nothing unclear is repeated."""

import asyncio
import datetime as dt
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar

from pydantic import JsonValue
from sqlalchemy import Insert

from tools import ids
from tools.context import Context
from tools.errors import CapabilityError, Conflict, PlatformFailure, Unavailable
from tools.leases import LASTS, Fenced, Leases
from tools.plan import Operation
from tools.ports import AdsPlatform, Applied, Credential, Observation, Observed
from tools.store.engine import ConstraintViolated, StoreUnavailable, Transaction
from tools.store.tables import approvals, insights_cache, platform_writes
from tools.store.tenant import Rows

T = TypeVar("T")


class WriteStatus(StrEnum):
    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one operation."""

    change_id: str
    campaign_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an operation has no receipt; its error's details say whether it may have been made."""

    change_id: str
    error: CapabilityError


@dataclass(frozen=True, slots=True)
class Planned:
    """One of several operations, and with what it is sent."""

    port: AdsPlatform
    credential: Credential
    operation: Operation
    inverse: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One operation under one journal row, and with what it is sent."""

    context: Context
    port: AdsPlatform
    credential: Credential
    operation: Operation
    change_id: str
    sent_at: dt.datetime


class Writes:
    """`context.writes`: with the door, the only code that commits."""

    def __init__(self, leases: Leases) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.leases = leases
        self.told: set[str] = set()  # change ids that recovery found in the audit log

    async def perform(
        self,
        context: Context,
        port: AdsPlatform,
        credential: Credential,
        operation: Operation,
        *,
        inverse: Mapping[str, JsonValue] | None,
        undoes: str | None = None,
    ) -> Receipt:
        """Send one operation once and journal it. A caller that goes away does not interrupt it."""
        write = _write(context, port, credential, operation)

        async def work() -> Receipt:
            await intend([(write, inverse)], undoes)
            await _in_time([write])
            return await _send(write)

        return await self._kept([write], work())

    async def perform_each(self, context: Context, planned: Sequence[Planned]) -> tuple[Receipt | Failure, ...]:
        """Send several operations, those of one account at once; what became of each, in order.

        All are journalled before the first is sent, so that whoever finds them later knows what was meant. Raises only
        while nothing has been sent. A caller that goes away does not interrupt it.
        """
        writes = [_write(context, each.port, each.credential, each.operation) for each in planned]

        async def work() -> tuple[Receipt | Failure, ...]:
            await intend([(write, each.inverse) for write, each in zip(writes, planned, strict=True)], None)
            await _in_time(writes)
            answers: dict[str, Receipt | Failure] = {}
            for _, some in groupby(sorted(writes, key=_account), key=_account):
                answers |= await _send_each(list(some), first=not answers)
            return tuple(answers[write.change_id] for write in writes)

        return await self._kept(writes, work())

    async def settle(self) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)

    async def outcome(
        self, context: Context, approval_id: str, *, nothing: WriteStatus = WriteStatus.FAILED
    ) -> WriteStatus:
        """Of all operations of an approval: unknown before failed, done if all are; `nothing` where none was sent."""
        rows = await context.rows.all(
            context.rows.select(platform_writes, platform_writes.c.status).where(
                platform_writes.c.approval_id == approval_id
            )
        )
        return overall(row.status for row in rows) if rows else nothing

    async def _kept(self, writes: Iterable[Write], work: Coroutine[Any, Any, T]) -> T:
        async def tracked() -> T:
            with self.leases.holding(*(write.change_id for write in writes)):
                return await work

        task = asyncio.create_task(tracked())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


def _write(context: Context, port: AdsPlatform, credential: Credential, operation: Operation) -> Write:
    return Write(
        context=context,
        port=port,
        credential=credential,
        operation=operation,
        change_id=ids.new("chg"),
        sent_at=context.clock(),
    )


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


def _intent(write: Write, inverse: Mapping[str, JsonValue] | None, undoes: str | None) -> Insert:
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


async def _in_time(writes: Sequence[Write]) -> None:
    """A process that stood still since the intent does not send: another may have noted by now that nothing came."""
    context = writes[0].context
    if context.clock() - writes[0].sent_at < LASTS / 2:
        return
    for write in writes:
        await _conclude(write, WriteStatus.FAILED, told=_told(_too_late()))
    raise _too_late()


async def _send(write: Write) -> Receipt:
    try:
        applied = Applied(await write.port.apply(write.credential, write.operation))
    except CapabilityError as error:
        applied = Applied(None, error)
    except BaseException as error:  # whatever happened to us, the platform may have the write
        await _conclude(write, WriteStatus.UNKNOWN, told={"error": type(error).__name__})
        raise
    return await _settled(write, applied)


async def _send_each(writes: Sequence[Write], *, first: bool) -> dict[str, Receipt | Failure]:
    port, credential = writes[0].port, writes[0].credential
    try:
        if not first:
            await _sent_now(writes)
        applied = await port.apply_each(credential, [write.operation for write in writes])
    except CapabilityError as error:
        applied = (Applied(None, error),) * len(writes)
    except BaseException as error:  # whatever happened to us, the platform may have the writes
        for write in writes:
            await _conclude(write, WriteStatus.UNKNOWN, told={"error": type(error).__name__})
        raise

    async def settled(write: Write, receipt: Applied) -> Receipt | Failure:
        try:
            return await _settled(write, receipt)
        except CapabilityError as error:
            return Failure(write.change_id, error)

    return {write.change_id: await settled(write, each) for write, each in zip(writes, applied, strict=True)}


async def _sent_now(writes: Sequence[Write]) -> None:
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


def _account(write: Write) -> tuple[str, str]:
    return str(write.operation.connectionId), str(write.operation.account_id)


async def _settled(write: Write, applied: Applied) -> Receipt:
    """Note what became of a write; one whose answer was lost is read back."""
    error, campaign_id = applied.error, applied.campaign_id
    told: dict[str, JsonValue] | None = None
    if error is not None:
        if error.details.get("outcome") != "unknown":
            await _conclude(write, WriteStatus.FAILED, told=_told(error))
            raise error
        campaign_id, told = await _read_back(write, error), {"confirmedBy": "reading back"}
    await _conclude(write, WriteStatus.DONE, campaign_id=campaign_id, told=told)
    return Receipt(write.change_id, str(campaign_id))


async def _read_back(write: Write, lost: CapabilityError) -> str:
    seen = await observed(write)
    if seen.observation is Observation.APPLIED and (campaign_id := seen.campaign_id or write.operation.campaign_id):
        return campaign_id
    await _conclude(write, WriteStatus.UNKNOWN, told=_told(lost) | {"readBack": seen.observation.value})
    raise PlatformFailure(
        f"The answer to this change was lost, and reading back did not confirm it. {lost.message}",
        fix="Look at the campaign before anything else. The change is not repeated by itself.",
        connection_id=write.operation.connectionId,
        platform=str(write.operation.platform),
        outcome="unknown",
        changeId=write.change_id,
    ) from None


async def _conclude(
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


def _told(error: CapabilityError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, **error.details}
