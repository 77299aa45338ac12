"""Plans of campaign writes with their money effect, and how they are applied; shared by the slices that write."""

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue

from tools import guardrails
from tools.context import Context
from tools.errors import CapabilityError, Conflict
from tools.fields import Status, number
from tools.guardrails import BudgetEffect
from tools.legible import legible
from tools.plan import Change, MoneyEffect, Operation, Plan
from tools.ports import CampaignState
from tools.store.engine import StoreUnavailable
from tools.targets import Target, every_campaign, one_target, sighting
from tools.writes import Receipt

In = TypeVar("In", bound=BaseModel)

CREATE, UPDATE, ARCHIVE = "create_campaign", "update_campaign", "archive_campaign"

UNDOABLE = frozenset({"name", "status", "daily_budget"})
"""The fields an undo may set back."""


def wire_fields(state: CampaignState) -> dict[str, JsonValue]:
    return {
        "name": state.name,
        "status": state.status.value,
        "daily_budget": None if state.daily_budget is None else number(state.daily_budget),
    }


async def plan_update(
    context: Context,
    change: In,
    target: Target,
    state: CampaignState,
    fields: Mapping[str, JsonValue],
    *,
    summary: str | None = None,
) -> Plan[In]:
    """Change `fields` (wire values) of a campaign; what already is so is left out, and nothing left is a conflict."""
    _refuse_archived(state)
    now = wire_fields(state)
    wanted = {name: value for name, value in fields.items() if value != now[name]}
    if not wanted:
        raise Conflict(
            f"{state.name} already is so; there is nothing to change.",
            fix="Look at it with list_campaigns.",
            current=now,
        )
    if "daily_budget" in wanted and state.daily_budget is None:
        raise Conflict(
            f"{state.name} has no daily budget of its own: it is for its lifetime, or set below the campaign.",
            fix="Change the budget where it is set, on the platform.",
        )
    operation = Operation(
        kind=UPDATE,
        connectionId=target.connection.id,
        platform=target.connection.platform,
        account_id=state.account_id,
        campaign_id=state.campaign_id,
        fields=wanted,
        before={name: now[name] for name in wanted},
    )
    effect = await _effect_of_update(target, state, wanted)
    verdict = await guardrails.judge(context, target, effect)
    return Plan(
        input=change,
        summary=summary or f"{state.name} ({target.account.name}): {_in_words(wanted, target)}",
        changes=(*_changes(state.campaign_id, wanted, now), *_changes_along(state, wanted, now)),
        operations=(operation,),
        money=_money(target, effect) if wanted.keys() & {"status", "daily_budget"} else None,
        amount_required=None if verdict.amount_required is None else number(verdict.amount_required),
        evidence=await _evidence(context, target, operation) | _named_along(state, wanted),
        warnings=verdict.warnings,
    )


async def plan_archive(context: Context, change: In, target: Target, state: CampaignState) -> Plan[In]:
    """One-way on both platforms, and said so."""
    _refuse_archived(state)
    operation = Operation(
        kind=ARCHIVE,
        connectionId=target.connection.id,
        platform=target.connection.platform,
        account_id=state.account_id,
        campaign_id=state.campaign_id,
        fields={"status": Status.ARCHIVED.value},
        before={"status": state.status.value},
    )
    effect = BudgetEffect(
        state.campaign_id,
        state.name,
        state.daily_budget,
        state.daily_budget,
        state.status is Status.ACTIVE,
        False,
        spent_by_others=await _spent_by_others(target, state),
    )
    return Plan(
        input=change,
        summary=f"Archive {state.name} ({target.account.name}) for good",
        changes=_changes(state.campaign_id, operation.fields, operation.before),
        operations=(operation,),
        money=_money(target, effect),
        evidence=await _evidence(context, target, operation),
        warnings=("Archiving cannot be undone, on the platform or here.",),
        reversible=False,
    )


async def plan_create(
    context: Context, change: In, target: Target, fields: dict[str, JsonValue], daily_budget: Decimal
) -> Plan[In]:
    name, active = str(fields["name"]), fields["status"] == Status.ACTIVE.value
    operation = Operation(
        kind=CREATE,
        connectionId=target.connection.id,
        platform=target.connection.platform,
        account_id=target.account.account_id,
        fields=fields,
    )
    effect = BudgetEffect(None, name, None, daily_budget, False, active)
    verdict = await guardrails.judge(context, target, effect)
    return Plan(
        input=change,
        summary=f"Create {name} in {target.account.name}, {'running at once' if active else 'paused'}",
        changes=_changes(f"new campaign in {target.account.account_id}", fields, {}),
        operations=(operation,),
        money=_money(target, effect),
        amount_required=None if verdict.amount_required is None else number(verdict.amount_required),
        evidence=await _evidence(context, target, operation),
        warnings=verdict.warnings,
    )


