"""One round: proposals, decisions, drift and faults, and the owner killed or stopped somewhere in the middle."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.chaos.checker import violations
from tests.chaos.harness import Owner, Violation, until
from tests.chaos.history import Database, Decisions, gather, lapse, steps, unsettled
from tests.chaos.people import Answer, People
from tests.chaos.wishes import Wish, Wishes

OK = 200
SETTLE_SECONDS = 20.0
LATE = 5.0
"""Outlives a restart: the platform then makes a change that nobody waits for any more."""
WAITING = 6
"""Undecided approvals carried on to later rounds, at most."""
ENDS = ("none", "kill", "kill twice", "stop", "hand over")
WEIGHTS = (35, 38, 7, 12, 8)
MOMENTS = ("any", "deciding", "applying")
FAULTS = (
    ("slow", "meta:write"), ("slow", "meta:GET"), ("lost_answer", "meta"), ("cut", "meta:write"), ("cut", "meta:GET"),
    ("html", "meta:write"), ("html", "meta"), ("server_error", "meta:write"), ("server_error", "meta"),
    ("throttled", "meta:write"), ("throttled", "meta"),
)  # fmt: skip


@dataclass
class Town:
    """What lasts from round to round."""

    database: Database
    owner: Owner
    people: People
    wishes: Wishes
    decisions: Decisions = field(default_factory=Decisions)
    counts: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


class Round:
    def __init__(self, town: Town, random: Random) -> None:
        self._town, self._random = town, random
        self._began = time.monotonic()
        self._deciding = asyncio.Event()
        self._quiet_at = 0.0
        self._slowest = 0.0
        self._flawless = True
        self._broken: list[str] = []
        self._unanswered: list[tuple[Wish, str, int]] = []
        self._unheard: dict[str, Mapping[str, Any]] = {}

    async def run(self) -> None:
        """Raises Violation; the town's events then tell what happened."""
        town = self._town
        town.events = []
        end = self._random.choices(ENDS, WEIGHTS)[0]
        moment = self._random.choices(MOMENTS, (15, 35, 50))[0]
        campaigns = [row for row in await town.people.on_the_platform() if row["status"] != "ARCHIVED"]
        changes = await town.people.by_session(0, "GET", "/changes?limit=20")
        undoable = [row["id"] for row in changes.body["data"] if row["undoable"]]
        await self._faults(held=end != "none" and self._random.random() < 0.5)
        wishes = [town.wishes.draw(self._random, campaigns, undoable) for _ in range(self._random.randint(1, 4))]
        acting = asyncio.create_task(self._act(wishes, campaigns))
        try:
            if end != "none":
                await self._wait_for(moment)
                await self._end(end)
            await acting
        finally:
            acting.cancel()
        for wish, way, who in self._unanswered:
            await self._asked(wish, way, who)
        for approval in self._unheard.values():
            await self._yes(approval, 0)
        await self._settled()
        await self._check()
        if self._broken:
            raise Violation("\n".join(self._broken))

    async def _wait_for(self, moment: str) -> None:
        if moment == "any":
            await asyncio.sleep(self._random.uniform(0, 0.3))
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._deciding.wait(), 5)
        if moment == "deciding":
            await asyncio.sleep(self._random.uniform(0, 0.2) * self._random.choice((1, 1, 4)))
            return
        with contextlib.suppress(Violation):  # there may be nothing to apply
            await until(lambda: bool(unsettled(self._town.database)), 1, "nothing is being applied")
        await asyncio.sleep(self._random.choice((0, self._random.uniform(0, 0.05))))

    async def _act(self, wishes: list[Wish], campaigns: list[dict[str, Any]]) -> None:
        town = self._town
        await asyncio.gather(*(self._propose(wish, self._fork()) for wish in wishes))
        chosen = self._random.sample(sorted(town.waiting), len(town.waiting))[: self._random.randint(1, 4)]
        if len(town.waiting) - len(chosen) > WAITING:
            chosen = list(town.waiting)
        deciding = [self._decide(town.waiting.pop(each), campaigns, self._fork()) for each in chosen]
        self._deciding.set()
        await asyncio.gather(*deciding)

    def _fork(self) -> Random:
        """What one of several tasks draws must not depend on how they take turns."""
        return Random(self._random.random())

    async def _propose(self, wish: Wish, random: Random) -> None:
        way = random.choices(("rest", "mcp", "direct", "session"), (40, 35, 18, 7))[0]
        self._town.counts[f"proposed by {way}"] += 1
        who = random.randrange(2)
        await self._asked(wish, way, who)

    async def _asked(self, wish: Wish, way: str, who: int) -> Answer:
        people, (method, path, body) = self._town.people, wish.request()
        if way == "mcp":
            answer = await people.by_mcp(people.gated[who][1], wish.capability, wish.arguments)
        elif way == "session":
            answer = await people.by_session(who, method, path, body)
        else:
            answer = await people.by_key(
                (people.direct if way == "direct" else people.gated)[who][1], method, path, body
            )
        self._tell(f"{way} {wish}", answer)
        if (approval := answer.approval) is not None and approval["status"] == "pending":
            self._town.waiting[approval["id"]] = approval
        return answer

    async def _decide(self, approval: Mapping[str, Any], campaigns: list[dict[str, Any]], random: Random) -> None:
        how = random.choices(("yes", "eight", "no", "drift", "both", "lapse"), (42, 15, 12, 18, 8, 5))[0]
        if how == "drift":
            await self._drift(approval, campaigns, random)
        if how == "lapse":  # about when the yes arrives
            lapse(self._town.database, approval["id"], random.uniform(-0.02, 0.05))
            self._tell(f"{approval['id']} is about to expire")
        await asyncio.sleep(random.uniform(0, 0.05))
        if how == "no":
            await self._no(approval)
        elif how == "eight":
            await asyncio.gather(*(self._yes(approval, who % 3) for who in range(8)))
        elif how == "both":
            await asyncio.gather(self._yes(approval, 0), self._no(approval))
        else:
            await self._yes(approval, random.randrange(3), untyped=random.random() < 0.3)

    async def _yes(self, approval: Mapping[str, Any], who: int, *, untyped: bool = False) -> None:
        town, identifier, required = self._town, approval["id"], approval["plan"].get("amountRequired")
        path = f"/approvals/{identifier}/approve"
        if untyped and required is not None:  # without its amount a yes is none
            self._tell(f"yes to {identifier} without the amount", await town.people.by_session(who, "POST", path, {}))
        town.decisions.yes.add(identifier)
        answer = await town.people.by_session(who, "POST", path, {} if required is None else {"amount": required})
        self._tell(f"yes to {identifier}", answer)
        if answer.status == OK:
            town.decisions.were_told(identifier, answer.body["data"]["status"])
        elif answer.body.get("code") == "stale_plan":
            town.decisions.were_told(identifier, "stale")
            fresh = answer.body["details"]["approval"]
            town.waiting[fresh["id"]] = fresh
        elif not answer.status:  # whoever got no answer looks, and may decide again
            self._unheard[identifier] = approval

    async def _no(self, approval: Mapping[str, Any]) -> None:
        self._town.decisions.no.add(approval["id"])
        answer = await self._town.people.by_session(0, "POST", f"/approvals/{approval['id']}/deny", {"reason": "no"})
        self._tell(f"no to {approval['id']}", answer)
        if answer.status == OK:
            self._town.decisions.were_told(approval["id"], answer.body["data"]["status"])

    async def _drift(self, approval: Mapping[str, Any], campaigns: list[dict[str, Any]], random: Random) -> None:
        target = approval["plan"]["changes"][0]["target"]
        campaign = next((each for each in campaigns if each["id"] == target), None)
        if campaign is None:
            return
        wishes, account = self._town.wishes, f"act_{campaign['account_id']}"
        fields = wishes.change(random, campaign, least=2)
        if "daily_budget" in fields:
            fields["daily_budget"] = wishes.minor(account, fields["daily_budget"])
        answer = await self._town.people.drift(target, fields)
        self._tell(f"drift of {target}: {fields}", answer)

    async def _faults(self, *, held: bool) -> None:
        """`held`: a write is kept on its way, so that the owner can end in the middle of it."""
        drawn = [self._random.choice(FAULTS) for _ in range(self._random.choice((0, 0, 1, 1, 2)))]
        for kind, target in [*drawn, *([("slow", "meta:write")] if held else [])]:
            more: dict[str, Any] = {"times": self._random.choice((1, 1, 2, 3))}
            if kind == "slow":
                seconds = self._random.choice((0.1, 0.3, 0.6, 1.0, LATE))
                self._slowest = max(self._slowest, seconds)
                more = {"times": 1, "seconds": seconds}
            self._flawless &= kind == "slow" and self._slowest < LATE
            await self._town.people.fault(kind, target, **more)
            self._tell(f"fault {kind} at {target} {more}")

    async def _end(self, how: str) -> None:
        """However the owner ends, the next one is there when this is over."""
        owner, counts = self._town.owner, self._town.counts
        background = self._random.random() < 0.5
        if owner.workers > 1 and how in ("hand over", "kill") and self._random.random() < 0.8:
            counts["workers killed"] += 1
            self._tell(f"worker {owner.kill_worker(self._random)} is killed")
            self._quiet_at = time.monotonic() + self._slowest
            return
        if owner.workers > 1:
            background = False
            how = "stop" if how == "hand over" else how
        if how == "hand over" and not owner.background:
            how, background = "stop", True  # so that the next one can
        self._tell(f"the owner is to {how}")
        if how == "hand over":
            counts["hand-overs"] += 1
            await owner.hand_over()
        elif how == "stop":
            counts["stops"] += 1
            await owner.stop()
        else:
            counts["kills"] += 1
            await owner.kill()
        if how != "hand over":
            caught_in = steps(self._town.database)
            counts.update({f"caught {step}": count for step, count in caught_in.items()})
            self._tell(f"the owner left {dict(caught_in)}")
            if how == "stop" and caught_in and self._flawless:
                raise Violation(f"SIGTERM had what was under way interrupted: {dict(caught_in)}")
        self._quiet_at = time.monotonic() + self._slowest
        if how != "hand over":
            await owner.start(background=background)
        if how == "kill twice":
            await asyncio.sleep(self._random.uniform(0, 0.4))
            self._tell("and again")
            counts["kills"] += 1
            await owner.kill()
            await owner.start(background=background)
        self._tell(f"the owner is {'a background owner' if owner.background else 'serve'}")

    async def _settled(self) -> None:
        """Recovery has its time, and so has what the platform still holds back."""
        database = self._town.database
        await until(lambda: not unsettled(database), SETTLE_SECONDS, "recovery did not settle everything")
        await asyncio.sleep(max(0.0, self._quiet_at - time.monotonic()))
        await self._town.people.no_faults()

    async def _check(self) -> None:
        found = violations(await gather(self._town.people, self._town.database, self._town.decisions))
        if found:
            raise Violation("\n".join(found))

    def _tell(self, what: str, answer: Answer | None = None) -> None:
        if answer is not None and answer.body.get("code") == "internal":
            self._broken.append(f"{what} was answered with an error of ours: {answer.body}")
        self._town.events.append(
            f"{time.monotonic() - self._began:7.3f} {what}" + (f" -> {answer}" if answer is not None else "")
        )
