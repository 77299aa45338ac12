"""What a run, its turn and the workspace's month cost; no call is made that the month may have no room for."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from agent.journal import Journal, Written
from agent.prices import Prices, Usage
from tools.context import Context
from tools.conversations.store import Kind
from tools.quota import chat_budget, held, period_of, settled
from tools.store.engine import Transaction
from tools.store.statements import Row
from tools.store.used import cost_added, cost_removed

ADDED_TOKENS = 2_000
"""Of a prompt, besides what is sent: the API puts words of its own around tools."""


def most(prices: Prices, model: str, sent: int, output: int) -> Decimal:
    """USD that a call can cost for which so many bytes are sent: a token is a byte or more."""
    return prices.most(model, sent + ADDED_TOKENS, output)


@dataclass(frozen=True, slots=True)
class Hold:
    """Room in the month for one call: the most that it can cost, counted before it is made. It is a row, too, until the
    call's own takes its place; that of a call whose process ended stays, for nobody knows what it did cost."""

    context: Context
    period: str
    most: Decimal
    row: dict[str, Any]

    @classmethod
    def of(cls, context: Context, dollars: Decimal, prices: Prices, model: str, **row: Any) -> "Hold":
        cost = str(dollars) if prices.bands(model) else None
        unknown = dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"), 0)
        told = {"model": model, "cost": cost, "estimated": 1, "created_at": context.now_ms()}
        return cls(context, period_of(context.clock()), dollars, unknown | told | row)

    async def taken(self, tx: Transaction, *, budget: Decimal, room: Decimal) -> bool:
        """False where the month has less room, or where there is such a row."""
        if not await held(tx, self.context, self.most, room=room, budget=budget):
            return False
        if await cost_added(self.context.rows, **self.row)(tx):
            return True
        await settled(self.context, self.period, self.most, Decimal(0))(tx)
        return False

    def settled(self, cost: Decimal) -> list[Written]:
        removed = cost_removed(self.context.rows, self.row["conversation_id"], self.row["seq"])
        return [removed, settled(self.context, self.period, self.most, cost)]


class Settled(NamedTuple):
    cost: Decimal | None  # as people are shown it
    at: int  # when the call was made: its month
    written: list[Written]


class Spending:
    """Of one run. Where a price is not known, a limit counts the dearest, and people are shown none."""

    def __init__(self, context: Context, journal: Journal, prices: Prices, model: str) -> None:
        self._context, self._journal, self._prices, self._model = context, journal, prices, model
        self._calls: list[tuple[Usage, Decimal | None]] = []
        self._hold: Hold | None = None
        self._budget: Decimal | None = None  # of the month, as it was when the run began
        self._seq = 0
        self.turn = Decimal(0)
        """USD that count against the turn's limit."""

    def look(self, first: int, answers: Iterable[Row]) -> None:
        """What runs before this one spent on the turn; `first` is where the rows of the conversation begin."""
        self._seq = min(first, 0) - 1
        for row in answers:
            used = Usage(row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens)
            self.turn += self._prices.at_most(used) if row.cost is None else Decimal(row.cost)

    async def hold(self, sent: int, output: int, *, spare: bool = False) -> bool:
        """Before each call; false where the month has no room for it or, with `spare`, for another one after it."""
        context, dollars = self._context, most(self._prices, self._model, sent, output)
        hold = Hold.of(
            context, dollars, self._prices, self._model, conversation_id=self._journal.conversation_id, seq=self._seq,
            turn=self._journal.turn, run_id=self._journal.run_id, kind=Kind.HELD,
        )  # fmt: skip
        if self._budget is None:
            self._budget = await chat_budget(context)
        room = dollars * (2 if spare else 1)
        taken = await self._journal.commit(admit=partial(hold.taken, budget=self._budget, room=room))
        self._hold = hold if taken else None
        return taken

    def settle(self, usage: Usage) -> Settled:
        """What a call did cost, in place of what was held for it."""
        hold, self._hold = self._held(), None
        dollars = self._prices.cost(self._model, usage)
        counted = self._prices.at_most(usage) if dollars is None else dollars
        self._calls.append((usage, dollars))
        self.turn += counted
        return Settled(dollars, hold.row["created_at"], hold.settled(counted))

    def give_back(self) -> list[Written]:
        """Of a call that nothing came of."""
        hold, self._hold = self._held(), None
        return hold.settled(Decimal(0))

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

    def _held(self) -> Hold:
        if self._hold is None:
            raise AssertionError("a call was made that nothing was held for")
        return self._hold
