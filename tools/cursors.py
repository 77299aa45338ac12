"""Opaque page cursors: where each account's own paging stands, tied to the query they belong to."""

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from tools.errors import InvalidArguments


def encode(query: Mapping[str, Any], position: Any) -> str:
    text = orjson.dumps([_fingerprint(query, position), position])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode(query: Mapping[str, Any], cursor: str | None) -> Any:
    """The position a cursor of this very query holds; None without one."""
    if cursor is None:
        return None
    try:
        fingerprint, position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        fingerprint, position = None, None
    if fingerprint != _fingerprint(query, position):
        raise InvalidArguments(
            "This cursor belongs to another query.",
            fix="Send next_cursor with the same arguments it came with, or leave it out to start over.",
            problems=[{"field": "cursor", "problem": "not a cursor of this query"}],
        )
    return position


def _fingerprint(query: Mapping[str, Any], position: Any) -> str:
    """Over both, so that a cursor that was altered is refused here and never reaches a statement."""
    return sha256(orjson.dumps([query, position], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
