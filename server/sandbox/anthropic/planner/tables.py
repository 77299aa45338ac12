"""Markdown as the answers use it; every figure comes from a result."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_WHOLE = frozenset({"JPY", "KRW", "CLP", "ISK", "HUF", "TWD", "VND"})
NONE = "–"

Row = Mapping[str, Any]


def money(amount: object, currency: object) -> str:
    if not isinstance(amount, int | float):
        return NONE
    return f"{amount:,.{0 if currency in _WHOLE else 2}f} {currency}"


def ratio(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else NONE


def percent(value: object) -> str:
    return f"{value * 100:.2f} %" if isinstance(value, int | float) else NONE


def count(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else NONE


def plain(value: object) -> str:
    """For a cell: a name is written by others, and may hold what would end a cell or a line."""
    return " ".join(str(value).split()).replace("|", "\\|") if value not in {None, ""} else NONE


def many(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def table(rows: Iterable[Row], columns: Sequence[tuple[str, Callable[[Row], str]]]) -> str:
    lines = ["| " + " | ".join(title for title, _ in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(show(row) for _, show in columns) + " |" for row in rows]
    return "\n".join(lines)


def listed(rows: Sequence[Row], columns: Sequence[tuple[str, Callable[[Row], str]]], most: int = 25) -> str:
    """A table of the first rows, and how many more there are."""
    shown = table(rows[:most], columns)
    return f"{shown}\n\n… and {len(rows) - most} more." if len(rows) > most else shown
