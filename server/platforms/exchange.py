"""One call to an ad platform over HTTP: bounded, without cookies, its secrets added below whatever logs or raises."""

import asyncio
import functools
import ssl
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import httpx2

from tools.secret import MASK, Secret

Sleep = Callable[[float], Awaitable[None]]

SHORTEST_SECRET = 8
"""What is shorter is a typing error, no credential; masking every 0 of an answer would leave no JSON."""
_CONNECT_TIMEOUT = 10.0
_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Effect(StrEnum):
    """What repeating or losing a call means."""

    READ = "read"
    DRY_RUN = "dry_run"
    WRITE = "write"


class Outcome(StrEnum):
    """Whether a write took effect: never received, received and refused, or nobody here can tell."""

    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hidden:
    """What travels with a request and is in no log, exception or URL that a layer above the transport sees."""

    headers: Mapping[str, Secret] = field(default_factory=dict)
    query: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx2.Headers
    content: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Why there is no answer; `how` continues a sentence that starts with the platform's name."""

    how: str
    sent: bool = True  # the platform may have it
    again: bool = False  # the same call may get through


class SecretsLast(httpx2.AsyncBaseTransport):
    """Adds hidden headers and parameters below the layer that logs URLs and hangs requests on exceptions."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        hidden: Hidden = request.extensions.get("hidden") or Hidden()
        query = {name: value.reveal() for name, value in hidden.query.items()}
        headers = [(name, value.reveal()) for name, value in hidden.headers.items()]
        return await self._inner.handle_async_request(
            httpx2.Request(
                request.method,
                request.url.copy_merge_params(query) if query else request.url,
                headers=[*request.headers.multi_items(), *headers],
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


def http_client(url: str, timeout: float, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """For calls of any number of tasks at once to the host of `url`."""
    connect = min(timeout, _CONNECT_TIMEOUT)
    return httpx2.AsyncClient(
        transport=SecretsLast(transport or httpx2.AsyncHTTPTransport(verify=_trust(), proxy=proxy_for(url))),
        timeout=httpx2.Timeout(timeout, connect=connect, pool=connect),
        headers={"Accept": "application/json", "User-Agent": "adwright"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one client serves many people: keep none
    )


@functools.cache
def _trust() -> ssl.SSLContext:
    """Read once: the authorities trusted by default take longer to load than most calls."""
    return httpx2.create_ssl_context()


async def exchange(
    http: httpx2.AsyncClient, request: httpx2.Request, *, seconds: float, most_bytes: int
) -> Answer | Broken:
    """Send once. A cancelled call closes its connection."""
    try:
        async with asyncio.timeout(seconds):
            return await _answer(http, request, most_bytes)
    except _NOT_SENT as error:
        late = isinstance(error, httpx2.TimeoutException)
        how = "could not be reached in time" if late else "could not be reached at all"
        return Broken(how, sent=False, again=isinstance(error, httpx2.ConnectError))
    except (TimeoutError, httpx2.TimeoutException):
        return Broken("did not answer in time")
    except (httpx2.TransportError, httpx2.StreamError):
        return Broken("cut the connection", again=True)
    except (httpx2.DecodingError, _TooLarge):
        return Broken("sent an answer that cannot be read")


async def _answer(http: httpx2.AsyncClient, request: httpx2.Request, most_bytes: int) -> Answer:
    response = await http.send(request, stream=True)
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > most_bytes:
                raise _TooLarge
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers, bytes(content))


class _TooLarge(Exception):
    pass


def masked(content: bytes, secrets: Iterable[Secret]) -> bytes:
    """An answer without the secrets its call carried: platforms repeat them in links and in complaints."""
    for secret in secrets:
        if len(text := secret.reveal()) >= SHORTEST_SECRET:
            for spelt in (text, quote(text, safe="")):
                content = content.replace(spelt.encode(), MASK.encode())
    return content


def proxy_for(url: str) -> str | None:
    """The environment's proxy for this host, which a client with a transport of its own no longer looks up."""
    parsed = httpx2.URL(url)
    return None if urllib.request.proxy_bypass(parsed.host) else urllib.request.getproxies().get(parsed.scheme)
