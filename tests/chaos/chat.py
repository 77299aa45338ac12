"""The server is killed while it streams, calls tools, waits and executes: every turn ends told, and once."""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from server.process.files import tail
from server.process.ownership import is_held
from tests.agent.talk import calls, text
from tests.chaos import starting
from tests.chaos.checker import violations
from tests.chaos.database import File, Schema
from tests.chaos.harness import Owner, Sandbox, Violation, plain_environment, until
from tests.chaos.history import Database, Decisions, gather, unsettled
from tests.chaos.people import People

ENDED_SECONDS = 90.0
"""Generous: a lease of a turn lasts 15 s, and a start takes its time on two cores."""
MOMENTS = ("streaming", "in a tool", "waiting", "executing", "any")
READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_campaigns", {"limit": 2}),
    ("whoami", {}),
    ("list_changes", {"limit": 3}),
    ("list_connections", {}),
)
WORDS = "Every campaign runs as it should, and nothing of it needs a hand. " * 12
FOLLOWERS = 3


@dataclass
class Follower:
    """A client that comes back with the last event it has, as an EventSource does."""

    http: httpx2.AsyncClient
    conversation: str = ""
    last: int = 0
    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    resumed: int = 0

    async def ask(self, message: str, key: str) -> None:
        """To the end of everything, wherever the answer breaks off: what was not answered is sent again, once."""
        while not self.conversation:
            sent = {"json": {"message": message}, "headers": {"idempotency-key": key}}
            await self._read("POST", "/api/v1/ads/chat", **sent)

    async def follow(self, ended: asyncio.Event) -> None:
        """Until the end was seen, and there is nothing after it."""
        while not (ended.is_set() and self._over()):
            sent = {"headers": {"last-event-id": str(self.last)}}
            await self._read("GET", f"/api/v1/chat/{self.conversation}/events", **sent)
            self.resumed += 1
            await asyncio.sleep(0.05)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [data for _, each, data in self.events if each == name]

    def _over(self) -> bool:
        return bool(self.events) and self.events[-1][1] == "done" and self.reason != "confirm_required"

    @property
    def reason(self) -> str:
        return str(self.events[-1][2].get("stopReason", "")) if self.events else ""

    async def _read(self, method: str, path: str, **more: Any) -> None:
        with contextlib.suppress(httpx2.TransportError):
            async with self.http.stream(method, path, **more) as answer:
                if answer.status_code not in (200, 204, 409, 502, 503):
                    await answer.aread()
                    raise Violation(f"{method} {path} was answered {answer.status_code}: {answer.text}")
                if answer.status_code == 200:
                    async for event in _events(answer):
                        self._take(*event)
                    return
        await asyncio.sleep(0.05)

    def _take(self, number: int, name: str, data: dict[str, Any]) -> None:
        if number != self.last + 1:
            raise Violation(f"event {number} ({name}) came after {self.last} in {self.conversation}")
        self.last = number
        self.events.append((number, name, data))
        if name == "run_started":
            self.conversation = data["conversationId"]


async def _events(answer: httpx2.Response) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "id" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}


