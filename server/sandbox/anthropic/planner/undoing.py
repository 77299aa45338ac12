"""Taking a change back: the one that is named, else the newest."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.sandbox.anthropic.planner import naming
from server.sandbox.anthropic.planner.steps import Asked
from server.sandbox.anthropic.planner.tables import many, plain

Row = Mapping[str, Any]

_CHANGE = re.compile(r"\bchg_\w{1,40}")
_KINDS: tuple[tuple[re.Pattern[str], Callable[[Row], bool]], ...] = (
    (re.compile(r"\bpaus", re.IGNORECASE), lambda fields: fields.get("status") == "PAUSED"),
    (re.compile(r"\b(activat|start|resum|enabl)", re.IGNORECASE), lambda fields: fields.get("status") == "ACTIVE"),
    (re.compile(r"\bbudget|\bspend", re.IGNORECASE), lambda fields: "daily_budget" in fields),
    (re.compile(r"\brenam|\bname\b", re.IGNORECASE), lambda fields: "name" in fields),
)
"""What a change is called, and how it is known."""
_SAID_OF_ANY = frozenset({
    "undo", "revert", "roll", "rolling", "back", "changes", "latest", "recent", "newest", "you", "just", "made", "your",
    "pausing", "renaming", "activation", "starting", "put", "then", "now", "and",
})  # fmt: skip


def undo(asked: Asked) -> str:
    done = [row for row in asked.rows("list_changes", limit=20) if row.get("undoable") and not row.get("undoneBy")]
    if not done:
        return "There is no change that can be undone."
    fitting = _named(asked, done)
    if not fitting:
        return (
            f"None of the {many(len(done), 'change')} that can be undone is that one. Ask me “what changed recently”."
        )
    change = fitting[0]
    result = asked.propose("undo_change", {"change_id": change["id"]})
    if result.is_error:
        return result.problem()
    return f"Undone: {_told(change)}."


def _named(asked: Asked, done: Sequence[Row]) -> list[Row]:
    """Those that fit everything that is said of the change: its id, its campaign, its kind."""
    if ids := _CHANGE.findall(asked.words):
        return [row for row in done if row["id"] in ids]
    rest = asked.words
    if naming.content(rest) - _SAID_OF_ANY:
        known = asked.rows("list_campaigns")
        named = {each["campaign_id"]: each["name"] for each in naming.surely_named(asked.words, known)}
        done = [row for row in done if row.get("campaign_id") in named] if named else done
        for name in named.values():
            rest = re.sub(re.escape(name), " ", rest, flags=re.IGNORECASE)
    for words, fits in _KINDS:
        if words.search(rest):
            done = [row for row in done if fits(_fields(row))]
    return list(done)


def _told(change: Row) -> str:
    fields, before = _fields(change), change.get("before")
    known = before if isinstance(before, Mapping) else {}
    parts = [f"{name} {plain(after)} → {plain(known[name])}" for name, after in fields.items() if name in known]
    campaign = f"campaign {plain(change.get('campaign_id'))}"
    return f"{campaign}, {', '.join(parts)}" if parts else f"{plain(change['kind'])} on {campaign} is as it was before"


def _fields(change: Row) -> Row:
    found = change.get("fields")
    return found if isinstance(found, Mapping) else {}
