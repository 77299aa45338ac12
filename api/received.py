"""What came over the wire, read within bounds and parsed as strictly as JSON and the URL standard allow."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive

from tools.errors import InvalidRequest, TooLarge, UnsupportedMediaType

MAX_BODY = 1 << 20
MAX_DEPTH = 64
MAX_PARAMETERS = 200

Headers = Mapping[bytes, bytes]


class Disconnected(Exception):
    """The client left before its request was complete; nobody waits for an answer."""


def announces_body(headers: Headers) -> bool:
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """The whole body; the first byte past MAX_BODY, announced or received, ends the reading."""
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        more = message.get("more_body", False)
    return bytes(body)


def _too_large() -> TooLarge:
    return TooLarge("The request body is larger than 1 MiB.", fix="Send less at once: at most 1048576 bytes a request.")


def require_json(headers: Headers) -> None:
    kind, _, parameters = headers.get(b"content-type", b"").decode("latin-1").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    if kind.strip() != "application/json" or charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaType(
            "A body is read as JSON and nothing else.", fix="Send the header Content-Type: application/json."
        )


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, strictly: UTF-8, finite numbers, no repeated keys, at most MAX_DEPTH levels."""
    try:
        value = orjson.loads(body)  # refuses NaN, 1e400, lone surrogates, a BOM and what json would let pass
    except orjson.JSONDecodeError as error:
        raise _unreadable(f"The body is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise _unreadable("The body is not a JSON object.")
    refuse_deep(body, value)
    try:
        checked: dict[str, Any] = json.loads(body, object_pairs_hook=_once)
    except ValueError as error:
        raise _unreadable(f"The body cannot be used: {error}.") from error
    return checked


def refuse_deep(body: bytes, value: Any) -> None:
    """Whatever walks through a value later, by recursion, may then do so."""
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(MAX_DEPTH, value):
        raise _unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _unreadable(message: str) -> InvalidRequest:
    return InvalidRequest(message, fix='Send one JSON object in UTF-8, such as {"name": "Spring sale"}.')


def _deeper_than(levels: int, value: Any) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [child for node in layer for child in _children(node)]
    return bool(layer)


def _children(node: Any) -> Iterator[Any]:
    inside = node.values() if isinstance(node, dict) else node
    return (child for child in inside if isinstance(child, dict | list))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the key {names.most_common(1)[0][0]} is there more than once")
    return built


def query_parameters(raw: bytes) -> dict[str, str | list[str]]:
    """Each name with its value, or with all of them when it is repeated."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidRequest(
            f"The query string cannot be read: {error}.",
            fix=f"Send at most {MAX_PARAMETERS} parameters, percent-encoded UTF-8: ?since=2026-11-01&until=2026-11-30.",
        ) from error
    parameters: dict[str, str | list[str]] = {}
    for name, value in pairs:
        before = parameters.get(name)
        if before is None:
            parameters[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            parameters[name] = [before, value]
    return parameters
