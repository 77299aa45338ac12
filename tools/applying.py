"""What follows a yes: the plan is made again and applied exactly, or refused as stale, and its outcome is stored."""

from collections.abc import Awaitable, Callable
from typing import Any

from tools.approval import ApprovalStatus, ConfirmRequired
from tools.authority import Principal, Via
from tools.capability import AnyCapability, Input
from tools.context import AskedIn, Context
from tools.errors import CapabilityError, Conflict, Internal, StalePlan, Unavailable
from tools.journal import WriteStatus
from tools.leases import Fenced, Leases
from tools.plan import Plan
from tools.registry import Registry
from tools.store.audit import AuditLog, Entry
from tools.store.engine import StoreUnavailable, Transaction
from tools.store.statements import Row
from tools.store.tables import approvals
from tools.store.tenant import Rows

Propose = Callable[[AnyCapability, Context, Input, Plan[Any]], Awaitable[ConfirmRequired]]


class Applying:
    """`propose` stores the fresh proposal after a stale one; `settled` is told each row that came to its end."""

    def __init__(
        self,
        registry: Registry,
        audit: AuditLog,
        leases: Leases,
        report: Callable[[str, BaseException], None],
        propose: Propose,
        settled: Callable[[Row], None],
    ) -> None:
        self._registry, self._audit, self._leases, self._report = registry, audit, leases, report
        self._propose, self._settled = propose, settled

    async def apply(self, context: Context, row: Row) -> Row:
        capability = self._registry[row.capability]
        acting = _in_the_name_of_the_asker(context, row)
        try:
            data = capability.input.model_validate(row.arguments)
            assert capability.plan is not None  # noqa: S101 - only planned capabilities are ever proposed
            plan = await capability.plan(acting, data)
            if plan.digest != row.digest:
                raise await self._stale(capability, acting, row, data, plan)
            result = await capability.run(acting, plan)
            status = await _came_of(acting, row)
        except StalePlan:
            raise
        except CapabilityError as error:
            return await self._finish(acting, row, await _became(acting, row, error), error=error)
        except Exception as escaped:  # noqa: BLE001 - whatever a handler raises is told, never lost
            self._report(acting.request_id, escaped)
            internal = Internal("Something went wrong on our side.", fix=f"Report {acting.request_id}.")
            return await self._finish(acting, row, await _became(acting, row, internal), error=internal)
        try:
            return await self._finish(acting, row, status, result=result.wire())
        except Conflict as clash:  # a record that is written with it: another took its place since the plan
            return await self._finish(acting, row, await _became(acting, row, clash), error=clash)

    async def _stale(
        self, capability: AnyCapability, acting: Context, row: Row, data: Input, plan: Plan[Any]
    ) -> StalePlan:
        fresh = (await self._propose(capability, acting, data, plan)).approval
        stale = StalePlan(
            "Things changed since this was shown; nothing was applied.",
            fix=f"Look at the fresh proposal at {fresh['url']} and decide there.",
            approval=fresh,
        )
        await self._finish(acting, row, ApprovalStatus.STALE, error=stale, superseded_by=fresh["id"])
        return stale

    async def _finish(
        self,
        acting: Context,
        row: Row,
        status: ApprovalStatus,
        *,
        result: dict[str, Any] | None = None,
        error: CapabilityError | None = None,
        superseded_by: str | None = None,
    ) -> Row:
        """Outcome, first-party records and the audit row of the change, in one commit."""
        update = (
            acting.rows.update(approvals)
            .where(approvals.c.id == row.id)
            .values(
                status=status,
                result=result,
                error=_told(error),
                superseded_by=superseded_by,
                updated_at=acting.now_ms(),
            )
        )

        async def settle(tx: Transaction) -> int:
            await self._leases.require(tx, acting, approvals, row.id)
            return await tx.run(update)

        staged = acting.rows.staged if status is ApprovalStatus.DONE else []
        entry = Entry(
            workspace_id=acting.principal.workspace,
            at=acting.now_ms(),
            request_id=acting.request_id,
            action=row.capability,
            status="ok" if status is ApprovalStatus.DONE else (error.code if error else status),
            error_message=error.message if error else None,
            principal_id=row.requested_by,
            via=row.via,
            approval_id=row.id,
            payload={"arguments": row.arguments, "decidedBy": row.decided_by, "outcome": status},
        )
        try:
            await self._audit.record(entry, durable=True, with_=[settle, *staged])
        except StoreUnavailable as unwritten:
            raise Unavailable(
                "The outcome could not be stored; the change itself may be done.",
                fix="Look at get_approval once the store can write again. Do not repeat the change.",
                outcome=status.value,
            ) from unwritten
        except Fenced as taken:
            raise Unavailable(
                "This took so long that another process settled it.",
                fix="Look at get_approval and list_changes. Do not repeat the change.",
                outcome="unknown",
            ) from taken
        settled = await acting.rows.first(acting.rows.select(approvals).where(approvals.c.id == row.id))
        assert settled is not None  # noqa: S101 - updated above; approvals are never deleted
        self._settled(settled)
        return settled


async def _came_of(acting: Context, row: Row) -> ApprovalStatus:
    """A bulk change may answer though some of it failed; what changed only our own records has no journal."""
    try:
        return ApprovalStatus(await acting.writes.outcome(acting, row.id, nothing=WriteStatus.DONE))
    except StoreUnavailable:  # it was made; that it cannot be stored is told next
        return ApprovalStatus.DONE


async def _became(acting: Context, row: Row, error: CapabilityError) -> ApprovalStatus:
    """What an error leaves behind: the journal knows what was sent before it."""
    if error.details.get("outcome") == "done":  # its outcome is known, only not in the journal
        return ApprovalStatus.DONE
    return ApprovalStatus(await acting.writes.outcome(acting, row.id))


def _told(error: CapabilityError | None) -> dict[str, Any] | None:
    """The error as the approval's row keeps it: without the request it answered and the proposal that follows."""
    if error is None:
        return None
    kept = {name: value for name, value in error.body("").items() if name not in ("meta", "details")}
    details = {name: value for name, value in error.details.items() if name != "approval"}
    return kept | ({"details": details} if details else {})


def _in_the_name_of_the_asker(context: Context, row: Row) -> Context:
    """Identity and face of who asked, authority of who agreed, and a stage of its own."""
    decider = context.principal
    asker = Principal(
        id=row.requested_by,
        name=row.requested_by_name,
        user=decider.user,
        workspace=decider.workspace,
        role=decider.role,
        scopes=decider.scopes,
        via=Via(row.via),
    )
    asked_in = AskedIn(row.conversation_id, row.tool_use_id) if row.conversation_id else None
    return context.applying(asker, row.id, Rows(context.store, decider.workspace), asked_in, row.plan)
