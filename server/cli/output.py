"""What people and scripts see: data on stdout, all else on stderr, plain where nobody looks."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any, TextIO

from server.process.environment import coloured
from tools.errors import CapabilityError
from tools.legible import legible

ERROR, CONFIRM = 1, 3
_WIDEST = 48
_ROWS = ("items", "rows")
"""What an answer calls the rows it is a page of."""


class Answered(CapabilityError):
    """An error that a server answered, passed on as it came."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("message", "The server gave no reason.")), fix=str(body.get("fix", "")))
        self.answer = dict(body)


def show(data: Any, *, as_json: bool, text: str | None = None) -> None:
    """`text` is the better rendering for people, where there is one."""
    if as_json:
        _write(sys.stdout, json.dumps(data, ensure_ascii=False))
    else:
        _write(sys.stdout, _rendered(data) if text is None else text)


def say(text: str) -> None:
    _write(sys.stderr, text)


def fail(error: CapabilityError, *, as_json: bool) -> int:
    """The one error shape: JSON on stdout for scripts, two lines on stderr for people."""
    body = error.answer if isinstance(error, Answered) else error.body("cli")
    body = {name: value for name, value in body.items() if name != "meta" or isinstance(error, Answered)}
    if as_json:
        show(body, as_json=True)
    else:
        say(f"{style('31', str(body.get('code')), sys.stderr)}: {body.get('message')}")
        for problem in (body.get("details") or {}).get("problems", ()):
            say(f"  {problem.get('field')}: {problem.get('problem')}")
        for name in ("allowed", "choices"):
            if listed := (body.get("details") or {}).get(name):
                say(f"  details.{name}: {_cell(listed)}")
        if body.get("fix"):
            say(f"fix: {body['fix']}")
    return ERROR


def style(code: str, text: str, stream: TextIO) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if stream.isatty() and coloured() else text


def _rendered(data: Any) -> str:
    if isinstance(data, Mapping):
        for name in _ROWS:
            if isinstance(data.get(name), list):
                return "\n".join(_page(data, data[name]))
        width = max((len(str(name)) for name in data), default=0)
        return "\n".join(f"{name:<{width}}  {_cell(value)}" for name, value in data.items())
    if isinstance(data, list):
        return _table(data) if data and all(isinstance(row, Mapping) for row in data) else "\n".join(map(_cell, data))
    return _cell(data)


def _page(answer: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rows, and below them what has to be known to read them."""
    yield _table(rows, [column["name"] for column in answer.get("columns", ())]) if rows else "There are no rows."
    for name, value in answer.items():
        if name in (*_ROWS, "columns", "next_cursor") or value in (None, []):
            continue
        if name == "gaps":
            yield from map(_missing, value)
        elif isinstance(value, list):
            yield f"{name}:\n{indent(_rendered(value), '  ')}"
        else:
            yield f"{name}: {_cell(value)}"
    if more := answer.get("next_cursor"):
        yield f"more: cursor={more}"


def _missing(gap: Mapping[str, Any]) -> str:
    where = gap.get("account_id") or gap.get("connectionId")
    return f"missing: {_cell(gap.get('platform'))} {_cell(where)}: {_cell(gap.get('message'))} {_cell(gap.get('fix'))}"


def _table(rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> str:
    columns = list(dict.fromkeys((*first, *(name for row in rows for name in row))))
    lines = [columns, *([_cell(row.get(name))[:_WIDEST] for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return legible(" ".join(value))
    return legible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _write(stream: TextIO | None, text: str) -> None:
    """A character the terminal cannot show is spelled; Python has no stream where one was closed from outside."""
    if stream is None:
        raise BrokenPipeError
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
