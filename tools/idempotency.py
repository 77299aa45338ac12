"""A write sent again under its key is answered, not repeated: a row a key says what was asked for and what came of it.

in_flight → done; a call that left nothing behind gives its row back
"""

import datetime as dt
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from hmac import new as hmac
from typing import Any

import orjson
from pydantic import BaseModel, JsonValue

from tools.approval import ConfirmRequired, view
from tools.capability import AnyCapability, Input, Output
from tools.context import Context
from tools.errors import (
    CapabilityError,
    Conflict,
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidRequest,
    family,
)
from tools.journal import WriteStatus, overall
from tools.secret import Secret
from tools.store.claims import LEASE, Claim
from tools.store.engine import Statement, StoreUnavailable, Transaction
from tools.store.statements import Row
from tools.store.tables import idempotency_keys, platform_writes

KEPT = dt.timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ASK_AGAIN_SECONDS = 2
_WITHHELD = "{} was shown once, in the first answer, and is not kept. If it is lost, revoke this and create another."
_PASSING = frozenset((401, 429, 503))
"""Statuses of refusals that the same call may well not meet again."""


class KeyStatus(StrEnum):
    IN_FLIGHT = "in_flight"
    DONE = "done"


class Replayed(Output):
    """What an earlier call of the same key answered; an error that is one says so in its `replays`."""

    answer: dict[str, JsonValue]
    replays: str  # the request that was answered first

    def wire(self) -> dict[str, Any]:
        return self.answer

    def wire_json(self) -> bytes:
        return orjson.dumps(self.answer)


async def claimed(
    capability: AnyCapability,
    context: Context,
    data: Input,
    key: str,
    *,
    preview: bool = False,
    expect_digest: str | None,
    running: Container[str],
) -> Context | Replayed:
    """The context in which to act, or the answer there is already; an answer that was an error is raised."""
    _require_shape(key)
    if preview:
        return context
    claim, wanted = _claim(context, key), _fingerprint(capability.name, data, key, expect_digest)
    fresh = {
        "capability": capability.name,
        "fingerprint": wanted,
        "request_id": context.request_id,
        "status": KeyStatus.IN_FLIGHT,
        "answer": None,
        "created_at": context.now_ms(),
        "lease_until": context.now_ms() + _ms(LEASE),
        "expires_at": context.now_ms() + _ms(KEPT),
    }
    identity = {"principal_id": context.principal.id, "key_digest": _digest(key)}

    async def work(tx: Transaction) -> Row | None:
        """None: it is ours now. Else the row that is in the way."""
        if await tx.run(context.rows.insert_once(idempotency_keys, **identity, **fresh)):
            return None
        row = await tx.first(context.rows.select(idempotency_keys).where(*claim.ours))
        if row is None or not await _over(tx, context, row, running):
            return row
        taken = context.rows.update(idempotency_keys).where(
            *claim.ours, idempotency_keys.c.request_id == row.request_id
        )
        return None if await tx.run(taken.values(**fresh)) else row

    row = await context.store.write(work)
    if row is None:
        return replace(context, claim=claim)
    _require_same(row, wanted)
    return await _replayed(context, row, running)


@dataclass(frozen=True, slots=True)
class Known:
    """The key of a call whose answer is known as it begins, so that both are one commit: nothing is held meanwhile, and
    no process can end in between."""

    context: Context
    name: str
    fingerprint: str
    key: str

    @classmethod
    def of(cls, context: Context, name: str, data: Input, key: str) -> "Known":
        _require_shape(key)
        return cls(context, name, _fingerprint(name, data, key, None), key)

    def held(self) -> Statement:
        return self.context.rows.select(idempotency_keys).where(*_claim(self.context, self.key).ours)

    def answer(self, row: Row | None) -> dict[str, Any] | None:
        """What the call of then answered; raises IdempotencyMismatch where it was another."""
        if row is None or row.expires_at <= self.context.now_ms():
            return None
        _require_same(row, self.fingerprint)
        answer: dict[str, Any] = row.answer
        return answer

    def kept(self, answer: dict[str, Any]) -> Statement:
        context, now = self.context, self.context.now_ms()
        identity = {"principal_id": context.principal.id, "key_digest": _digest(self.key)}
        known = {
            "capability": self.name, "fingerprint": self.fingerprint, "request_id": context.request_id,
            "status": KeyStatus.DONE, "answer": answer, "created_at": now, "lease_until": now,
            "expires_at": now + _ms(KEPT),
        }  # fmt: skip
        return context.rows.upsert(idempotency_keys, identity | known)


def _require_shape(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            "An idempotency key has 1 to 255 visible ASCII characters.", fix="Send a UUID, one for each write you mean."
        )


def _require_same(row: Row, wanted: str) -> None:
    if row.fingerprint != wanted:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request.",
            fix="Send the request that it was first used for, or a new key.",
            capability=row.capability,
        )


