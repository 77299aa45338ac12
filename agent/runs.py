"""Starts, resumes and stops turns: each runs in a task of its own, so that whoever asked for it may leave."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial

from agent.beginning import Again, Beginning, Begun, Surface, began, may_begin
from agent.calls import Calls
from agent.following import Bells, Following
from agent.journal import LEASE_MS, Journal
from agent.limits import Limits
from agent.loop import RENEW_SECONDS, Run
from agent.model import Model
from agent.pending import supersede
from agent.snapshot import snapshot
from agent.spending import most
from agent.titles import Titles
from agent.transcript import MAX_TOKENS
from agent.turn import asker, facts
from tools import ids
from tools.authority import Principal, Role, Scope, Via
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.model import Asked
from tools.conversations.store import Status
from tools.errors import InsufficientScope
from tools.finding import shown
from tools.idempotency import Known
from tools.invoke import Door
from tools.quota import require_room
from tools.recovery import unfinished_turns
from tools.redaction import redact
from tools.store.engine import Store, StoreUnavailable, Transaction
from tools.store.statements import Row
from tools.surfaces import Offer, ads_chat, analytics_chat

LOOK_SECONDS = 2.0
"""How soon an expiry is noticed, and what other processes decided or left behind."""

Standing = Callable[[Principal], Awaitable[Principal | None]]
"""Who asked, as they are now: None where they may no longer act in the workspace."""

logger = logging.getLogger(__name__)


class Runner:
    """One a process. What another process must know of a turn is in its rows."""

    def __init__(
        self,
        door: Door,
        store: Store,
        model: Model,
        *,
        standing: Standing,
        report: Callable[[str, BaseException], None],
        limits: Limits | None = None,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._door, self._store, self._model = door, store, model
        self._standing, self._report, self._limits = standing, report, limits or Limits()
        self._renew_seconds = renew_seconds
        self._titles = Titles(model, report)
        surfaces = (
            _surface("ads", Scope.ADS_READ, ads_chat(door.registry)),
            _surface("analytics", Scope.ANALYTICS_READ, analytics_chat(door.registry)),
        )
        self._surfaces = {surface.name: surface for surface in surfaces}
        self._bells = Bells()
        self._beginning: set[str] = set()  # runs whose claim is on its way: nobody has left them
        self._runs: dict[str, tuple[Run, asyncio.Task[None]]] = {}  # by run: one may end as the next begins
        self._wake = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        door.gate.on_settled(lambda _: self._wake.set())

    def open(self) -> None:
        self._looking = asyncio.create_task(self._look(), name="turns")

    async def close(self) -> None:
        """Turns that run are left to the next process; their leases are given back."""
        tasks = [task for _, task in self._runs.values()]
        for task in [*tasks, *([self._looking] if self._looking else [])]:
            task.cancel()
        await asyncio.gather(*tasks, *([self._looking] if self._looking else []), return_exceptions=True)
        await self._titles.close()
        await self._model.close()

    async def answers(self) -> str | None:
        """The name of the model that new conversations get; None where there is no key for one."""
        return await self._model.answers()

    async def start(
        self, context: Context, surface: str, asked: Callable[[], Asked], key: str | None = None
    ) -> Following:
        """Begin a turn and follow it; refused before anything of it is stored or charged where it cannot begin. Under
        the idempotency key of one that began, that one is followed from its beginning."""
        begun = await asyncio.shield(asyncio.ensure_future(self._start(context, self._surfaces[surface], asked, key)))
        replayed = begun.session is None
        return Following(context, self._bells, begun.conversation_id, begun.before, to_done=True, replayed=replayed)

    async def follow(self, context: Context, conversation_id: str, after: int | None) -> Following:
        """From an event on, or from the beginning of the current run."""
        session = await conversations.conversation(context, conversation_id)
        if after is None:
            after = await conversations.before_run(context.rows, conversation_id, session.run_id)
        return Following(context, self._bells, conversation_id, after)

    async def stop(self, context: Context, conversation_id: str) -> bool:
        """End the turn, also one that waits for a person; answers whether there was one."""
        session = await conversations.conversation(context, conversation_id)
        if session.status == Status.WAITING:
            await self._resume(context.principal.workspace, conversation_id, stopped=True)
        elif session.status == Status.RUNNING and session.run_id in self._runs:
            self._runs[session.run_id][0].stop()
        elif session.status == Status.RUNNING:  # elsewhere: its keeper looks
            asked = conversations.stop_asked(context.rows, conversation_id, context.now_ms())
            await context.store.write(lambda tx: tx.run(asked))
        return bool(session.status != Status.IDLE)

    async def sweep(self, left_before: int | None = None) -> None:
        """Take up what was decided, what expired, and what a process left whose lease ended before then."""
        now = int(self._door.clock().timestamp() * 1000)
        left_before = now if left_before is None else left_before
        for workspace, conversation_id in await unfinished_turns(self._store, now, left_before):
            await self._resume(workspace, conversation_id, left_before=left_before)

    async def settle(self) -> None:
        """Wait until no turn runs here."""
        while self._runs:
            await asyncio.wait([task for _, task in self._runs.values()])
        await self._titles.settle()

    async def _look(self) -> None:
        # Nobody else works on a store of our own: whatever runs in it was left by a process that is gone.
        left_before = None if self._store.shared else 1 << 62
        while True:
            self._wake.clear()
            try:
                await self.sweep(left_before)
                left_before = None
            except StoreUnavailable as down:
                logger.warning("turns wait for the database: %s", down)
            except Exception:  # what one conversation does must not leave all others waiting
                logger.exception("turns cannot be taken up; tried again in %s s", LOOK_SECONDS)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _start(self, context: Context, surface: Surface, ask: Callable[[], Asked], key: str | None) -> Begun:
        once: Known | None = None

        async def ready() -> None:
            nonlocal once
            asked = ask()
            if key is not None:
                once = Known.of(context, surface.action, asked, key)
                if (earlier := await context.store.read(partial(began, once=once))) is not None:
                    await conversations.conversation(context, earlier.conversation_id)
                    raise Again(earlier)
            self._model.require_key()
            await may_begin(context, surface, asked)
            await require_room(context, self._least(surface, asked))

        try:
            await self._door.admit_chat_turn(context, surface.action, surface.scope, ready)
        except Again as again:
            return again.begun
        asked = ask()
        if asked.conversationId is not None and asked.replacesTurn is None:
            await supersede(context, asked.conversationId)
        run_id = ids.new("run")
        beginning = Beginning(
            context=context, surface=surface, settings=self._model.settings, asked=asked,
            known=await facts(context, asked.page), once=once, run_id=run_id,
        )  # fmt: skip
        self._beginning.add(run_id)
        try:
            begun = await context.store.write(beginning.work)
            if begun.session is not None:
                self._launch(context, begun.session, said=redact(asked.message))
        finally:
            self._beginning.discard(run_id)
        return begun

    def _least(self, surface: Surface, asked: Asked) -> Decimal:
        """What the first call of a turn may cost: of a conversation that goes on, without what it holds already."""
        sent = len(f"{surface.snapshot.system}{surface.snapshot.tools}".encode()) if asked.conversationId is None else 0
        return most(self._model.settings.prices, self._model.settings.model, sent, MAX_TOKENS)

    async def _resume(
        self, workspace: str, conversation_id: str, *, left_before: int = 0, stopped: bool = False
    ) -> None:
        """A new run of the stored turn, in the name of whoever asked, as far as they may still act."""
        session = await self._session(workspace, conversation_id)
        if session is None or session.run_id in self._beginning:
            return
        if session.status == Status.RUNNING and session.run_id in self._runs:
            return
        before = asker(session)
        principal = await self._standing(before)
        context = self._door.context(principal or before, ids.request_id())
        rows, now, run_id = context.rows, context.now_ms(), ids.new("run")

        async def work(tx: Transaction) -> tuple[Row, str | None] | None:
            claimed = await conversations.claim(
                tx, rows, conversation_id, run_id, now=now, until=now + LEASE_MS, left_before=left_before
            )
            return None if claimed is None else (claimed, await conversations.untold(tx, rows, claimed))

        if (taken := await context.store.write(work)) is not None:
            self._launch(context, taken[0], said=taken[1], gone=principal is None, stopped=stopped)

    async def _session(self, workspace: str, conversation_id: str) -> Row | None:
        rows = self._door.context(_nobody(workspace), ids.request_id()).rows
        session = await conversations.session(rows, conversation_id)
        return session if session is not None and session.status != Status.IDLE else None

    def _launch(
        self, asking: Context, session: Row, *, said: str | None, gone: bool = False, stopped: bool = False
    ) -> None:
        context = self._door.context(asking.principal.through(Via.AGENT), asking.request_id)
        journal = Journal(context, session, self._bells, said)
        offer = self._surfaces[session.surface].offer
        calls = Calls(self._door, context, journal, offer, self._limits.tool_calls)
        run = Run(
            context=context, session=session, journal=journal, calls=calls, model=self._model, titles=self._titles,
            limits=self._limits, report=self._report, renew_seconds=self._renew_seconds,
        )  # fmt: skip
        if gone:
            run.refuse(
                InsufficientScope(
                    "Whoever asked may no longer act in this workspace; the turn ends here.",
                    fix="Ask a member of the workspace.",
                    available=[],
                )
            )
        if stopped:
            run.stop()
        task = asyncio.create_task(run.run(), name=f"run {session.id}")
        self._runs[session.run_id] = run, task
        task.add_done_callback(lambda done: self._ended(session.run_id, done))

    def _ended(self, run_id: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(run_id, None)
        self._wake.set()  # a decision may have come while it ran
        if not task.cancelled() and (escaped := task.exception()) is not None:
            self._report(run_id, escaped)


def _surface(name: str, scope: Scope, offer: Offer) -> Surface:
    return Surface(name, scope, offer, snapshot(name, shown(offer)))


def _nobody(workspace: str) -> Principal:
    """To look up whose turn it is; nothing is done in this name."""
    return Principal(
        id="operator", name="Adwright", user="operator", workspace=workspace, role=Role.VIEWER, scopes=frozenset(),
        via=Via.OPERATOR,
    )  # fmt: skip