async def apply(
    context: Context, plan: Plan[Any], *, undoes: str | None = None
) -> tuple[Receipt, Target, CampaignState]:
    """Send the plan's one operation, then read what stands there now."""
    (operation,) = plan.operations
    target = await one_target(
        context, platform=operation.platform, connection_id=operation.connectionId, account_id=operation.account_id
    )
    receipt = await context.writes.perform(
        context, target.port, target.credential, operation, inverse=inverse_of(operation), undoes=undoes
    )
    state = await _state_after(target, operation, receipt)
    # The change is made: what fails from here on is bookkeeping, and the next change makes up for it.
    with contextlib.suppress(CapabilityError, StoreUnavailable):
        context.rows.staged.append(sighting(context, target, [state]))
        if operation.kind != ARCHIVE:
            live = state.status is Status.ACTIVE
            sharing = state.shared_with or ()
            effect = BudgetEffect(receipt.campaign_id, state.name, None, state.daily_budget, False, live, sharing)
            await guardrails.remember_baseline(context, target, receipt.campaign_id, effect)
    return receipt, target, state


def inverse_of(operation: Operation) -> dict[str, JsonValue] | None:
    if operation.kind == CREATE:
        return {"status": Status.PAUSED.value}
    if operation.kind == UPDATE:
        return {name: value for name, value in operation.before.items() if name in UNDOABLE} or None
    return None


def _refuse_archived(state: CampaignState) -> None:
    if state.status is Status.ARCHIVED:
        raise Conflict(f"{state.name} is archived, and that is one-way.", fix="Create a new campaign instead.")


async def _effect_of_update(target: Target, state: CampaignState, wanted: Mapping[str, JsonValue]) -> BudgetEffect:
    after = Decimal(repr(wanted["daily_budget"])) if "daily_budget" in wanted else state.daily_budget
    status = wanted.get("status", state.status.value)
    return BudgetEffect(
        state.campaign_id,
        state.name,
        state.daily_budget,
        after,
        state.status is Status.ACTIVE,
        status == Status.ACTIVE.value,
        sharing=state.shared_with or (),
        spent_by_others=await _spent_by_others(target, state),
    )


async def _spent_by_others(target: Target, state: CampaignState) -> bool:
    """Whether the budget is spent anyway: one of the campaigns that share it is active."""
    sharing = {each.campaign_id for each in state.shared_with or ()}
    return bool(sharing) and any(each.campaign_id in sharing for each in await every_campaign(target, Status.ACTIVE))


def _changes_along(
    state: CampaignState, wanted: Mapping[str, JsonValue], now: Mapping[str, JsonValue]
) -> tuple[Change, ...]:
    """A shared budget is every campaign's that spends from it: each is a target of its own, seen and agreed to."""
    if "daily_budget" not in wanted:
        return ()
    before, after = now["daily_budget"], wanted["daily_budget"]
    return tuple(
        Change(target=each.campaign_id, field="daily_budget", before=before, after=after)
        for each in state.shared_with or ()
    )


def _named_along(state: CampaignState, wanted: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    if "daily_budget" not in wanted or not state.shared_with:
        return {}
    return {"budgetSharedWith": [{"campaign_id": e.campaign_id, "name": legible(e.name)} for e in state.shared_with]}


def _changes(target: str, wanted: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> tuple[Change, ...]:
    return tuple(Change(target=target, field=name, before=now.get(name), after=value) for name, value in wanted.items())


def _money(target: Target, effect: BudgetEffect) -> MoneyEffect:
    return MoneyEffect.of(target.account.currency, effect.delta)


def _in_words(wanted: Mapping[str, JsonValue], target: Target) -> str:
    words = {
        "name": "rename",
        "status": {"ACTIVE": "start", "PAUSED": "pause"}.get(str(wanted.get("status")), "change the status"),
        "daily_budget": f"set the daily budget to {wanted.get('daily_budget')} {target.account.currency}",
    }
    return " and ".join(words[name] for name in wanted)


async def _evidence(context: Context, target: Target, operation: Operation) -> dict[str, JsonValue]:
    """The platform's own dry run while proposing; an agreed plan is sent for real right after, so not again."""
    shown: dict[str, JsonValue] = {
        "account": f"{target.account.name} ({target.account.account_id})",
        "connection": str(target.connection.row.name),
        "platform": target.connection.platform.value,
        "asOf": context.clock().isoformat(timespec="seconds"),
    }
    if context.approval_id is None:
        await target.port.validate(target.credential, operation)
        shown["platformDryRun"] = "passed"
    return shown


async def _state_after(target: Target, operation: Operation, receipt: Receipt) -> CampaignState:
    """The write is done; when reading it back fails, what was sent stands in for what was not seen."""
    try:
        return await target.port.campaign(target.credential, receipt.campaign_id)
    except CapabilityError:
        fields = {**operation.before, **operation.fields}
        budget = fields.get("daily_budget")
        return CampaignState(
            account_id=target.account.account_id,
            campaign_id=receipt.campaign_id,
            name=str(fields.get("name", receipt.campaign_id)),
            status=Status(str(fields.get("status", Status.UNKNOWN.value))),
            platform_status="not read back",
            objective=None,
            platform_objective="not read back",
            daily_budget=None if budget is None else Decimal(repr(budget)),
            currency=target.account.currency,
        )
