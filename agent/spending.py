"""What a run, its turn and the workspace's month have cost, in tokens and in dollars."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from agent.prices import Prices, Usage
from tools.context import Context
from tools.conversations.usage import MonthUsage, month_to_date
from tools.quota import chat_budget, month_spent
from tools.store.statements import Row


class Spending:
    """Of one run. Where a price is not known, a limit counts the dearest, and people are shown none."""

    def __init__(self, context: Context, prices: Prices, model: str) -> None:
        self._context, self._prices, self._model = context, prices, model
        self._calls: list[tuple[Usage, Decimal | None]] = []
        self._run = Decimal(0)
        self._runs_before = Decimal(0)
        self._month: tuple[Decimal, Decimal] | None = None  # its budget, and what was left of it when the run began

    @property
    def turn(self) -> Decimal:
        """USD that count against the turn's limit."""
        return self._runs_before + self._run

    def look(self, answers: Iterable[Row]) -> None:
        """What runs before this one spent on the turn."""
        self._runs_before = sum(
            (
                Decimal(row.cost)
                if row.cost is not None
                else self._prices.at_most(
                    Usage(row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens)
                )
                for row in answers
            ),
            Decimal(0),
        )

    def add(self, usage: Usage) -> Decimal | None:
        """Answers what people are shown as its cost."""
        dollars = self._prices.cost(self._model, usage)
        self._calls.append((usage, dollars))
        self._run += dollars if dollars is not None else self._prices.at_most(usage)
        return dollars

    async def month_is_over(self) -> str | None:
        """The month's budget in words, where it is used up. Asked for once a run: from then on what the run itself
        spends is taken off, and what others spend meanwhile is bounded by their turns' limits."""
        if self._month is None:
            budget = await chat_budget(self._context)
            self._month = budget, budget - counted(await month_to_date(self._context), self._prices)
        budget, left = self._month
        return f"the workspace's budget of {budget:.2f} USD a month" if self._run >= left else None

    def event(self) -> dict[str, Any]:
        """Of this run. The cost is in USD, null where a model's price is not known."""
        used, known = [usage for usage, _ in self._calls], [cost for _, cost in self._calls if cost is not None]
        return {
            "inputTokens": sum(usage.input for usage in used),
            "outputTokens": sum(usage.output for usage in used),
            "cacheReadTokens": sum(usage.cache_read for usage in used),
            "cacheWriteTokens": sum(usage.cache_write for usage in used),
            "cost": float(sum(known)) if len(known) == len(used) else None,
        }


async def require_budget(context: Context, prices: Prices) -> None:
    """Refuse (402) a turn that begins after the month's budget is used up."""
    month, budget = await month_to_date(context), await chat_budget(context)
    if counted(month, prices) >= budget:
        raise month_spent(context, budget)


def counted(month: MonthUsage, prices: Prices) -> Decimal:
    return month.spent + prices.at_most(Usage(input=month.unpriced_sent, output=month.unpriced_output))