async def _over(tx: Transaction, context: Context, row: Row, running: Container[str]) -> bool:
    """Whether a row binds nobody any more: its day is over, or its process ended before the platform took anything."""
    if row.status == KeyStatus.DONE:
        return bool(row.expires_at <= context.now_ms())
    if not _abandoned(context, row, running):
        return False
    return not any(write.status != WriteStatus.FAILED for write in await tx.all(_journal(context, row.request_id)))


def _abandoned(context: Context, row: Row, running: Container[str]) -> bool:
    """Where the database is one process's, a call that does not run here runs nowhere, whatever its lease says."""
    lapsed = not context.store.shared or row.lease_until <= context.now_ms()
    return lapsed and row.request_id not in running


async def _replayed(context: Context, row: Row, running: Container[str]) -> Replayed:
    if row.status == KeyStatus.DONE:
        return await _told(context, row)
    journal = await context.rows.all(_journal(context, row.request_id)) if _abandoned(context, row, running) else []
    if not journal or any(write.status == WriteStatus.INTENT for write in journal):
        raise IdempotencyInProgress(
            "The first call with this idempotency key is not finished.",
            fix=f"Send the same again in {_ASK_AGAIN_SECONDS} s; it is not done twice.",
            retry_after=_ASK_AGAIN_SECONDS,
        )
    lost = Conflict(
        "This call was sent to the platform, but Adwright stopped before it could answer.",
        fix="Look at list_changes for what was done. Do not repeat it under another key.",
        outcome=overall(write.status for write in journal).value,
        changes=[write.id for write in journal],
    )
    lost.replays = row.request_id
    raise lost


async def _told(context: Context, row: Row) -> Replayed:
    if "output" in row.answer:
        return Replayed(answer=row.answer["output"], replays=row.request_id)
    error: CapabilityError
    if "approval" in row.answer:
        approval = await context.gate.find(context, row.answer["approval"])
        error = ConfirmRequired(view(approval, context.public_url, context.now_ms()))
    else:
        told = row.answer["error"]
        error = family()[told["code"]](
            told["message"],
            fix=told.get("fix", ""),
            upsell_url=told.get("upsellUrl"),
            retry_after=told.get("retryAfter"),
            connection_id=told.get("connectionId"),
            **told.get("details", {}),
        )
    error.replays = row.request_id
    raise error


async def outcome(context: Context, output: Output | None, error: CapabilityError | None) -> list[Statement]:
    """What the call leaves under its key, to be committed with its audit row; nothing where that is not known."""
    claim = context.claim
    assert claim is not None  # noqa: S101 - asked only of a call that has one
    if output is not None:
        return [claim.concluded(KeyStatus.DONE, {"output": _kept(output)})]
    if isinstance(error, ConfirmRequired):
        return [claim.concluded(KeyStatus.DONE, {"approval": error.approval["id"]})]
    try:
        journal = await context.rows.all(_journal(context, context.request_id))
    except StoreUnavailable:
        return []
    states = {write.status for write in journal}
    if error is None or WriteStatus.INTENT in states:
        return []  # recovery reads back what became of it
    refused = [write for write in journal if (write.outcome or {}).get("outcome") != "not_sent"]
    if states - {WriteStatus.FAILED} or (refused and error.status not in _PASSING):
        return [claim.concluded(KeyStatus.DONE, {"error": error.body("")})]
    return [claim.given_back()]


def _claim(context: Context, key: str) -> Claim:
    ours = (
        idempotency_keys.c.principal_id == context.principal.id,
        idempotency_keys.c.key_digest == _digest(key),
    )
    return Claim(context.rows, ours, context.request_id, _digest(key))


def _journal(context: Context, request_id: str) -> Statement:
    columns = (platform_writes.c.id, platform_writes.c.status, platform_writes.c.outcome)
    return context.rows.select(platform_writes, *columns).where(platform_writes.c.request_id == request_id)


def _kept(output: Output) -> dict[str, Any]:
    """An answer without what is shown only once."""
    answer = output.wire()
    if lost := output.shown_once & answer.keys():
        kept = {name: value for name, value in answer.items() if name not in lost}
        return kept | {"withheld": _WITHHELD.format(", ".join(sorted(lost)))}
    return answer


def _fingerprint(name: str, data: Input, key: str, expect_digest: str | None) -> str:
    """Of the request, secrets included; keyed with what is itself not stored, so that it gives no secret away."""
    asked = data.model_dump(mode="json", exclude_unset=True)
    request = [name, asked, [secret.reveal() for secret in _secrets(data)], expect_digest]
    return hmac(key.encode(), orjson.dumps(request, option=orjson.OPT_SORT_KEYS), sha256).hexdigest()


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for name in sorted(value.model_fields_set):
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _secrets(each)


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _ms(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)
