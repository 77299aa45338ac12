"""ClickHouse's types as checks of JSON values: one comes back as the engine reads it, or ValueError says why not."""

import datetime as dt
import ipaddress
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

Check = Callable[[Any], Any]

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_INTEGER = re.compile(r"(U?)Int(8|16|32|64|128|256)")
_DECIMAL_DIGITS = {"Decimal32": 9, "Decimal64": 18, "Decimal128": 38, "Decimal256": 76}
_ENUM_ITEM = re.compile(r"'((?:[^'\\]|\\.)*)'\s*(?:=\s*(-?\d+))?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_SPELLINGS = {
    "boolean": "Bool",
    "bool": "Bool",
    "tinyint": "Int8",
    "smallint": "Int16",
    "int": "Int32",
    "integer": "Int32",
    "bigint": "Int64",
    "float": "Float32",
    "double": "Float64",
    "real": "Float32",
    "text": "String",
    "varchar": "String",
    "char": "String",
    "blob": "String",
    "timestamp": "DateTime",
    "dec": "Decimal",
    "inet4": "IPv4",
    "inet6": "IPv6",
}
_MILLISECONDS_FROM = 100_000_000_000  # as seconds: the year 5138


def split_arguments(text: str) -> list[str]:
    """At the commas that are in no parenthesis and no string."""
    parts, depth, quoted, start = list[str](), 0, False, 0
    for place, sign in enumerate(text):
        if sign == "'" and text[place - 1 : place] != "\\":
            quoted = not quoted
        elif not quoted and sign in "()":
            depth += 1 if sign == "(" else -1
        elif not quoted and not depth and sign == ",":
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()] if text.strip() else []


def parse(type_: str) -> tuple[str, list[str]]:
    """The type's name and its arguments."""
    found = _CALL.fullmatch(type_)
    if found is None:
        return type_, []
    return _SPELLINGS.get(found[1].lower(), found[1]), split_arguments(found[2] or "")


def is_nullable(type_: str) -> bool:
    name, arguments = parse(type_)
    if name == "LowCardinality" and arguments:
        return is_nullable(arguments[0])
    return name in {"Nullable", "Dynamic", "Variant"}


def check_of(type_: str) -> Check | None:
    """None: any text is one."""
    name, arguments = parse(type_)
    if name in {"Nullable", "LowCardinality"}:
        return check_of(arguments[0])
    if name == "SimpleAggregateFunction":
        return check_of(arguments[1])
    if found := _INTEGER.fullmatch(name):
        bits = int(found[2])
        low, high = (0, 2**bits - 1) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return _integer(low, high, name)
    if name == "String":
        return None
    build = _CHECKS.get(name)
    return build(name, arguments) if build else _anything