@dataclass
class Place:
    database: Database
    owner: Owner
    people: People
    campaigns: list[dict[str, Any]]
    decisions: Decisions = field(default_factory=Decisions)
    counts: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    async def round(self, random: Random) -> None:
        """One turn with a change in it, and the end of a process somewhere on its way."""
        self.asked += 1
        moment = random.choice(MOMENTS)
        self.counts[f"killed {moment}"] += 1
        await self._prepare(moment, random)
        who = self.asked % len(self.people.sessions)
        asking = Follower(self.people.sessions[who])
        ended = asyncio.Event()
        async with asyncio.timeout(ENDED_SECONDS), asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(asking.ask(f"Round {self.asked}: rename it.", f"chaos-{self.asked}"))
            tasks.create_task(self._kill(moment, random, asking))
            await speaking
            others = [Follower(asking.http, asking.conversation) for _ in range(FOLLOWERS - 1)]
            for follower in (asking, *others):
                tasks.create_task(follower.follow(ended))
            await self._decide(who, asking, random)
            ended.set()
        self.counts["came back"] += sum(follower.resumed for follower in (asking, *others))
        self.counts[f"ended {asking.reason}"] += 1
        await until(lambda: not unsettled(self.database), ENDED_SECONDS, "recovery did not settle everything")
        self._told(asking, others)
        await self._check(who, asking)

    async def _prepare(self, moment: str, random: Random) -> None:
        """What the model says, and where it dawdles."""
        await self.people.no_faults()
        campaign = random.choice(self.campaigns)
        change = ("update_campaign", {"campaign_id": campaign["id"], "name": f"Round {self.asked}"})
        first = calls(*random.sample(READS, random.randint(1, len(READS))))
        slow = {**text(WORDS), "fault": {"kind": "slow", "seconds": 2}}
        turns = [slow | first if moment == "streaming" else first, calls(change), text(WORDS)]
        http, model = self.people.outside, f"{self.people.sandbox.url}/anthropic"
        (await http.delete(f"{model}/script")).raise_for_status()
        again = [text("That is all.")] * 2  # where an answer broke off, the next is another
        (await http.post(f"{model}/script", json={"turns": [*turns, *again]})).raise_for_status()
        if moment == "in a tool":
            await self.people.fault("slow", "meta:GET", times=1, seconds=0.5)
        if moment == "executing":
            await self.people.fault("slow", "meta:write", times=1, seconds=0.7)

    async def _kill(self, moment: str, random: Random, asking: Follower) -> None:
        signs = {"streaming": "thinking_delta", "in a tool": "tool_use", "waiting": "confirm_required"}
        sign = signs.get(moment, "run_started" if moment == "any" else "confirm_required")
        await until(lambda: bool(asking.named(sign) or asking.named("done")), ENDED_SECONDS, f"no {sign} was told")
        if moment == "executing":
            executing = "SELECT count(*) FROM approvals WHERE status = 'executing'"
            with contextlib.suppress(Violation):  # what is quick, or was superseded, is over before it is looked at
                await until(lambda: bool(self.database.rows(executing)[0][0]), 5, "nothing was executed")
        await asyncio.sleep(random.uniform(0, 0.3))
        if self.owner.workers > 1 and random.random() < 0.6:
            self.counts["workers killed"] += 1
            self.owner.kill_worker(random)
            return
        self.counts["owners killed"] += 1
        await self.owner.kill()
        await asyncio.sleep(random.uniform(0, 0.3))
        await self.owner.start(background=False)

    async def _decide(self, who: int, asking: Follower, random: Random) -> None:
        """Everything that waits, until the turn is over; whoever got no answer looks, and decides again."""
        yes = random.random() < 0.8
        while not asking._over():
            waiting = {each["approval"]["id"] for each in asking.named("confirm_required")}
            settled = {each["approval"]["id"] for each in asking.named("confirm_resolved")}
            for approval in sorted(waiting - settled):
                await self._say(who, approval, yes=yes)
            await asyncio.sleep(0.1)

    async def _say(self, who: int, approval: str, *, yes: bool) -> None:
        (self.decisions.yes if yes else self.decisions.no).add(approval)
        path = f"/approvals/{approval}/{'approve' if yes else 'deny'}"
        answer = await self.people.by_session(who, "POST", path, {})
        if answer.status == 200:
            self.counts["decided"] += 1
            self.decisions.were_told(approval, answer.body["data"]["status"])

    def _told(self, asking: Follower, others: list[Follower]) -> None:
        """Each follower has all there is, once; every call that was shown has one result."""
        kept = self.database.rows(
            f"SELECT seq, name FROM chat_events WHERE conversation_id = '{asking.conversation}' ORDER BY seq"  # noqa: S608 - an id of ours
        )
        for follower in (asking, *others):
            if [(number, name) for number, name, _ in follower.events] != [tuple(row) for row in kept]:
                raise Violation(f"a follower of {asking.conversation} saw {follower.last} of {len(kept)} events")
        shown = Counter(each["toolUseId"] for each in asking.named("tool_use"))
        answered = Counter(each["toolUseId"] for each in asking.named("tool_result"))
        if shown != answered or max(shown.values(), default=1) > 1:
            raise Violation(f"{asking.conversation} showed {dict(shown)} and answered {dict(answered)}")
        internal = [error for error in asking.named("error") if error["code"] == "internal"]
        if internal:
            raise Violation(f"{asking.conversation} ended with an error of ours: {internal}")

    async def _check(self, who: int, asking: Follower) -> None:
        found = violations(await gather(self.people, self.database, self.decisions))
        if found:
            raise Violation("\n".join(found))
        again = Follower(self.people.sessions[who], asking.conversation)
        await again._read("GET", f"/api/v1/chat/{asking.conversation}/events", headers={"last-event-id": "0"})
        if again.events != asking.events:
            raise Violation(f"a replay of {asking.conversation} has {again.last} events, not {asking.last}")


async def play(rounds: int, seed: int, workers: int = 1) -> tuple[int, list[str]]:
    """How many rounds were passed, and what is to be said of them."""
    began, passed, broken = time.monotonic(), 0, ""
    with tempfile.TemporaryDirectory(prefix="adwright-chat-") as path:
        starting.load()
        directory = Path(path)
        sandbox = await Sandbox.start(directory, plain_environment())
        database = File(directory) if workers == 1 else Schema(os.environ["ADWRIGHT_TEST_DATABASE_URL"])
        model = {"ANTHROPIC_BASE_URL": f"{sandbox.url}/anthropic", "ANTHROPIC_API_KEY": await _key(sandbox)}
        environment = {**plain_environment(), **sandbox.settings(), **model, **database.settings}
        owner = Owner(directory, environment, workers=workers)
        people = People(owner, sandbox)
        place = Place(database, owner, people, [])
        try:
            await owner.start(background=False)
            await people.move_in()
            database.run("UPDATE workspaces SET plan = 'scale'")
            place.campaigns = [row for row in await people.on_the_platform() if row["status"] == "ACTIVE"]
            for number in range(1, rounds + 1):
                await place.round(Random(f"{seed}/{number}"))
                passed = number
        except (Violation, TimeoutError, ExceptionGroup) as violation:
            told = violation.exceptions[0] if isinstance(violation, ExceptionGroup) else violation
            log = tail(directory / "chaos.log", lines=30)
            broken = f"VIOLATED in round {passed + 1} of seed {seed}: {told!r}\n{log}"
        finally:
            await people.leave()
            if is_held(directory / "owner.lock"):
                await owner.end()
            await sandbox.end()
            database.drop()
    lines = [
        *([broken] if broken else []),
        f"seed {seed}: {passed} rounds in {time.monotonic() - began:.0f} s",
        ", ".join(f"{count} {name}" for name, count in sorted(place.counts.items())),
        f"{passed} passed, {int(bool(broken))} failed",
    ]
    return int(bool(broken)), lines


async def _key(sandbox: Sandbox) -> str:
    async with httpx2.AsyncClient() as http:
        return str((await http.get(sandbox.url)).json()["anthropic"]["api_key"])
