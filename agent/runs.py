"""Starts, resumes and stops turns: each runs in a task of its own, so that whoever asked for it may leave."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.calls import Calls
from agent.following import Bells, Following
from agent.journal import LEASE_MS, Journal
from agent.limits import Limits
from agent.loop import RENEW_SECONDS, Run
from agent.model import Model
from agent.pending import outcome, supersede
from agent.snapshot import Snapshot, snapshot
from agent.spending import require_budget
from agent.titles import Titles
from agent.transcript import context_text, not_executed, user_content
from agent.turn import asker, facts, kept
from tools import ids
from tools.approval import view
from tools.authority import Principal, Role, Scope, Via
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.model import Asked
from tools.conversations.store import Kind, ResultState, Status
from tools.errors import Conflict, InsufficientScope
from tools.finding import shown
from tools.invoke import Door
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


@dataclass(frozen=True, slots=True)
class Surface:
    name: str
    scope: Scope
    offer: Offer
    snapshot: Snapshot

    @classmethod
    def of(cls, name: str, scope: Scope, offer: Offer) -> "Surface":
        return cls(name, scope, offer, snapshot(name, shown(offer)))


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
            Surface.of("ads", Scope.ADS_READ, ads_chat(door.registry)),
            Surface.of("analytics", Scope.ANALYTICS_READ, analytics_chat(door.registry)),
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

    async def start(self, context: Context, surface: str, asked: Callable[[], Asked]) -> Following:
        """Begin a turn and follow it; refused before anything of it is stored or charged where it cannot begin."""
        begun = await asyncio.shield(asyncio.ensure_future(self._start(context, self._surfaces[surface], asked)))
        return Following(context, self._bells, begun.id, begun.last_event, begun.run_id)

    async def follow(self, context: Context, conversation_id: str, after: int | None) -> Following:
        """From an event on, or from the beginning of the current run."""
        session = await conversations.conversation(context, conversation_id)
        if after is None:
            after = await conversations.before_run(context.rows, conversation_id, session.run_id)
        return Following(context, self._bells, conversation_id, after, None)

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

    async def _start(self, context: Context, surface: Surface, ask: Callable[[], Asked]) -> Row:
        async def ready() -> None:
            identifier = ask().conversationId
            self._model.require_key()
            await require_budget(context, self._model.settings.prices)
            if identifier is None:
                return
            session = await conversations.conversation(context, identifier)
            if session.surface != surface.name:  # what it may do was settled when it began
                raise _elsewhere(session.surface)
            if session.status == Status.RUNNING:
                raise _running()

        await self._door.admit_chat_turn(context, f"{surface.name}_chat", surface.scope, ready)
        asked = ask()
        if asked.conversationId is not None:
            await supersede(context, asked.conversationId)
        identifier = asked.conversationId or ids.new("cnv")
        known = await facts(context)
        run_id, rows, now = ids.new("run"), context.rows, context.now_ms()

        async def work(tx: Transaction) -> Row:
            if asked.conversationId is None:
                await self._add(tx, context, surface, identifier, redact(asked.title))
            session = await conversations.claim(
                tx, rows, identifier, run_id, now=now, until=now + LEASE_MS,
                acting=kept(context.principal), spent_ms=0, next_turn=True,
            )  # fmt: skip
            if session is None:
                raise _running()
            results, complete = await self._over(tx, context, identifier)
            told = known if complete else known | {"note": "Your answer before this was stopped or broke off."}
            message = conversations.message_added(
                rows, conversation_id=identifier, seq=session.last_message, turn=session.turn, run_id=run_id,
                role="user", kind=Kind.SENT, content=user_content(results, [context_text(told), redact(asked.message)]),
                tool_calls=[], created_at=now,
            )  # fmt: skip
            await tx.run(message)
            return session

        self._beginning.add(run_id)
        try:
            session = await context.store.write(work)
            self._launch(context, session)
        finally:
            self._beginning.discard(run_id)
        return session

    async def _add(self, tx: Transaction, context: Context, surface: Surface, identifier: str, title: str) -> None:
        rows, now, taken = context.rows, context.now_ms(), surface.snapshot
        settings = self._model.settings
        await tx.run(
            conversations.snapshot_kept(rows, sha=taken.sha, system=taken.system, tools=taken.tools, created_at=now)
        )
        added = conversations.session_added(
            rows, id=identifier, user_id=context.principal.user, surface=surface.name, title=title,
            model=settings.model, effort=settings.effort, snapshot=taken.sha, status=Status.IDLE,
            acting=kept(context.principal), turn=0, spent_ms=0, last_message=0, last_event=0,
            created_at=now, updated_at=now,
        )  # fmt: skip
        await tx.run(added)

    async def _over(self, tx: Transaction, context: Context, identifier: str) -> tuple[list[str], bool]:
        """The results that the answer before still lacks, whatever the reason; and whether it was complete."""
        rows = context.rows
        last = await tx.first(conversations.last_sent(rows, identifier))
        if last is None:
            return [], True
        if last.role == "user":
            return [], False
        calls = [block["id"] for block in json.loads(last.content) if block["type"] == "tool_use"]
        stored = {row.tool_use_id: row for row in await tx.all(conversations.results(rows, identifier, calls))}
        results: list[str] = []
        for call in calls:
            row = stored.get(call)
            if row is not None and row.state == ResultState.WAITING:
                approval = await tx.first(conversations.approval(rows, row.approval_id))
                block = outcome(call, view(approval, context.public_url, context.now_ms())) if approval else ""
                settled = {"state": ResultState.DONE, "content": block, "updated_at": context.now_ms()}
                await tx.run(conversations.result_settled(rows, identifier, call, **settled))
                results.append(block)
            else:
                results.append(
                    row.content if row else not_executed(call, "The answer ended before this call was made.")
                )
        return results, not calls

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

        async def work(tx: Transaction) -> Row | None:
            until = now + LEASE_MS
            return await conversations.claim(
                tx, rows, conversation_id, run_id, now=now, until=until, left_before=left_before
            )

        if (claimed := await context.store.write(work)) is not None:
            self._launch(context, claimed, gone=principal is None, stopped=stopped)

    async def _session(self, workspace: str, conversation_id: str) -> Row | None:
        rows = self._door.context(_nobody(workspace), ids.request_id()).rows
        session = await conversations.session(rows, conversation_id)
        return session if session is not None and session.status != Status.IDLE else None

    def _launch(self, asking: Context, session: Row, *, gone: bool = False, stopped: bool = False) -> None:
        context = self._door.context(asking.principal.through(Via.AGENT), asking.request_id)
        journal = Journal(context, session, self._bells)
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


def _running() -> Conflict:
    return Conflict(
        "A turn of this conversation is still running.",
        fix="Wait for its done event, or stop it with POST /api/v1/chat/{conversationId}/stop.",
    )


def _elsewhere(surface: str) -> Conflict:
    return Conflict(
        f"This conversation belongs to the {surface} chat.",
        fix=f"Go on with POST /api/v1/{surface}/chat, or leave conversationId out to begin another.",
    )


def _nobody(workspace: str) -> Principal:
    """To look up whose turn it is; nothing is done in this name."""
    return Principal(
        id="operator", name="Adwright", user="operator", workspace=workspace, role=Role.VIEWER, scopes=frozenset(),
        via=Via.OPERATOR,
    )  # fmt: skip
