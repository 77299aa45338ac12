"""The tool calls of one answer: each goes through the door in the asker's name, and has its result stored once."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.journal import Journal, Told
from agent.pending import supersede, views
from agent.results import decided, failed, succeeded
from agent.snapshot import compact
from agent.transcript import Message
from tools import finding, ids
from tools.approval import ApprovalStatus, ConfirmRequired, view
from tools.capability import AnyCapability, Effect
from tools.context import AskedIn, Context
from tools.conversations import store as conversations
from tools.conversations.store import ResultState
from tools.errors import CapabilityError, Conflict, IdempotencyInProgress, InvalidArguments, NotFound
from tools.finding import FindingTool
from tools.invoke import Door
from tools.store.statements import Row
from tools.surfaces import Offer

MOST_WAITS = 30
"""How often a change is asked about whose earlier attempt still runs: for a minute, as long as it may give no sign."""


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str
    arguments: Any
    direct: bool = True

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "Call":
        direct = (block.get("caller") or {"type": "direct"}).get("type") == "direct"
        return cls(block["id"], block["name"], block["input"], direct)

    @property
    def key(self) -> str:
        return f"{self.name} {compact(self.arguments)}"


class Calls:
    """Of one run. The context's principal is the asker, through the agent; `offer` is what the chat's surface has, and
    `most` how many calls a turn makes."""

    def __init__(self, door: Door, context: Context, journal: Journal, offer: Offer, most: int) -> None:
        self._door, self._context, self._journal, self._most = door, context, journal, most
        self._offer = offer
        self._offered = {capability.name: capability for capability in offer.all}
        self._finding = {tool.name: tool for tool in finding.finding_tools(offer)}
        self.changing = False  # a change is on its way to the gate and is not to be left alone there

    def shown(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """A call as people see it: of what is called, where it is called through another tool."""
        call = self._meant(block)
        known = self._offered.get(call.name) or self._finding.get(call.name)
        title = known.title if known else call.name
        return {"toolUseId": call.id, "name": call.name, "title": title, "arguments": call.arguments}

    async def answer(self, asked: Message, turn: Sequence[Message]) -> tuple[list[str], list[Row]]:
        """Execute what has no result yet; all results in the order of the calls, and what waits for a person.

        Reads that follow each other run together, changes one after another in the model's order.
        """
        calls = [self._meant(block) for block in asked.calls]
        stored = await self._stored(calls)
        refusals = self._refusals(turn)
        together: list[Call] = []
        for call in [call for call in calls if call.id not in stored]:
            if self._reads(call):
                together.append(call)
                continue
            await self._all(together, refusals)
            together = []
            await self._change(call, refusals)
        await self._all(together, refusals)
        stored = await self._stored(calls)
        waiting = [stored[call.id] for call in calls if stored[call.id].state == ResultState.WAITING]
        return [stored[call.id].content for call in calls if stored[call.id].content], waiting

    async def look(self) -> Sequence[Row]:
        """What became of the calls that wait: a decision, an expiry, or a fresh proposal in place of a stale one."""
        for row in (waiting := await self._waiting()):
            await self._looked(row.tool_use_id, (await views(self._context, waiting))[row.approval_id])
        return await self._waiting()

    async def withdraw(self) -> Sequence[Row]:
        """After a stop nobody waits for a decision; answers what is being decided already."""
        await supersede(self._context, self._journal.conversation_id)
        return await self.look()

    async def _waiting(self) -> Sequence[Row]:
        rows = self._context.rows
        return await rows.all(conversations.waiting(rows, self._journal.conversation_id))

    async def _looked(self, call: str, approval: dict[str, Any]) -> None:
        status = ApprovalStatus(approval["status"])
        if status is ApprovalStatus.PENDING:
            self._journal.tell("confirm_required", self._envelope(call, approval))
        if not status.settled:
            return
        resolved = ("confirm_resolved", {"toolUseId": call, "approval": approval})
        fresh = approval.get("supersededBy") if status is ApprovalStatus.STALE else None
        if fresh is None:
            result = decided(call, approval)
            told = [resolved, ("tool_result", result.event())]
            await self._settle(call, told, state=ResultState.DONE, content=result.block)
            return
        await self._settle(call, [resolved], approval_id=fresh)
        again = await conversations.approvals_of(self._context.rows, [fresh])
        await self._looked(call, view(again[fresh], self._context.public_url, self._context.now_ms()))

    async def _settle(self, call: str, told: Sequence[Told], **values: Any) -> None:
        rows, now = self._context.rows, self._context.now_ms()
        settled = conversations.result_settled(rows, self._journal.conversation_id, call, updated_at=now, **values)
        await self._journal.commit(settled, told=told)

    def _envelope(self, call: str, approval: dict[str, Any]) -> dict[str, Any]:
        return ConfirmRequired(approval).body(self._context.request_id) | {"toolUseId": call}

    async def _stored(self, calls: Sequence[Call]) -> dict[str, Row]:
        rows = self._context.rows
        statement = conversations.results(rows, self._journal.conversation_id, [call.id for call in calls])
        return {row.tool_use_id: row for row in await rows.all(statement)}

    def _meant(self, block: Mapping[str, Any]) -> Call:
        """A call of call_read or call_write is one of its target; what has none says so when it is made."""
        call = Call.of(block)
        tool = self._finding.get(call.name)
        if tool is None or tool.output is not None:
            return call
        try:
            capability, arguments = finding.target(tool, self._offer, call.arguments)
        except CapabilityError:
            return call
        return replace(call, name=capability.name, arguments=arguments)

    def _reads(self, call: Call) -> bool:
        capability = self._offered.get(call.name)
        return capability is None or capability.effect is Effect.READ

    def _refusals(self, turn: Sequence[Message]) -> dict[str, CapabilityError]:
        """Calls that are not made: beyond the turn's number, or made before with nothing changed since."""
        refused: dict[str, CapabilityError] = {}
        seen: set[str] = set()
        for made, call in enumerate((self._meant(block) for message in turn for block in message.calls), 1):
            if made > self._most:
                refused[call.id] = Conflict(
                    f"A turn makes at most {self._most} calls; this one was not made.", fix="Sum up what you have."
                )
            elif call.key in seen:
                refused[call.id] = Conflict(
                    "This exact call was made before in this turn.",
                    fix="Use the result above, or change the arguments.",
                )
            elif not self._reads(call):
                seen = {key for key in seen if not self._reads_key(key)}  # what is read may be different now
            seen.add(call.key)
        return refused

    def _reads_key(self, key: str) -> bool:
        return self._reads(Call("", key.partition(" ")[0], {}))

    async def _all(self, calls: Sequence[Call], refusals: dict[str, CapabilityError]) -> None:
        await asyncio.gather(*(self._execute(call, refusals) for call in calls))

    async def _change(self, call: Call, refusals: dict[str, CapabilityError]) -> None:
        self.changing = True
        try:
            await self._execute(call, refusals)
        finally:
            self.changing = False

    async def _execute(self, call: Call, refusals: dict[str, CapabilityError]) -> None:
        began = time.perf_counter()
        try:
            if (refusal := refusals.get(call.id)) is not None:
                raise refusal
            result = succeeded(call.id, await self._through_the_door(call))
        except ConfirmRequired as waiting:
            approval = waiting.approval
            if not ApprovalStatus(approval["status"]).settled:
                told = ("confirm_required", self._envelope(call.id, approval))
                await self._keep(call.id, told, state=ResultState.WAITING, approval_id=approval["id"])
                return
            result = decided(call.id, approval)
        except CapabilityError as error:
            result = failed(call.id, error)
        told = ("tool_result", result.event(int((time.perf_counter() - began) * 1000)))
        await self._keep(call.id, told, state=ResultState.DONE, content=result.block)

    async def _keep(self, call: str, told: Told, **values: Any) -> None:
        now = self._context.now_ms()
        stored = conversations.result_stored(
            self._context.rows,
            conversation_id=self._journal.conversation_id,
            tool_use_id=call,
            turn=self._journal.turn,
            created_at=now,
            updated_at=now,
            **values,
        )
        await self._journal.commit(stored, told=[told])

    async def _through_the_door(self, call: Call) -> dict[str, Any]:
        capability = self._offered.get(call.name)
        if (tool := self._finding.get(call.name)) is not None and call.direct:
            return self._found(tool, call.arguments)
        if capability is None or not call.direct:
            raise NotFound(f"There is no tool {call.name} (any more).", fix="Use one of the tools there are.")
        if not isinstance(call.arguments, dict):
            raise InvalidArguments("The arguments are not an object.", fix="Send an object.", problems=[])
        asked_in = AskedIn(self._journal.conversation_id, call.id)
        for attempt in range(MOST_WAITS):
            context = replace(self._door.context(self._context.principal, ids.request_id()), asked_in=asked_in)
            try:
                return await self._invoked(capability, context, call)
            except IdempotencyInProgress as running:  # what a stopped process left: it is recovered, not repeated
                if attempt == MOST_WAITS - 1:
                    raise
                await asyncio.sleep(running.retry_after or 1)
        raise AssertionError("unreachable")

    def _found(self, tool: FindingTool, arguments: object) -> dict[str, Any]:
        if tool.output is None:
            finding.target(tool, self._offer, arguments)  # it has none, or the call would be the target's: raises
        return finding.answer(tool, self._offer, self._context.principal.scopes, arguments).wire()

    async def _invoked(self, capability: AnyCapability, context: Context, call: Call) -> dict[str, Any]:
        key = f"{self._journal.conversation_id}:{call.id}"
        return (await self._door.invoke(capability, context, call.arguments, idempotency_key=key)).wire()
