"""POST /e, where the script sends what visitors do: public, quick, and silent about what it does not keep."""

from collections.abc import Callable, Mapping

import orjson
from starlette.types import Receive, Scope, Send

from server.analytics.ingest.addresses import Addresses, household
from server.analytics.ingest.agents import MOST_CHARACTERS, UNSAID
from server.analytics.ingest.drops import Drops, Reason
from server.analytics.ingest.pages import host_of
from server.analytics.ingest.reading import Dropped, Sender, read
from server.analytics.ingest.sites import Site, Sites
from server.analytics.ingest.spool import RETRY_AFTER
from server.analytics.ingest.visitors import DailyVisitors
from tools.analytics import Arrivals, Event
from tools.errors import Unavailable
from tools.limits import Limiter
from tools.store.engine import StoreUnavailable

MOST_BYTES = 8 * 1024
MOST_EVENTS = 20
_CORS = (b"access-control-allow-origin", b"*")
_ALLOW = (b"allow", b"POST, OPTIONS")
_PREFLIGHT = (
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"86400"),
)
_RETRY = (b"retry-after", str(RETRY_AFTER).encode())


class TooLong(Exception):
    """More bytes than an answer is worth."""


class Endpoint:
    """202 also for what is dropped for good: whoever sends to a wrong website learns nothing, and does not try again.
    503 is for what the sender should keep. Limits are by request, in this process's memory."""

    def __init__(
        self,
        arrivals: Arrivals,
        sites: Sites,
        drops: Drops,
        visitors: DailyVisitors,
        limiter: Limiter,
        addresses: Addresses,
        *,
        per_address: int,
        per_website: int,
        clock: Callable[[], int],
    ) -> None:
        self._arrivals, self._sites, self._drops, self._visitors = arrivals, sites, drops, visitors
        self._limiter, self._addresses, self._clock = limiter, addresses, clock
        self._per_address, self._per_website = per_address, per_website

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers = await self._answer(scope, receive)
        await send(
            {"type": "http.response.start", "status": status, "headers": [_CORS, (b"content-length", b"0"), *headers]}
            if status != 204
            else {"type": "http.response.start", "status": status, "headers": [_CORS, *headers]}
        )
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, tuple[tuple[bytes, bytes], ...]]:
        if scope["path"] not in ("/e", "/e/"):
            return 404, ()
        if scope["method"] == "OPTIONS":
            return 204, _PREFLIGHT
        if scope["method"] != "POST":
            return 405, (_ALLOW,)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return 415, ()  # what is packed may be of any size
        try:
            body = await _body(headers, receive)
        except TooLong:
            return 413, ()
        if body is None:
            return 400, ()  # nobody waits for it
        try:
            await self._take(body, scope, headers)
        except (Unavailable, StoreUnavailable, OSError):
            return 503, (_RETRY,)
        return 202, ()

    async def _take(self, body: bytes, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        ip = self._addresses.visitor(scope, headers)
        if not (await self._limiter.hit(f"e {household(ip)}", self._per_address)).allowed:
            self._drops.count(Reason.TOO_MANY)
            return
        sender = Sender(
            ip,
            _header(headers, b"user-agent") or UNSAID,
            _header(headers, b"accept-language"),
            host_of(_header(headers, b"origin")),
            self._clock(),
        )
        await self._arrivals.accept(await self._events(body, sender))

    async def _events(self, body: bytes, sender: Sender) -> list[Event]:
        try:
            told = orjson.loads(body)  # refuses NaN, halves of surrogate pairs and what is too deep
        except orjson.JSONDecodeError:
            self._drops.count(Reason.INVALID_JSON)
            return []
        told = told if isinstance(told, list) else [told]
        events: list[Event] = []
        asked: dict[str, tuple[Site | None, Reason | None]] = {}
        if len(told) > MOST_EVENTS:
            self._drops.count(Reason.INVALID_EVENT, events=len(told) - MOST_EVENTS)
        for each in told[:MOST_EVENTS]:
            website_id = each.get("w") if isinstance(each, dict) else None
            if not isinstance(website_id, str):
                self._drops.count(Reason.INVALID_EVENT)
                continue
            if website_id not in asked:
                asked[website_id] = await self._admitted(website_id)
            site, refusal = asked[website_id]
            if site is None or refusal is not None:
                self._drops.count(refusal or Reason.UNKNOWN_WEBSITE, site)
                continue
            try:
                events.append(read(each, site, sender, self._visitors))
            except Dropped as dropped:
                self._drops.count(dropped.reason, site)
        return events

    async def _admitted(self, website_id: str) -> tuple[Site | None, Reason | None]:
        """The website, and why nothing is taken for it now."""
        site = await self._sites.find(website_id)
        if site is None:
            return None, Reason.UNKNOWN_WEBSITE
        hit = await self._limiter.hit(f"e {website_id}", self._per_website)
        return site, None if hit.allowed else Reason.TOO_MANY


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
    """None where the sender left before it was complete."""
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > MOST_BYTES:
        raise TooLong
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise TooLong
        more = message.get("more_body", False)
    return b"".join(parts)


def _header(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """Its beginning: caches hold what is made of it, and strangers choose its length."""
    return headers.get(name, b"")[:MOST_CHARACTERS].decode("latin-1")
