"""An analytics store that remembers what it was asked and answers what it was told to: as the ports want it, and behind
the few paths of Tinybird's API that the product's own client speaks."""

import asyncio
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.analytics import Event, Pipe, PipeColumn, PipeParameter, PipeRows
from tools.errors import CapabilityError
from tools.pipes import PIPE_ALLOWLIST

PATIENCE = 60.0
ADMIN_TOKEN = "p.of-the-stand-in-and-of-nothing-else"
WORKSPACE_ID = "5b0f4b1e-6f0e-4c39-9a55-0d6f2f6f1c3a"


def parameter(name: str, type_: str = "String", **more: Any) -> PipeParameter:
    return PipeParameter(name=name, type=type_, **more)


_COMMON = (
    parameter("workspace_id", required=True),
    parameter("website_id", description="One website; all of the workspace when left out."),
    parameter("from", "Date", description="First day."),
    parameter("to", "Date", description="Last day, inclusive."),
    parameter("tz", default="UTC"),
    parameter("path"),
    parameter("channel"),
    parameter("currency"),
)
_PAGES = (parameter("limit", "Int32", default="100"), parameter("offset", "Int32", default="0"))
_OWN = {
    "p_top_pages": _PAGES,
    "p_traffic_sources": (parameter("by", default="channel", choices=("channel", "source", "campaign")), *_PAGES),
    "p_attributed_revenue": (
        parameter("model", default="last_touch", choices=("first_touch", "last_touch", "linear")),
        parameter("by", default="channel", choices=("channel", "source", "campaign")),
        *_PAGES,
    ),
    "p_funnel_v2": (
        parameter("steps", required=True, description="JSON list of steps."),
        parameter("window_s", "UInt32", default="604800"),
        *_PAGES,
    ),
    "p_funnel": (parameter("steps", required=True, description="Paths, separated by commas."),),
    "p_visitor_profile": (parameter("visitor_id", required=True),),
    "p_metric_series": (
        parameter("metric", required=True, choices=("visitors", "pageviews")),
        parameter("interval", default="day", choices=("hour", "day")),
    ),
    "p_visitors_summary": (parameter("compare", "Boolean", default="0"),),
}
_COLUMNS = {
    "p_top_pages": {"path": "String", "visitors": "UInt64", "pageviews": "UInt64", "bounce_rate": "Float64"},
    "p_traffic_sources": {
        "channel": "String", "visitors": "UInt64", "sessions": "UInt64", "payments": "UInt64", "revenue": "Float64",
    },
    "p_attributed_revenue": {
        "channel": "String", "payments": "Float64", "revenue": "Float64", "share": "Float64", "currency": "String",
        "other_currency_payments": "UInt64",
    },
    "p_funnel": {"step": "UInt8", "label": "String", "visitors": "UInt64", "rate_total": "Float64"},
    "p_visitor_profile": {"visitor_id": "String", "sessions": "UInt64", "first_seen": "DateTime64(3)"},
    "p_pixel_healthcheck": {
        "website_id": "String", "last_event_at": "Nullable(DateTime64(3))", "events_5m": "UInt64",
        "events_24h": "UInt64", "bots_24h": "UInt64", "quarantined_24h": "UInt64", "max_lag_s": "Float64",
        "status": "String",
    },
}  # fmt: skip
DESCRIBED = tuple(
    Pipe(
        name=name,
        description=f"What {name.removeprefix('p_').replace('_', ' ')} there are. Bots are left out.",
        parameters=(*_COMMON, *_OWN.get(name, ())),
    )
    for name in PIPE_ALLOWLIST
)


