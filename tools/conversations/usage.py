"""What the assistant cost this month, as people are shown it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from tools.approval import moment
from tools.capability import GET, Nothing, Output, Toolset, read
from tools.context import Context
from tools.fields import Ratio
from tools.quota import Meter, chat_budget, month_began, period_of, standing
from tools.store.used import used_since

_CENT_PARTS = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthUsage:
    """Of a workspace, since the first of the calendar month (UTC). `input_tokens` are those that no cache held."""

    period: str  # YYYY-MM
    since: dt.datetime
    turns: int
    turns_included: int | None  # None: the plan has no limit
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    spent: Decimal  # USD, of the calls whose price is known
    unpriced: int  # calls of models whose price is not

    @property
    def cost(self) -> Decimal | None:
        """USD; None where a part of it is not known."""
        return None if self.unpriced else self.spent

    @property
    def cached_share(self) -> Decimal | None:
        """Of the tokens that were sent, the part that a cache held; None before any was sent."""
        sent = self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
        return round(Decimal(self.cache_read_tokens) / sent, 4) if sent else None


async def month_to_date(context: Context) -> MonthUsage:
    since = month_began(context.clock())
    used = await used_since(context.rows, int(since.timestamp() * 1000))
    meter = await standing(context, Meter.CHAT_TURNS)
    return MonthUsage(
        period=period_of(since),
        since=since,
        turns=meter.used,
        turns_included=meter.included,
        input_tokens=int(used.input_tokens),
        output_tokens=int(used.output_tokens),
        cache_read_tokens=int(used.cache_read_tokens),
        cache_write_tokens=int(used.cache_write_tokens),
        spent=Decimal(used.cost).quantize(_CENT_PARTS),
        unpriced=used.unpriced,
    )


class Usage(Output):
    """Of the whole workspace."""

    period: str
    since: str
    turns: int
    inputTokens: int
    outputTokens: int
    cacheReadTokens: int
    cacheWriteTokens: int
    cachedShare: Annotated[Ratio, Field(description="0 to 1; null before anything was sent.")] | None
    cost: Annotated[Ratio, Field(description="USD; null where the price of a model is not known.")] | None
    budget: Annotated[Ratio, Field(description="USD that the assistant may cost in the month.")]
    turnsIncluded: Annotated[int, Field(description="Of the plan, a month; without limit if absent.")] | None = None


@read(scope=None, rest=GET("/usage"), toolset=Toolset.WORKSPACE)
async def get_usage(context: Context, _: Nothing) -> Usage:
    """Get what the assistant used this calendar month (UTC), in the whole workspace: chat turns and how many the plan
    includes, tokens, the share that a cache held, and the cost in USD beside its budget."""
    month = await month_to_date(context)
    return Usage(
        period=month.period,
        since=moment(int(month.since.timestamp() * 1000)),
        turns=month.turns,
        turnsIncluded=month.turns_included,
        inputTokens=month.input_tokens,
        outputTokens=month.output_tokens,
        cacheReadTokens=month.cache_read_tokens,
        cacheWriteTokens=month.cache_write_tokens,
        cachedShare=month.cached_share,
        cost=month.cost,
        budget=await chat_budget(context),
    )
