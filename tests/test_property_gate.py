"""Whatever happens in whatever order: never an effect without its yes, never two for one yes, every recovery told."""

import asyncio
import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.sandbox.app import create_app as create_sandbox
from tests.database import ON_POSTGRESQL
from tests.tools.outside import Mortal, at_the_platform, full_disk
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, VIEWER, Clock, World, open_world, principal, renamed
from tools.authority import Role, Via
from tools.errors import CapabilityError
from tools.leases import LASTS
from tools.recovery import recover
from tools.store.audit import verify
from tools.store.tables import ad_sync_logs, approvals, platform_writes

T = TypeVar("T")

ACCOUNT = "act_702114450310001"
WHO = {
    "owner": OWNER,
    "member": principal(Role.MEMBER),
    "viewer": VIEWER,
    "agent": AGENT,
    "another agent": renamed(AGENT, id="key_second", name="second"),
    "shell": principal(via=Via.CLI, id="usr_shell", name="shell"),
    "key": KEY,
    "direct key": DIRECT_KEY,
}
PEOPLE = {WHO["owner"].name, WHO["member"].name}
CAMPAIGNS = ("12023100010000005", "12023100010000002", "12023100010000007")  # 40 a day, 60 a day, 25 a day and paused

askers = st.sampled_from(("agent", "another agent", "shell"))
campaigns = st.sampled_from(CAMPAIGNS)
changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict, daily_budget=st.sampled_from((21, 36, 44, 66, 90))),
    st.builds(dict, status=st.sampled_from(("ACTIVE", "PAUSED"))),
    st.builds(dict, name=st.sampled_from(("Ours", "Ours too"))),
    st.builds(dict, name=st.just("Both"), daily_budget=st.sampled_from((33, 55))),
)
faults = st.sampled_from(("cut", "lost_answer", "html", "server_error", "throttled", "expired_token"))
one_of_them = st.integers(min_value=0, max_value=1_000)
steps = st.integers(min_value=1, max_value=26)


