"""Whatever befalls turns, in any order: no effect without a yes, no dollar beyond the budget, nothing lost, told twice
or left open."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.following import Following
from agent.model import ModelSettings
from server.sandbox.app import create_app
from tests.agent.deciding import Deciding, Face
from tests.agent.evidence import Evidence, question
from tests.agent.misfortunes import BUDGETS, CAMPAIGNS, CEILING, LIMITS, SLOW, after, answers, faces, minds, which
from tests.agent.talk import NEVER, PATIENCE, Talk, collected, first, text
from tests.app import _served_new
from tests.database import ON_POSTGRESQL
from tests.tools.outside import Mortal
from tests.world import OWNER, Clock, World, open_world
from tools.conversations.model import Asked
from tools.errors import CapabilityError, QuotaExceeded
from tools.leases import LASTS
from tools.quota import period_of
from tools.recovery import recover, unfinished_turns
from tools.secret import Secret
from tools.store.claims import LEASE
from tools.store.engine import StoreUnavailable
from tools.store.tables import approvals, chat_sessions, workspaces

T = TypeVar("T")

EVER = 1 << 62


class Tab:
    """A client that follows from some event on, and comes back with the last one it has."""

    def __init__(self, conversation: str, after: int) -> None:
        self.conversation, self.first, self.last = conversation, after, after
        self.seen: list[int] = []
        self._task: asyncio.Task[None] | None = None

    async def caught_up(self, talk: Talk, newest: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.last < newest:
                if self._task is None or self._task.done():
                    self.leave()
                    following = await talk.runner.follow(talk.world.context(OWNER), self.conversation, self.last)
                    self._task = asyncio.create_task(self._follow(following))
                await asyncio.wait((self._task,), timeout=0.01)
        assert self.seen == list(range(self.first + 1, newest + 1))

    def leave(self) -> None:
        if self._task is not None and not self._task.cancel() and not self._task.cancelled():
            self._task.result()

    async def _follow(self, following: Following) -> None:
        try:
            while not following.over:
                for row in await following.next(PATIENCE):
                    self.seen.append(row.seq)
                    self.last = row.seq
        finally:
            following.close()


class Turns(RuleBasedStateMachine):
    """Conversations of one person, and everything that can befall them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.sandbox = create_app(now=self.clock)
        self.stack, self.house = contextlib.AsyncExitStack(), contextlib.AsyncExitStack()
        self.talk: Talk = self.run(self.begun())
        self.evidence = Evidence(LIMITS, CEILING)
        self.conversations: list[str] = []
        self.tabs: list[Tab] = []
        self.asked = 0
        self.budget = Decimal(0)
        self.deciding = self.talk.world, Deciding(self.talk.world)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(coroutine)

    async def begun(self) -> Talk:
        url = await self.stack.enter_async_context(_served_new(self.sandbox))
        http = await self.stack.enter_async_context(httpx2.AsyncClient(base_url=f"{url}/anthropic"))
        world = await self.opened()
        model = ModelSettings(
            api_key=Secret((await world.sandbox.get("/")).json()["anthropic"]["api_key"]),
            base_url=f"{url}/anthropic", model="claude-sonnet-5-5", effort="medium", retries=0,
        )  # fmt: skip
        talk = Talk(world, None, url, model, LIMITS, http, NEVER)  # type: ignore[arg-type]  # made in the next line
        talk.runner = talk._runner()
        return talk

    async def opened(self) -> World:
        world = open_world(Path(self.folder.name), clock=self.clock, sandbox=self.sandbox)
        return await self.house.enter_async_context(world)

    def teardown(self) -> None:
        async def ended() -> None:
            for tab in self.tabs:
                tab.leave()
            await self.talk.runner.close()
            await self.house.aclose()
            await self.stack.aclose()

        self.run(ended())
        self.loop.close()
        self.folder.cleanup()

    @initialize(budget=st.sampled_from(BUDGETS))
    def a_plan_without_a_quota(self, budget: Decimal) -> None:
        async def furnished() -> None:
            found = {campaign["campaign_id"] for campaign in await self.talk.world.campaigns()}
            assert found >= set(CAMPAIGNS)
            rows = self.talk.world.context(OWNER).rows
            await self.talk.world.store.write(lambda tx: tx.run(rows.update(workspaces).values(plan="scale")))
            await self.talk.world.call(OWNER, "update_workspace_settings", campaign_daily_ceiling=CEILING)
            await self.budgeted(budget)

        self.run(furnished())

    @rule(budget=st.sampled_from(BUDGETS))
    def an_admin_sets_another_budget(self, budget: Decimal) -> None:
        self.run(self.budgeted(budget))

    # What can happen

    @rule(said=answers, old=st.booleans(), at=which)
    def someone_asks(self, said: list[Any], old: bool, at: int) -> None:
        async def asked() -> None:
            if (following := await self.asks(said, self.pick(at) if old else None)) is not None:
                await collected(following)

        self.run(asked())

    @rule(said=answers, many=st.integers(min_value=2, max_value=4))
    def several_ask_at_once(self, said: list[Any], many: int) -> None:
        async def asked() -> None:
            await self.prepared(said, many)
            begun = await asyncio.gather(*(self.begun_one({}) for _ in range(many)))
            await asyncio.gather(*(collected(following) for following in begun if following is not None))
            await self.noticed()

        self.run(asked())

    @rule(said=answers, old=st.booleans(), at=which, after=after)
    def the_process_is_killed_while_a_turn_runs(self, said: list[Any], old: bool, at: int, after: int) -> None:
        async def killed() -> None:
            mortal = Mortal(self.talk.world, after)
            with contextlib.suppress(CapabilityError, StoreUnavailable):
                await self.asks(said, self.pick(at) if old else None)
            await self.dies(mortal)

        self.run(killed())

    @rule(said=answers, old=st.booleans(), at=which, count=after, slow=st.booleans())
    def someone_stops(self, said: list[Any], old: bool, at: int, count: int, slow: bool) -> None:
        lasting = [*said, {**text("Slowly. " * 100), "fault": SLOW}] if slow else said

        async def stopped() -> None:
            if (following := await self.asks(lasting, self.pick(at) if old else None)) is None:
                return
            seen = await collected(following, until="text_delta" if slow else None, count=None if slow else count)
            conversation = first(seen, "run_started")["conversationId"]
            await self.talk.runner.stop(self.talk.world.context(OWNER), conversation)
            await self.scripted([])

        self.run(stopped())

    @precondition(lambda self: self.conversations)
    @rule(said=answers, at=which, turn=which)
    def someone_asks_anew_from_an_earlier_turn(self, said: list[Any], at: int, turn: int) -> None:
        conversation = self.pick(at)
        assert conversation

        async def branched() -> None:
            questions = await self.questions(conversation)
            number = turn % len(questions) + 1
            if (following := await self.asks(said, conversation, replaces=number)) is None:
                return
            await collected(following)
            self.evidence.branches(self.conversations[-1], questions[: number - 1])

        self.run(branched())

    @precondition(lambda self: self.conversations)
    @rule(at=which)
    def someone_stops_whatever_there_is(self, at: int) -> None:
        conversation = self.pick(at)
        assert conversation
        self.run(self.talk.runner.stop(self.talk.world.context(OWNER), conversation))

    @rule(said=answers, old=st.booleans(), at=which)
    def another_process_takes_over(self, said: list[Any], old: bool, at: int) -> None:
        async def taken() -> None:
            slow = {**text("Slowly. " * 100), "fault": SLOW}
            stalled = self.talk.runner
            if (following := await self.asks([slow, *said], self.pick(at) if old else None)) is None:
                return
            await collected(following, until="text_delta")
            self.clock.pass_by(seconds=16)
            self.talk.runner = self.talk._runner()
            for tab in self.tabs:
                tab.leave()
            await self.quiet()
            await stalled.close()

        self.run(taken())

    @precondition(lambda self: self.conversations)
    @rule(at=which, said=answers, face=faces, yes=st.booleans())
    def a_person_decides(self, at: int, said: list[Any], face: Face, yes: bool) -> None:
        self.run(self.decided(at, said, (face, yes)))

    @precondition(lambda self: self.conversations)
    @rule(at=which, said=answers, minds=minds)
    def several_decide_at_once(self, at: int, said: list[Any], minds: list[tuple[Face, bool]]) -> None:
        self.run(self.decided(at, said, *minds))

    @precondition(lambda self: self.conversations)
    @rule(at=which, said=answers, after=after)
    def the_process_is_killed_while_a_person_decides(self, at: int, said: list[Any], after: int) -> None:
        async def killed() -> None:
            mortal = Mortal(self.talk.world, after)
            await self.decided(at, said, ("REST", True))
            with contextlib.suppress(StoreUnavailable):
                await self.talk.runner.sweep()
            await self.dies(mortal)

        self.run(killed())

    @precondition(lambda self: self.conversations)
    @rule(at=which, said=answers, face=faces, yes=st.booleans())
    def a_person_decides_while_no_process_runs_turns(self, at: int, said: list[Any], face: Face, yes: bool) -> None:
        async def alone() -> None:
            await self.talk.runner.close()
            await self.decided(at, said, (face, yes))
            self.talk.runner = self.talk._runner()

        self.run(alone())

    @rule(minutes=st.sampled_from((1, 16)))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_by(minutes=minutes)

    @rule()
    def the_month_ends(self) -> None:
        self.clock.pass_by(days=31)
        self.evidence.allowed.setdefault(period_of(self.clock()), self.budget)

    @rule(kind=st.sampled_from(("cut", "lost_answer", "html", "server_error", "throttled", "expired_token")),
          where=st.sampled_from(("meta:write", "meta:GET")))  # fmt: skip
    def the_platform_will_fail(self, kind: str, where: str) -> None:
        self.run(self.talk.world.break_next(kind, target=where))

    @precondition(lambda self: self.conversations)
    @rule(at=which, share=st.floats(min_value=0, max_value=1))
    def someone_opens_a_tab(self, at: int, share: float) -> None:
        conversation = self.pick(at)
        assert conversation
        session = self.run(self.talk.session(conversation))
        self.tabs.append(Tab(conversation, int(share * session.last_event)))

    # What must hold

    @invariant()
    def everything_is_told_and_nothing_is_done_unasked(self) -> None:
        self.run(self.judged())

    async def judged(self) -> None:
        await self.quiet()
        await self.evidence.judge(self.talk)
        for tab in self.tabs:
            await tab.caught_up(self.talk, (await self.talk.session(tab.conversation)).last_event)

    # How it is done

    def pick(self, at: int) -> str | None:
        return self.conversations[at % len(self.conversations)] if self.conversations else None

    async def scripted(self, said: list[Any]) -> None:
        (await self.talk.http.delete("/script")).raise_for_status()
        await self.talk.says(*said, text("That is all."))

    async def questions(self, conversation: str) -> list[int]:
        """Of each of its turns."""
        asked = [row.said for row in await self.talk.messages(conversation) if row.said]
        return [int(said.removeprefix("Question ").rstrip(".")) for said in asked]

    async def budgeted(self, budget: Decimal) -> None:
        await self.talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=float(budget))
        month = period_of(self.clock())
        self.budget = budget
        self.evidence.allowed[month] = max(budget, self.evidence.allowed.get(month, budget))

    async def asks(self, said: list[Any], conversation: str | None, replaces: int | None = None) -> Following | None:
        await self.prepared(said)
        asked: dict[str, Any] = {"conversationId": conversation} if conversation else {}
        asked |= {"replacesTurn": replaces} if replaces else {}
        try:
            return await self.begun_one(asked)
        finally:
            await self.noticed()

    async def prepared(self, said: list[Any], turns: int = 1) -> None:
        await self.quiet()
        await self.scripted(said)
        self.clock.pass_by(seconds=4 * turns)  # twenty a minute

    async def begun_one(self, asked: dict[str, Any]) -> Following | None:
        """None where the month has no room for it."""
        self.asked += 1
        sent = asked | {"message": question(self.asked)}
        if "conversationId" in asked and "replacesTurn" not in asked:
            self.evidence.asks(self.asked, asked["conversationId"])
        with contextlib.suppress(QuotaExceeded):
            return await self.talk.runner.start(self.talk.world.context(OWNER), "ads", lambda: Asked.of(sent))
        return None

    async def noticed(self) -> None:
        """A new conversation began with what was asked last in it, whether or not its asker was told."""
        rows = self.talk.world.context(OWNER).rows
        for session in await rows.all(rows.select(chat_sessions)):
            if session.id not in self.conversations:
                self.conversations.append(session.id)
                self.evidence.asks((await self.questions(session.id))[-1], session.id)

    async def decided(self, at: int, said: list[Any], *minds: tuple[Face, bool]) -> None:
        """One of those that wait, if any does: by these at the same time, each through a face."""
        rows = self.talk.world.context(OWNER).rows
        pending = await rows.all(rows.select(approvals).where(approvals.c.status == "pending"))
        if not pending:
            return
        await self.scripted(said)
        chosen = sorted(pending, key=lambda row: str(row.id))[at % len(pending)]
        if any(yes for _, yes in minds):
            self.evidence.agreed.add(chosen.id)
        if self.deciding[0] is not self.talk.world:
            self.deciding = self.talk.world, Deciding(self.talk.world)
        decide = self.deciding[1].decide
        told = await asyncio.gather(*(decide(face, chosen, yes=yes) for face, yes in minds))
        taken = [mind for mind, status in zip(minds, told, strict=True) if mind[0] == "REST" and status == 200]
        assert len(taken) <= 1, "a card was decided twice"

    async def quiet(self) -> None:
        """Until no turn runs, and none is to be gone on with."""
        store, runner = self.talk.world.store, self.talk.runner
        async with asyncio.timeout(PATIENCE):
            await runner.settle()
            while await unfinished_turns(store, self.clock.milliseconds(), self.clock.milliseconds()):
                await runner.sweep()
                await runner.settle()

    async def dies(self, mortal: Mortal) -> None:
        """Whatever it still tries reaches neither disk nor network; the next process begins with the rows."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.talk.runner.settle()
        mortal.left = 0
        for tab in self.tabs:
            tab.leave()
        await self.talk.runner.close()
        await self.house.aclose()
        self.clock.now += max(LASTS, LEASE)  # on a shared database what a dead process held is another's only then
        world = self.talk.world = await self.opened()
        await self.noticed()
        await recover(world.door, world.store, world.audit)
        self.talk.runner = self.talk._runner()
        await self.talk.runner.sweep(None if world.store.shared else EVER)


EXAMPLES = int(os.environ.get("ADWRIGHT_TURN_EXAMPLES", 0)) or (3 if ON_POSTGRESQL or not os.environ.get("CI") else 5)

Turns.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=15, deadline=None)
TestTurns = Turns.TestCase
