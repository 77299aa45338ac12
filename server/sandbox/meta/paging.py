"""Cursor paging in Graph's envelope: opaque cursors, and a `next` link that repeats the whole question."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import urlencode

from server.sandbox.meta import errors
from server.sandbox.meta.params import unsigned
from server.sandbox.meta.wire import Call

_DEFAULT = 25
_MOST = 5000


def page(call: Call, rows: Sequence[object], keys: Sequence[str]) -> dict[str, object]:
    """Cut out the page asked for; `keys` name the rows, so that a cursor survives rows coming and going before it."""
    limit = min(unsigned("limit", call.params.get("limit", str(_DEFAULT))), _MOST)
    if limit == 0:
        raise errors.not_of_type("limit", "a positive integer")
    start, stop = 0, limit
    if "after" in call.params:
        start = _position(call.params["after"], keys) + 1
        stop = start + limit
    elif "before" in call.params:
        stop = _position(call.params["before"], keys)
        start = max(0, stop - limit)
    shown = list(rows[start:stop])
    if not shown:
        return {"data": []}
    cursors = {"before": _cursor(keys[start]), "after": _cursor(keys[start + len(shown) - 1])}
    paging: dict[str, object] = {"cursors": cursors}
    if stop < len(rows):
        paging["next"] = _link(call, after=cursors["after"])
    if start > 0:
        paging["previous"] = _link(call, before=cursors["before"])
    return {"data": shown, "paging": paging}


def _link(call: Call, **cursor: str) -> str:
    kept = {name: value for name, value in call.params.items() if name not in {"after", "before", "appsecret_proof"}}
    return f"{call.url}?{urlencode(kept | cursor)}"


def _cursor(key: str) -> str:
    return urlsafe_b64encode(key.encode()).decode().rstrip("=") + "ZD"


def _position(cursor: str, keys: Sequence[str]) -> int:
    encoded = cursor.removesuffix("ZD")
    try:
        return keys.index(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except ValueError as error:
        raise errors.GraphError(100, "(#100) The after or before cursor specified is invalid.") from error
