"""Limits on what may be spent, on by default, held in the plan and so again when a person agrees."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.context import Context
from tools.errors import Guardrail
from tools.fields import Amount, Status
from tools.ports import CampaignRef, CampaignState
from tools.store.tables import budget_baselines, platform_writes, workspaces
from tools.targets import Target, every_campaign

CEILING_FACTOR = 2
"""The default daily ceiling is this many times the active budgets at the last approved change."""

MOST_NAMED = 10
"""Campaigns of a shared budget that its warning names; the changes list them all."""

ACCOUNT, NO_CAMPAIGN = "", "-"
"""The baseline row of a whole account names no campaign; one that does not exist yet has no row."""


class Guardrails(BaseModel):
    """A workspace's own figures; what is left out has the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warn_change_percent: Annotated[int, Field(ge=1, le=1000)] = 20
    typed_amount_percent: Annotated[int, Field(ge=1, le=1000)] = 50
    budget_edits_per_hour: Annotated[int, Field(ge=1, le=60)] = 4
    bulk_limit: Annotated[int, Field(ge=1, le=50)] = 50
    campaign_daily_ceiling: Amount | None = None
    account_daily_ceiling: Amount | None = None


class WorkspaceSettings(BaseModel):
    """`approvals: client` lets an MCP client's own form decide where no amount has to be typed. `chat_month_usd` takes
    the place of the server's own limit on what the chat may cost in a calendar month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guardrails: Guardrails = Guardrails()
    approvals: Literal["page", "client"] = "page"
    chat_month_usd: Amount | None = None


async def workspace_settings(context: Context) -> WorkspaceSettings:
    row = await context.rows.first(context.rows.select(workspaces, workspaces.c.settings))
    return WorkspaceSettings.model_validate(row.settings if row else {})


@dataclass(frozen=True, slots=True)
class BudgetEffect:
    """What one campaign may spend a day before and after; None where its daily budget is not its own."""

    campaign_id: str | None  # None while it does not exist
    name: str
    before: Decimal | None
    after: Decimal | None
    active_before: bool
    active_after: bool
    sharing: tuple[CampaignRef, ...] = ()  # the other live campaigns of the same budget
    spent_by_others: bool = False  # one of those is active

    @property
    def budgets_of(self) -> tuple[str, ...]:
        """The campaigns whose budget this is; none while the only one does not exist."""
        return (*((self.campaign_id,) if self.campaign_id else ()), *(each.campaign_id for each in self.sharing))

    @property
    def delta(self) -> Decimal:
        """The signed change in what may be spent a day."""
        return self.spendable_after - self.spendable_before

    @property
    def spendable_before(self) -> Decimal:
        return (self.before or Decimal(0)) if self.active_before or self.spent_by_others else Decimal(0)

    @property
    def spendable_after(self) -> Decimal:
        return (self.after or Decimal(0)) if self.active_after or self.spent_by_others else Decimal(0)

    @property
    def goes_live(self) -> bool:
        return self.active_after and not self.active_before

    @property
    def change_percent(self) -> Decimal | None:
        if not self.before or self.after is None:
            return None
        return (self.after - self.before) / self.before * 100


@dataclass(frozen=True, slots=True)
class Verdict:
    warnings: tuple[str, ...]
    amount_required: Decimal | None


async def judge(context: Context, target: Target, effect: BudgetEffect) -> Verdict:
    """Refuse (422 guardrail) what breaks a limit; say what deserves a warning or a typed amount."""
    limits = (await workspace_settings(context)).guardrails
    if effect.before != effect.after and effect.campaign_id:
        await _edits_an_hour(context, target, effect.budgets_of, limits)
    if effect.delta > 0:
        await _ceilings(context, target, effect, limits)
    return Verdict(tuple(_warnings(effect, limits, target.account.currency)), _amount(effect, limits))


def _warnings(effect: BudgetEffect, limits: Guardrails, currency: str) -> Iterable[str]:
    percent = effect.change_percent
    if effect.sharing and (effect.before != effect.after or effect.active_before != effect.active_after):
        yield _shared(effect)
    if percent is not None and abs(percent) > limits.warn_change_percent:
        yield (
            f"The daily budget changes by {percent:+.0f} %; beyond ±{limits.warn_change_percent} % "
            "the platform may start learning anew."
        )
    if effect.goes_live and effect.after is None:
        yield "This campaign has no daily budget of its own: what it may spend is set for its lifetime or below it."
    elif effect.goes_live:
        yield f"This goes live and may spend {effect.after} {currency} a day."


def _shared(effect: BudgetEffect) -> str:
    count = len(effect.sharing)
    named = ", ".join(f"{each.name[:60]} ({each.campaign_id})" for each in effect.sharing[:MOST_NAMED])
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    others = "1 other campaign spends" if count == 1 else f"{count} other campaigns spend"
    along = "; changing it changes theirs" if effect.before != effect.after else ""
    return f"The budget is shared: {others} from it{along}: {named}{more}."


def _amount(effect: BudgetEffect, limits: Guardrails) -> Decimal | None:
    percent = effect.change_percent
    steep = percent is not None and percent >= limits.typed_amount_percent
    return effect.after if effect.after is not None and (steep or effect.goes_live) else None


async def _edits_an_hour(context: Context, target: Target, campaigns: tuple[str, ...], limits: Guardrails) -> None:
    """Of the budget, whichever of its campaigns they were asked for."""
    since = context.now_ms() - int(dt.timedelta(hours=1).total_seconds() * 1000)
    rows = await context.rows.all(
        context.rows.select(platform_writes, platform_writes.c.fields, platform_writes.c.created_at).where(
            reduce(or_, [platform_writes.c.campaign_id == each for each in campaigns]),
            platform_writes.c.platform == target.connection.platform,  # whichever connection reached it
            platform_writes.c.status != "failed",
            platform_writes.c.kind != "create_campaign",
            platform_writes.c.created_at > since,
        )
    )
    edits = [row.created_at for row in rows if "daily_budget" in row.fields]
    if len(edits) >= limits.budget_edits_per_hour:
        wait = max(1, (min(edits) - since) // 1000)
        raise Guardrail(
            f"The budget of this campaign was already changed {len(edits)} times in the last hour.",
            fix=f"Wait {wait // 60 + 1} minutes; more edits an hour make the platform block the budget.",
            retry_after=wait,
            guardrail="budget_edits_per_hour",
            limit=limits.budget_edits_per_hour,
        )


async def _ceilings(context: Context, target: Target, effect: BudgetEffect, limits: Guardrails) -> None:
    baselines = await _baselines(context, target)
    for one in effect.budgets_of or (NO_CAMPAIGN,):
        campaign = limits.campaign_daily_ceiling or _doubled(baselines.get(one))
        if campaign is not None and effect.spendable_after > campaign:
            raise _over("campaign_daily_ceiling", effect.spendable_after, campaign, target.account.currency)
    account = limits.account_daily_ceiling or _doubled(baselines.get(ACCOUNT))
    if account is None:
        return
    total = sum_active(await every_campaign(target, Status.ACTIVE)) + effect.delta
    if total > account:
        raise _over("account_daily_ceiling", total, account, target.account.currency)


def _over(guardrail: str, amount: Decimal, ceiling: Decimal, currency: str) -> Guardrail:
    whose = "This campaign" if guardrail.startswith("campaign") else "This account's active campaigns"
    return Guardrail(
        f"{whose} would be able to spend {amount} {currency} a day, above the ceiling of {ceiling}.",
        fix="Ask for less, or have an owner raise the ceiling in the workspace settings.",
        guardrail=guardrail,
        limit=float(ceiling),
        requested=float(amount),
        currency=currency,
    )


def _doubled(baseline: Decimal | None) -> Decimal | None:
    return baseline * CEILING_FACTOR if baseline else None


async def _baselines(context: Context, target: Target) -> dict[str, Decimal]:
    """The newest of each: an account that is connected twice, or anew, keeps its ceilings."""
    rows = await context.rows.all(
        context.rows.select(budget_baselines)
        .where(budget_baselines.c.account_id == target.account.account_id)
        .order_by(budget_baselines.c.set_at)
    )
    return {row.campaign_id: Decimal(row.daily_budget) for row in rows}


def sum_active(states: Iterable[CampaignState]) -> Decimal:
    """A budget that several campaigns share is spent once."""
    active = [state for state in states if state.status is Status.ACTIVE]
    budgets = {state.budget_id or f"of {state.campaign_id}": state.daily_budget or Decimal(0) for state in active}
    return sum(budgets.values(), Decimal(0))


async def remember_baseline(context: Context, target: Target, campaign_id: str, effect: BudgetEffect) -> None:
    """After an agreed change: today's active budgets are what the next ceiling is measured by. What a key did without
    asking moves no ceiling, or it would climb with each of its steps; it only sets the first."""
    total = sum_active(await every_campaign(target, Status.ACTIVE))
    figures: dict[str, Any] = {ACCOUNT: total} | dict.fromkeys(
        (campaign_id, *effect.budgets_of), effect.spendable_after
    )
    agreed = context.approval_id is not None or context.principal.human
    kept = {} if agreed else await _baselines(context, target)
    for key, amount in figures.items():
        if kept.get(key):
            continue
        context.rows.stage(
            context.rows.upsert(
                budget_baselines,
                {
                    "connection_id": target.connection.id,
                    "account_id": target.account.account_id,
                    "campaign_id": key,
                    "daily_budget": str(amount),
                    "currency": target.account.currency,
                    "set_at": context.now_ms(),
                },
            )
        )
