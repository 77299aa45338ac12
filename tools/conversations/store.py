"""A conversation as rows: the session with its lease, the exact transcript, each call's result, the numbered events."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, or_

from tools.approval import ApprovalStatus
from tools.context import Context
from tools.errors import NotFound
from tools.store.engine import Statement, Transaction
from tools.store.statements import Row
from tools.store.tables import approvals, chat_events, chat_messages, chat_results, chat_sessions, chat_snapshots
from tools.store.tenant import Rows
from tools.store.told import MOVED, moved

EVENTS_AT_ONCE = 500


class Status(StrEnum):
    IDLE = "idle"
    RUNNING = "running"  # by whoever holds the lease
    WAITING = "waiting"  # for a person


class Kind(StrEnum):
    SENT = "sent"  # part of every further request
    SHOWN = "shown"  # what was said before it broke off: for people, never sent again
    ASIDE = "aside"  # what it cost to speak of the conversation, as for its title: for nobody to read
    HELD = "held"  # the most that a call under way can cost; it stays where the process of the call ended


class ResultState(StrEnum):
    WAITING = "waiting"
    DONE = "done"


class TitledBy(StrEnum):
    MESSAGE = "message"  # its first words, until there is something better
    MODEL = "model"
    PERSON = "person"  # and nobody writes over it


class LeaseLost(Exception):
    """Another process took the conversation over: nothing more is written here."""


async def conversation(context: Context, identifier: str) -> Row:
    """One's own; anybody else's is not found, as is another workspace's."""
    found = await session(context.rows, identifier)
    if found is None or found.user_id != context.principal.user:
        raise NotFound(
            f"There is no conversation {identifier}.",
            fix="Take an id from list_conversations, or leave conversationId out to begin a new one.",
        )
    return found


async def session(rows: Rows, identifier: str) -> Row | None:
    """None where there is none (any more)."""
    return await rows.first(there(rows, identifier))


def there(rows: Rows, identifier: str) -> Statement:
    c = chat_sessions.c
    return rows.select(chat_sessions).where(c.id == identifier, c.deleted_at.is_(None))


async def page(
    context: Context, *, q: str | None, surface: str | None, after: tuple[int, str] | None, limit: int
) -> tuple[list[Row], tuple[int, str] | None]:
    """One's own, those that something happened in last first."""
    rows, c = context.rows, chat_sessions.c
    mine = rows.select(chat_sessions).where(c.user_id == context.principal.user, c.deleted_at.is_(None))
    if surface is not None:
        mine = mine.where(c.surface == surface)
    if q is not None:
        said = rows.select(chat_messages, chat_messages.c.seq).where(
            chat_messages.c.conversation_id == c.id,
            chat_messages.c.said.is_not(None),
            chat_messages.c.said.icontains(q, autoescape=True),
        )
        mine = mine.where(c.title.icontains(q, autoescape=True) | said.correlate(chat_sessions).exists())
    return await rows.newest(chat_sessions, mine, by="updated_at", after=after, limit=limit, long=q is not None)


async def snapshot(rows: Rows, sha: str) -> Row:
    found = await rows.first(rows.select(chat_snapshots).where(chat_snapshots.c.sha == sha))
    if found is None:
        raise LookupError(f"the snapshot {sha} of a conversation is gone")
    return found


def all_messages(rows: Rows, identifier: str) -> Statement:
    of = chat_messages.c.conversation_id == identifier
    return rows.select(chat_messages).where(of).order_by(chat_messages.c.seq)


def all_results(rows: Rows, identifier: str) -> Statement:
    return rows.select(chat_results).where(chat_results.c.conversation_id == identifier)


def last_sent(rows: Rows, identifier: str) -> Statement:
    of = (chat_messages.c.conversation_id == identifier, chat_messages.c.kind == Kind.SENT)
    return rows.select(chat_messages).where(*of).order_by(chat_messages.c.seq.desc()).limit(1)


def approval(rows: Rows, identifier: str) -> Statement:
    return rows.select(approvals).where(approvals.c.id == identifier)


def results(rows: Rows, identifier: str, calls: Sequence[str]) -> Statement:
    return rows.select(chat_results).where(
        chat_results.c.conversation_id == identifier, chat_results.c.tool_use_id.in_(calls)
    )


def waiting(rows: Rows, identifier: str) -> Statement:
    """The calls that wait for a person, oldest first."""
    of = chat_results.c.conversation_id == identifier
    mine = rows.select(chat_results).where(of, chat_results.c.state == ResultState.WAITING)
    return mine.order_by(chat_results.c.created_at, chat_results.c.tool_use_id)


async def approvals_of(rows: Rows, identifiers: Iterable[str]) -> dict[str, Row]:
    found = await rows.all(rows.select(approvals).where(approvals.c.id.in_(list(identifiers))))
    return {row.id: row for row in found}


async def events(rows: Rows, identifier: str, after: int) -> list[Row]:
    """The next events after one, in order; at most EVENTS_AT_ONCE."""
    mine = rows.select(chat_events, chat_events.c.seq, chat_events.c.run_id, chat_events.c.name, chat_events.c.data)
    newer = mine.where(chat_events.c.conversation_id == identifier, chat_events.c.seq > after)
    return await rows.all(newer.order_by(chat_events.c.seq).limit(EVENTS_AT_ONCE))


async def before_run(rows: Rows, identifier: str, run_id: str | None) -> int:
    """The number of the last event before this run."""
    first = rows.select(chat_events, chat_events.c.seq).where(
        chat_events.c.conversation_id == identifier, chat_events.c.run_id == run_id
    )
    found = await rows.first(first.order_by(chat_events.c.seq).limit(1))
    return found.seq - 1 if found else 0


