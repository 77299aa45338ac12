"""Events held against a datasource's columns before the engine sees them: it would refuse a batch for one bad row."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from server.analytics.datafiles.model import Column, Datasource
from server.analytics.tables.types import Check, check_of, is_nullable, text

_STEP = re.compile(r"([^.\[\]]+)(\[:\])?")
_NOT_UTF8 = "the line is not valid UTF-8 JSON"
Read = Callable[[dict[str, Any]], Any]


@dataclass(slots=True)
class Sorted:
    good: list[bytes]
    bad: list[bytes]  # as rows of the quarantine
    earliest: dict[tuple[str, str], str]
    """By workspace and website the first moment as it is written; "" where one is written in another way."""

    def body(self) -> bytes:
        return b"\n".join(self.good)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str  # of an event that is flat
    read: Read | None  # of one that is not
    check: Check | None
    required: bool


class Validator:
    """Compiled once a datasource."""

    def __init__(self, datasource: Datasource) -> None:
        written = [column for column in datasource.columns if column.materialized is None]
        self.columns = tuple(column.name for column in written)
        self._fields = [_field(column) for column in written]
        # Most events name their columns: then their values are changed in place, and what else they hold is skipped.
        self._same = all(field.read is None and field.key == field.name for field in self._fields)
        self._checks = {field.name: field.check for field in self._fields}
        self._required = frozenset(field.name for field in self._fields if field.required)
        texts = [field.name for field in self._fields if field.check is None]
        self._texts = itemgetter(*texts) if len(texts) > 1 else None
        self._others = [(field.name, field.check) for field in self._fields if field.check is not None]
        self._of_sites = self._same and {"workspace_id", "website_id", "ts"} <= self._checks.keys()

    def sort(self, ndjson: bytes, *, at: dt.datetime, batch: str) -> Sorted:
        """Blank lines are none."""
        sorted_ = Sorted([], [], {})
        keep, loads, dumps = sorted_.good.append, orjson.loads, orjson.dumps
        fit = self._flat_row if self._same else self._deep_row
        for line in ndjson.split(b"\n"):
            if not line or line.isspace():
                continue
            try:
                event = loads(line)
            except ValueError:
                event = None
            if type(event) is not dict:
                shown = {
                    "c__error_column": [],
                    "c__error": [f"{_NOT_UTF8} object: {line[:200].decode(errors='replace')}"],
                }
                sorted_.bad.append(dumps({**shown, "c__import_id": batch, "insertion_date": int(at.timestamp())}))
                continue
            row, wrong = fit(event)
            if wrong:
                sorted_.bad.append(self._quarantined(event, wrong, at, batch))
            else:
                keep(dumps(row) if row is not None else line.strip())
                if self._of_sites:
                    _note(sorted_.earliest, event)
        return sorted_

    def quarantined(self, line: bytes, reason: str, *, at: dt.datetime, batch: str) -> bytes:
        """A row that the engine itself would not take."""
        return self._quarantined(orjson.loads(line), {"": reason}, at, batch, named=True)

    def _flat_row(self, event: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        return (None, None) if self._is_row(event) else self._in_place(event)

    def _is_row(self, event: Mapping[str, Any]) -> bool:
        """Whether it names every column and nothing of it would be changed, as of most. Its texts, next to all of it,
        are asked at once: joined is nothing but text."""
        if self._texts is None:
            return False
        try:
            "".join(self._texts(event))
            for name, check in self._others:
                value = event[name]
                if value is None or check(value) is not value:
                    return False
        except (KeyError, ValueError, TypeError, OverflowError):
            return False
        return True

    def _in_place(self, event: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        """No row: the event as it was written is one."""
        wrong: dict[str, str] = {}
        changed = False
        checks, required = self._checks, self._required
        for key, value in event.items():
            check = checks.get(key, _anything)
            if check is None:
                if type(value) is str:
                    continue
                check = text
            if value is None:
                if key in required:
                    wrong[key] = _missing(key)
                continue
            try:
                read = check(value)
            except (ValueError, TypeError, OverflowError) as reason:
                wrong[key] = str(reason)
            else:
                if read is not value:
                    event[key], changed = read, True
        if not required <= event.keys():
            wrong |= {key: _missing(key) for key in sorted(required - event.keys())}
        return event if changed else None, wrong or None

    def _deep_row(self, event: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        row: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for field in self._fields:
            value = field.read(event) if field.read else event.get(field.key)
            if value is None:
                if field.required:
                    wrong[field.name] = _missing(field.key)
                continue
            try:
                row[field.name] = (field.check or text)(value)
            except (ValueError, TypeError, OverflowError) as reason:
                wrong[field.name] = str(reason)
        return row, wrong or None

    def _quarantined(
        self, event: Mapping[str, Any], wrong: Mapping[str, str], at: dt.datetime, batch: str, *, named: bool = False
    ) -> bytes:
        row: dict[str, Any] = {
            "c__error_column": [name for name in wrong if name],
            "c__error": list(wrong.values()),
            "c__import_id": batch,
            "insertion_date": int(at.timestamp()),
        }
        for field in self._fields:
            if named or field.read is None:
                value = event.get(field.name if named else field.key)
            else:
                value = field.read(dict(event))
            if value is not None:
                row[field.name] = text(value)
        return orjson.dumps(row)


def _missing(key: str) -> str:
    return f"the value of {key} is missing, and the column is not nullable"


def _anything(value: Any) -> Any:
    return value


def _field(column: Column) -> _Field:
    path = (column.path or f"$.{column.name}").removeprefix("$").removeprefix(".")
    steps = [(found[1], bool(found[2])) for found in _STEP.finditer(path)]
    required = column.default is None and not is_nullable(column.type)
    flat = len(steps) == 1 and not steps[0][1]
    return _Field(
        name=column.name,
        key=path,
        read=None if flat else _reader(steps),
        check=check_of(column.type),
        required=required and not column.type.startswith(("Array", "Map", "AggregateFunction")),
    )


def _note(earliest: dict[tuple[str, str], str], event: Mapping[str, Any]) -> None:
    """Moments are compared as text, which their usual form allows."""
    moment = event.get("ts")
    if type(moment) is not str or len(moment) not in (19, 23) or moment[4] != "-" or moment[10] != " ":
        moment = ""
    site = event.get("workspace_id", ""), event.get("website_id", "")
    if moment < earliest.get(site, "~"):
        earliest[site] = moment


def _reader(steps: list[tuple[str, bool]]) -> Read:
    """$.a.b reads within objects, $.a[:].b makes an array of what its objects hold; $ alone is the whole event."""

    def read(value: Any, place: int = 0) -> Any:
        for here in range(place, len(steps)):
            key, each = steps[here]
            value = value.get(key) if type(value) is dict else None
            if each:
                if type(value) is not list:
                    return None
                return [read(one, here + 1) for one in value]
        return value

    return read
