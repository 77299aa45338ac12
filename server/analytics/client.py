"""The domain's store of pipes over Tinybird's HTTP API: Tinybird itself, or our own owner of the embedded engine."""

import datetime as dt
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import httpx2
import jwt
import orjson

from server.platforms.exchange import Answer, Broken, Hidden, exchange, http_client, masked
from tools.analytics import Pipe, PipeColumn, PipeParameter, PipeRows
from tools.errors import (
    CapabilityError,
    InvalidArguments,
    InvalidPipe,
    PlatformFailure,
    RateLimited,
    TooLarge,
    Unavailable,
)
from tools.secret import Secret

QUERY_SECONDS = 30.0
APPEND_SECONDS = 30.0
COPY_SECONDS = 120.0
KNOWN_SECONDS = 60.0
MOST_BYTES = 64 * 1024 * 1024
MOST_APPENDED_BYTES = 10_000_000
"""Of one request to /v0/events, at Tinybird."""
TOKEN_RPS = 50
"""Requests a second of all tokens of one name together: a page of widgets, not a scraper."""
_ERROR_CHARACTERS = 500
_NAME = re.compile(r"\w{1,200}", re.ASCII)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    admin_token: Secret
    workspace_id: str  # Tinybird's, or the embedded owner's: tokens name it


class _Known(NamedTuple):
    address: Address
    until: float
    pipes: tuple[Pipe, ...]


class TinybirdClient:
    """A tools.analytics.PipeStore. `find` is asked before each call, as an embedded owner may have come back elsewhere;
    it raises Unavailable where there is none. `url` is where people use the tokens minted here."""

    def __init__(
        self,
        find: Callable[[], Address],
        *,
        url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.find, self.url = find, url.rstrip("/")
        self._http = http_client(url, QUERY_SECONDS, transport)
        self._known: _Known | None = None

    async def aclose(self) -> None:
        await self._http.aclose()

    def mint(self, pipe: str, *, name: str, fixed: Mapping[str, str], expires_at: dt.datetime) -> str:
        address = self.find()
        claims = {
            "workspace_id": address.workspace_id,
            "name": name,
            "exp": int(expires_at.timestamp()),
            "scopes": [{"type": "PIPES:READ", "resource": pipe, "fixed_params": dict(fixed)}],
            "limits": {"rps": TOKEN_RPS},
        }
        return jwt.encode(claims, address.admin_token.reveal(), algorithm="HS256")

    async def query(self, pipe: str, parameters: Mapping[str, str]) -> PipeRows:
        if _NAME.fullmatch(pipe) is None:
            raise _no_pipe(pipe)
        answer = await self._read("POST", f"/v0/pipes/{pipe}.json", json_body=dict(parameters), pipe=pipe)
        try:
            meta, data, statistics = answer["meta"], answer["data"], answer.get("statistics", {})
            columns = tuple(PipeColumn(str(each["name"]), str(each["type"])) for each in meta)
            elapsed, read = float(statistics.get("elapsed", 0)), int(statistics.get("rows_read", 0))
        except (KeyError, TypeError, ValueError):
            raise _unreadable() from None
        return PipeRows(columns=columns, rows=tuple(data), elapsed=elapsed, rows_read=read)

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        dumped = [orjson.dumps(row, default=_wire, option=orjson.OPT_NAIVE_UTC) for row in rows]
        return await self.append_lines(datasource, dumped)

    async def append_lines(self, datasource: str, lines: Sequence[bytes]) -> int:
        if not lines:
            return 0
        body = b"\n".join(lines)
        if len(body) > MOST_APPENDED_BYTES:
            raise TooLarge(f"{len(body)} bytes are more than one request may carry.", fix="Append fewer rows at once.")
        params = {"name": datasource, "wait": "true"}
        answer = await self._call(
            "POST", "/v0/events", params=params, content=body, seconds=APPEND_SECONDS, kind="application/x-ndjson"
        )
        if answer.status >= 400:
            raise _refusal(answer, pipe="", address=self.find())
        aside = _json(answer).get("quarantined_rows")
        if aside:
            logger.error("%s of %s rows for %s were set aside in quarantine", aside, len(lines), datasource)
        return aside if type(aside) is int else 0

    async def pipes(self) -> Sequence[Pipe]:
        """As they were a minute ago at most: every query looks at what its pipe takes."""
        known, address = self._known, self.find()
        if known is None or known.address != address or known.until < time.monotonic():
            known = self._known = _Known(address, time.monotonic() + KNOWN_SECONDS, await self._described())
        return known.pipes

    async def copy(self) -> None:
        """Has what is copied on a schedule copied now, each done when it returns."""
        for pipe in await self._listed("name,type"):
            if pipe.get("type") == "copy":
                path = f"/v0/pipes/{pipe['name']}/copy"
                answer = await self._call("POST", path, seconds=COPY_SECONDS, content=b"")
                if answer.status >= 400:
                    raise _refusal(answer, pipe=str(pipe["name"]), address=self.find())

    async def _described(self) -> tuple[Pipe, ...]:
        found = await self._listed("name,description,type,endpoint,nodes")
        return tuple(_pipe(each) for each in found if each.get("type") == "endpoint" or each.get("endpoint"))

    async def _listed(self, attributes: str) -> list[dict[str, Any]]:
        found = (await self._read("GET", "/v0/pipes", params={"attrs": attributes})).get("pipes")
        if not isinstance(found, list):
            raise _unreadable()
        return found

    async def ping(self) -> None:
        await self._read("GET", "/v0/sql", params={"q": "SELECT 1 FORMAT JSON"})

    async def _read(self, method: str, path: str, *, pipe: str = "", **more: Any) -> dict[str, Any]:
        answer = await self._call(method, path, seconds=QUERY_SECONDS, again=True, **more)
        if answer.status >= 400:
            raise _refusal(answer, pipe=pipe, address=self.find())
        return _json(answer)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        params: Mapping[str, str] | None = None,
        json_body: Any = None,
        content: bytes | None = None,
        kind: str = "application/json",
        again: bool = False,
    ) -> Answer:
        """`again`: reading twice does no harm, so a connection that the other side had closed costs one retry."""
        address = self.find()
        hidden = Hidden({"authorization": Secret(f"Bearer {address.admin_token.reveal()}")})
        body = orjson.dumps(json_body) if json_body is not None else content
        request = self._http.build_request(
            method,
            address.url + path,
            params=params,
            content=body,
            headers={"content-type": kind} if body is not None else {},
            extensions={"hidden": hidden},
        )
        answer = await exchange(self._http, request, seconds=seconds, most_bytes=MOST_BYTES)
        if isinstance(answer, Broken) and again and answer.again:
            answer = await exchange(self._http, request, seconds=seconds, most_bytes=MOST_BYTES)
        if isinstance(answer, Broken):
            raise Unavailable(
                f"The analytics store {answer.how}.", fix="Try again; adwright doctor tells more.", retry_after=5
            )
        return answer


