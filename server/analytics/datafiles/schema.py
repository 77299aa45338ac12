"""The columns and indexes of a .datasource: ClickHouse's own syntax, with a path into the event beside each type."""

import re
from collections.abc import Iterator

from server.analytics.datafiles.model import Column, Index

_NAME = re.compile(r"`([^`]+)`|([A-Za-z_][\w.]*)", re.ASCII)
_TYPE = re.compile(r"[A-Za-z]\w*\s*(\(.*\))?", re.ASCII | re.DOTALL)
_PATH = re.compile(r"`json:([^`]*)`")
_CLAUSE = re.compile(r"(DEFAULT|MATERIALIZED|CODEC|ALIAS|TTL|NOT\s+NULL|NULL)\b|`json:", re.IGNORECASE)
_REFUSED = {"ALIAS", "TTL", "NULL", "NOT NULL"}
_INDEX = re.compile(
    r"(?:INDEX\s+)?`?(\w+)`?\s+(.+?)\s+TYPE\s+(\w+(?:\s*\(.*\))?)(?:\s+GRANULARITY\s+(\d+))?", re.IGNORECASE | re.DOTALL
)
_OPENING, _CLOSING = "([{", ")]}"


def columns(text: str) -> tuple[Column, ...]:
    """Raises ValueError with what is wrong."""
    found = tuple(_column(part) for part in _split(_without_comments(text)))
    names = [column.name for column in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Column {twice[0]} is declared twice.")
    return found


def indexes(text: str) -> tuple[Index, ...]:
    found = []
    for line in _without_comments(text).splitlines():
        if not (line := line.strip().rstrip(",")):
            continue
        if not (match := _INDEX.fullmatch(line)):
            raise ValueError(f"An index reads NAME EXPRESSION TYPE type GRANULARITY n, not {line[:80]!r}.")
        name, expression, kind, granularity = match.groups()
        found.append(Index(name, expression, kind, int(granularity or 1)))
    return tuple(found)


def _column(text: str) -> Column:
    if not (named := _NAME.match(text)) or not (rest := text[named.end() :].strip()):
        raise ValueError(f"A column reads NAME Type, not {text[:80]!r}.")
    name = named.group(1) or named.group(2)
    kind, clauses = "", dict[str, str]()
    current = ""
    for clause, body in _clauses(rest):
        current = re.sub(r"\s+", " ", clause.upper())
        if not clause:
            kind = body
        elif current in _REFUSED:
            raise ValueError(f"Column {name}: {current} is not supported in a schema.")
        elif current in clauses:
            raise ValueError(f"Column {name}: {current} stands there twice.")
        else:
            clauses[current] = body
    if not _TYPE.fullmatch(kind):
        raise ValueError(f"Column {name}: {kind[:80]!r} is no type.")
    for clause, body in clauses.items():
        if not body:
            raise ValueError(f"Column {name}: {clause} says nothing.")
    return Column(
        name,
        kind,
        path=clauses.get("PATH"),
        default=clauses.get("DEFAULT"),
        codec=clauses.get("CODEC"),
        materialized=clauses.get("MATERIALIZED"),
    )


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """The type first, under no name, then each clause with what follows it."""
    name, begun, position = "", 0, 0
    for position in _top_level(text):
        if position < begun or (position and (text[position - 1].isalnum() or text[position - 1] in "_.`")):
            continue
        if not (found := _CLAUSE.match(text, position)):
            continue
        yield name, text[begun:position].strip()
        if path := _PATH.match(text, position):
            yield "PATH", path.group(1)
            name, begun = "", path.end()
            if not (rest := text[begun:].strip()):
                return
            if not _CLAUSE.match(rest):
                raise ValueError(f"{rest[:40]!r} cannot follow a path.")
            yield from list(_clauses(text[begun:].strip()))[1:]
            return
        name, begun = found.group(1), found.end()
    yield name, text[begun:].strip()


def _split(text: str) -> Iterator[str]:
    begun = 0
    for position in _top_level(text):
        if text[position] == ",":
            yield text[begun:position].strip()
            begun = position + 1
    if last := text[begun:].strip():
        yield last


def _top_level(text: str) -> Iterator[int]:
    """Positions outside of brackets and quotes; an opening quote counts as outside."""
    depth, quote, position = 0, "", 0
    while position < len(text):
        letter = text[position]
        if quote:
            if letter == "\\":
                position += 1
            elif letter == quote:
                quote = ""
        else:
            depth -= letter in _CLOSING
            if not depth:
                yield position
            depth += letter in _OPENING
            quote = letter if letter in "'\"`" else ""
        position += 1
    if quote or depth:
        raise ValueError(f"{quote or 'A bracket'} is not closed.")


def _without_comments(text: str) -> str:
    found = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
    return found.sub(lambda match: " " if match.group()[:2] in ("--", "/*") else match.group(), text)
