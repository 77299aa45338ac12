"""What came back from Google, or why nothing did, and what that says about a write."""

from dataclasses import dataclass
from typing import Any

import orjson

from server.platforms.exchange import Answer, Broken, Effect, Outcome
from server.platforms.google.codes import Kind, errors_of, first_of
from server.platforms.google.errors import DEFAULT_WAIT, failure
from server.platforms.google.wire import Call, Row, lost, outcome_details, unreached, unreadable
from tools.errors import CapabilityError, RateLimited


@dataclass(frozen=True, slots=True)
class Failed:
    error: CapabilityError
    again: bool = False  # sending the very same call once more is safe and may succeed
    expired: bool = False  # the access token; a fresh one may do


def understood(call: Call, answer: Answer | Broken) -> Row | Failed:
    if isinstance(answer, Broken):
        if not answer.sent:
            return Failed(unreached(call.effect, answer.how), again=answer.again)
        return Failed(lost(call.effect, answer.how), again=answer.again and call.effect is not Effect.WRITE)
    body = _json(answer.content)
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        error = first_of(errors_of(body["error"], answer.status, answer.headers.get("request-id")))
        return Failed(
            failure(error, call.effect, call.connection_id),
            again=error.kind is Kind.TRANSIENT and call.effect is not Effect.WRITE,
            expired=error.kind is Kind.EXPIRED,
        )
    if isinstance(body, dict) and answer.status < 400:
        return body
    if answer.status == 429:
        return Failed(_throttled(call))
    shown = answer.headers.get("content-type", "no content type").partition(";")[0][:40]
    how = f"answered HTTP {answer.status} with {shown} instead of its JSON"
    return Failed(lost(call.effect, how), again=answer.status >= 500 and call.effect is not Effect.WRITE)


def _json(content: bytes) -> Any:
    """A stream's error comes as an array of one."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return body[0] if isinstance(body, list) and len(body) == 1 else body


def _throttled(call: Call) -> RateLimited:
    return RateLimited(
        "Google has had too many calls.",
        fix=f"Wait {DEFAULT_WAIT} seconds, then try again.",
        retry_after=DEFAULT_WAIT,
        connection_id=call.connection_id,
        source="upstream",
        **outcome_details(call.effect, Outcome.REFUSED),
    )


def rows(page: Row, name: str = "results") -> list[Row]:
    """Google leaves an empty list out."""
    found = page.get(name, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise unreadable(f"Google's answer has no readable {name}")
    return found


def part(row: Row, name: str) -> Row:
    """One resource of a row; Google leaves out what has only defaults."""
    found = row.get(name, {})
    if not isinstance(found, dict):
        raise unreadable(f"Google's answer has no readable {name}")
    return found


def text(row: Row, name: str) -> str:
    """A field that was asked for and that every object has."""
    if row.get(name) in (None, ""):
        raise unreadable(f"Google's answer lacks {name}")
    return str(row[name])


def resource_id(name: object) -> str:
    """The last part of a resource's name: customers/1/campaigns/111 is 111. Empty where there is none."""
    return str(name or "").rpartition("/")[2]
