"""Between a proposal and its effect stands a person: the approval row, its states, and the one way to say yes.

pending → executing → done | failed | unknown | stale
pending → denied | expired | superseded
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
from pydantic import JsonValue

from tools import ids
from tools.applying import Applying
from tools.approval import LIFETIME, ApprovalStatus, ConfirmRequired, page, view
from tools.authority import Via
from tools.capability import AnyCapability, Input
from tools.context import Context
from tools.errors import (
    AlreadyDecided,
    ApprovalExpired,
    Guardrail,
    HumanRequired,
    InsufficientScope,
    NotFound,
)
from tools.guardrails import workspace_settings
from tools.leases import Leases
from tools.plan import Plan
from tools.registry import Registry
from tools.store.audit import AuditLog, Entry
from tools.store.engine import Transaction
from tools.store.statements import Row
from tools.store.tables import approvals

POLL_SECONDS = 0.25


class Gate:
    """One a process. What a second process must see is in the row; its lease says who will settle it."""

    def __init__(
        self, registry: Registry, audit: AuditLog, leases: Leases, report: Callable[[str, BaseException], None]
    ) -> None:
        self._registry, self._audit, self._leases = registry, audit, leases
        self._applying = Applying(registry, audit, leases, report, self.propose, self.tell)
        self._tasks: set[asyncio.Task[Row]] = set()
        self._listeners: list[Callable[[Row], None]] = []

    def on_settled(self, listener: Callable[[Row], None]) -> None:
        """Have `listener` called with the row of each approval that this process settled, expiry aside."""
        self._listeners.append(listener)

    def tell(self, row: Row) -> None:
        for listener in self._listeners:
            listener(row)

    async def propose(
        self, capability: AnyCapability, context: Context, data: Input, plan: Plan[Any]
    ) -> ConfirmRequired:
        """Store the proposal, or find the one that already waits for the same thing from the same principal."""
        row = await self._stored(capability, context, data.model_dump(mode="json", exclude_unset=True), plan)
        return ConfirmRequired(view(row, context.public_url, context.now_ms()))

    async def find(self, context: Context, approval_id: str) -> Row:
        row = await context.rows.first(context.rows.select(approvals).where(approvals.c.id == approval_id))
        if row is None:
            raise NotFound(
                f"There is no approval {approval_id}.",
                fix="Take an id from list_approvals or a confirm_required answer.",
            )
        return row

    async def approve(self, context: Context, approval_id: str, amount: Decimal | None) -> Row:
        """A person's yes: claim the row, plan again, and apply exactly what was shown, or refuse it as stale."""
        row = await self._decidable(context, approval_id)
        self._amount_typed(row, amount)
        return await self._claim_and_apply(context, row, context.principal.name)

    async def client_may_decide(self, context: Context, approval_id: str) -> bool:
        """Whether an MCP client's own form is enough: an owner allowed it, no amount has to be typed, and nothing goes
        live, which takes none where the budget is not the campaign's own."""
        row = await self.find(context, approval_id)
        allowed = (await workspace_settings(context)).approvals == "client"
        asker = context.principal.via is Via.MCP and row.requested_by == context.principal.id
        starts = any((change["field"], change["after"]) == ("status", "ACTIVE") for change in row.plan["changes"])
        return allowed and asker and not starts and row.plan.get("amountRequired") is None

    async def approve_by_client(self, context: Context, approval_id: str) -> Row:
        """The yes of a client's form. It is not a call of its own, so its decision is audited here."""
        row = await self.find(context, approval_id)
        if not await self.client_may_decide(context, approval_id):
            raise HumanRequired(
                "Only a signed-in person decides this.", fix=f"Open {page(context.public_url, approval_id)}."
            )
        self._open(context, row)
        by = f"client:{context.principal.client or 'unnamed'}"
        decision = Entry(
            workspace_id=context.principal.workspace,
            at=context.now_ms(),
            request_id=context.request_id,
            action="approve",
            status="ok",
            principal_id=context.principal.id,
            via=context.principal.via,
            approval_id=row.id,
            payload={"decidedBy": by},
        )
        return await self._claim_and_apply(context, row, by, decision)

    async def deny(self, context: Context, approval_id: str, reason: str | None) -> Row:
        row = await self._decidable(context, approval_id)
        reasoned: dict[str, JsonValue] = {"reason": reason} if reason else {}
        denied = await self._decide(context, row, ApprovalStatus.DENIED, context.principal.name, error=reasoned or None)
        self.tell(denied)
        return denied

    async def supersede(self, context: Context, approval_id: str, by: str | None = None) -> None:
        """A newer wish of the same conversation replaces what still waits; what is decided stays decided."""
        now, rows = context.now_ms(), context.rows

        async def work(tx: Transaction) -> Row | None:
            replaced = await tx.run(
                rows.update(approvals)
                .where(approvals.c.id == approval_id, approvals.c.status == ApprovalStatus.PENDING)
                .values(status=ApprovalStatus.SUPERSEDED, superseded_by=by, updated_at=now)
            )
            return await tx.first(rows.select(approvals).where(approvals.c.id == approval_id)) if replaced else None

        if (superseded := await context.store.write(work)) is not None:
            self.tell(superseded)

    async def wait_for_decision(self, context: Context, approval_id: str, seconds: float) -> dict[str, Any]:
        """The approval as soon as it is settled, or as it is when the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            shown = view(await self.find(context, approval_id), context.public_url, context.now_ms())
            if ApprovalStatus(shown["status"]).settled or asyncio.get_running_loop().time() >= deadline:
                return shown
            await asyncio.sleep(POLL_SECONDS)

    async def settle(self) -> None:
        """Wait for what is being applied: a stop of the process loses no outcome it could have kept."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stored(
        self, capability: AnyCapability, context: Context, arguments: dict[str, Any], plan: Plan[Any]
    ) -> Row:
        rows, now, principal = context.rows, context.now_ms(), context.principal
        digest = sha256(orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)).hexdigest()
        same = (
            approvals.c.requested_by == principal.id,
            approvals.c.capability == capability.name,
            approvals.c.arguments_digest == digest,
            approvals.c.status == ApprovalStatus.PENDING,
        )

        async def work(tx: Transaction) -> Row:
            expired = rows.update(approvals).where(*same, approvals.c.expires_at <= now)
            await tx.run(expired.values(status=ApprovalStatus.EXPIRED, updated_at=now))
            waiting = await tx.first(rows.select(approvals).where(*same))
            if waiting is not None:
                return waiting
            identifier = ids.new("apr")
            await tx.run(
                rows.insert(
                    approvals,
                    id=identifier,
                    capability=capability.name,
                    arguments=arguments,
                    arguments_digest=digest,
                    plan=plan.shown(),
                    digest=plan.digest,
                    status=ApprovalStatus.PENDING,
                    requested_by=principal.id,
                    requested_by_name=principal.name,
                    via=principal.via,
                    conversation_id=context.asked_in.conversation_id if context.asked_in else None,
                    tool_use_id=context.asked_in.tool_use_id if context.asked_in else None,
                    created_at=now,
                    expires_at=now + int(LIFETIME.total_seconds() * 1000),
                    updated_at=now,
                )
            )
            stored = await tx.first(rows.select(approvals).where(approvals.c.id == identifier))
            assert stored is not None  # noqa: S101 - inserted two lines above, in this transaction
            return stored

        return await context.store.write(work)

    async def _decidable(self, context: Context, approval_id: str) -> Row:
        if not context.principal.human:
            raise HumanRequired(
                "Only a signed-in person decides.", fix=f"Open {page(context.public_url, approval_id)}."
            )
        row = await self.find(context, approval_id)
        scope = self._registry[row.capability].scope
        if scope is not None and scope not in context.principal.scopes:
            raise InsufficientScope(
                f"Deciding about {row.capability} needs {scope}.",
                fix="Ask a member of the workspace whose role has it.",
                required=scope,
                available=sorted(context.principal.scopes),
            )
        self._open(context, row)
        return row

    def _open(self, context: Context, row: Row) -> None:
        shown = view(row, context.public_url, context.now_ms())
        if shown["status"] == ApprovalStatus.EXPIRED:
            raise ApprovalExpired(
                "This approval expired before anyone decided.", fix="Propose the change again.", approval=shown
            )
        if shown["status"] != ApprovalStatus.PENDING:
            raise AlreadyDecided(
                f"This approval is already {shown['status']}.", fix="Look at it with get_approval.", approval=shown
            )

    def _amount_typed(self, row: Row, amount: Decimal | None) -> None:
        required = row.plan.get("amountRequired")
        if required is None or (amount is not None and amount == Decimal(repr(required))):
            return
        raise Guardrail(
            f"The daily budget in force afterwards has to be typed: {required}.",
            fix=f'Send {{"amount": {required}}} once the person typed it.',
            guardrail="typed_amount",
            field="amount",
            required=required,
        )

    async def _decide(
        self, context: Context, row: Row, status: ApprovalStatus, by: str, error: dict[str, JsonValue] | None = None
    ) -> Row:
        """The claim: one UPDATE that only one caller can win."""
        now, rows = context.now_ms(), context.rows
        lease = self._leases.fresh(now) if status is ApprovalStatus.EXECUTING else {}

        async def work(tx: Transaction) -> Row | None:
            won = await tx.run(
                rows.update(approvals)
                .where(
                    approvals.c.id == row.id,
                    approvals.c.status == ApprovalStatus.PENDING,
                    approvals.c.expires_at > now,
                )
                .values(status=status, decided_by=by, decided_at=now, updated_at=now, error=error, **lease)
            )
            return await tx.first(rows.select(approvals).where(approvals.c.id == row.id)) if won else None

        claimed = await context.store.write(work)
        if claimed is None:
            self._open(context, await self.find(context, row.id))
            raise AlreadyDecided("Someone else decided first.", fix="Look at it with get_approval.")
        return claimed

    async def _claim_and_apply(self, context: Context, row: Row, by: str, decision: Entry | None = None) -> Row:
        # A caller that goes away does not take the change with it: it is applied to its end, in a task of its own.
        task = asyncio.create_task(self._claimed(context, row, by, decision), name=f"apply {row.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _claimed(self, context: Context, row: Row, by: str, decision: Entry | None) -> Row:
        with self._leases.holding(row.id):
            claimed = await self._decide(context, row, ApprovalStatus.EXECUTING, by)
            if decision is not None:  # queued, so that the durable row of the change takes it along, before itself
                await self._audit.record(decision)
            return await self._applying.apply(context, claimed)
