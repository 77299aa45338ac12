"""The one shape of every JSON answer under /api/v1, spliced from bytes that are already JSON."""

from typing import NamedTuple, Protocol

import orjson
from starlette.types import Send

from tools.capability import Listing, Output
from tools.errors import CapabilityError, MethodNotAllowed, RateLimited
from tools.idempotency import Replayed

RawHeaders = tuple[tuple[bytes, bytes], ...]

_JSON: RawHeaders = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
REPLAYED = (b"idempotent-replayed", b"true")


class Sendable(Protocol):
    """An answer, whole or in parts."""

    async def send(self, send: Send, request_id: str, *, without_body: bool = False) -> None: ...


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: RawHeaders = _JSON

    async def send(self, send: Send, request_id: str, *, without_body: bool = False) -> None:
        headers = [*self.headers, (b"x-request-id", request_id.encode())]
        if self.status not in (204, 304):  # which have no content, and no length of one
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if without_body else self.body})


def success(status: int, output: Output, request_id: str) -> Answer:
    """{"data": …, "meta": {"request_id"}}; of a page `items` is the data and the rest (next_cursor) goes to meta."""
    if isinstance(output, Listing):
        data, beside = output.parts()
    else:
        data, beside = (output.wire_json(),), b""
    meta = b'"request_id":"%b"' % request_id.encode()
    body = b"".join((b'{"data":', *data, b',"meta":{', meta, b"," if beside else b"", beside, b"}}"))
    return Answer(status, body, (*_JSON, REPLAYED)) if isinstance(output, Replayed) else Answer(status, body)


def failure(error: CapabilityError, request_id: str) -> Answer:
    """The flat error shape, and in headers what HTTP has a header for."""
    headers = _JSON + ((REPLAYED,) if error.replays else ()) + tuple(_told_in_headers(error))
    return Answer(error.status, orjson.dumps(error.body(request_id)), headers)


def _told_in_headers(error: CapabilityError) -> list[tuple[bytes, bytes]]:
    headers = []
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.details["allowed"]).encode()))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, RateLimited) and "limit" in error.details:
        name, calls = error.details["limit"], error.details["perMinute"]
        headers.append((b"ratelimit-policy", f'"{name}";q={calls};w=60'.encode()))
        headers.append((b"ratelimit", f'"{name}";r=0;t={error.retry_after or 0}'.encode()))
    return headers
