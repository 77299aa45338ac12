"""How a turn begins: its conversation, its message and the key it was sent under are one commit, or nothing is."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.branching import branch
from agent.journal import LEASE_MS
from agent.model import ModelSettings
from agent.pending import outcome
from agent.snapshot import Snapshot
from agent.transcript import context_text, not_executed, user_content
from agent.turn import kept
from tools import ids
from tools.approval import view
from tools.authority import Scope
from tools.context import Context
from tools.conversations import store as conversations
from tools.conversations.model import Asked
from tools.conversations.store import Kind, ResultState, Status, TitledBy
from tools.errors import CapabilityError, Conflict, InvalidArguments, NotFound
from tools.idempotency import Known
from tools.quota import Meter, given_back
from tools.redaction import redact
from tools.store.engine import Transaction
from tools.store.statements import Row
from tools.surfaces import Offer


@dataclass(frozen=True, slots=True)
class Surface:
    name: str
    scope: Scope
    offer: Offer
    snapshot: Snapshot

    @property
    def action(self) -> str:
        return f"{self.name}_chat"


class Begun(NamedTuple):
    conversation_id: str
    run_id: str
    before: int  # the last event before it
    session: Row | None = None  # None: it began earlier, under the same key


class Again(CapabilityError):
    """For the door, which charges nothing: the turn began under the same idempotency key."""

    code, status = "replayed", 200

    def __init__(self, begun: Begun) -> None:
        super().__init__("This turn began before.", fix="Follow it.")
        self.begun = begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Of one turn; `known` are the facts of the moment."""

    context: Context
    surface: Surface
    settings: ModelSettings
    asked: Asked
    known: dict[str, Any]
    once: Known | None
    run_id: str

    async def work(self, tx: Transaction) -> Begun:
        if self.once is not None and (earlier := await began(tx, self.once)) is not None:  # at the same time
            await tx.run(given_back(self.context, Meter.CHAT_TURNS))
            return earlier
        identifier = await self._conversation(tx)
        rows, now = self.context.rows, self.context.now_ms()
        session = await conversations.claim(
            tx, rows, identifier, self.run_id, now=now, until=now + LEASE_MS,
            acting=kept(self.context.principal), spent_ms=0, next_turn=True,
        )  # fmt: skip
        if session is None:
            raise running()
        results, complete = await self._over(tx, identifier)
        told = self.known if complete else self.known | {"note": "Your answer before this was stopped or broke off."}
        said = redact(self.asked.message)
        message = conversations.message_added(
            rows, conversation_id=identifier, seq=session.last_message, turn=session.turn, run_id=self.run_id,
            role="user", kind=Kind.SENT, content=user_content(results, [context_text(told), said]), said=said,
            tool_calls=[], created_at=now,
        )  # fmt: skip
        await tx.run(message)
        begun = Begun(identifier, self.run_id, session.last_event)
        if self.once is not None:
            await tx.run(self.once.kept({"turn": list(begun[:3])}))
        return begun._replace(session=session)

    async def _conversation(self, tx: Transaction) -> str:
        """The one that goes on, or a new one: from nothing, or from what came before a turn of another."""
        asked, now = self.asked, self.context.now_ms()
        if asked.conversationId is None:
            return await self._new(tx)
        if asked.replacesTurn is None:
            return asked.conversationId
        rows, identifier = self.context.rows, ids.new("cnv")
        original = await tx.first(conversations.there(rows, asked.conversationId))
        if original is None:
            raise NotFound("The conversation was deleted.", fix="Leave conversationId out to begin a new one.")
        more = {"acting": kept(self.context.principal), "created_at": now, "updated_at": now}
        if asked.replacesTurn == 1:
            more |= {"title": redact(asked.title), "titled_by": TitledBy.MESSAGE}
        if not await branch(tx, rows, original, asked.replacesTurn, identifier, **more):
            raise Conflict(
                "What came before that turn is not finished.", fix="Send the message again when it is decided."
            )
        return identifier

    async def _new(self, tx: Transaction) -> str:
        context, taken, identifier = self.context, self.surface.snapshot, ids.new("cnv")
        rows, now = context.rows, context.now_ms()
        await tx.run(
            conversations.snapshot_kept(rows, sha=taken.sha, system=taken.system, tools=taken.tools, created_at=now)
        )
        added = conversations.session_added(
            rows, id=identifier, user_id=context.principal.user, surface=self.surface.name,
            title=redact(self.asked.title), model=self.settings.model, effort=self.settings.effort, snapshot=taken.sha,
            status=Status.IDLE, acting=kept(context.principal), turn=0, spent_ms=0, last_message=0, last_event=0,
            created_at=now, updated_at=now,
        )  # fmt: skip
        await tx.run(added)
        return identifier

    async def _over(self, tx: Transaction, identifier: str) -> tuple[list[str], bool]:
        """The results that the answer before still lacks, whatever the reason; and whether it was complete."""
        context, rows = self.context, self.context.rows
        last = await tx.first(conversations.last_sent(rows, identifier))
        if last is None:
            return [], True
        if last.role == "user":
            return [], False
        calls = [block["id"] for block in json.loads(last.content) if block["type"] == "tool_use"]
        stored = {row.tool_use_id: row for row in await tx.all(conversations.results(rows, identifier, calls))}
        results: list[str] = []
        for call in calls:
            row = stored.get(call)
            if row is not None and row.state == ResultState.WAITING:
                approval = await tx.first(conversations.approval(rows, row.approval_id))
                block = outcome(call, view(approval, context.public_url, context.now_ms())) if approval else ""
                settled = {"state": ResultState.DONE, "content": block, "updated_at": context.now_ms()}
                await tx.run(conversations.result_settled(rows, identifier, call, **settled))
                results.append(block)
            else:
                results.append(
                    row.content if row else not_executed(call, "The answer ended before this call was made.")
                )
        return results, not calls


async def began(tx: Transaction, once: Known) -> Begun | None:
    """The turn that began under this key; raises where it was another."""
    answer = once.answer(await tx.first(once.held()))
    return None if answer is None else Begun(*answer["turn"])


async def may_begin(context: Context, surface: Surface, asked: Asked) -> None:
    """Refuse what cannot begin, before anything of it is charged."""
    if asked.conversationId is None:
        return
    session = await conversations.conversation(context, asked.conversationId)
    if session.surface != surface.name:  # what it may do was settled when it began
        raise _elsewhere(session.surface)
    if asked.replacesTurn is None and session.status == Status.RUNNING:
        raise running()
    if asked.replacesTurn is not None and asked.replacesTurn > session.turn:
        problem = f"this conversation has {session.turn} turns"
        raise InvalidArguments(
            f"There is no turn {asked.replacesTurn}: {problem}.",
            fix="Take a turn from get_conversation, or leave replacesTurn out to go on.",
            problems=[{"field": "replacesTurn", "problem": problem}],
        )


def running() -> Conflict:
    return Conflict(
        "A turn of this conversation is still running.",
        fix="Wait for its done event, or stop it with POST /api/v1/chat/{conversationId}/stop.",
    )


def _elsewhere(surface: str) -> Conflict:
    return Conflict(
        f"This conversation belongs to the {surface} chat.",
        fix=f"Go on with POST /api/v1/{surface}/chat, or leave conversationId out to begin another.",
    )