def _wire(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is nothing a row holds")


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except ValueError:
        raise _unreadable() from None
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _unreadable() -> PlatformFailure:
    return PlatformFailure(
        "The analytics store sent an answer that cannot be read.",
        fix="Check that TINYBIRD_HOST is the address of a Tinybird API.",
        platform="analytics",
    )


def _no_pipe(name: str) -> InvalidPipe:
    return InvalidPipe(f"There is no pipe {name}.", fix="list_metrics shows those there are.")


def _refusal(answer: Answer, *, pipe: str, address: Address) -> CapabilityError:
    said = _said(answer, address)
    match answer.status:
        case 400 | 422:
            problems = [{"field": "parameters", "problem": said}]
            return InvalidArguments(f"{pipe or 'The store'} refuses this: {said}", fix=_PARAMETERS, problems=problems)
        case 404 if pipe:
            return _no_pipe(pipe)
        case 408:
            return PlatformFailure(
                f"{pipe or 'The query'} took too long.", fix="Ask for a shorter period.", platform="analytics"
            )
        case 429:
            return RateLimited(
                "The analytics store takes no more requests now.",
                fix="Wait, then try again.",
                retry_after=_seconds(answer),
                source="upstream",
            )
        case 500 | 502 | 503 | 504:
            return Unavailable(
                f"The analytics store failed: {said}", fix="Try again; adwright doctor tells more.", retry_after=5
            )
        case 401 | 403:
            return PlatformFailure(
                f"The analytics store refuses our token: {said}",
                fix="Set TINYBIRD_ADMIN_TOKEN to the workspace's admin token.",
                platform="analytics",
            )
        case status:
            told = f"The analytics store answered {status}: {said}"
            return PlatformFailure(told, fix="adwright doctor tells more.", platform="analytics")


_PARAMETERS = "describe_metric tells what the pipe takes."


def _said(answer: Answer, address: Address) -> str:
    """Its own words, and none of a page that some proxy put in their place."""
    try:
        found = orjson.loads(masked(answer.content, (address.admin_token,)))
        said = found["error"] if isinstance(found, dict) else ""
    except (ValueError, KeyError):
        said = ""
    return said[:_ERROR_CHARACTERS] if isinstance(said, str) and said else f"HTTP {answer.status} without a reason"


def _seconds(answer: Answer) -> int:
    told = answer.headers.get("retry-after") or answer.headers.get("x-ratelimit-reset") or ""
    return max(1, min(int(told), 3600)) if told.isdecimal() else 1


def _pipe(told: Mapping[str, Any]) -> Pipe:
    """A parameter that several nodes name is one."""
    parameters: dict[str, PipeParameter] = {}
    for node in told.get("nodes") or ():
        for each in node.get("params") or ():
            parameters.setdefault(str(each["name"]), _parameter(each))
    return Pipe(
        name=str(told["name"]), description=str(told.get("description") or ""), parameters=tuple(parameters.values())
    )


def _parameter(told: Mapping[str, Any]) -> PipeParameter:
    default, choices = told.get("default"), told.get("enum")
    return PipeParameter(
        name=str(told["name"]),
        type=str(told.get("type") or "String"),
        description=str(told.get("description") or ""),
        required=told.get("required") is True,
        default=None if default is None else str(default),
        choices=tuple(map(str, choices)) if isinstance(choices, list) else (),
    )
