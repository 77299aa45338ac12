"""/v0/pipes: a published query's rows in the format that is asked for, and what there is to ask."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.analytics.datafiles.model import PipeFile, PipeKind
from server.analytics.deployment import Deployed
from server.analytics.engine import Format, Limits
from server.analytics.leaving import while_wanted
from server.analytics.wire.answers import json_answer
from server.analytics.wire.rates import Rates
from server.analytics.wire.received import body_of, parameters, token_of
from server.analytics.wire.refusals import Refusal, missing
from server.analytics.wire.tokens import ScopeType, Token, Tokens, id_of
from tools.analytics import Pipe

MOST_BODY_BYTES = 1024 * 1024
FORMATS = {
    "json": Format.JSON,
    "csv": Format.CSV,
    "csvwithnames": Format.CSV_WITH_NAMES,
    "ndjson": Format.NDJSON,
    "parquet": Format.PARQUET,
    "prometheus": Format.PROMETHEUS,
}
MEDIA = {
    Format.JSON: "application/json; charset=utf-8",
    Format.CSV: "text/csv; charset=utf-8",
    Format.CSV_WITH_NAMES: "text/csv; charset=utf-8; header=present",
    Format.NDJSON: "application/x-ndjson; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.PROMETHEUS: "text/plain; version=0.0.4; charset=utf-8",
}


class Pipes:
    def __init__(self, deployed: Deployed, tokens: Tokens, rates: Rates, limits: Limits) -> None:
        self._deployed, self._tokens, self._rates, self._limits = deployed, tokens, rates, limits
        self._endpoints = {pipe.name: pipe for pipe in deployed.pipes()}
        self._arrays = {
            pipe.name: {each.name for each in pipe.parameters if each.type.startswith("Array")}
            for pipe in self._endpoints.values()
        }

    async def one(self, request: Request) -> Response:
        """NAME.FORMAT is its rows, NAME alone tells about the pipe."""
        name, dot, written = str(request.path_params["name"]).rpartition(".")
        token = self._tokens.authenticate(token_of(request))
        if not dot:
            return self._described(written, token)
        if written not in FORMATS:
            raise Refusal(400, f"There is no format '{written}': one of {', '.join(FORMATS)}")
        return await self._rows(request, token, name, FORMATS[written])

    async def _rows(self, request: Request, token: Token, name: str, output: Format) -> Response:
        headers: dict[str, str] = {}
        fixed = token.fixed_for(ScopeType.PIPES_READ, name)
        if token.rps is not None:
            rate = self._rates.take(token.name, token.rps)
            headers = rate.headers()
            if not rate.allowed:
                raise Refusal(429, f"Too many requests: {token.rps} a second are allowed", headers=headers)
        try:
            self._published(name)
            body = await body_of(request, MOST_BODY_BYTES) if request.method == "POST" else b""
            query, kind = request.query_params.multi_items(), request.headers.get("content-type", "")
            values = parameters(query, body, kind, arrays=self._arrays[name], fixed=fixed)
            work = self._deployed.query(name, values, output=output, limits=self._limits)
            rows = await while_wanted(request.receive, work)
        except Refusal as refusal:
            refusal.headers.update(headers)
            raise
        return Response(rows, 200, {"cache-control": "no-store", **headers}, media_type=MEDIA[output])

    def _published(self, name: str) -> None:
        if name not in self._deployed.project.pipes:
            raise missing("Pipe", name)
        if name not in self._endpoints:
            raise Refusal(404, f"The pipe '{name}' does not have an endpoint")

    def _described(self, name: str, token: Token) -> Response:
        token.fixed_for(ScopeType.PIPES_READ, name)
        if name not in self._deployed.project.pipes:
            raise missing("Pipe", name)
        return json_answer(self._shown(self._deployed.project.pipes[name]))

    async def listed(self, request: Request) -> Response:
        """All for the admin, else those that the token reads."""
        token = self._tokens.authenticate(token_of(request))
        pipes = self._deployed.project.pipes.values()
        seen = [each for each in pipes if token.admin or token.scope(ScopeType.PIPES_READ, each.name)]
        return json_answer({"pipes": [self._shown(each) for each in seen]})

    async def copy(self, request: Request) -> Response:
        """POST /v0/pipes/NAME/copy: now, and answered when it is done."""
        self._tokens.authenticate(token_of(request)).as_admin()
        name = str(request.path_params["name"])
        found = self._deployed.project.pipes.get(name)
        if found is None:
            raise missing("Pipe", name)
        if found.kind is not PipeKind.COPY:
            raise Refusal(400, f"The pipe '{name}' is not a copy pipe")
        await self._deployed.copy(name)
        return json_answer({"id": id_of(name), "name": name, "job": {"kind": "copy", "status": "done"}})

    def _shown(self, pipe: PipeFile) -> dict[str, Any]:
        """The parameters stand at the node that answers, though others may read them too."""
        described = self._endpoints.get(pipe.name)
        nodes = [
            {
                "id": id_of(f"{pipe.name}.{node.name}"),
                "name": node.name,
                "sql": node.sql,
                "description": node.description,
                "node_type": str(pipe.kind) if node.name == pipe.output else "standard",
                "params": _parameters(described) if described and node.name == pipe.output else [],
            }
            for node in pipe.nodes
        ]
        return {
            "id": id_of(pipe.name),
            "name": pipe.name,
            "description": pipe.description,
            "type": str(pipe.kind),
            "endpoint": id_of(f"{pipe.name}.{pipe.output}") if described else None,
            "url": f"/v0/pipes/{pipe.name}.json" if described else None,
            "nodes": nodes,
        }


def _parameters(pipe: Pipe) -> list[dict[str, Any]]:
    shown = []
    for each in pipe.parameters:
        told: dict[str, Any] = {"name": each.name, "type": each.type, "required": each.required}
        told |= {"description": each.description} if each.description else {}
        told |= {"default": each.default} if each.default is not None else {}
        shown.append(told | ({"enum": list(each.choices)} if each.choices else {}))
    return shown
