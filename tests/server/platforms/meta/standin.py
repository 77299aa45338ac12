"""A Graph that answers from a script, for what the real one says too rarely to wait for."""

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.platforms.meta.adapter import MetaAdapter
from tools.plan import Operation
from tools.ports import Credential

NOW = dt.datetime(2026, 11, 22, 15, 0, tzinfo=dt.UTC)
TOKEN = "EAAcanaryTokenThatMustNeverBeSeenAnywhere0123456789"
APP_SECRET = "canary-app-secret-0123456789abcdef"

Reply = Response | Callable[[Request], Awaitable[Response]]


class Sleeps(list[float]):
    """Takes the place of asyncio.sleep and remembers how long it would have waited."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@dataclass
class Received:
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    authorization: str


@dataclass
class StandIn:
    """Gives its replies in order, the last one again and again."""

    replies: list[Reply] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def say(self, *replies: Reply | Mapping[str, object]) -> None:
        self.replies = [JSONResponse(dict(each)) if isinstance(each, Mapping) else each for each in replies]

    def fail(self, code: int, subcode: int | None = None, *, status: int = 400, **more: str | bool) -> None:
        self.say(failing(code, subcode, status=status, more=more))

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.received.append(
            Received(
                request.method,
                request.url.path,
                dict(request.query_params),
                form,
                request.headers.get("authorization", ""),
            )
        )
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Response) else await reply(request)


@dataclass(frozen=True)
class Upstream:
    graph: StandIn
    adapter: MetaAdapter
    credential: Credential


def failing(
    code: int,
    subcode: int | None = None,
    *,
    status: int = 400,
    headers: Mapping[str, object] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    error: dict[str, object] = {"message": "technical words", "type": "OAuthException", "code": code}
    error |= {"fbtrace_id": "Trace1", **(more or {})}
    if subcode is not None:
        error["error_subcode"] = subcode
    return JSONResponse({"error": error}, status, {name: json.dumps(value) for name, value in (headers or {}).items()})


RENAME = Operation(kind="update_campaign", account_id="act_1", campaign_id="7", fields={"name": "New"})
