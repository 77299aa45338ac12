"""A conversation's title by a small model, beside the first answer; what goes wrong with it, the turn never knows."""

import asyncio
import logging
import re
from collections.abc import Callable

from agent.answer import Answer, Building
from agent.failures import Failed
from agent.model import About, Model
from agent.results import legible_line
from agent.snapshot import compact, prompt
from agent.transcript import Message
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.model import TITLE_LENGTH
from tools.redaction import redact
from tools.store.engine import StoreUnavailable, Transaction
from tools.store.statements import Row

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
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                about = await self._model.about(self._model.settings.title_model)
                await self._model.call(request(about, words), building)
        except (Failed, TimeoutError) as failed:
            logger.info("%s keeps its first words as its title: %s", session.id, failed)
        except Exception as escaped:  # noqa: BLE001 - reported, and of no consequence
            self._report(context.request_id, escaped)
        if not building.began:
            return
        try:
            await self._keep(context, session, building.answer())
        except StoreUnavailable as down:
            logger.info("the title of %s is not stored: %s", session.id, down)

    async def _keep(self, context: Context, session: Row, answer: Answer) -> None:
        """What it cost is one row, before all messages: whoever asks twice keeps once."""
        rows, usage, model = context.rows, answer.usage, self._model.settings.title_model
        dollars = self._model.settings.prices.cost(model, usage)
        title = sanitised(answer.text) if answer.stop_reason == "end_turn" else ""
        aside = conversations.aside_added(
            rows, conversation_id=session.id, run_id=session.run_id, model=model,
            stop_reason=answer.stop_reason, model_request_id=answer.request_id, input_tokens=usage.input,
            output_tokens=usage.output, cache_read_tokens=usage.cache_read, cache_write_tokens=usage.cache_write,
            cost=None if dollars is None else str(dollars), estimated=int(usage.estimated),
            created_at=context.now_ms(),
        )  # fmt: skip

        async def work(tx: Transaction) -> None:
            if await tx.run(aside) and title:
                await tx.run(conversations.titled(rows, session.id, title))

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
