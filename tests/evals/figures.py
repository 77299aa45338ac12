"""Figures that an answer must contain: taken from the world by a path, and found in words however they are written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[([^\]]+)\]")
_FILTER = re.compile(r"(\w+)\s*(=|<|>)\s*(.+)")
_DECIMALS = {"money": 2, "whole": 0, "count": 0, "ratio": 2, "percent": 1, "bare": 2}
_CLOSE = 0.005
"""How far off a figure that is rounded to fewer digits may be."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"(?<![\w.,])[-+−]?\d{1,15}(?:[.,' \u00a0\u202f]\d{3})*(?:[.,]\d+)?(?![\d])")


@dataclass(frozen=True, slots=True)
class Figure:
    value: Any
    kind: str

    @property
    def shown(self) -> str:
        """As a scripted model writes it."""
        if self.kind in ("name", "id", "ids"):
            return str(self.value)
        number = float(self.value) * (100 if self.kind == "percent" else 1)
        return f"{number:,.{_DECIMALS[self.kind]}f}{' %' if self.kind == 'percent' else ''}"

    def is_in(self, text: str) -> bool:
        return bool(self.places(text))

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where it is said."""
        if self.kind in ("name", "id"):
            plain = text.replace("\\|", "|").casefold()
            return [found.span() for found in re.finditer(re.escape(str(self.value).casefold()), plain)]
        blanked = _DAY.sub(lambda day: " " * len(day[0]), text)
        return [found.span() for found in _NUMBER.finditer(blanked) if self._meant(found[0])]

    def _meant(self, written: str) -> bool:
        value = abs(float(self.value)) * (100 if self.kind == "percent" else 1)
        return any(
            round(value, decimals) == number
            and (decimals >= _DECIMALS[self.kind] or abs(number - value) <= _CLOSE * value)
            for number, decimals in _readings(written.lstrip("-+−"))
        )


def _readings(written: str) -> list[tuple[float, int]]:
    """What a number may be, and how many decimals it shows: a point or a comma may be either mark."""
    found = []
    for point, mark in ((".", ","), (",", ".")):
        plain = re.sub(r"[' \u00a0\u202f]", "", written).replace(mark, "")
        whole, _, decimals = plain.partition(point)
        if plain.count(point) <= 1 and whole.isdigit() and (decimals or not plain.endswith(point)):
            found.append((float(f"{whole}.{decimals or 0}"), len(decimals)))
    return found


def split(described: str) -> tuple[str, str, str]:
    """`source: path as kind`."""
    source, _, rest = described.partition(":")
    path, _, kind = rest.rpartition(" as ")
    if not path or kind not in {*_DECIMALS, "name", "id", "ids"}:
        raise ValueError(f"a figure is `source: path as kind`, not {described!r}")
    return source.strip(), path.strip(), kind


def pick(data: Any, path: str) -> Any:
    """`rows[platform=meta][max spend].roas`, `items[status=ACTIVE][count]`,
    `rows[ratio spend conversions]`."""
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(f"cannot read {path!r} from {path[at:]!r}")
        data = _named(data, step[1]) if step[1] else _chosen(data, step[2])
        at = step.end()
    return data


def _named(data: Any, name: str) -> Any:
    return [row[name] for row in data] if isinstance(data, list | tuple) else data[name]


def _chosen(rows: Sequence[Mapping[str, Any]], how: str) -> Any:
    if how.lstrip("-").isdigit():
        return rows[int(how)]
    if how == "count":
        return len(rows)
    if kept := _FILTER.fullmatch(how):
        name, operator, wanted = kept.groups()
        return [row for row in rows if _holds(row.get(name), operator, wanted)]
    verb, _, name = how.partition(" ")
    if verb == "ratio":
        above, below = (sum(float(row[each] or 0) for row in rows) for each in name.split())
        return above / below
    known = [row for row in rows if row.get(name) is not None]
    return {"max": max, "min": min}[verb](known, key=lambda row: float(row[name]))


def _holds(value: Any, operator: str, wanted: str) -> bool:
    if operator == "=":
        return str(value) == wanted
    number = float(value or 0)
    return number < float(wanted) if operator == "<" else number > float(wanted)
