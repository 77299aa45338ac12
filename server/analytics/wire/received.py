"""What a request brings: its token, a bounded body, and a pipe's parameters, with those fixed that a token fixes."""

import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request

from server.analytics.leaving import Left
from server.analytics.wire.refusals import Refusal

Values = dict[str, str | list[str]]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_BEARER = "bearer "
_NOT_PARAMETERS = frozenset({"token"})
_PIECE = 256 * 1024


def token_of(request: Request) -> str | None:
    header = request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() == _BEARER:
        return header[len(_BEARER) :].strip()
    return request.query_params.get("token")


async def body_of(request: Request, most_bytes: int) -> bytes:
    """Never more than so much is held, however long it says it is."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most_bytes:
                raise _too_large(most_bytes)
    except ClientDisconnect:
        raise Left from None
    return bytes(body)


def unpacked(body: bytes, most_bytes: int) -> bytes:
    """What was gzipped; a small body that unpacks to a huge one is refused once it has grown too large."""
    found = bytearray()
    rest = body
    while rest:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            while not member.eof:
                piece = member.decompress(rest, _PIECE)
                rest = member.unconsumed_tail or member.unused_data
                found += piece
                if len(found) > most_bytes:
                    raise _too_large(most_bytes)
                if not piece and not rest and not member.eof:
                    raise Refusal(400, "The gzipped body ends too early")
        except zlib.error:
            raise Refusal(400, "The body is not gzip, as its Content-Encoding says") from None
    return bytes(found)


def parameters(
    query: Collection[tuple[str, str]], body: bytes, kind: str, *, arrays: Collection[str], fixed: Mapping[str, Any]
) -> Values:
    """The body's over the query's, the token's over both, in whatever case they are spelled. Of one that is given
    several times the last counts, unless the pipe takes a list."""
    values: Values = {}
    for given in (query, _in_body(body, kind)):
        together: dict[str, list[str]] = {}
        for name, value in given:
            together.setdefault(name, []).append(value)
        for name, found in together.items():
            values[name] = found if name in arrays and len(found) > 1 else found[-1]
    if "q" in values:
        raise Refusal(400, "'q' is not supported here: pipes are read as they are")
    taken = {name.casefold() for name in fixed} | _NOT_PARAMETERS
    values = {name: value for name, value in values.items() if name.casefold() not in taken}
    for name, value in fixed.items():
        values[name] = [_text(each) for each in value] if isinstance(value, list) else _text(value)
    return values


def _in_body(body: bytes, kind: str) -> list[tuple[str, str]]:
    if not body:
        return []
    kind = kind.partition(";")[0].strip().lower()
    if kind == JSON:
        return list(_from_json(body))
    if kind != FORM:
        raise Refusal(400, f"Send parameters as {JSON} or {FORM}")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refusal(400, "The body is not a form") from None


def _from_json(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        found = orjson.loads(body)
    except ValueError:
        raise Refusal(400, "The body is not JSON") from None
    if not isinstance(found, dict):
        raise Refusal(400, "The body is not a JSON object")
    for name, value in found.items():
        if isinstance(value, list):
            yield from ((name, _text(each)) for each in value)
        elif value is not None:
            yield name, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _too_large(most_bytes: int) -> Refusal:
    return Refusal(413, f"The body is larger than {most_bytes} bytes")
