"""A conversation's title by a small model, beside the first answer; what goes wrong with it, the turn never knows."""

import asyncio
import logging
import re
from collections.abc import Callable
from decimal import Decimal

from agent.answer import Answer, Building
from agent.failures import Failed
from agent.journal import Written
from agent.model import About, Model
from agent.results import legible_line
from agent.snapshot import compact, prompt
from agent.spending import Hold, most
from agent.transcript import Message
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.model import TITLE_LENGTH
from tools.conversations.store import Kind
from tools.quota import chat_budget
from tools.redaction import redact
from tools.store.engine import StoreUnavailable, Transaction
from tools.store.statements import Row
from tools.store.used import cost_added

MOST_CHARACTERS = 2_000
"""Of the message: what it is about stands at its beginning."""

MAX_TOKENS = 1_000
"""Its thinking among them."""

PATIENCE_SECONDS = 30.0

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,80}>")
_MARKUP = re.compile(r"[*`#<>\[\]{}|\\~]+")
_AROUND = " \t.,;:!?\"'“”„«»‘’-–—"

logger = logging.getLogger(__name__)


class Titles:
    """One a process. A conversation is titled once; a title that a person gave stays."""

    def __init__(self, model: Model, report: Callable[[str, BaseException], None]) -> None:
        self._model, self._report = model, report
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, context: Context, session: Row, message: Message) -> None:
        """Of a conversation's first turn: its message is what the title is made of."""
        if not self._model.settings.title_model or session.turn != 1 or session.titled_by != "message":
            return
        words = message.blocks[-1]["text"]
        task = asyncio.create_task(self._title(context, session, words), name=f"title {session.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settle()

    async def _title(self, context: Context, session: Row, words: str) -> None:
        building = Building(lambda *_: None)
        hold: Hold | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                about = await self._model.about(self._model.settings.title_model)
                asked = request(about, words)
                if (hold := await self._hold(context, session, len(asked))) is None:
                    return
                await self._model.call(asked, building)
        except (Failed, TimeoutError) as failed:
            logger.info("%s keeps its first words as its title: %s", session.id, failed)
        except Exception as escaped:  # noqa: BLE001 - reported, and of no consequence
            self._report(context.request_id, escaped)
        if hold is None:
            return
        try:
            await self._keep(context, building.answer() if building.began else None, hold)
        except StoreUnavailable as down:
            logger.info("the title of %s is not stored: %s", session.id, down)

    async def _hold(self, context: Context, session: Row, sent: int) -> Hold | None:
        """Its row is one, before all messages: of two processes that would ask, one does."""
        model, prices = self._model.settings.title_model, self._model.settings.prices
        hold = Hold.of(
            context, most(prices, model, sent, MAX_TOKENS), prices, model, conversation_id=session.id, seq=0,
            turn=session.turn, run_id=session.run_id, kind=Kind.ASIDE,
        )  # fmt: skip
        budget = await chat_budget(context)
        taken = await context.store.write(lambda tx: hold.taken(tx, budget=budget, room=hold.most))
        return hold if taken else None

    async def _keep(self, context: Context, answer: Answer | None, hold: Hold) -> None:
        """What it did cost takes the place of what was held for it: nothing, where no answer began."""
        rows, statements, counted = context.rows, list[Written](), Decimal(0)
        if answer is not None:
            usage, prices = answer.usage, self._model.settings.prices
            dollars = prices.cost(hold.row["model"], usage)
            counted = prices.at_most(usage) if dollars is None else dollars
            used = {
                "input_tokens": usage.input, "output_tokens": usage.output, "cache_read_tokens": usage.cache_read,
                "cache_write_tokens": usage.cache_write, "cost": None if dollars is None else str(dollars),
                "stop_reason": answer.stop_reason, "model_request_id": answer.request_id,
                "estimated": int(usage.estimated),
            }  # fmt: skip
            statements.append(cost_added(rows, **hold.row | used))
            if answer.stop_reason == "end_turn" and (title := sanitised(answer.text)):
                statements.append(conversations.titled(rows, hold.row["conversation_id"], title))

        async def work(tx: Transaction) -> None:
            for each in (*hold.settled(counted), *statements):
                await (each(tx) if callable(each) else tx.run(each))

        await context.store.write(work)


def request(about: About, words: str) -> bytes:
    head: dict[str, object] = {"model": about.id, "max_tokens": MAX_TOKENS, "stream": True}
    if about.effort:
        head["output_config"] = {"effort": "low"}
    asked = f"<message>\n{words[:MOST_CHARACTERS]}\n</message>"
    return compact(head | {"system": prompt("title").text, "messages": [{"role": "user", "content": asked}]}).encode()


def sanitised(text: str) -> str:
    """One short line of plain words, or nothing: it is shown in lists, and the model may have been talked into more."""
    line = next((line for line in text.strip().splitlines() if line.strip()), "")
    line = " ".join(legible_line(_MARKUP.sub(" ", _TAG.sub(" ", line))).split())
    line = redact(line).strip(_AROUND)
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1].rstrip()}…"
