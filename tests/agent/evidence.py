"""What must hold of every conversation, judged from what was sent, from the rows, and from the platform's own log."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from agent.limits import Limits
from tests.agent.prefixes import messages_of
from tests.agent.talk import Talk
from tests.test_property_gate import _sent, _written
from tests.world import OWNER
from tools.store.tables import approvals, chat_events, chat_messages, chat_results, chat_sessions, platform_writes

_QUESTION = re.compile(rb'"text":"Question (\d+)\."')
PEOPLE = {OWNER.name}


def question(number: int) -> str:
    """What a turn asks: no other turn of any conversation asks the same, so a request tells whose it is."""
    return f"Question {number}."


class Evidence:
    """What was seen so far, and must not turn out to be otherwise."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._asked: dict[int, str] = {}  # by the number of its question, the conversation
        self._begun_as: dict[str, bytes] = {}  # the newest request of a conversation
        self._sent: dict[int, bytes] = {}  # the newest request of a turn
        self._transcripts: dict[str, list[Any]] = {}
        self._events: dict[str, int] = {}
        self._calls: Counter[int] = Counter()
        self.kills: Counter[int] = Counter()
        self.agreed: set[str] = set()

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
            assert self._calls[number] <= self._limits.model_calls + self.kills[number]

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
        kept = [(row.seq, row.role, row.kind, row.content) for row in messages]
        assert [seq for seq, *_ in kept] == sorted({seq for seq, *_ in kept})
        before = self._transcripts.get(session.id, [])
        assert kept[: len(before)] == before
        self._transcripts[session.id] = kept
        calls = Counter(row.turn for row in messages if row.role == "assistant" and row.kind != "aside")
        assert all(count <= self._limits.model_calls for count in calls.values()), calls

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
        assert set(answered) <= set(shown)
        assert not [event.data for event in events if event.name == "error" and '"internal"' in event.data]

    async def _effects(self, talk: Talk) -> None:
        """Whatever the platform accepted has its row in the journal, and that a person's yes of its own."""
        decided = {row.id: row for row in await _all(talk, approvals)}
        journal = await _all(talk, platform_writes)
        sent = Counter(_sent(write) for write in await talk.world.writes_seen())
        assert sent <= Counter(_written(row) for row in journal if row.status != "failed"), "an effect nobody asked for"
        yes = Counter(row.approval_id for row in journal)
        assert set(yes) <= self.agreed
        assert all(count == 1 for count in yes.values()), "two writes for one yes"
        assert all(decided[approval].decided_by in PEOPLE for approval in yes)
        assert {row.via for row in journal} <= {"agent"}


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