async def claim(
    tx: Transaction,
    rows: Rows,
    identifier: str,
    run_id: str,
    *,
    now: int,
    until: int,
    left_before: int = 0,
    next_turn: bool = False,
    **more: Any,
) -> Row | None:
    """The one UPDATE that lets a run begin: where none runs, or one whose lease ended by then. None: not now."""
    left = and_(chat_sessions.c.status == Status.RUNNING, chat_sessions.c.lease_until <= left_before)
    begin = rows.update(chat_sessions).where(
        chat_sessions.c.id == identifier,
        chat_sessions.c.deleted_at.is_(None),
        or_(chat_sessions.c.status != Status.RUNNING, left),
    )
    values = {"status": Status.RUNNING, "run_id": run_id, "lease_until": until, "stop_asked_at": None} | more
    if next_turn:
        values |= {"turn": chat_sessions.c.turn + 1, "last_message": chat_sessions.c.last_message + 1}
    if not await tx.run(begin.values(**values, updated_at=now)):
        return None
    return await tx.first(rows.select(chat_sessions).where(chat_sessions.c.id == identifier))


async def untold(tx: Transaction, rows: Rows, session: Row) -> str | None:
    """What the person said, where no run of the turn has told it: its process ended before."""
    last = await tx.first(runs_started(rows, session.id).order_by(chat_events.c.seq.desc()).limit(1))
    if last is not None and json.loads(last.data).get("turn") == session.turn:
        return None
    found = await tx.first(asked(rows, session.id, session.turn))
    return None if found is None else str(found.said)


def runs_started(rows: Rows, identifier: str) -> Select[Any]:
    c = chat_events.c
    columns = (c.seq, c.run_id, c.data)
    return rows.select(chat_events, *columns).where(c.conversation_id == identifier, c.name == "run_started")


def asked(rows: Rows, identifier: str, turn: int) -> Statement:
    """The message of the person that a turn began with."""
    c = chat_messages.c
    return rows.select(chat_messages).where(c.conversation_id == identifier, c.turn == turn, c.said.is_not(None))


async def hold(tx: Transaction, rows: Rows, identifier: str, run_id: str, **values: Any) -> None:
    """Change the session, if the run still holds it: every write of a run begins with this."""
    if values.keys() == MOVED:
        if not await moved(tx, rows, identifier, run_id, **values):
            raise LeaseLost
        return
    mine = rows.update(chat_sessions).where(
        chat_sessions.c.id == identifier, chat_sessions.c.run_id == run_id, chat_sessions.c.status == Status.RUNNING
    )
    if not await tx.run(mine.values(**values)):
        raise LeaseLost


def stop_asked(rows: Rows, identifier: str, now: int) -> Statement:
    of = (chat_sessions.c.id == identifier, chat_sessions.c.status == Status.RUNNING)
    return rows.update(chat_sessions).where(*of).values(stop_asked_at=now)


async def forget(tx: Transaction, rows: Rows, identifier: str, now: int) -> bool:
    """Remove what was said and keep what it cost; what still waits for a person is superseded. False: a run is on."""
    idle = (chat_sessions.c.id == identifier, chat_sessions.c.status != Status.RUNNING)
    gone = rows.update(chat_sessions).where(*idle, chat_sessions.c.deleted_at.is_(None))
    if not await tx.run(gone.values(deleted_at=now, updated_at=now, status=Status.IDLE, title="")):
        return False
    waits = rows.update(approvals).where(
        approvals.c.conversation_id == identifier, approvals.c.status == ApprovalStatus.PENDING
    )
    await tx.run(waits.values(status=ApprovalStatus.SUPERSEDED, updated_at=now))
    said = rows.update(chat_messages).where(chat_messages.c.conversation_id == identifier)
    await tx.run(said.values(content="[]", tool_calls=[], said=None))
    await tx.run(rows.delete(chat_results).where(chat_results.c.conversation_id == identifier))
    await tx.run(rows.delete(chat_events).where(chat_events.c.conversation_id == identifier))
    return True


def renamed(rows: Rows, identifier: str, title: str) -> Statement:
    mine = (chat_sessions.c.id == identifier, chat_sessions.c.deleted_at.is_(None))
    return rows.update(chat_sessions).where(*mine).values(title=title, titled_by=TitledBy.PERSON)


def message_added(rows: Rows, **values: Any) -> Statement:
    return rows.insert(chat_messages, **values)


def session_added(rows: Rows, **values: Any) -> Statement:
    return rows.insert(chat_sessions, **values)


def snapshot_kept(rows: Rows, **values: Any) -> Statement:
    return rows.insert_once(chat_snapshots, **values)


def result_stored(rows: Rows, **values: Any) -> Statement:
    """A call has one result: a second is not stored."""
    return rows.insert_once(chat_results, **values)


def result_settled(rows: Rows, identifier: str, call: str, **values: Any) -> Statement:
    """A waiting call becomes what it waited for, or waits for another approval."""
    waits = rows.update(chat_results).where(
        chat_results.c.conversation_id == identifier,
        chat_results.c.tool_use_id == call,
        chat_results.c.state == ResultState.WAITING,
    )
    return waits.values(**values)


def titled(rows: Rows, identifier: str, title: str) -> Statement:
    """By the model, where nothing but its first words is its title yet."""
    of = (chat_sessions.c.id == identifier, chat_sessions.c.titled_by == TitledBy.MESSAGE)
    there = rows.update(chat_sessions).where(*of, chat_sessions.c.deleted_at.is_(None))
    return there.values(title=title, titled_by=TitledBy.MODEL)
