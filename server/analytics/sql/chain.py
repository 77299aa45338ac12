"""Nodes and pipes as one statement: each name that stands for a query becomes that query, each table gets its database.

A subquery in its place, not a WITH before it all: the engine looks up names inside a WITH where it is used, so a node
could meet another's of the same name.
"""

from functools import lru_cache
from typing import Protocol

from server.analytics.engine import QueryRefused, quoted
from server.analytics.sql.guard import SYSTEM_TABLES, check
from server.analytics.sql.statement import Reference, Statement, Value, read

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 64


class Scope(Protocol):
    """What the names of one text stand for."""

    def query(self, name: str) -> "tuple[str, Scope] | None":
        """The SQL of a node or a pipe, and what its own names stand for."""
        ...

    def table(self, name: str) -> str | None:
        """A table as the engine spells it."""
        ...

    def value(self, name: str, column: str) -> str | None:
        """An expression for a query that is known to answer one row of this one column."""
        ...


def chain(sql: str, scope: Scope, *, path: tuple[str, ...] = ()) -> str:
    """Raises QueryRefused on what the guard refuses, on a name that stands for nothing, and on pipes in a circle."""
    if len(path) > MAX_DEPTH:
        raise QueryRefused(f"{path[0]} needs more than {MAX_DEPTH} nodes one within the other.")
    statement = _checked(sql)
    end = statement.tokens[-1].end
    pieces: list[str] = []
    done = 0
    for reference in sorted(statement.references, key=lambda reference: reference.start):
        if statement.defines(reference):
            continue
        place, written = _placed(reference, statement, scope, path)
        if written is not None:
            pieces += (sql[done : place.start], written)
            done = place.end
    whole = "".join((*pieces, sql[done:end]))
    if len(whole) > MAX_CHARACTERS:
        raise QueryRefused(f"The whole statement would have more than {MAX_CHARACTERS} characters.")
    return whole


@lru_cache(maxsize=2048)
def _checked(sql: str) -> Statement:
    statement = read(sql)
    check(statement)
    return statement


def _placed(
    reference: Reference, statement: Statement, scope: Scope, path: tuple[str, ...]
) -> tuple[Reference | Value, str | None]:
    """What is written, and in whose place."""
    if (value := reference.value) is not None:
        known = scope.value(reference.parts[0], value.column)
        if known is not None:
            return value, known
    return reference, _resolved(reference, statement, scope, path)


def _resolved(reference: Reference, statement: Statement, scope: Scope, path: tuple[str, ...]) -> str | None:
    """None: as it stands."""
    if len(reference.parts) > 1:
        if reference.parts[0] == "system" and reference.parts[1:] and reference.parts[1] in SYSTEM_TABLES:
            return None
        if reference.after_in and reference.parts[0] in statement.names:
            return None  # a column
        raise QueryRefused(f"{'.'.join(reference.parts)} is not available here: name a data source or a pipe.")
    name = reference.parts[0]
    if (found := scope.query(name)) is not None:
        text, inner = found
        return _subquery(name, chain(text, inner, path=(*path, name)), reference)
    if (table := scope.table(name)) is not None:
        return table
    if reference.after_in:
        return None  # a column, or a name that an expression was given
    raise QueryRefused(f"There is no data source, pipe or node {name}.")


def _subquery(name: str, sql: str, reference: Reference) -> str:
    # The line ends before the parenthesis: a comment could stand last.
    return f"({sql}\n)" if reference.aliased else f"({sql}\n) AS {quoted(name)}"