def text(value: Any) -> str:
    """What is no text is stored as it was written."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _anything(value: Any) -> Any:
    return value


def _integer(low: int, high: int, name: str) -> Check:
    def check(value: Any) -> Any:
        if type(value) is not int:
            value = _whole(value, name)
        if low <= value <= high:
            return value
        raise ValueError(f"{value} does not fit {name}")

    return check


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) <= 80 and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value)
    raise ValueError(f"{_shown(value)} is no {name}")


def _float(name: str, _: list[str]) -> Check:
    def check(value: Any) -> Any:
        if isinstance(value, float):
            return value
        if isinstance(value, int):
            return float(value)
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if math.isfinite(number) and "_" not in value:
                return number
        raise ValueError(f"{_shown(value)} is no {name}")

    return check


def _decimal(name: str, arguments: list[str]) -> Check:
    digits = _DECIMAL_DIGITS.get(name) or int(arguments[0] if arguments else 10)
    scale = int(arguments[-1]) if len(arguments) > (name == "Decimal") else 0
    limit = 10 ** (digits - scale)

    def check(value: Any) -> Any:
        kind = type(value)
        if kind is int or kind is float:
            if -limit < value < limit:
                return value
        elif kind is str:
            try:
                number = Decimal(value)
            except InvalidOperation:
                number = Decimal("NaN")
            if number.is_finite() and abs(number) < limit and "_" not in value:
                return value
        raise ValueError(f"{_shown(value)} does not fit {name}({', '.join(arguments)})")

    return check


def _bool(_: str, __: list[str]) -> Check:
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}

    def check(value: Any) -> Any:
        if isinstance(value, bool | int | str) and value in known:
            return known[value]
        raise ValueError(f"{_shown(value)} is no Bool")

    return check


def _moment(name: str, _: list[str]) -> Check:
    first, last = (1900, 2299) if name == "DateTime64" else (1970, 2105)
    parse_iso = dt.datetime.fromisoformat

    def check(value: Any) -> Any:
        if type(value) is str:
            if value[4:5] == "-" == value[7:8] and "," not in value and first <= parse_iso(value).year <= last:
                return value
            if value.isdecimal() and value.isascii() and len(value) <= 16:
                return _epoch(int(value), name)
        elif type(value) in (int, float):
            return _epoch(value, name)
        raise ValueError(f"{_shown(value)} is no {name} between the years {first} and {last}")

    return check


def _epoch(value: float, name: str) -> Any:
    """Seconds, or milliseconds where seconds would be far off."""
    milliseconds = round(value if abs(value) >= _MILLISECONDS_FROM else value * 1000)
    if not 0 <= milliseconds < (2**32 * 1000 if name == "DateTime" else 10_413_792_000_000):
        raise ValueError(f"{value} is no {name}")
    seconds = milliseconds // 1000
    return seconds if name == "DateTime" else f"{seconds}.{milliseconds % 1000:03}"


def _date(name: str, _: list[str]) -> Check:
    first, last = (1900, 2299) if name == "Date32" else (1970, 2148)

    def check(value: Any) -> Any:
        if type(value) is str and len(value) == 10 and first <= dt.date.fromisoformat(value).year <= last:
            return value
        raise ValueError(f"{_shown(value)} is no {name}")

    return check


def _fixed(_: str, arguments: list[str]) -> Check:
    size = int(arguments[0])

    def check(value: Any) -> Any:
        if len((written := text(value)).encode()) <= size:
            return written
        raise ValueError(f"{_shown(value)} is longer than {size} bytes")

    return check


def _matching(name: str, matches: Callable[[str], Any]) -> Check:
    def check(value: Any) -> Any:
        if type(value) is str and matches(value):
            return value
        raise ValueError(f"{_shown(value)} is no {name}")

    return check


def _enum(name: str, arguments: list[str]) -> Check:
    items = [found for argument in arguments if (found := _ENUM_ITEM.fullmatch(argument))]
    known = {item[1] for item in items} | {int(item[2] or place) for place, item in enumerate(items, 1)}

    def check(value: Any) -> Any:
        if type(value) in (str, int) and value in known:
            return value
        raise ValueError(f"{_shown(value)} is none of {name}")

    return check


def _array(_: str, arguments: list[str]) -> Check:
    inner = check_of(arguments[0]) or text
    nullable = is_nullable(arguments[0])

    def check(value: Any) -> Any:
        if type(value) is not list:
            raise ValueError(f"{_shown(value)} is no array")
        return [None if nullable and each is None else inner(_present(each)) for each in value]

    return check


def _map(_: str, arguments: list[str]) -> Check:
    inner = check_of(arguments[1]) or text

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise ValueError(f"{_shown(value)} is no map")
        return {key: inner(_present(each)) for key, each in value.items()}

    return check


def _object(name: str, _: list[str]) -> Check:
    def check(value: Any) -> Any:
        if type(value) is dict:
            return value
        raise ValueError(f"{_shown(value)} is no {name}")

    return check


def _state(name: str, _: list[str]) -> Check:
    def check(value: Any) -> Any:
        raise ValueError(f"{name} is written by materialized views, not by events like {_shown(value)}")

    return check


def _present(value: Any) -> Any:
    if value is None:
        raise ValueError("null within a value that has none")
    return value


def _shown(value: Any) -> str:
    return text(value)[:100]


_CHECKS: dict[str, Callable[[str, list[str]], Check]] = {
    **dict.fromkeys(("Float32", "Float64", "BFloat16"), _float),
    **dict.fromkeys(("Decimal", *_DECIMAL_DIGITS), _decimal),
    **dict.fromkeys(("DateTime", "DateTime64", "DateTime32"), _moment),
    **dict.fromkeys(("Date", "Date32"), _date),
    **dict.fromkeys(("Enum", "Enum8", "Enum16"), _enum),
    "Bool": _bool,
    "FixedString": _fixed,
    "UUID": lambda name, _: _matching(name, _UUID.fullmatch),
    "IPv4": lambda name, _: _matching(name, lambda value: bool(ipaddress.IPv4Address(value).packed)),
    "IPv6": lambda name, _: _matching(name, lambda value: bool(ipaddress.ip_address(value).packed)),
    "Array": _array,
    "Map": _map,
    "JSON": _object,
    "AggregateFunction": _state,
}
