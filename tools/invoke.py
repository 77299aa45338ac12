"""The door, the only way in: authorise → rate limit → parse and validate → quota → gate → run; one audit row a call."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic import JsonValue

from tools.analytics import ABSENT, Arrivals, PipeStore
from tools.approval import ConfirmRequired
from tools.authority import Principal, Scope
from tools.capability import AnyCapability, Effect, Input, Output, Rate
from tools.codec import validated
from tools.context import Context, Progress, no_progress
from tools.errors import (
    CapabilityError,
    Conflict,
    HumanRequired,
    InsufficientScope,
    Internal,
    InvalidArguments,
    InvalidRequest,
    RateLimited,
    StalePlan,
    Unavailable,
)
from tools.fields import Platform
from tools.gate import Gate
from tools.idempotency import Replayed, claimed, outcome
from tools.leases import LASTS, Leases
from tools.limits import Limiter
from tools.patience import Patient
from tools.plan import Plan
from tools.ports import AdsPlatform
from tools.quota import CHAT_MONTH_USD, Meter, spend
from tools.registry import Registry
from tools.store.audit import AuditLog, Entry
from tools.store.cached import Keeping
from tools.store.engine import ConstraintViolated, Store, StoreUnavailable
from tools.store.sealing import KeyRing
from tools.store.tenant import Rows
from tools.writes import Writes

# A member of an enum costs more to look up than to compare.
_READ, _DEFAULT, _INGEST = Effect.READ, Rate.DEFAULT, Rate.INGEST

Arguments = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""What a face received; a callable parses it, and is called once the caller may call at all."""

Ready = Callable[[], Awaitable[None]]


async def _always() -> None:
    """For what may begin at any time."""


