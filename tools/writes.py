"""Platform writes: intent is committed before a call, outcome after; nothing unclear is repeated."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from pydantic import JsonValue

from tools import ids
from tools.context import Context
from tools.errors import CapabilityError, PlatformFailure
from tools.journal import Write, WriteStatus, date_anew, in_time, intend, note, observed, overall, told_of
from tools.leases import Leases
from tools.plan import Operation
from tools.ports import AdsPlatform, Applied, Credential, Observation
from tools.store.tables import platform_writes

T = TypeVar("T")


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
            await in_time([write])
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
            await in_time(writes)
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


async def _send(write: Write) -> Receipt:
    try:
        applied = Applied(await write.port.apply(write.credential, write.operation))
    except CapabilityError as error:
        applied = Applied(None, error)
    except BaseException as error:  # whatever happened to us, the platform may have the write
        await note(write, WriteStatus.UNKNOWN, told={"error": type(error).__name__})
        raise
    return await _settled(write, applied)


async def _send_each(writes: Sequence[Write], *, first: bool) -> dict[str, Receipt | Failure]:
    port, credential = writes[0].port, writes[0].credential
    try:
        if not first:
            await date_anew(writes)
        applied = await port.apply_each(credential, [write.operation for write in writes])
    except CapabilityError as error:
        applied = (Applied(None, error),) * len(writes)
    except BaseException as error:  # whatever happened to us, the platform may have the writes
        for write in writes:
            await note(write, WriteStatus.UNKNOWN, told={"error": type(error).__name__})
        raise

    async def settled(write: Write, receipt: Applied) -> Receipt | Failure:
        try:
            return await _settled(write, receipt)
        except CapabilityError as error:
            return Failure(write.change_id, error)

    return {write.change_id: await settled(write, each) for write, each in zip(writes, applied, strict=True)}


def _account(write: Write) -> tuple[str, str]:
    return str(write.operation.connectionId), str(write.operation.account_id)


async def _settled(write: Write, applied: Applied) -> Receipt:
    """Note what became of a write; one whose answer was lost is read back."""
    error, campaign_id = applied.error, applied.campaign_id
    told: dict[str, JsonValue] | None = None
    if error is not None:
        if error.details.get("outcome") != "unknown":
            await note(write, WriteStatus.FAILED, told=told_of(error))
            raise error
        campaign_id, told = await _read_back(write, error), {"confirmedBy": "reading back"}
    await note(write, WriteStatus.DONE, campaign_id=campaign_id, told=told)
    return Receipt(write.change_id, str(campaign_id))


async def _read_back(write: Write, lost: CapabilityError) -> str:
    seen = await observed(write)
    if seen.observation is Observation.APPLIED and (campaign_id := seen.campaign_id or write.operation.campaign_id):
        return campaign_id
    await note(write, WriteStatus.UNKNOWN, told=told_of(lost) | {"readBack": seen.observation.value})
    raise PlatformFailure(
        f"The answer to this change was lost, and reading back did not confirm it. {lost.message}",
        fix="Look at the campaign before anything else. The change is not repeated by itself.",
        connection_id=write.operation.connectionId,
        platform=str(write.operation.platform),
        outcome="unknown",
        changeId=write.change_id,
    ) from None
