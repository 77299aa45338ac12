"""What came back from Graph, or why nothing did, and what that says about a write."""

from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from server.platforms.exchange import Effect, Outcome
from server.platforms.meta.codes import GraphError, Kind
from server.platforms.meta.errors import DEFAULT_WAIT, META, failure
from server.platforms.meta.usage import Usage
from server.platforms.meta.wire import BATCH, Call
from tools.errors import CapabilityError, PlatformFailure, RateLimited

Row = dict[str, Any]

PARTS = "parts"
"""Under which the answer to a batch, an array, is handed on."""


@dataclass(frozen=True, slots=True)
class Failed:
    error: CapabilityError
    again: bool = False  # the same read may succeed


def understood(call: Call, status: int, headers: httpx2.Headers, content: bytes, usage: Usage) -> Row | Failed:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        error = GraphError.of(body["error"], status)
        return Failed(failure(error, call.effect, call.connection_id, usage), again=error.kind is Kind.TRANSIENT)
    if isinstance(body, dict) and status < 400:
        return body
    if isinstance(body, list) and status < 400 and call.path == BATCH:
        return {PARTS: body}
    if status == 429:
        return Failed(_throttled(call, usage))
    shown = headers.get("content-type", "no content type").partition(";")[0][:40]
    return Failed(lost(call, f"answered HTTP {status} with {shown} instead of its JSON"), again=status >= 500)


def rows(page: Row) -> list[Row]:
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise unreadable("Meta's list has no rows")
    return data


def next_cursor(page: Row) -> str | None:
    """Only where Meta says that there is a next page: the last page has cursors too."""
    paging = page.get("paging") or {}
    after = (paging.get("cursors") or {}).get("after")
    return str(after) if paging.get("next") and after else None


def text(row: Row, name: str) -> str:
    """A field that was asked for and that every object has."""
    if row.get(name) in (None, ""):
        raise unreadable(f"Meta's answer lacks {name}")
    return str(row[name])


def _details(call: Call, outcome: Outcome) -> dict[str, Any]:
    """A dry run changes nothing even where its answer is lost."""
    if call.effect is Effect.READ:
        return {"platform": META}
    return {"platform": META, "outcome": (outcome if call.effect is Effect.WRITE else Outcome.NOT_SENT).value}


def unreached(call: Call, how: str) -> PlatformFailure:
    return PlatformFailure(
        f"Meta {how}; nothing was sent.",
        fix="Check the network and META_GRAPH_URL, then try again.",
        **_details(call, Outcome.NOT_SENT),
    )


def lost(call: Call, what: str) -> PlatformFailure:
    if call.effect is Effect.WRITE:
        return PlatformFailure(
            f"Meta {what}; the change may or may not have taken effect.",
            fix="Read the campaign back before doing it again.",
            **_details(call, Outcome.UNKNOWN),
        )
    return PlatformFailure(
        f"Meta {what}.",
        fix="Try again in a minute; if it stays, check META_GRAPH_URL and META_API_VERSION.",
        **_details(call, Outcome.NOT_SENT),
    )


def _throttled(call: Call, usage: Usage) -> RateLimited:
    wait = usage.regain_seconds or DEFAULT_WAIT
    return RateLimited(
        "Meta has had too many calls.",
        fix=f"Wait {wait} seconds, then try again.",
        retry_after=wait,
        connection_id=call.connection_id,
        source="upstream",
        **_details(call, Outcome.REFUSED),
    )


def unreadable(what: str) -> PlatformFailure:
    return PlatformFailure(
        f"{what}.", fix="Try again; if it stays, check META_API_VERSION and report it.", platform=META
    )
