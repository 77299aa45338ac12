"""Google's query language built from checked parts: no text of a caller ever becomes part of a query."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

_RESOURCE = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)
_FIELD = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+", re.ASCII)
_ID = re.compile(r"\d{1,20}", re.ASCII)
_WORD = re.compile(r"[A-Z]+(_[A-Z]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """Made by the functions below, which check what goes in."""

    field: str
    test: str

    def __str__(self) -> str:
        return f"{self.field} {self.test}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    select: tuple[str, ...]
    resource: str
    where: tuple[Condition, ...] = ()
    order_by: str | None = None
    limit: int | None = None

    def __str__(self) -> str:
        selected = ", ".join(_checked(_FIELD, name) for name in self.select)
        parts = ["SELECT", selected, "FROM", _checked(_RESOURCE, self.resource)]
        if self.where:
            parts += ["WHERE", " AND ".join(str(condition) for condition in self.where)]
        if self.order_by:
            parts += ["ORDER BY", _checked(_FIELD, self.order_by)]
        if self.limit is not None:
            parts += ["LIMIT", f"{self.limit:d}"]
        return " ".join(parts)


def is_id(field: str, value: str) -> Condition:
    return Condition(_checked(_FIELD, field), f"= {_checked(_ID, value)}")


def above_id(field: str, value: str) -> Condition:
    return Condition(_checked(_FIELD, field), f"> {_checked(_ID, value)}")


def one_of(field: str, words: Iterable[str]) -> Condition:
    """`words` are constants of the field's enum."""
    return Condition(_checked(_FIELD, field), f"IN ({', '.join(repr(_checked(_WORD, word)) for word in words)})")


def is_false(field: str) -> Condition:
    return Condition(_checked(_FIELD, field), "= FALSE")


def between(since: dt.date, until: dt.date) -> Condition:
    """Days of the account's time zone, `until` included."""
    return Condition("segments.date", f"BETWEEN '{since.isoformat()}' AND '{until.isoformat()}'")


def _checked(shape: re.Pattern[str], text: str) -> str:
    if not shape.fullmatch(text):  # a defect of ours: what callers send is checked before it comes here
        raise ValueError(f"{text[:40]!r} does not belong in a query")
    return text
