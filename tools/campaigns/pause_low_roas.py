"""Pause what does not return its cost."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field, WithJsonSchema, model_validator

from tools.authority import Scope
from tools.campaign_writes import inverse_of
from tools.campaigns.plan import Found, Rule, Survey, as_agreed, changes, freed, money, operations, survey
from tools.capability import POST, Effect, Input, Output, Rate, Toolset, write
from tools.context import Context
from tools.errors import Conflict
from tools.fields import Amount, ConnectionId, Platform, PlatformField, Since, Until, number
from tools.guardrails import workspace_settings
from tools.journal import WriteStatus, overall
from tools.plan import Operation, Plan
from tools.ports import InsightsQuery
from tools.targets import one_target, spending, targets
from tools.writes import Failure, Planned, Receipt

ROAS = {"type": "number", "exclusiveMinimum": 0, "maximum": 100}


class LowRoas(Input):
    since: Since
    until: Until
    roas_below: Annotated[
        Amount,
        Field(le=100, description="Pause what returns less than this many times its cost: 1 is break-even."),
        WithJsonSchema(ROAS),
    ]
    min_spend: Annotated[Amount, Field(description="Leave out what spent less; in each account's own currency.")]
    platform: PlatformField | None = None
    connectionId: ConnectionId | None = None

    @model_validator(mode="after")
    def _days_in_order(self) -> "LowRoas":
        if self.since > self.until:
            raise ValueError("since is after until")
        return self


class PauseReceipt(Output):
    """What became of one campaign. A failed one was not paused; of an unknown one the answer was lost."""

    campaign_id: str
    platform: Platform
    connectionId: str
    account_id: str
    status: WriteStatus
    change_id: str  # undo_change takes it
    code: str | None = None
    message: str | None = None
    fix: str | None = None


class Paused(Output):
    status: WriteStatus  # done: all of them; failed or unknown: at least one
    paused: int
    receipts: tuple[PauseReceipt, ...]


async def plan(context: Context, wish: LowRoas) -> Plan[LowRoas]:
    held = spending(await targets(context, platform=wish.platform, connection_id=wish.connectionId))
    limit = (await workspace_settings(context)).guardrails.bulk_limit
    if context.agreed is not None:
        found = await as_agreed(context, held, context.agreed)
    else:
        query = InsightsQuery(since=wish.since, until=wish.until, by_campaign=True)
        found = await survey(context, held, Rule(query, wish.roas_below, wish.min_spend))
    found.limited(limit)
    evidence = found.evidence() | {"asOf": context.clock().isoformat(timespec="seconds")}
    if not found.chosen:
        raise Conflict(
            "No campaign is to be paused by this rule.",
            fix="Look at the reasons in details, or ask with another roas_below, min_spend or range.",
            evidence=evidence,
        )
    days = f"{wish.since.isoformat()} to {wish.until.isoformat()}"
    return Plan(
        input=wish,
        summary=f"Pause {_count(found.chosen)} with a ROAS below {number(wish.roas_below)} ({days})",
        changes=changes(found.chosen),
        operations=operations(found.chosen),
        money=money(found.chosen),
        evidence=evidence,
        warnings=tuple(_warnings(context, wish, found)),
    )


def _count(chosen: Sequence[Found]) -> str:
    return "1 campaign" if len(chosen) == 1 else f"{len(chosen)} campaigns"


def _warnings(context: Context, wish: LowRoas, found: Survey) -> Iterable[str]:
    if len(found_in := {each.state.currency for each in found.chosen}) > 1:
        budgets = freed(found.chosen)
        said = ", ".join(f"{number(budgets.get(currency, Decimal(0)))} {currency}" for currency in sorted(found_in))
        yield f"Several currencies, which are not added up. A day: {said}."
    if shared := [each for each in found.chosen if each.state.budget_shared]:
        yield f"{_count(shared)} of these share a budget, which the others go on spending."
    if found.failed:
        yield f"{len(found.failed)} accounts could not be read; the gaps name them."
    if wish.until >= context.clock().date() - dt.timedelta(days=2):
        yield "Conversions of the last days may still come in: their ROAS is likely to rise."


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/ads/campaigns/pause-low-roas"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan,
)
async def pause_low_roas_campaigns(context: Context, plan: Plan[LowRoas]) -> Paused:
    """Pause the active campaigns whose ROAS over a range of days is below a figure and that spent at least a minimum.
    A person agrees once, seeing each campaign with its reason and what is left out and why; at most 50 at a time, the
    worst first. Returns a receipt for each: some may be paused though others failed. Each can be undone by itself."""
    answers = await context.writes.perform_each(context, [await _ready(context, each) for each in plan.operations])
    receipts = [_receipt(operation, answer) for operation, answer in zip(plan.operations, answers, strict=True)]
    errors = [answer.error for answer in answers if isinstance(answer, Failure)]
    if len(errors) == len(receipts):
        errors[0].details["receipts"] = [receipt.wire() for receipt in receipts]
        raise errors[0]
    return Paused(
        status=overall(receipt.status for receipt in receipts),
        paused=sum(receipt.status is WriteStatus.DONE for receipt in receipts),
        receipts=tuple(receipts),
    )


async def _ready(context: Context, operation: Operation) -> Planned:
    target = await one_target(
        context, platform=None, connection_id=operation.connectionId, account_id=operation.account_id
    )
    return Planned(target.port, target.credential, operation, inverse_of(operation))


def _receipt(operation: Operation, answer: Receipt | Failure) -> PauseReceipt:
    error = answer.error if isinstance(answer, Failure) else None
    outcome = error.details.get("outcome") if error else "done"
    return PauseReceipt(
        campaign_id=str(operation.campaign_id),
        platform=Platform(str(operation.platform)),
        connectionId=str(operation.connectionId),
        account_id=str(operation.account_id),
        status=WriteStatus(str(outcome)) if outcome in ("done", "unknown") else WriteStatus.FAILED,
        change_id=answer.change_id,
        code=error.code if error else None,
        message=error.message if error else None,
        fix=error.fix if error else None,
    )
