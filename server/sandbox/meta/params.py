"""Strict reading of parameters: what an endpoint does not know is refused in the platform's words, never ignored."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import orjson

from server.sandbox.meta import errors

COMMON = frozenset({"access_token", "appsecret_proof", "fields", "locale", "pretty", "format", "debug"})
PAGED = COMMON | {"limit", "after", "before", "summary"}


def only(params: Mapping[str, str], known: Collection[str]) -> None:
    for name in params:
        if name not in known:
            raise errors.unknown_parameter(name)


def names(raw: str) -> list[str]:
    """A list given as CSV, as the query string does, or as a JSON array, as a form body does."""
    if raw.lstrip().startswith("["):
        return json_list("fields", raw)
    return [name.strip() for name in raw.split(",") if name.strip()]


def fields(params: Mapping[str, str], known: Collection[str], node_type: str, default: Iterable[str] = ()) -> list[str]:
    """The fields asked for, after `id`, which the platform always gives."""
    asked = names(params["fields"]) if params.get("fields") else list(default)
    for name in asked:
        if name not in known:
            raise errors.no_such_field(name, node_type)
    return list(dict.fromkeys(["id", *asked]))


def required(params: Mapping[str, str], name: str) -> str:
    if not params.get(name):
        raise errors.parameter_required(name)
    return params[name]


def json_value(name: str, raw: str, expected: str) -> object:
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.not_of_type(name, expected) from error
    return value


def json_list(name: str, raw: str) -> list[str]:
    value = json_value(name, raw, "an array")
    if not isinstance(value, list) or not all(isinstance(item, str | int) for item in value):
        raise errors.not_of_type(name, "an array")
    return [str(item) for item in value]


def one_of(name: str, raw: str, allowed: Collection[str]) -> str:
    if raw not in allowed:
        raise errors.not_one_of(name, allowed, raw)
    return raw


def list_of(name: str, raw: str, allowed: Collection[str]) -> list[str]:
    """A list of enum values, CSV or JSON."""
    items = json_list(name, raw) if raw.lstrip().startswith("[") else names(raw)
    return [one_of(f"{name}[{index}]", item, allowed) for index, item in enumerate(items)]


def boolean(name: str, raw: str) -> bool:
    if raw.lower() not in {"true", "false", "1", "0"}:
        raise errors.not_of_type(name, "a boolean")
    return raw.lower() in {"true", "1"}


def unsigned(name: str, raw: str) -> int:
    if not (raw.isascii() and raw.isdecimal()) or len(raw) > 15:
        raise errors.not_of_type(name, "a non-negative integer")
    return int(raw)


def moment(name: str, raw: str) -> str:
    try:
        return datetime.fromisoformat(raw).strftime("%Y-%m-%dT%H:%M:%S%z")
    except ValueError as error:
        raise errors.not_of_type(name, "a valid date/time such as 2026-12-01T00:00:00+0000") from error