class Gate(RuleBasedStateMachine):
    """The one yes of a person or a direct key, against everything that can come between it and its effect."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.sandbox = create_sandbox(now=self.clock)
        self.stack = contextlib.AsyncExitStack()
        self.world: World = self.run(self.opened())
        self.known: list[dict[str, Any]] = []
        self.agreed: set[str] = set()
        self.theirs: set[int] = set()
        self.settled = True

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    async def opened(self) -> World:
        opening = open_world(Path(self.folder.name), clock=self.clock, sandbox=self.sandbox)
        return await self.stack.enter_async_context(opening)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    @initialize()
    def the_campaigns_are_there(self) -> None:
        found = {campaign["campaign_id"] for campaign in self.run(self.world.campaigns())}
        assert found >= set(CAMPAIGNS)

    # What can happen

    @rule(asker=askers, campaign=campaigns, change=changes)
    def someone_asks(self, asker: str, campaign: str, change: dict[str, Any]) -> None:
        error = self.run(self.tried(asker, "update_campaign", campaign_id=campaign, **change))
        assert error is not None, "a gated principal never acts"
        if error.code == "confirm_required":
            self.known.append(error.body("req_1")["approval"])

    @rule(asker=askers, name=st.sampled_from(("Spring", "Summer")))
    def someone_asks_for_a_new_one(self, asker: str, name: str) -> None:
        new = {"account_id": ACCOUNT, "name": name, "objective": "sales", "daily_budget": 30}
        error = self.run(self.tried(asker, "create_campaign", **new))
        assert error is not None, "a gated principal never acts"
        if error.code == "confirm_required":
            self.known.append(error.body("req_1")["approval"])

    @precondition(lambda self: self.known)
    @rule(which=one_of_them, who=st.sampled_from(("owner", "member")))
    def a_person_agrees(self, which: int, who: str) -> None:
        self.run(self.tried(who, "approve", **self.yes(which)))

    @precondition(lambda self: self.known)
    @rule(which=one_of_them)
    def several_agree_at_once(self, which: int) -> None:
        yes = self.yes(which)

        async def together() -> None:
            await asyncio.gather(*(self.tried(who, "approve", **yes) for who in ("owner", "member", "owner")))

        self.run(together())

    @precondition(lambda self: self.known)
    @rule(which=one_of_them)
    def a_person_refuses(self, which: int) -> None:
        self.run(self.tried("owner", "deny", approval_id=self.pick(which)["id"]))

    @precondition(lambda self: self.known)
    @rule(
        which=one_of_them,
        who=st.sampled_from(("agent", "another agent", "shell", "key", "direct key", "viewer")),
        decision=st.sampled_from(("approve", "deny")),
    )
    def one_who_may_not_decides(self, which: int, who: str, decision: str) -> None:
        error = self.run(self.tried(who, decision, approval_id=self.pick(which)["id"]))
        assert error is not None
        assert error.status == 403

    @rule(campaign=campaigns, change=changes)
    def a_direct_key_acts(self, campaign: str, change: dict[str, Any]) -> None:
        self.run(self.tried("direct key", "update_campaign", campaign_id=campaign, **change))

    @rule(minutes=st.sampled_from((1, 14, 16, 61)))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_by(minutes=minutes)

    @rule(campaign=campaigns, cents=st.sampled_from((4100, 5100, 6100)))
    def someone_works_at_the_platform(self, campaign: str, cents: int) -> None:
        async def drift() -> None:
            await self.world.sandbox.delete("/faults")
            before = len(await self.world.writes_seen())
            with contextlib.suppress(
                AssertionError
            ):  # the platform takes four budget edits an hour, whoever makes them
                await at_the_platform(self.world, campaign, daily_budget=str(cents))
            self.theirs |= {write["seq"] for write in (await self.world.writes_seen())[before:]}

        self.run(drift())

    @rule(kind=faults, where=st.sampled_from(("meta:write", "meta:write", "meta:GET")))
    def the_platform_will_fail(self, kind: str, where: str) -> None:
        self.run(self.world.break_next(kind, target=where))

    @precondition(lambda self: self.known)
    @rule(which=one_of_them)
    def the_disk_is_full_while_a_person_agrees(self, which: int) -> None:
        yes = self.yes(which)

        async def agree() -> CapabilityError | None:
            with full_disk(self.world.store):
                error = await self.tried("owner", "approve", **yes)
                await self.world.audit.flush()
            await self.world.audit.flush()
            return error

        error = self.run(agree())
        assert error is not None
        self.settled = False

    @precondition(lambda self: self.known)
    @rule(which=one_of_them, after=steps)
    def the_process_is_killed_while_a_person_agrees(self, which: int, after: int) -> None:
        self.run(self.killed(after, "owner", "approve", **self.yes(which)))

    @rule(campaign=campaigns, change=changes, after=steps)
    def the_process_is_killed_while_a_direct_key_acts(self, campaign: str, change: dict[str, Any], after: int) -> None:
        self.run(self.killed(after, "direct key", "update_campaign", campaign_id=campaign, **change))

    @rule()
    def the_process_starts_anew(self) -> None:
        self.run(self.reopened())

    # What must hold

    @invariant()
    def every_effect_has_its_one_yes(self) -> None:
        self.run(self.judged())

    async def judged(self) -> None:
        context = self.world.context(OWNER)
        journal = await context.rows.all(context.rows.select(platform_writes))
        decided = {row.id: row for row in await context.rows.all(context.rows.select(approvals))}
        sent = Counter(_sent(write) for write in await self.world.writes_seen() if write["seq"] not in self.theirs)
        done = Counter(_written(row) for row in journal if row.status == "done")
        perhaps = Counter(_written(row) for row in journal if row.status in ("done", "unknown", "intent"))

        assert sent <= perhaps, "an effect nobody asked for, or one twice"
        if self.settled:
            assert done <= sent, "something is called done that never happened"
        a_yes = Counter(row.approval_id for row in journal if row.approval_id)
        assert all(count == 1 for count in a_yes.values()), "two writes for one yes"
        assert set(a_yes) <= self.agreed
        assert all(decided[approval].decided_by in PEOPLE for approval in a_yes)
        assert {(row.principal_id, row.via) for row in journal if row.approval_id is None} <= {(DIRECT_KEY.id, "key")}
        await self.told(list(decided.values()))

    async def told(self, rows: list[Any]) -> None:
        await self.world.audit.flush()
        assert (await verify(self.world.store, "wsp_north")).ok
        if not self.settled:
            return
        context = self.world.context(OWNER)
        told = Counter(
            entry.approval_id for entry in await context.rows.all(context.rows.select(ad_sync_logs))
            if entry.approval_id and entry.action not in ("approve", "deny") and entry.status != "confirm_required"
        )  # fmt: skip
        applied = {row.id for row in rows if row.status in ("done", "failed", "unknown", "stale")}
        assert not [row.id for row in rows if row.status == "executing"]
        assert told == Counter(dict.fromkeys(applied, 1))

    # How it is done

    async def tried(self, who: str, capability: str, /, **arguments: Any) -> CapabilityError | None:
        error = None
        try:
            await self.world.call(WHO[who], capability, **arguments)
        except CapabilityError as refused:
            error = refused
        if error and (fresh := error.details.get("approval", {})).get("status") == "pending":
            self.known.append(fresh)
        assert not self.world.reported
        return error

    def pick(self, which: int) -> dict[str, Any]:
        return self.known[which % len(self.known)]

    def yes(self, which: int) -> dict[str, Any]:
        approval = self.pick(which)
        self.agreed.add(approval["id"])
        amount = approval["plan"].get("amountRequired")
        return {"approval_id": approval["id"]} | ({"amount": amount} if amount else {})

    async def killed(self, after: int, who: str, capability: str, /, **arguments: Any) -> None:
        Mortal(self.world, after)
        with contextlib.suppress(CapabilityError):
            await self.world.call(WHO[who], capability, **arguments)
        await self.reopened()

    async def reopened(self) -> None:
        await self.stack.aclose()
        self.clock.now += LASTS  # on a shared database what a dead process held is another's only then
        self.world = await self.opened()
        await recover(self.world.door, self.world.store, self.world.audit)
        self.settled = True


def _sent(write: dict[str, Any]) -> tuple[str, ...]:
    """What the platform took, and from where, as one can tell it from others."""
    params = write["params"]
    path = write["path"].rsplit("/", 1)[1]
    return (path, *(str(params.get(name)) for name in ("name", "status", "daily_budget")))


def _written(row: Any) -> tuple[str, ...]:
    fields = row.fields
    budget = str(round(fields["daily_budget"] * 100)) if "daily_budget" in fields else "None"
    path = "campaigns" if row.kind == "create_campaign" else row.campaign_id
    return (path, str(fields.get("name")), str(fields.get("status")), budget)


EXAMPLES = (16 if ON_POSTGRESQL else 40) if os.environ.get("CI") else 8  # a step takes five times as long there

Gate.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
TestGate = Gate.TestCase