class Preview(Output):
    """What a write would do, without doing it; `digest` holds a later call to exactly this."""

    plan: dict[str, JsonValue]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the composition root builds once."""

    registry: Registry
    store: Store
    audit: AuditLog
    limiter: Limiter
    keyring: KeyRing
    platforms: Mapping[Platform, AdsPlatform]
    clock: Callable[[], dt.datetime]
    public_url: str
    report: Callable[[str, BaseException], None]  # (request_id, what a handler let escape)
    count: Callable[[str, str], None]  # (event, label): guard_open, guard_closed, …
    lease: dt.timedelta = LASTS
    chat_month_usd: Decimal = CHAT_MONTH_USD
    pipes: PipeStore = ABSENT
    arrivals: Arrivals = ABSENT


class CallerLeft(CapabilityError):
    """For the audit log only: nobody is there to be answered."""

    code, status = "cancelled", 499


class Door:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._platforms = {name: Patient(port, services.clock) for name, port in services.platforms.items()}
        self.registry = services.registry
        self.clock = services.clock
        self.leases = Leases(services.lease)
        self.gate = Gate(services.registry, services.audit, self.leases, services.report)
        self.writes = Writes(self.leases)
        self.keeping = Keeping(services.store)
        self.running: set[str] = set()  # request ids of changes whose audit row is still to come
        self._tasks: set[asyncio.Task[Output]] = set()

    def context(self, principal: Principal, request_id: str, progress: Progress = no_progress) -> Context:
        services = self._services
        return Context(
            principal=principal,
            request_id=request_id,
            store=services.store.of(principal.workspace),
            rows=Rows(services.store, principal.workspace),
            platforms=self._platforms,
            keyring=services.keyring,
            clock=services.clock,
            public_url=services.public_url,
            gate=self.gate,
            writes=self.writes,
            pipes=services.pipes,
            arrivals=services.arrivals,
            keeping=self.keeping,
            chat_month_usd=services.chat_month_usd,
            progress=progress,
        )

    async def invoke(
        self,
        capability: AnyCapability,
        context: Context,
        arguments: Arguments,
        *,
        preview: bool = False,
        expect_digest: str | None = None,
        idempotency_key: str | None = None,
    ) -> Output:
        """Answers the capability's output (or a Preview); raises CapabilityErrors and nothing else.

        A write with an idempotency key is done once: sent again by the same principal, it answers a Replayed, or
        raises the error of then with its `replays` set. Reads ignore the key.
        """
        call = self._invoke(
            capability, context, arguments, preview=preview, expect_digest=expect_digest, key=idempotency_key
        )
        if capability.effect is _READ:
            return await call
        # A caller that goes away takes neither the change nor its audit row with it.
        task = asyncio.create_task(call, name=f"{capability.name} {context.request_id}")
        self._tasks.add(task)
        self.running.add(context.request_id)
        task.add_done_callback(partial(self._ended, context.request_id))
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait for what is being applied: a stop of the process loses no outcome it could have kept."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gate.settle()
        await self.writes.settle()
        await self.keeping.settled()

    def _ended(self, request_id: str, task: asyncio.Task[Output]) -> None:
        self.running.discard(request_id)
        self._tasks.discard(task)

    async def _invoke(
        self,
        capability: AnyCapability,
        context: Context,
        arguments: Arguments,
        *,
        preview: bool,
        expect_digest: str | None,
        key: str | None,
    ) -> Output:
        payload: dict[str, Any] = {}
        try:
            await self.admit(capability, context)
            data = validated(capability, arguments() if callable(arguments) else arguments)
            payload = data.model_dump(mode="json", exclude_unset=True) if data.model_fields_set else {}
            if key is not None and capability.effect is not _READ:
                held = await claimed(
                    capability, context, data, key, preview=preview, expect_digest=expect_digest, running=self.running
                )
                if isinstance(held, Replayed):
                    await self._record(capability, context, payload, None, held)
                    return held
                context = held
            output = await self._decided(capability, context, data, preview=preview, expect_digest=expect_digest)
        except CapabilityError as error:
            await self._record(capability, context, payload, error)
            raise
        except asyncio.CancelledError:
            await self._record(capability, context, payload, CallerLeft("The caller went away before the answer."))
            raise
        except StoreUnavailable as down:
            unavailable = _unavailable(down)
            await self._record(capability, context, payload, unavailable)
            raise unavailable from down
        except Exception as escaped:
            self._services.report(context.request_id, escaped)
            first = "Look at list_changes before you try again" if capability.plan else "Try again"
            internal = Internal(
                "Something went wrong on our side.", fix=f"{first}; if it stays, report {context.request_id}."
            )
            await self._record(capability, context, payload, internal)
            raise internal from escaped
        try:
            await self._record(capability, context, payload, None, output, wrote=not preview)
        except Conflict as clash:  # a record that is written with it: another took its place since it was looked at
            await self._record(capability, context, payload, clash)
            raise
        if context.rows.beside:
            self.keeping.submit(context.store, context.rows.beside)
        return output

    async def admit(self, capability: AnyCapability, context: Context) -> None:
        """The first half: may this caller do this at all, and is there room for it now."""
        self._authorise(capability, context.principal)
        if not self._services.audit.healthy:
            if capability.effect is not _READ:
                self._services.count("guard_closed", "audit")
                raise _unavailable("the audit log cannot be written")
            self._services.count("guard_open", "audit")
        await self._limit(capability.rate, context)

    async def admit_chat_turn(
        self, context: Context, name: str = "chat", scope: Scope | None = None, ready: Ready = _always
    ) -> None:
        """The same first half for a turn of the chat: one charge and one audit row, whatever the tools it calls.

        `ready` refuses what cannot begin, before any of the month's turns is used up.
        """
        try:
            _require(scope, name, context.principal)
            await self._limit(Rate.CHAT, context)
            await ready()
            await spend(context, Meter.CHAT_TURNS)
        except StoreUnavailable as down:
            unavailable = _unavailable(down)
            await self._record_turn(name, context, unavailable)
            raise unavailable from down
        except CapabilityError as error:
            await self._record_turn(name, context, error)
            raise
        await self._record_turn(name, context, None)

    async def _record_turn(self, name: str, context: Context, refused: CapabilityError | None) -> None:
        principal = context.principal
        entry = Entry(
            workspace_id=principal.workspace,
            at=context.now_ms(),
            request_id=context.request_id,
            action=name,
            status=refused.code if refused else "ok",
            error_message=refused.message if refused else None,
            principal_id=principal.id,
            via=principal.via,
        )
        if isinstance(refused, RateLimited):
            self._services.audit.record_rollup(entry)
        else:
            await self._services.audit.record(entry)

    def _authorise(self, capability: AnyCapability, principal: Principal) -> None:
        _require(capability.scope, capability.name, principal)
        if capability.human_only and not principal.human:
            raise HumanRequired(
                f"Only a signed-in person uses {capability.name}.",
                fix=f"Ask the person to do this, signed in at {self._services.public_url}.",
            )

    async def _limit(self, rate: Rate | None, context: Context) -> None:
        if rate is not _INGEST:  # a stream of events is not counted against its key's other calls
            await self._count(_DEFAULT, context.principal.rate or _DEFAULT.per_minute, context.principal)
        if rate is not None:
            await self._count(rate, rate.per_minute, context.principal)

    async def _count(self, rate: Rate, limit: int, principal: Principal) -> None:
        name, per = rate.label, rate.per
        owner = principal.id if per == "principal" else principal.user if per == "user" else principal.workspace
        hit = await self._services.limiter.hit(f"{name}:{principal.workspace}:{owner}", limit)
        if not hit.allowed:
            raise RateLimited(
                f"More than {limit} calls a minute ({name}).",
                fix=f"Wait {hit.retry_after_seconds} s.",
                retry_after=hit.retry_after_seconds,
                source="local",
                limit=name,
                perMinute=limit,
            )

    async def _decided(
        self, capability: AnyCapability, context: Context, data: Input, *, preview: bool, expect_digest: str | None
    ) -> Output:
        if capability.plan is None:
            if preview:
                raise InvalidRequest(f"{capability.name} has no plan to show.", fix="Call it without asking for one.")
            result: Output = await capability.run(context, data)
            return result
        plan: Plan[Any] = await capability.plan(context, data)
        if preview:
            return Preview(plan=plan.shown(), digest=plan.digest)
        if expect_digest is not None and plan.digest != expect_digest:
            fresh = Preview(plan=plan.shown(), digest=plan.digest)
            raise StalePlan(
                "Things changed since this plan was shown.", fix="Look at details and send its digest.", **fresh.wire()
            )
        if context.principal.gated or plan.amount_required is not None:
            raise await self.gate.propose(capability, context, data, plan)
        applied: Output = await capability.run(context, plan)
        return applied

    async def _record(
        self,
        capability: AnyCapability,
        context: Context,
        payload: dict[str, Any],
        error: CapabilityError | None,
        output: Output | None = None,
        *,
        wrote: bool = False,
    ) -> None:
        principal, audit = context.principal, self._services.audit
        if isinstance(error, InvalidArguments):
            payload = payload or {"problems": error.details.get("problems", [])}
        status = error.code if error else "ok"
        if replays := error.replays if error else output.replays if isinstance(output, Replayed) else None:
            status, payload = "replayed", payload | {"replays": replays}
        entry = Entry(
            workspace_id=principal.workspace,
            at=context.now_ms(),
            request_id=context.request_id,
            action=capability.name,
            status=status,
            error_message=error.message if error else None,
            principal_id=principal.id,
            via=principal.via,
            approval_id=error.approval["id"] if isinstance(error, ConfirmRequired) else payload.get("approval_id"),
            cache_key=context.cache_key(),
            payload=payload,
        )
        if isinstance(error, RateLimited) and error.details.get("source") == "local":
            audit.record_rollup(entry)
            return
        staged = context.rows.staged if error is None else []
        left = [] if context.claim is None else await outcome(context, output, error)
        if capability.rate is _INGEST:  # a stream is told by its counts: what its events say is no business of the log
            if not staged and not left:
                audit.record_rollup(entry)
                return
            entry = entry._replace(payload={"count": 1, "actions": {capability.name: 1}})
        changed = wrote and capability.effect is not _READ
        try:
            await audit.record(entry, durable=changed or bool(staged or left), with_=[*staged, *left])
        except StoreUnavailable as down:
            if not changed:
                self._services.count("guard_open", "audit")
                await audit.record(entry)  # kept until it can be written
                return
            self._services.count("guard_closed", "audit")
            raise Unavailable(
                "The change may have been made, but it could not be recorded.",
                fix="Check the current state before doing anything again.",
                outcome="done" if capability.plan or not staged else "not_done",
            ) from down
        except ConstraintViolated as clash:
            self._services.report(context.request_id, clash)
            raise Internal("The records changed meanwhile; nothing was stored.", fix="Try again.") from clash


def _require(scope: Scope | None, name: str, principal: Principal) -> None:
    if scope is not None and scope not in principal.scopes:
        raise InsufficientScope(
            f"{name} needs {scope}.",
            fix="Use a key or a member that has this scope.",
            required=scope.value,
            available=sorted(principal.scopes),
        )


def _unavailable(reason: object) -> Unavailable:
    return Unavailable(
        f"Nothing can be stored now, so nothing was changed ({reason}).", fix="Try again in a moment.", retry_after=5
    )
