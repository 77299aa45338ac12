"""The HTTP face of Graph: parameters in, connection faults on the way, JSON and usage headers out."""

import asyncio
from collections.abc import Callable

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.sandbox import connection
from server.sandbox.faults import ANSWERED, Fault, Faults, Kind
from server.sandbox.log import RequestLog
from server.sandbox.meta import batch, errors
from server.sandbox.meta.graph import LATEST, Graph
from server.sandbox.meta.wire import Answer, Call

_ON_THE_WAY = frozenset(Kind) - ANSWERED - {Kind.LOST_ANSWER}


class MetaEndpoint:
    """An ASGI application, so that it can break a connection instead of answering."""

    def __init__(self, graph: Graph, faults: Faults, log: RequestLog, keep: Callable[[], None]) -> None:
        self._graph = graph
        self._faults = faults
        self._log = log
        self._keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = await _call(Request(scope, receive))
        try:
            parts = batch.calls(call) if batch.is_batch(call) else [call]
        except errors.GraphError as error:
            self._record(call, error.status)
            await _respond(Answer(error.body(call.url), error.status))(scope, receive, send)
            return
        tags = {tag for part in parts for tag in self._graph.tags(part)}
        if batch.is_batch(call):
            tags |= {"POST", "batch"}
        fault = self._faults.take("meta", tags, _ON_THE_WAY)
        if fault is not None and fault.kind is not Kind.SLOW:
            await self._break(fault, call, scope, receive, send)
            return
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        answer = self._answer(call, parts)
        if answer.wrote:
            self._keep()
            if self._faults.take("meta", tags, {Kind.LOST_ANSWER}):
                await connection.cut(send)
                return
        await _respond(answer)(scope, receive, send)

    def _answer(self, call: Call, parts: list[Call]) -> Answer:
        answers = [self._graph.answer(part) for part in parts]
        if not batch.is_batch(call):
            return answers[0]
        headers = answers[-1].headers if answers else {"facebook-api-version": LATEST}
        return Answer(batch.envelope(call, answers), 200, headers, any(answer.wrote for answer in answers))

    async def _break(self, fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        is_html = fault.kind is Kind.HTML
        self._record(call, connection.BAD_GATEWAY.status_code if is_html else None, fault.kind)
        if is_html:
            await connection.BAD_GATEWAY(scope, receive, send)
        else:
            await connection.cut(send)

    def _record(self, call: Call, status: int | None, fault: Kind | None = None) -> None:
        """Log what never became a Graph call."""
        self._log.add(
            platform="meta",
            method=call.method,
            path="/" + "/".join(call.path),
            params=call.params,
            status=status,
            fault=fault,
        )


async def _call(request: Request) -> Call:
    """Query and form make one set of parameters, the form winning; a bearer token counts as `access_token`."""
    parameters = dict(request.query_params)
    if request.method != "GET":
        try:
            form = await request.form()
        except HTTPException:
            form = None
        parameters |= {name: value for name, value in (form or {}).items() if isinstance(value, str)}
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "oauth"} and token:
        parameters.setdefault("access_token", token.strip())
    mounted_at: str = request.scope["root_path"]
    base = f"{request.url.scheme}://{request.url.netloc}{mounted_at}"
    path = request.scope["path"].removeprefix(mounted_at)
    return Call(request.method, tuple(part for part in path.split("/") if part), parameters, base)


def _respond(answer: Answer) -> Response:
    return Response(orjson.dumps(answer.body), answer.status, answer.headers, "application/json; charset=UTF-8")
