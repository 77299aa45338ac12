"""Events held against a datasource's columns before the engine sees them: it would refuse a batch for one bad row."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
        flat = all(field.read is None for field in self._fields)
        self._flat = [(f.name, f.key, f.check, f.required) for f in self._fields] if flat else None

    def sort(self, ndjson: bytes, *, at: dt.datetime, batch: str) -> Sorted:
        """Blank lines are none."""
        sorted_ = Sorted([], [])
        keep, loads, dumps = sorted_.good.append, orjson.loads, orjson.dumps
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
            row, wrong = self._row(event)
            if wrong:
                sorted_.bad.append(self._quarantined(event, wrong, at, batch))
            else:
                keep(dumps(row))
        return sorted_

    def quarantined(self, line: bytes, reason: str, *, at: dt.datetime, batch: str) -> bytes:
        """A row that the engine itself would not take."""
        return self._quarantined(orjson.loads(line), {"": reason}, at, batch, named=True)

    def _row(self, event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str] | None]:
        if self._flat is None:
            return self._deep_row(event)
        row: dict[str, Any] = {}
        wrong: dict[str, str] | None = None
        get = event.get
        for name, key, check, required in self._flat:
            value = get(key)
            if value is None:
                if required:
                    wrong = {**(wrong or {}), name: f"the value of {key} is missing, and the column is not nullable"}
            elif check is None:
                row[name] = value if type(value) is str else text(value)
            else:
                try:
                    row[name] = check(value)
                except (ValueError, TypeError, OverflowError) as reason:
                    wrong = {**(wrong or {}), name: str(reason)}
        return row, wrong

    def _deep_row(self, event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str] | None]:
        row: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for field in self._fields:
            value = field.read(event) if field.read else event.get(field.key)
            if value is None:
                if field.required:
                    wrong[field.name] = f"the value of {field.key} is missing, and the column is not nullable"
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
