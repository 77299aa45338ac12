"""/v0/events: rows for a datasource, in quarantine where they do not fit it, and durable once this has answered."""

import asyncio

import orjson
from starlette.requests import Request
from starlette.responses import Response

from server.analytics.deployment import Deployed
from server.analytics.wire.answers import json_answer
from server.analytics.wire.received import body_of, token_of, unpacked
from server.analytics.wire.refusals import Refusal, missing
from server.analytics.wire.tokens import ScopeType, Tokens

MOST_BYTES = 10_000_000
"""Of a request, as it is sent and as it is unpacked."""
_IN_THE_LOOP_BYTES = 64 * 1024
_TRUE = ("true", "1")


class Events:
    def __init__(self, deployed: Deployed, tokens: Tokens) -> None:
        self._deployed, self._tokens = deployed, tokens

    async def append(self, request: Request) -> Response:
        """200 with wait=true, else 202; the rows are written either way."""
        token = self._tokens.authenticate(token_of(request))
        name = request.query_params.get("name")
        if not name:
            raise Refusal(400, "The parameter 'name' is missing: the datasource to append to")
        token.fixed_for(ScopeType.DATASOURCES_APPEND, name)
        if name not in self._deployed.project.datasources:
            raise missing("Data Source", name)
        rows = await _rows(request)
        appended = await self._deployed.append(name, rows)
        told = {"successful_rows": appended.successful_rows, "quarantined_rows": appended.quarantined_rows}
        return json_answer(told, 200 if request.query_params.get("wait", "").lower() in _TRUE else 202)


async def _rows(request: Request) -> bytes:
    body = await body_of(request, MOST_BYTES)
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "gzip":
            body = await asyncio.to_thread(unpacked, body, MOST_BYTES)
        case "identity" | "":
            pass
        case other:
            raise Refusal(415, f"Bodies are sent as they are or gzipped, not as '{other}'")
    match request.query_params.get("format", "ndjson"):
        case "ndjson":
            return body
        case "json":
            return await asyncio.to_thread(_lines, body) if len(body) > _IN_THE_LOOP_BYTES else _lines(body)
        case other:
            raise Refusal(400, f"There is no format '{other}': one of ndjson, json")


def _lines(body: bytes) -> bytes:
    """One event, or an array of them, over as many lines as it likes."""
    try:
        found = orjson.loads(body)
    except ValueError:
        raise Refusal(400, "The body is not JSON") from None
    return b"\n".join(orjson.dumps(each) for each in (found if isinstance(found, list) else [found]))