@dataclass
class StandInPipes:
    """A PipeStore. `rows` are the answer of a pipe; what is not told has the columns and no rows."""

    url: str = "https://analytics.test"
    described: Sequence[Pipe] = (*DESCRIBED, Pipe(name="p_internal", description="Ours alone.", parameters=()))
    rows: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    failure: CapabilityError | None = None
    minted: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    appended: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrived(self, datasource: str, rows: int = 1) -> list[Mapping[str, Any]]:
        """What was appended, as soon as there are so many; what is told to the product comes here in batches."""
        async with asyncio.timeout(PATIENCE):
            while len(self.appended.get(datasource, ())) < rows:
                self._more.clear()
                await self._more.wait()
        return self.appended[datasource]

    def mint(self, pipe: str, *, name: str, fixed: Mapping[str, str], expires_at: dt.datetime) -> str:
        self._fail()
        self.minted.append({"pipe": pipe, "name": name, "fixed": dict(fixed), "expires_at": expires_at})
        return f"token-{len(self.minted)}"

    async def query(self, pipe: str, parameters: Mapping[str, str]) -> PipeRows:
        self._fail()
        self.asked.append((pipe, dict(parameters)))
        rows = self.rows.get(pipe, ())
        columns = _COLUMNS.get(pipe) or {name: "String" for row in rows[:1] for name in row} or {"visitors": "UInt64"}
        start = int(parameters.get("offset", 0))
        shown = tuple(rows[start : start + int(parameters.get("limit", 1000))])
        return PipeRows(
            columns=tuple(PipeColumn(name, kind) for name, kind in columns.items()), rows=shown, elapsed=0.004,
            rows_read=len(rows),
        )  # fmt: skip

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        self._fail()
        self.appended.setdefault(datasource, []).extend(rows)
        self._more.set()
        return 0

    async def append_lines(self, datasource: str, lines: Sequence[bytes]) -> int:
        return await self.append(datasource, [json.loads(line) for line in lines])

    async def pipes(self) -> Sequence[Pipe]:
        self._fail()
        return self.described

    async def ping(self) -> None:
        self._fail()

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class StandInArrivals:
    events: list[Event] = field(default_factory=list)
    failure: CapabilityError | None = None

    async def accept(self, events: Sequence[Event]) -> None:
        if self.failure is not None:
            raise self.failure
        self.events += events


def tinybird(store: StandInPipes) -> Starlette:
    """The store over HTTP, for whoever has its admin token or one that it would have minted."""

    async def described(request: Request) -> Response:
        return _answer(request, {"pipes": [_described(pipe) for pipe in await store.pipes()]})

    async def asked(request: Request) -> Response:
        name = request.path_params["name"].removesuffix(".json")
        given = {str(k): str(v) for k, v in {**request.query_params, **await _body(request)}.items() if k != "token"}
        if token := request.query_params.get("token"):
            (scope,) = jwt.decode(token, ADMIN_TOKEN, algorithms=["HS256"])["scopes"]
            if (scope["type"], scope["resource"]) != ("PIPES:READ", name):
                return JSONResponse({"error": "the token is not for this pipe"}, 403)
            found = await store.query(name, given | scope["fixed_params"])
            return JSONResponse({"data": list(found.rows), "rows": len(found.rows)})
        found = await store.query(name, given)
        meta = [{"name": column.name, "type": column.type} for column in found.columns]
        statistics = {"elapsed": found.elapsed, "rows_read": found.rows_read, "bytes_read": 0}
        body = {"meta": meta, "data": list(found.rows), "rows": len(found.rows), "statistics": statistics}
        return _answer(request, body)

    async def appended(request: Request) -> Response:
        rows = [json.loads(line) for line in (await request.body()).splitlines() if line]
        await store.append(request.query_params["name"], rows)
        return _answer(request, {"successful_rows": len(rows), "quarantined_rows": 0})

    async def alive(request: Request) -> Response:
        return _answer(request, {"data": [{"1": 1}]})

    return Starlette(
        routes=[
            Route("/v0/pipes", described),
            Route("/v0/pipes/{name}", asked, methods=["GET", "POST"]),
            Route("/v0/events", appended, methods=["POST"]),
            Route("/v0/sql", alive),
        ]
    )


def _answer(request: Request, body: Mapping[str, Any]) -> Response:
    if request.headers.get("authorization") != f"Bearer {ADMIN_TOKEN}":
        return JSONResponse({"error": "invalid authentication token"}, 403)
    return JSONResponse(body)


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    held: dict[str, Any] = json.loads(body) if body else {}
    return held


def _described(pipe: Pipe) -> dict[str, Any]:
    params = [
        {"name": each.name, "type": each.type, "description": each.description, "required": each.required,
         "default": each.default, "enum": list(each.choices)}
        for each in pipe.parameters
    ]  # fmt: skip
    nodes = [{"name": "endpoint", "params": params}]
    return {"name": pipe.name, "description": pipe.description, "type": "endpoint", "nodes": nodes}
