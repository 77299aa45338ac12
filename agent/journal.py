"""What a run tells and keeps: numbered events and rows, committed together, and only while the run holds its lease."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import orjson

from agent.following import Bells
from tools.approval import moment
from tools.context import Context
from tools.conversations import store as conversations
from tools.store.engine import Statement, StoreUnavailable, Transaction, Work
from tools.store.statements import Row
from tools.store.told import event_told

LEASE_MS = 15_000
PACE_SECONDS = 0.04
"""Words are told 25 times a second: a reader sees them flow, and a commit carries several."""

Told = tuple[str, dict[str, Any]]
"""An event: its name and its data."""

Written = Statement | Work[Any]
"""What a commit writes besides."""

logger = logging.getLogger(__name__)


async def _always(_: Transaction) -> bool:
    return True


class Journal:
    """One a run. An event has its number once it is durable, and nobody sees it before. `said` is what the person
    asked, where no run told it yet."""

    def __init__(self, context: Context, session: Row, bells: Bells, said: str | None = None) -> None:
        self.conversation_id: str = session.id
        self.run_id: str = session.run_id
        self.turn: int = session.turn
        self._context, self._bells, self._said = context, bells, said
        self._last_event: int = session.last_event
        self._last_message: int = session.last_message
        self._pending: list[Told] = []
        self._kept: list[Written] = []
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None

    def begin(self, model: dict[str, str]) -> None:
        """The first event of every run; with the person's words, so that a replay is the whole conversation."""
        started: dict[str, Any] = {
            "conversationId": self.conversation_id,
            "runId": self.run_id,
            "model": model,
            "turn": self.turn,
            "startedAt": moment(self._context.now_ms()),
        }
        self.tell("run_started", started if self._said is None else started | {"message": self._said})

    def tell(self, name: str, data: dict[str, Any]) -> None:
        """For the next commit."""
        self._pending.append((name, data))

    def say(self, name: str, words: str) -> None:
        """Words as they arrive; those since the last commit become one event."""
        if self._pending and self._pending[-1][0] == name:
            self._pending[-1][1]["text"] += words
        else:
            self.tell(name, {"text": words})
        self.soon()

    def soon(self) -> None:
        """Have what was told until then committed after PACE_SECONDS, if nothing does it before."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PACE_SECONDS, self._flush)

    def keep(self, statement: Statement) -> None:
        """For the next commit: what can be made again from other rows need not be waited for."""
        self._kept.append(statement)

    def message(self, **values: Any) -> Statement:
        """The next row of the transcript."""
        self._last_message += 1
        return conversations.message_added(
            self._context.rows,
            conversation_id=self.conversation_id,
            seq=self._last_message,
            turn=self.turn,
            run_id=self.run_id,
            **{"tool_calls": [], "created_at": self._context.now_ms(), **values},
        )

    async def commit(
        self, *written: Written, told: Sequence[Told] = (), admit: Work[bool] = _always, **session: Any
    ) -> bool:
        """What was told and kept, what is written besides and the session's new values, or nothing. Raises LeaseLost.
        What has to be admitted is so in the same transaction; answers whether it was.

        Whoever stops waiting does not stop it: what a number was given to must be known to have it.
        """
        committing = asyncio.ensure_future(self._locked(written, told, admit, session))
        committing.add_done_callback(lambda done: done.cancelled() or done.exception())  # also where nobody waits
        return await asyncio.shield(committing)

    async def _locked(
        self, statements: Sequence[Written], told: Sequence[Told], admit: Work[bool], session: dict[str, Any]
    ) -> bool:
        async with self._lock:
            return await self._commit(statements, told, admit, session)

    async def _commit(
        self, statements: Sequence[Written], told: Sequence[Told], admit: Work[bool], session: dict[str, Any]
    ) -> bool:
        taken, self._pending = [*self._pending, *told], []
        written, self._kept = [*self._kept, *statements], []
        rows, now, first = self._context.rows, self._context.now_ms(), self._last_event + 1
        values = {
            "last_event": self._last_event + len(taken),
            "last_message": self._last_message,
            "lease_until": now + LEASE_MS,
            "updated_at": now,
        } | session

        async def work(tx: Transaction) -> bool:
            await conversations.hold(tx, rows, self.conversation_id, self.run_id, **values)
            for seq, (name, data) in enumerate(taken, first):
                await event_told(
                    tx, rows, conversation_id=self.conversation_id, seq=seq, run_id=self.run_id, name=name,
                    data=orjson.dumps(data).decode(), at=now,
                )  # fmt: skip
            for each in written:
                await (each(tx) if callable(each) else tx.run(each))
            return await admit(tx)

        admitted = await self._context.store.write(work)
        self._last_event += len(taken)
        if taken or session:
            self._bells.ring(self.conversation_id)
        return admitted

    def _flush(self) -> None:
        self._timer = None
        if self._pending and not self._lock.locked():  # who holds it comes again, or ended the run
            self._flushing = asyncio.create_task(self._flushed())
        elif self._pending:
            self.soon()

    async def _flushed(self) -> None:
        try:
            async with self._lock:
                if self._pending:
                    await self._commit((), (), _always, {})
        except (conversations.LeaseLost, StoreUnavailable) as lost:  # the run's own next commit meets it too
            logger.warning("events of %s are not stored: %r", self.conversation_id, lost)
