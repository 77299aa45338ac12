"""What must hold of every conversation, judged from what was sent, from the rows, and from the platform's own log."""

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from agent.limits import Limits
from tests.agent.prefixes import messages_of
from tests.agent.talk import Talk
from tests.test_property_gate import _sent, _written
from tests.world import OWNER
from tools.quota import Meter, period_of
from tools.store.tables import (
    approvals,
    chat_events,
    chat_messages,
    chat_results,
    chat_sessions,
    platform_writes,
    usage_counters,
)

_QUESTION = re.compile(rb'"text":"Question (\d+)\."')
PEOPLE = {OWNER.name}


def question(number: int) -> str:
    """What a turn asks: no other turn of any conversation asks the same, so a request tells whose it is."""
    return f"Question {number}."


class Evidence:
    """What was seen so far, and must not turn out to be otherwise."""

    def __init__(self, limits: Limits, ceiling: int) -> None:
        self._limits, self._ceiling = limits, ceiling
        self._asked: dict[int, str] = {}  # by the number of its question, the conversation
        self._begun_as: dict[str, bytes] = {}  # the newest request of a conversation
        self._sent: dict[int, bytes] = {}  # the newest request of a turn
        self._transcripts: dict[str, list[Any]] = {}
        self._events: dict[str, int] = {}
        self._calls: Counter[int] = Counter()
        self.agreed: set[str] = set()
        self.allowed: dict[str, Decimal] = {}  # by month, the highest budget that was set in it

    def asks(self, number: int, conversation: str) -> None:
        self._asked[number] = conversation

    def branches(self, conversation: str, kept: Sequence[int]) -> None:
        """It shares with another what was sent up to the last of these questions."""
        sent = [self._sent[number] for number in kept if number in self._sent]
        self._begun_as[conversation] = sent[-1] if sent else b""

    async def judge(self, talk: Talk) -> None:
        """Nothing may run any more."""
        await self._requests(talk)
        await self._rows(talk)
        await self._money(talk)
        await self._effects(talk)
        assert not talk.world.reported, talk.world.reported

    async def _requests(self, talk: Talk) -> None:
        """Each begins with the bytes of the one before, answers each call once, and is one that the turn has left."""
        bodies = [body for body in await talk.requests() if b'"tools":[' in body]  # a title is asked for without
        (await talk.http.delete("/requests")).raise_for_status()
        for body in bodies:
            number = int(_QUESTION.findall(body)[-1])
            conversation = self._asked[number]
            before = self._begun_as.get(conversation, b"")
            assert body.startswith(before), (before[-300:], body[len(before) - 300 :])
            self._begun_as[conversation] = self._sent[number] = messages_of(body)
            _each_call_has_its_result(json.loads(body)["messages"])
            self._calls[number] += 1
            assert self._calls[number] <= self._limits.model_calls

    async def _rows(self, talk: Talk) -> None:
        sessions = await _all(talk, chat_sessions)
        messages, events = await _all(talk, chat_messages), await _all(talk, chat_events)
        results = await _all(talk, chat_results)
        known = {row.id: row for row in await _all(talk, approvals)}
        for session in sessions:
            self._transcript(session, _of(session, messages))
            self._told(session, _of(session, events))
            mine = [row for row in results if row.conversation_id == session.id]
            pending = [row for row in mine if row.state == "waiting" and known[row.approval_id].status == "pending"]
            assert session.status == ("waiting" if pending else "idle")
            made = Counter(row.turn for row in mine if "A turn makes at most" not in (row.content or ""))
            assert all(count <= self._limits.tool_calls for count in made.values()), made

    def _transcript(self, session: Any, messages: Sequence[Any]) -> None:
        kept = [(row.seq, row.role, row.kind, row.content) for row in messages if row.seq > 0]
        assert [seq for seq, *_ in kept] == sorted({seq for seq, *_ in kept})
        before = self._transcripts.get(session.id, [])
        assert kept[: len(before)] == before
        self._transcripts[session.id] = kept
        for turn in {row.turn for row in messages}:
            self._turn([row for row in messages if row.turn == turn and row.role == "assistant"])

    def _turn(self, calls: Sequence[Any]) -> None:
        """When its dollars are spent a turn makes one call more, its summary; and one for each that was killed."""
        assert len(calls) <= self._limits.model_calls, calls
        killed = sum(row.kind == "held" for row in calls)
        costs = [Decimal(row.cost or 0) for row in calls if row.seq > 0]
        assert sum(costs[: max(0, len(costs) - 2 - killed)]) < self._limits.dollars, costs

    def _told(self, session: Any, events: Sequence[Any]) -> None:
        """Numbered without a gap; each run begins once and ends once, unless it was killed and another went on."""
        assert [event.seq for event in events] == list(range(1, session.last_event + 1))
        assert session.last_event >= self._events.get(session.id, 0)
        self._events[session.id] = session.last_event
        assert events[-1].name == "done"
        reason = json.loads(events[-1].data)["stopReason"]
        assert (reason == "confirm_required") == (session.status == "waiting"), (reason, session.status)
        for one in _runs(events):
            told = [event.name for event in one]
            assert told[0] == "run_started", told
            assert told.count("run_started") == 1
            assert "done" not in told[:-1]
        shown, answered = _calls_told(events)
        assert len(shown) == len(set(shown)), "a call was shown twice"
        assert max(Counter(answered).values(), default=1) == 1, "a call has two results"
        resolved = [json.loads(event.data)["approval"]["id"] for event in events if event.name == "confirm_resolved"]
        assert len(resolved) == len(set(resolved)), "a card was resolved twice"
        assert set(answered) <= set(shown)
        assert not [event.data for event in events if event.name == "error" and '"internal"' in event.data]

    async def _money(self, talk: Talk) -> None:
        """The counter is the sum of the rows, to the millionth, and never above what the month was allowed."""
        rows: Counter[str] = Counter()
        for row in await _all(talk, chat_messages):
            if row.cost is not None:
                made = dt.datetime.fromtimestamp(row.created_at / 1000, dt.UTC)
                rows[period_of(made)] += math.ceil(Decimal(row.cost) * 1_000_000)
        counters = await _all(talk, usage_counters)
        counted = {row.period: row.used for row in counters if row.meter == Meter.CHAT_SPEND}
        assert counted == dict(rows) | {period: 0 for period in counted if period not in rows}
        over = {period: used for period, used in counted.items() if used > self.allowed[period] * 1_000_000}
        assert not over, (over, self.allowed)

    async def _effects(self, talk: Talk) -> None:
        """Whatever the platform accepted has its row in the journal, and that a person's yes of its own."""
        decided = {row.id: row for row in await _all(talk, approvals)}
        journal = await _all(talk, platform_writes)
        sent = Counter(_sent(write) for write in await talk.world.writes_seen())
        assert sent <= Counter(_written(row) for row in journal if row.status != "failed"), "an effect nobody asked for"
        yes = Counter(row.approval_id for row in journal)
        agreed = Counter(budget for approval in yes if (budget := _budget(decided[approval])) is not None)
        budgets = Counter((path, int(cents)) for path, *_, cents in sent.elements() if cents != "None")
        assert budgets <= agreed, "a budget that no approval says"
        assert all(cents <= self._ceiling * 100 for _, cents in budgets)
        assert set(yes) <= self.agreed
        assert all(count == 1 for count in yes.values()), "two writes for one yes"
        assert all(decided[approval].decided_by in PEOPLE for approval in yes)
        assert {row.via for row in journal} <= {"agent"}


