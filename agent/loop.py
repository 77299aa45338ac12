"""One run of a turn: model and tools in turn until the model is done, a person has to decide, or a limit is met."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agent.answer import Answer, Building
from agent.calls import Calls
from agent.failures import Failed, too_long
from agent.journal import Journal, Told, Written
from agent.limits import Limits, in_words, last_words
from agent.model import About, Model
from agent.retries import Retries
from agent.snapshot import Snapshot, compact
from agent.spending import Spending
from agent.stopping import Stop, Stopped
from agent.titles import Titles
from agent.transcript import MAX_TOKENS, Message, body, user_content
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.store import Kind, LeaseLost, Status
from tools.errors import CapabilityError, Internal
from tools.quota import chat_budget, month_spent
from tools.store.engine import StoreUnavailable
from tools.store.statements import Row

RENEW_SECONDS = 5.0
logger = logging.getLogger(__name__)

_REASONS = {
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "max_tokens": "max_tokens",
    "refusal": "refusal",
}
_CAPPED = frozenset({"end_turn", "stop_sequence", "tool_use", "pause_turn"})
"""Ways in which a summary ends; one that calls a tool or pauses all the same is no less the last."""


class Run:
    """What it knows it has from the rows, so that another process can take it up where this one ended."""

    def __init__(
        self,
        *,
        context: Context,
        session: Row,
        journal: Journal,
        calls: Calls,
        model: Model,
        titles: Titles,
        limits: Limits,
        report: Callable[[str, BaseException], None],
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._renew_seconds = renew_seconds
        self._context, self._session, self._journal, self._calls = context, session, journal, calls
        self._model, self._titles, self._limits, self._report = model, titles, limits, report
        self._messages: list[Message] = []
        self._asked = 0
        self._spending = Spending(context, journal, model.settings.prices, session.model)
        self._left: list[Written] = []  # to be kept where the process stops
        self._stop = Stop()
        self._refusal: CapabilityError | None = None
        self._began = asyncio.get_running_loop().time()

    def stop(self) -> None:
        self._stop.want()

    def refuse(self, error: CapabilityError) -> None:
        """Have the run end with this before it does anything."""
        self._refusal = error

    async def run(self) -> None:
        """To its end, whatever happens; a process that stops leaves it to the next."""
        keeper = asyncio.create_task(self._keep_lease(asyncio.current_task()))
        try:
            await self._told(self._drive)
        except LeaseLost:
            logger.warning("%s was taken over", self._journal.conversation_id)
        except StoreUnavailable as down:
            logger.warning("%s waits for the database: %s", self._journal.conversation_id, down)
        except asyncio.CancelledError:
            with contextlib.suppress(LeaseLost, StoreUnavailable):
                await self._journal.commit(*self._left, lease_until=0, spent_ms=self._spent_ms())
            raise
        finally:
            keeper.cancel()

    async def _told(self, drive: Callable[[], Awaitable[None]]) -> None:
        """Whatever ends a run is told in it."""
        try:
            await drive()
        except Stopped:
            still = await self._calls.withdraw()
            await self._finish("stopped", Status.WAITING if still else Status.IDLE)
        except CapabilityError as error:
            await self._fail(error)
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as escaped:  # noqa: BLE001 - told as our own error, and reported
            self._report(self._context.request_id, escaped)
            again = f"Send the message again; if it stays, report {self._context.request_id}."
            await self._fail(Internal("Something went wrong on our side.", fix=again))

    async def _drive(self) -> None:
        about = await self._model.about(self._session.model)
        self._journal.begin({"id": about.id, "name": about.name})
        self._journal.soon()
        if self._refusal is not None:
            raise self._refusal
        await self._load()
        if not self._asked:
            self._titles.begin(self._context, self._session, self._messages[-1])
        taken = await conversations.snapshot(self._context.rows, self._session.snapshot)
        snapshot = Snapshot(taken.system, taken.tools)
        while True:
            asked = self._messages[-1]
            results: list[str] = []
            if asked.stop_reason == "tool_use":
                results, waiting = await self._tools(asked)
                if waiting:
                    await self._finish("confirm_required", Status.WAITING)
                    return
            may_ask, limit = await self._room(snapshot, results)
            if not may_ask:
                await self._finish("cap", why={"explanation": in_words(limit)} if limit else None)
                return
            if results:
                self._append("user", user_content(results, [last_words(limit)] if limit else []))
            if await self._answered(await self._ask(about, snapshot, limit), limit):
                return

    async def _load(self) -> None:
        rows, identifier = self._context.rows, self._journal.conversation_id
        found = await rows.all(conversations.all_messages(rows, identifier))
        self._messages = [
            Message(row.role, row.content, row.turn, row.stop_reason) for row in found if row.kind == Kind.SENT
        ]
        answers = [
            row
            for row in found
            if row.turn == self._journal.turn and row.role == "assistant" and row.kind != Kind.ASIDE
        ]
        self._asked = len(answers)
        self._spending.look(min(row.seq for row in found), answers)
        await self._calls.look()

    async def _room(self, snapshot: Snapshot, results: Sequence[str]) -> tuple[bool, str | None]:
        """Whether the model may be asked once more, and the limit that leaves no more than a summary."""
        texts = (snapshot.system, snapshot.tools, *(message.content for message in self._messages), *results)
        sent = sum(len(text.encode()) for text in texts)
        limit = self._limits.met(
            asked=self._asked, turn=self._turn(), seconds=self._spent_ms() / 1000, dollars=self._spending.turn
        )
        if limit is None:
            if await self._spending.hold(sent, MAX_TOKENS, spare=self._asked > 0):
                return True, None
            budget = await chat_budget(self._context)
            if not self._asked:
                raise month_spent(self._context, budget)
            limit = f"the workspace's budget of {budget:.2f} USD a month"
        if self._asked >= self._limits.model_calls:  # its summary, too, was asked for, by a process that ended
            return False, limit
        return await self._spending.hold(sent, MAX_TOKENS), limit

    def _turn(self) -> list[Message]:
        return [message for message in self._messages if message.turn == self._journal.turn]

    async def _tools(self, asked: Message) -> tuple[list[str], list[Row]]:
        answering = asyncio.create_task(self._calls.answer(asked, self._turn()))
        await self._stop.unless(answering, spare=lambda: self._calls.changing)
        return answering.result()

    async def _ask(self, about: About, snapshot: Snapshot, limit: str | None) -> Answer:
        request = body(about, self._session.effort, snapshot, self._messages, without_tools=limit is not None)
        retries = Retries(self._limits.seconds - self._spent_ms() / 1000, self._model.settings.retries)
        while True:
            building = Building(self._journal.say)
            calling = asyncio.create_task(self._model.call(request, building))
            try:
                await self._stop.unless(calling)
                calling.result()
                return building.answer()
            except Stopped:
                await self._journal.commit(*self._broken_off(building.answer()))
                raise
            except asyncio.CancelledError:
                self._left = self._broken_off(building.answer(), Kind.HELD)  # all of it will be said again
                raise
            except Failed as failed:
                await self._journal.commit(*self._broken_off(building.answer()))
                if (wait := retries.pause(failed, building)) is None:
                    raise failed.error from failed
            await self._stop.sleep(wait)
            if not await self._spending.hold(len(request), MAX_TOKENS):
                raise month_spent(self._context, await chat_budget(self._context))

    async def _answered(self, answer: Answer, limit: str | None) -> bool:
        """Keep what the model said; answers whether that was the end of the run."""
        content = answer.sendable()
        reason = _REASONS.get(answer.stop_reason or "")
        goes_on = limit is None and self._goes_on(answer)
        if answer.stop_reason == "refusal" or not content or (answer.stop_reason == "pause_turn" and not goes_on):
            statements, goes_on = self._broken_off(answer), False  # the API would not take it back
        else:
            statements = self._spoken(answer, content)
        if goes_on:
            shown = answer.calls if answer.stop_reason == "tool_use" else []
            await self._journal.commit(*statements, told=[("tool_use", self._calls.shown(call)) for call in shown])
            return False
        if limit is not None and answer.stop_reason in _CAPPED:
            reason = "cap"
        if reason is None:
            await self._journal.commit(*statements)
            raise too_long() if answer.stop_reason == "model_context_window_exceeded" else _unusable(answer)
        await self._finish(reason, Status.IDLE, *statements, why=_why(reason, answer, limit))
        return True

    def _goes_on(self, answer: Answer) -> bool:
        return answer.stop_reason == "pause_turn" or (answer.stop_reason == "tool_use" and bool(answer.calls))

    def _spoken(self, answer: Answer, content: list[dict[str, Any]]) -> list[Written]:
        text = compact(content)
        self._messages.append(Message("assistant", text, self._journal.turn, answer.stop_reason))
        return self._row(answer, Kind.SENT, text)

    def _broken_off(self, answer: Answer, kind: Kind = Kind.SHOWN) -> list[Written]:
        """What people saw of an answer that is not sent again, and what it cost; nothing where nothing came."""
        if not answer.content and not answer.usage.prompt:
            return self._spending.give_back()
        return self._row(answer, kind, compact(answer.content))

    def _row(self, answer: Answer, kind: Kind, content: str) -> list[Written]:
        usage, settled = answer.usage, self._spending.settle(answer.usage)
        self._asked += 1
        message = self._journal.message(
            role="assistant",
            kind=kind,
            content=content,
            tool_calls=[self._calls.shown(call) for call in answer.calls],
            model=self._session.model,
            stop_reason=answer.stop_reason,
            model_request_id=answer.request_id,
            input_tokens=usage.input,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
            cost=None if settled.cost is None else str(settled.cost),
            estimated=int(usage.estimated),
            created_at=settled.at,
        )
        return [*settled.written, message]

    def _append(self, role: str, content: str) -> None:
        """Stored with what the model answers to it; until then the results it is made of are."""
        self._messages.append(Message(role, content, self._journal.turn))
        self._journal.keep(self._journal.message(role=role, kind=Kind.SENT, content=content))

    async def _fail(self, error: CapabilityError) -> None:
        await self._finish("error", before=[("error", error.body(self._context.request_id))])

    async def _finish(
        self,
        reason: str,
        status: Status = Status.IDLE,
        *statements: Written,
        before: Sequence[Told] = (),
        why: dict[str, Any] | None = None,
    ) -> None:
        """Whoever reads `done` finds the conversation free: both are one commit."""
        told = [*before, ("usage", self._spending.event()), ("done", {"stopReason": reason} | (why or {}))]
        await self._journal.commit(*statements, told=told, status=status, lease_until=None, spent_ms=self._spent_ms())

    def _spent_ms(self) -> int:
        return int(self._session.spent_ms + (asyncio.get_running_loop().time() - self._began) * 1000)

    async def _keep_lease(self, running: asyncio.Task[Any] | None) -> None:
        """While the model is silent nothing else renews it; and a stop may have been asked for elsewhere."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self._journal.commit()
                session = await conversations.session(self._context.rows, self._journal.conversation_id)
            except StoreUnavailable:
                continue
            except LeaseLost:
                if running is not None:
                    running.cancel()
                return
            if session is not None and session.stop_asked_at is not None:
                self.stop()


def _why(reason: str, answer: Answer, limit: str | None) -> dict[str, Any]:
    """What an end that nobody asked for is explained with."""
    if reason == "cap" and limit is not None:
        return {"explanation": in_words(limit)}
    if reason == "max_tokens":
        return {"explanation": f"The answer reached the most it may have, {MAX_TOKENS} tokens."}
    told = {name: answer.stop_details.get(name) for name in ("category", "explanation")} if reason == "refusal" else {}
    return {name: value for name, value in told.items() if value}


def _unusable(answer: Answer) -> CapabilityError:
    return Internal(
        f"The model ended in a way we cannot use ({answer.stop_reason}).",
        fix="Send the message again, or put it differently.",
    )
