"""Events are sent while the owner, the analytics store or both are killed: acknowledged is counted, and once."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import orjson

from server.process.files import read_json, tail
from server.process.ownership import is_held
from tests.chaos import starting
from tests.chaos.harness import Owner, Violation, plain_environment, until
from tools.store.opening import open_store
from tools.store.tables import websites, workspaces

SENDERS = 8
WEBSITE = "admx_chaos"
COUNTED_SECONDS = 60.0
"""Generous: a store that comes back has parts to look through, and two cores for everything."""
_LOOK_EVERY = 0.1
_TAKEN = "answered 202"
_COUNT = """
SELECT (SELECT count() FROM pageviews FINAL) AS views, (SELECT uniqExact(event_id) FROM pageviews) AS view_ids,
       (SELECT count() FROM visitor_payments FINAL) AS payments,
       (SELECT uniqExact(transaction_id) FROM visitor_payments) AS transactions
FORMAT JSON
"""


@dataclass
class Tally:
    """What the senders know: a transaction may be told of by several events, and counts once."""

    views: set[str] = field(default_factory=set)
    transactions: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def acknowledge(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["k"] == "pageview":
                self.views.add(event["i"])
            else:
                self.transactions.add(event["o"])


class Sender:
    """As a browser would: what was not acknowledged is sent again, and now and then what was acknowledged too."""

    def __init__(self, name: str, url: str, tally: Tally, random: Random) -> None:
        self._name, self._url, self._tally, self._random = name, url, tally, random
        self._made = 0

    async def run(self, ending: asyncio.Event) -> None:
        """Ends once everything made was acknowledged."""
        async with httpx2.AsyncClient(base_url=self._url, timeout=10) as http:
            while not ending.is_set():
                events = [self._event() for _ in range(self._random.randint(1, 5))]
                while not await self._sent(http, events):
                    self._tally.counts["sent again"] += 1
                    await asyncio.sleep(0.05)
                self._tally.acknowledge(events)
                if self._random.random() < 0.1:
                    await self._sent(http, events)

    async def _sent(self, http: httpx2.AsyncClient, events: list[dict[str, Any]]) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            answer = await http.post("/e", content=orjson.dumps(events))
            self._tally.counts[f"answered {answer.status_code}"] += 1
            return answer.status_code == 202
        return False

    def _event(self) -> dict[str, Any]:
        self._made += 1
        identifier = f"{self._name}-{self._made}"
        told = {
            "w": WEBSITE, "k": "pageview", "i": identifier, "t": time.time_ns() // 1_000_000, "v": self._name,
            "u": f"https://chaos.example/{self._made % 50}", "h": "Chaos",
        }  # fmt: skip
        if self._random.random() < 0.2:
            # Neighbours tell of the same transaction by events of different names.
            told |= {"k": "payment", "a": 9.5, "c": "EUR", "o": f"{self._name}-t{self._made // 4}"}
        return told


@dataclass
class Place:
    directory: Path
    owner: Owner
    tally: Tally

    async def round(self, random: Random, number: int) -> None:
        """Send, kill in the middle of it, start again, and count."""
        await self._running()
        ending = asyncio.Event()
        senders = [
            Sender(f"r{number}s{each}", self.owner.url, self.tally, Random(random.random())) for each in range(SENDERS)
        ]
        sending = asyncio.gather(*(sender.run(ending) for sender in senders))
        enough = self.tally.counts[_TAKEN] + random.randint(1, 400)
        await until(lambda: self.tally.counts[_TAKEN] >= enough, COUNTED_SECONDS, "nothing was acknowledged")
        await asyncio.sleep(random.uniform(0, 0.02))  # not in step with the answers
        victim = random.choice(["owner", "owner", "store", "both"])
        self.tally.counts[f"killed {victim}"] += 1
        if victim != "owner":
            await self._kill_store()
        if victim != "store":
            await self.owner.kill()
        await asyncio.sleep(random.uniform(0, 0.5))
        if victim == "store":
            await self.owner.stop()  # in order, with events that wait for a store that is gone
        await self._running()
        ending.set()
        async with asyncio.timeout(COUNTED_SECONDS):
            await sending
        await self._counted()

    async def _running(self) -> None:
        if not is_held(self.directory / "owner.lock"):
            await self.owner.start(background=False)

    async def _kill_store(self) -> None:
        pid = int(read_json(self.directory / "analytics.json").get("pid", 0))
        if not pid:
            return  # not up yet: its starter's turn comes
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: not is_held(self.directory / "analytics.lock"), 10, "the killed store held its lock")

    async def _counted(self) -> None:
        """The store catches up in bounded time, and never counts what nobody was acknowledged."""
        expected = len(self.tally.views), len(self.tally.transactions)
        give_up, found = time.monotonic() + COUNTED_SECONDS, (-1, -1)
        while found != expected:
            if time.monotonic() > give_up:
                raise Violation(f"acknowledged {expected} views and transactions, counted {found}")
            await asyncio.sleep(_LOOK_EVERY)
            found = await self._count() or found
        if (self.directory / "ingest" / "quarantine.ndjson").exists():
            raise Violation("the store refused a row of ours")

    async def _count(self) -> tuple[int, int] | None:
        known = read_json(self.directory / "analytics.json")
        if not known:
            return None
        headers = {"authorization": f"Bearer {known['admin_token']}"}
        try:
            async with httpx2.AsyncClient(base_url=str(known["url"]), headers=headers, timeout=20) as http:
                answer = await http.get("/v0/sql", params={"q": _COUNT})
        except httpx2.HTTPError:
            return None
        if answer.status_code != 200:
            return None
        row = answer.json()["data"][0]
        counted = int(row["views"]), int(row["payments"])
        if counted != (int(row["view_ids"]), int(row["transactions"])):
            raise Violation(f"something counts twice: {row}")
        return counted


async def play(rounds: int, seed: int) -> tuple[int, list[str]]:
    """How many rounds were passed, and what is to be said of them."""
    tally, began, passed, broken = Tally(), time.monotonic(), 0, ""
    with tempfile.TemporaryDirectory(prefix="adwright-ingest-") as path:
        starting.load()
        directory = Path(path)
        await _found(directory)
        environment = plain_environment() | {"ADWRIGHT_ANALYTICS": "on", "INGEST_PER_ADDRESS": "10000000"}
        environment |= {"INGEST_PER_WEBSITE": "10000000"}
        owner = Owner(directory, environment)
        place = Place(directory, owner, tally)
        try:
            for number in range(1, rounds + 1):
                await place.round(Random(f"{seed}/{number}"), number)
                passed = number
        except (Violation, TimeoutError) as violation:
            log = tail(directory / "chaos.log", lines=30) + tail(directory / "analytics.log", lines=30)
            broken = f"VIOLATED in round {passed + 1} of seed {seed}: {violation!s}\n{log}"
        finally:
            await owner.end()
            with contextlib.suppress(Violation):
                await place._kill_store()
    lines = [
        *([broken] if broken else []),
        f"seed {seed}: {passed} rounds in {time.monotonic() - began:.0f} s",
        f"acknowledged and counted: {len(tally.views)} views, {len(tally.transactions)} transactions",
        ", ".join(f"{count} {name}" for name, count in sorted(tally.counts.items())),
        f"{passed} passed, {int(bool(broken))} failed",
    ]
    return int(bool(broken)), lines


async def _found(directory: Path) -> None:
    """A workspace with a website, before anybody serves."""
    store = await open_store(directory / "adwright.db")

    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id="wsp_chaos", name="Chaos", created_at=1))
        row = {"id": WEBSITE, "workspace_id": "wsp_chaos", "domain": "chaos.example", "name": "Chaos", "settings": {}}
        await tx.run(websites.insert().values(**row, time_zone="UTC", currency="EUR", created_at=1))

    await store.write(work)
    await store.close()