def _budget(approval: Any) -> tuple[str, int] | None:
    """The campaign and its daily budget in cents, as a person was shown them."""
    for change in approval.plan["changes"]:
        if change["field"] == "daily_budget":
            return approval.arguments["campaign_id"], round(change["after"] * 100)
    return None


def _each_call_has_its_result(messages: Sequence[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for at, message in enumerate(messages):
        blocks = message["content"]
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        given = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        asked = [block["id"] for block in messages[at - 1]["content"] if block["type"] == "tool_use"] if at else []
        assert given == asked
        assert [block["type"] for block in blocks[: len(given)]] == ["tool_result"] * len(given)
        assert not seen.intersection(calls)
        seen |= set(calls)


def _of(session: Any, rows: Iterable[Any]) -> list[Any]:
    return sorted((row for row in rows if row.conversation_id == session.id), key=lambda row: row.seq)


def _runs(events: Sequence[Any]) -> list[list[Any]]:
    """The events by run: one is over before the next begins."""
    runs: list[list[Any]] = []
    for event in events:
        if not runs or runs[-1][-1].run_id != event.run_id:
            runs.append([])
        runs[-1].append(event)
    assert len({run[0].run_id for run in runs}) == len(runs), "a run spoke after the next had begun"
    return runs


def _calls_told(events: Sequence[Any]) -> tuple[list[str], list[str]]:
    told = [(event.name, json.loads(event.data)) for event in events if event.name.startswith("tool_")]
    shown = [data["toolUseId"] for name, data in told if name == "tool_use"]
    return shown, [data["toolUseId"] for name, data in told if name == "tool_result"]


async def _all(talk: Talk, table: Any) -> list[Any]:
    rows = talk.world.context(OWNER).rows
    return await rows.all(rows.select(table))
