"""The HTTP face: bodies and headers in, connection faults on the way, JSON and a request-id out."""

import asyncio
from collections.abc import Callable
from secrets import token_urlsafe

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.sandbox import connection
from server.sandbox.faults import ANSWERED, Fault, Faults, Kind
from server.sandbox.google import api
from server.sandbox.google.api import AdsApi
from server.sandbox.google.wire import Answer, Call
from server.sandbox.log import RequestLog

_ON_THE_WAY = frozenset(Kind) - ANSWERED - {Kind.LOST_ANSWER}
_TOKEN = ("POST", ("token",))


class GoogleEndpoint:
    """An ASGI application, so that it can break a connection instead of answering."""

    def __init__(self, ads: AdsApi, faults: Faults, log: RequestLog, keep: Callable[[], None]) -> None:
        self._ads = ads
        self._faults = faults
        self._log = log
        self._keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = await _call(request)
        for_token = (call.method, call.path) == _TOKEN
        tags = {call.method, "token"} if for_token else api.tags(call)
        fault = self._faults.take("google", tags, _ON_THE_WAY, naming="token" if for_token else None)
        if fault is not None and fault.kind is not Kind.SLOW:
            await self._break(fault, call, scope, receive, send)
            return
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        answer = await self._token(request) if for_token else self._ads.answer(call)
        if answer.wrote:
            self._keep()
            if self._faults.take("google", tags, {Kind.LOST_ANSWER}):
                await connection.cut(send)
                return
        await _respond(answer, call.request_id)(scope, receive, send)

    async def _token(self, request: Request) -> Answer:
        form = await request.form()
        return self._ads.token({name: value for name, value in form.items() if isinstance(value, str)})

    async def _break(self, fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        is_html = fault.kind is Kind.HTML
        self._log.add(
            platform="google", method=call.method, path="/" + "/".join(call.path), params=api.parameters(call),
            status=connection.BAD_GATEWAY.status_code if is_html else None, fault=fault.kind,
        )  # fmt: skip
        if is_html:
            await connection.BAD_GATEWAY(scope, receive, send)
        else:
            await connection.cut(send)


async def _call(request: Request) -> Call:
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    return Call(
        request.method, tuple(part for part in path.split("/") if part), request.headers, await request.body(),
        token_urlsafe(16),
    )  # fmt: skip


def _respond(answer: Answer, request_id: str) -> Response:
    headers = {**answer.headers, "request-id": request_id}
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, "text/html; charset=UTF-8")
    return Response(orjson.dumps(answer.body), answer.status, headers, "application/json; charset=UTF-8")
