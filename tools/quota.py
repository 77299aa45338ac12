"""What each plan includes a month, and the counter that says when it is used up."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from tools.context import Context
from tools.errors import QuotaExceeded
from tools.store.engine import Transaction
from tools.store.tables import usage_counters, workspaces


class Meter(StrEnum):
    CHAT_TURNS = "chat_turns"


@dataclass(frozen=True, slots=True)
class PlanTier:
    name: str
    chat_turns: int | None  # a calendar month, UTC; None: unlimited


TIERS = {
    tier.name: tier
    for tier in (PlanTier("free", 50), PlanTier("starter", 500), PlanTier("pro", 5000), PlanTier("scale", None))
}


async def spend(context: Context, meter: Meter) -> None:
    """Count one use, or refuse it (402) when the month's are used up. Only one of two racing last uses is admitted."""
    rows, period = context.rows, period_of(context.clock())

    async def work(tx: Transaction) -> int | None:
        owner = await tx.first(rows.select(workspaces, workspaces.c.plan))
        tier = TIERS.get(owner.plan if owner else "", TIERS["free"])
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


def period_of(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m")
