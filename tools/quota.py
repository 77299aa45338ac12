"""What each plan includes a month, and the counter that says when it is used up."""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from functools import partial

from tools.context import Context
from tools.errors import QuotaExceeded
from tools.guardrails import workspace_settings
from tools.store.engine import Statement, Transaction, Work
from tools.store.statements import Row
from tools.store.tables import usage_counters, workspaces
from tools.store.tenant import Rows
from tools.store.used import count, spent_since

CHAT_MONTH_USD = Decimal(100)
"""Of a server that was set none."""

_MILLION = Decimal(1_000_000)


class Meter(StrEnum):
    CHAT_TURNS = "chat_turns"
    CHAT_SPEND = "chat_spend"  # millionths of a USD: what calls of models cost, and what those under way can cost


@dataclass(frozen=True, slots=True)
class PlanTier:
    name: str
    chat_turns: int | None  # a calendar month, UTC; None: unlimited


TIERS = {
    tier.name: tier
    for tier in (PlanTier("free", 50), PlanTier("starter", 500), PlanTier("pro", 5000), PlanTier("scale", None))
}


@dataclass(frozen=True, slots=True)
class Standing:
    used: int
    included: int | None  # None: unlimited


async def standing(context: Context, meter: Meter) -> Standing:
    """How much of the month's is used by now."""
    rows = context.rows
    owner = await rows.first(rows.select(workspaces, workspaces.c.plan))
    used = rows.select(usage_counters, usage_counters.c.used).where(
        usage_counters.c.meter == meter, usage_counters.c.period == period_of(context.clock())
    )
    counted = await rows.first(used)
    return Standing(counted.used if counted else 0, _tier(owner).chat_turns)


async def spend(context: Context, meter: Meter) -> None:
    """Count one use, or refuse it (402) when the month's are used up. Only one of two racing last uses is admitted."""
    rows, period = context.rows, period_of(context.clock())

    async def work(tx: Transaction) -> int | None:
        owner = await tx.first(rows.select(workspaces, workspaces.c.plan))
        tier = _tier(owner)
        await tx.run(rows.insert_once(usage_counters, meter=meter, period=period, used=0))
        mine = rows.update(usage_counters).where(usage_counters.c.meter == meter, usage_counters.c.period == period)
        if tier.chat_turns is not None:
            mine = mine.where(usage_counters.c.used < tier.chat_turns)
        admitted = await tx.run(mine.values(used=usage_counters.c.used + 1))
        return None if admitted else tier.chat_turns

    if (limit := await context.store.write(work)) is not None:
        raise QuotaExceeded(
            f"This month's {limit} chat turns are used up.",
            fix="Upgrade the plan, or wait for the first of the month (UTC).",
            upsell_url=f"{context.public_url}/pricing",
            meter=meter.value,
            limit=limit,
            period=period,
        )


def given_back(context: Context, meter: Meter) -> Statement:
    """One use less, for what turned out to have begun before."""
    mine = context.rows.update(usage_counters).where(
        usage_counters.c.meter == meter,
        usage_counters.c.period == period_of(context.clock()),
        usage_counters.c.used > 0,
    )
    return mine.values(used=usage_counters.c.used - 1)


async def chat_budget(context: Context) -> Decimal:
    """USD that the chat may cost the workspace in a calendar month: its own limit, or the server's."""
    own = (await workspace_settings(context)).chat_month_usd
    return context.chat_month_usd if own is None else own


async def held(tx: Transaction, context: Context, most: Decimal, *, room: Decimal, budget: Decimal) -> bool:
    """Count the most that a call of a model can cost, before it is made; false where the month has less than `room`
    left. It counts until it is settled, so that calls made at the same time stay within the budget together."""
    rows, period = context.rows, period_of(context.clock())
    counting = partial(
        count, tx, rows, Meter.CHAT_SPEND, period, _millionths(most), int(budget * _MILLION) - _millionths(room)
    )
    if await counting():
        return True
    if await tx.first(_of_month(rows, period)) is not None:
        return False
    spent = await spent_since(tx, rows, int(month_began(context.clock()).timestamp() * 1000))
    await tx.run(rows.insert(usage_counters, meter=Meter.CHAT_SPEND, period=period, used=_millionths(spent)))
    return await counting()


def settled(context: Context, period: str, most: Decimal, cost: Decimal) -> Work[bool]:
    """What was held in a month becomes what the call did cost."""
    change = _millionths(cost) - _millionths(most)
    return lambda tx: count(tx, context.rows, Meter.CHAT_SPEND, period, change)


async def require_room(context: Context, most: Decimal) -> None:
    """Refuse (402) what the month's budget has no room for, as things stand."""
    budget = await chat_budget(context)
    counted = await context.rows.first(_of_month(context.rows, period_of(context.clock())))
    if (counted.used if counted else 0) + _millionths(most) > int(budget * _MILLION):
        raise month_spent(context, budget)


def month_spent(context: Context, budget: Decimal) -> QuotaExceeded:
    return QuotaExceeded(
        f"This month's budget of {budget:.2f} USD for the chat has no room left for another answer.",
        fix="Have an admin raise chat_month_usd in the workspace settings, or wait for the first of the month (UTC).",
        meter=Meter.CHAT_SPEND.value,
        limit=float(budget),
        period=period_of(context.clock()),
    )


def _of_month(rows: Rows, period: str) -> Statement:
    c = usage_counters.c
    return rows.select(usage_counters, c.used).where(c.meter == Meter.CHAT_SPEND, c.period == period)


def _millionths(dollars: Decimal) -> int:
    """Rounded up, so that the counter is never below the costs that it counts."""
    return int((dollars * _MILLION).to_integral_value(ROUND_CEILING))


def _tier(owner: Row | None) -> PlanTier:
    return TIERS.get(owner.plan if owner else "", TIERS["free"])


def period_of(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m")


def month_began(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
