"""Playing a task: the person's words and decisions on one side, the real loop on the other, all of it noted."""

import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from tests.agent.talk import Event, Talk, calls, collected, text
from tests.evals import stage as stages
from tests.evals.seen import Approval, Call, Said, Seen, Spent
from tests.evals.stage import Stage
from tests.evals.task import Places, Step, Task
from tests.world import OWNER
from tools.errors import CapabilityError
from tools.store.tables import chat_messages

Script = Sequence[Sequence[Step]]
"""What the model says, a list a turn."""
_EXPIRY_MINUTES = 16


class Notes:
    """What events tell, in the terms of a task."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.said: list[Said] = []
        self.stops: list[str] = []
        self.proposed: list[str] = []
        self._turn = self._step = self._done = 0
        self._calling = False

    def begin(self, turn: int) -> None:
        self._turn = turn
        self.stops.append("")

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.name != "tool_use":
                self._calling = False
            match event.name:
                case "tool_use":
                    self._called(event.data)
                case "tool_result" | "confirm_required":
                    self._answered(event.name, event.data)
                case "confirm_resolved":
                    self._done += event.data["approval"]["status"] == "done"
                case "text_delta":
                    self._says(event.data["text"])
                case "done":
                    self.stops[-1] = event.data["stopReason"]

    def _called(self, told: dict[str, Any]) -> None:
        if not self._calling:
            self._step += 1
            self._calling = True
        arguments = told["arguments"] if isinstance(told["arguments"], dict) else {}
        self.calls[told["toolUseId"]] = Call(self._turn, self._step, told["toolUseId"], told["name"], arguments)

    def _answered(self, name: str, told: dict[str, Any]) -> None:
        """How it ended at first: what came of a proposal later is in the approval."""
        call = self.calls[told["toolUseId"]]
        outcome = "ok" if told.get("status") == "ok" else str(told.get("result", {}).get("code", "error"))
        if name == "confirm_required":
            outcome = name
            if told["approval"]["id"] not in self.proposed:
                self.proposed.append(told["approval"]["id"])
        if not call.outcome:
            self.calls[call.id] = Call(call.turn, call.step, call.id, call.name, call.arguments, outcome)

    def _says(self, words: str) -> None:
        last = self.said[-1] if self.said else None
        if last is not None and (last.turn, last.done) == (self._turn, self._done):
            self.said[-1] = Said(last.turn, last.text + words, last.done)
        else:
            self.said.append(Said(self._turn, words, self._done))


async def play(stage: Stage, task: Task, script: Script | None) -> Seen:
    """To the end of its last turn. With a script the stand-in says that, else whoever answers says what it likes."""
    began, notes, conversation = time.perf_counter(), Notes(), None
    for number, turn in enumerate(task.turns):
        notes.begin(number)
        stage.world.clock.pass_by(seconds=20)
        if script is not None:
            await stage.talk.says(*spoken(script[number], stage.places))
        following = await stage.talk.start(
            stage.places.words(turn.asks), conversation, by=stage.by, surface=task.surface
        )
        events = await collected(following)
        notes.take(events)
        conversation = conversation or str(events[0].data["conversationId"])
        after = events[-1].id
        for decision in turn.then:
            if await decide(stage, decision, notes.proposed):
                events = await stage.talk.resumed(conversation, after)
                notes.take(events)
                after = events[-1].id if events else after
    assert conversation is not None
    left = (await stage.talk.http.get("/script")).json()["waiting"]
    writes = len(await stage.world.writes_seen()) - stage.writes_before
    return Seen(
        calls=tuple(notes.calls.values()),
        said=tuple(notes.said),
        stops=tuple(notes.stops),
        approvals=await _approvals(stage, notes.proposed),
        before=stage.before,
        after=await stages.campaigns(stage.world),
        writes=writes,
        unused=left,
        reported=tuple(repr(error) for error in stage.world.reported),
        spent=await spent(stage.talk, conversation, time.perf_counter() - began),
    )


async def decide(stage: Stage, decision: str, proposed: Sequence[str]) -> bool:
    """What a person does with the oldest proposal that waits; answers whether the turn goes on with that."""
    if decision == "expire":
        stage.world.clock.pass_by(minutes=_EXPIRY_MINUTES)
        return True
    pending = (await stage.world.call(OWNER, "list_approvals", status="pending"))["items"]
    waiting = sorted((each["id"] for each in pending), key=proposed.index)
    if not waiting:
        return False
    verb, _, more = decision.partition(" ")
    sent: dict[str, Any] = {"approval_id": waiting[0]}
    if verb == "approve" and more:
        sent["amount"] = float(more)
    elif more:
        sent["reason"] = more
    try:
        await stage.world.call(OWNER, verb, **sent)
    except CapabilityError as refused:
        return refused.code == "stale_plan"
    return True


def spoken(steps: Sequence[Step], places: Places) -> list[dict[str, Any]]:
    return [_turn(step, places) for step in steps]


def _turn(step: Step, places: Places) -> dict[str, Any]:
    parts = [step] if isinstance(step, str) or isinstance(step[-1], dict) else step
    words = " ".join(part for part in parts if isinstance(part, str))
    made = [(str(part[0]), places.fill(part[1])) for part in parts if not isinstance(part, str)]
    said = text(places.words(words))["blocks"] if words else []
    return (
        {"blocks": [*said, *calls(*made, thinking="" if words else "Let me look.")["blocks"]]}
        if made
        else {"blocks": said}
    )


async def _approvals(stage: Stage, proposed: Sequence[str]) -> tuple[Approval, ...]:
    """Those that the conversation showed first, in its order."""
    found = (await stage.world.call(OWNER, "list_approvals", limit=100))["items"]
    found.sort(key=lambda each: proposed.index(each["id"]) if each["id"] in proposed else len(proposed))
    return tuple(Approval(each["capability"], each["status"], each.get("decidedBy"), each["via"]) for each in found)


async def spent(talk: Talk, conversation: str, seconds: float) -> Spent:
    """Of every call of a model, those beside the conversation too."""
    made = [row for row in await talk.rows(chat_messages, conversation) if row.role == "assistant"]
    costs = [row.cost for row in made]
    return Spent(
        model_calls=len(made),
        input=sum(row.input_tokens or 0 for row in made),
        output=sum(row.output_tokens or 0 for row in made),
        cache_read=sum(row.cache_read_tokens or 0 for row in made),
        cache_write=sum(row.cache_write_tokens or 0 for row in made),
        cost=None if None in costs else float(sum(map(Decimal, costs), Decimal(0))),
        seconds=seconds,
    )
