"""A website with few rows that is looked at, in an engine and a time that a test can hold on to."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

import orjson
import pytest

from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Engine, EngineUnavailable, Format, quoted
from server.analytics.ready import keeping
from server.analytics.ready.questions import TWINS
from server.analytics.ready.sums import TABLE
from tests.server.analytics.conftest import Append

SUMMARY, SERIES, CHANNELS, REVENUE = TWINS
RANGE = {"from": "2026-03-01", "to": "2026-03-02"}
BY_PIPE, READY = "the pipe", "what is ready"
MORNING, NIGHT = "2026-03-01 08:00:00.000", "2026-03-01 23:30:00.000"
VISITORS = {"metric": "visitors"}
TO_THE_PIPE: list[tuple[str, dict[str, Any]]] = [
    (SUMMARY, {"country": "DE"}),
    (SUMMARY, {"event": "signup"}),
    (SUMMARY, {"metric": "visitors"}),
    (SUMMARY, {"unheard_of": "1"}),
    (SUMMARY, {"compare": "00"}),
    (SUMMARY, {"website_id": None}),
    (SUMMARY, {"website_id": ["shop"]}),
    (SUMMARY, {"to": None}),
    (SUMMARY, {"from": "2026-02-01", "to": "2026-02-30"}),
    (SUMMARY, {"from": "1970-01-02", "to": "1970-01-02"}),
    (REVENUE, {"currency": "EUR"}),
    *((SERIES, {**VISITORS, "interval": interval}) for interval in ("hour", "week", "month")),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    (SUMMARY, {"workspace_id": None}),
    (SUMMARY, {"from": "2026-03-03"}),
    (SUMMARY, {"from": "2026-3-1"}),
    (SUMMARY, {"from": "20260301"}),
    (SUMMARY, {"to": ""}),
    (SUMMARY, {"to": "2106-01-01"}),
    (SUMMARY, {"from": "1969-12-31"}),
    (SUMMARY, {"tz": "Nowhere/At_All"}),
    (SUMMARY, {"tz": "../../etc/passwd"}),
    (SUMMARY, {"tz": "America"}),
    (SERIES, {}),
    (SERIES, {"metric": "place"}),
    (SERIES, {**VISITORS, "interval": "year"}),
    (SERIES, {**VISITORS, "limit": "1001"}),
    (SERIES, {**VISITORS, "offset": "-1"}),
]
Meanwhile = Callable[[], Awaitable[None]]


class Step(StrEnum):
    """By which a command is known."""

    MAKING = "INSERT INTO"
    REPLACING = "REPLACE PARTITION"
    GOING = "DROP PARTITION"


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Listening:
    """An engine that tells what it was asked, and lets something happen just before or after one of its commands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sole = engine.sole
        self.asked: list[str] = []
        self.commands: list[str] = []
        self._before: dict[Step, Meanwhile] = {}
        self._after: dict[Step, Meanwhile] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def once(self, command: Step, meanwhile: Meanwhile, *, after: bool = False) -> None:
        (self._after if after else self._before)[command] = meanwhile

    async def query(self, sql: str, **given: Any) -> bytes:
        self.asked.append(sql)
        answer: bytes = await self._engine.query(sql, **given)
        return answer

    async def command(self, sql: str) -> None:
        self.commands.append(sql)
        await self._let(self._before, sql)
        await self._engine.command(sql)
        await self._let(self._after, sql)

    async def _let(self, waiting: dict[Step, Meanwhile], sql: str) -> None:
        for command in [command for command in waiting if command in sql and TABLE in sql]:
            await waiting.pop(command)()


@dataclass
class Site:
    """A website in a workspace of its own, and what it is told and asked."""

    deployed: Deployed
    engine: Listening
    append: Append
    clock: Clock
    workspace: str
    website: str = "shop"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def views(self, *moments: str, **changed: str) -> None:
        """Each of another visitor."""
        await self._told(
            "pageviews", [{"ts": each, "ingest_ts": each, "channel": "direct"} for each in moments], changed
        )

    async def goal(self, ts: str, **changed: str) -> None:
        await self._told("custom_goals", [{"ts": ts, "name": "signup"}], changed)

    async def paid(self, ts: str, currency: str, times: int = 1) -> None:
        rows = [{"ts": ts, "amount": "5", "currency": currency, "transaction_id": currency}] * times
        await self._told("visitor_payments", rows, {})

    async def _told(self, datasource: str, rows: list[dict[str, str]], changed: dict[str, str]) -> None:
        told = []
        for row in rows:
            name = f"e{next(self._numbers)}"
            about = {**self.about, "session_id": "s", "visitor_id": name, "event_id": name}
            told.append({**about, **row, **changed})
        await self.append(self.deployed, datasource, told)

    @property
    def about(self) -> dict[str, str]:
        return {"workspace_id": self.workspace, "website_id": self.website}

    def other(self, *, workspace: str = "", website: str = "shop", deployed: Deployed | None = None) -> "Site":
        return dataclasses.replace(
            self, workspace=workspace or self.workspace, website=website, deployed=deployed or self.deployed
        )

    async def answer(self, pipe: str, **changed: Any) -> tuple[dict[str, Any], str]:
        """What is answered, and by whom."""
        values = {name: value for name, value in {**self.about, **RANGE, **changed}.items() if value is not None}
        found = orjson.loads(await self.deployed.query(pipe, values, output=Format.JSON))
        told = {name: found[name] for name in ("meta", "data", "rows")}
        return told, READY if TABLE in self.engine.asked[-1] else BY_PIPE

    async def visitors(self, **changed: Any) -> tuple[int, str]:
        answer, by = await self.answer(SUMMARY, **changed)
        return answer["data"][0]["visitors"], by

    async def looked_at(self, **changed: Any) -> "Site":
        """And made ready."""
        for _ in range(2):
            await self.answer(REVENUE, **changed)
        await self.deployed.make_ready()
        return self

    async def rows(self) -> int:
        """Of all that is ready."""
        statement = f"SELECT count() AS n FROM {quoted(self.deployed.database, TABLE)}"  # noqa: S608 -- names of our own
        return int((await self.engine.inspect(statement))[0]["n"])


async def fail() -> None:
    raise EngineUnavailable("no")


async def opened(
    project: Project, engine: Engine, append: Append, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """With one view in the morning. The store is opened anew for each, which has its own workspace in it."""
    listening: Any = Listening(engine)
    clock = Clock()
    monkeypatch.setattr(keeping, "time", clock)
    site = Site(await Deployed.open(project, listening, database="ready"), listening, append, clock, workspace)
    await site.views(MORNING)
    listening.commands.clear()
    return site
