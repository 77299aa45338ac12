"""The sandbox's composition: the stand-ins, and the controls by which a test watches and disturbs them."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import cast

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from server.sandbox.anthropic.endpoint import API_KEY, AnthropicEndpoint
from server.sandbox.faults import FaultRefused, Faults
from server.sandbox.google import oauth as google_oauth
from server.sandbox.google import seed as google_seed
from server.sandbox.google.api import AdsApi
from server.sandbox.google.endpoint import GoogleEndpoint
from server.sandbox.google.quota import OPERATIONS_PER_DAY, Quota
from server.sandbox.google.world import World as GoogleWorld
from server.sandbox.log import Entry, RequestLog
from server.sandbox.meta import world as meta_world
from server.sandbox.meta.endpoint import MetaEndpoint
from server.sandbox.meta.graph import Graph
from server.sandbox.meta.limits import POINTS_PER_HOUR, Limits
from server.sandbox.meta.world import World
from server.sandbox.state import Document, StateFile
from server.sandbox.visits.endpoint import Visits
from server.sandbox.visits.sources import Sources


def create_app(
    data: Path | None = None,
    *,
    now: Callable[[], datetime] = meta_world.utc_now,
    meta_points_per_hour: int = POINTS_PER_HOUR,
    google_operations_per_day: int = OPERATIONS_PER_DAY,
    google_seeds: google_seed.World = google_seed.CAMPAIGNS,
) -> Starlette:
    """With a directory, changes and the log of writes survive a restart; `google_seeds` may be a crowd."""
    state = StateFile(data / "sandbox-state.json" if data else None)
    saved = state.load()
    faults = Faults()
    log = RequestLog(cast("list[Entry]", saved.get("writes", [])))
    world = World(now, cast("Document | None", saved.get("meta")))
    graph = Graph(world, Limits(meta_points_per_hour, time.monotonic), faults, log)

    google = GoogleWorld(now, cast("Document | None", saved.get("google")), google_seeds)
    ads = AdsApi(google, Quota(google_operations_per_day, google.timestamp), faults, log)

    def keep() -> None:
        state.save({"meta": world.dump(), "google": google.dump(), "writes": log.writes})

    def index(request: Request) -> JSONResponse:
        shown = {"meta": _meta(request, world), "google": _google(request, google), "anthropic": _anthropic(request)}
        return JSONResponse(shown)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/alive", lambda _: JSONResponse({"alive": True}), methods=["GET", "POST"]),
            Route("/log", lambda request: _log(request, log)),
            Route("/visits", Visits(Sources(world, google), now).answer),
            *_fault_routes(faults),
            Mount("/anthropic", AnthropicEndpoint(faults, log, now)),
            Mount("/google", GoogleEndpoint(ads, faults, log, keep)),
            Mount("/meta", MetaEndpoint(graph, faults, log, keep)),
        ]
    )


def _meta(request: Request, world: World) -> dict[str, object]:
    return {
        "url": f"{str(request.base_url).rstrip('/')}/meta",
        "access_token": meta_world.ACCESS_TOKEN,
        "app_id": meta_world.APP_ID,
        "app_secret": meta_world.APP_SECRET,
        "accounts": [
            {
                "id": f"act_{account.id}",
                "name": account.name,
                "currency": account.currency,
                "timezone_name": account.timezone_name,
            }
            for account in world.accounts.values()
        ],
    }


def _anthropic(request: Request) -> dict[str, object]:
    return {"url": f"{str(request.base_url).rstrip('/')}/anthropic", "api_key": API_KEY}


def _google(request: Request, world: GoogleWorld) -> dict[str, object]:
    url = f"{str(request.base_url).rstrip('/')}/google"
    return {
        "url": url,
        "token_url": f"{url}/token",
        "client_id": google_oauth.CLIENT_ID,
        "client_secret": google_oauth.CLIENT_SECRET,
        "refresh_token": google_oauth.REFRESH_TOKEN,
        "customers": [customer.id for customer in world.customers],
    }


def _log(request: Request, log: RequestLog) -> JSONResponse:
    kind = request.query_params.get("kind", "writes")
    if kind not in {"writes", "all"}:
        return JSONResponse({"error": "kind is writes (the default) or all"}, 400)
    return JSONResponse(log.requests if kind == "all" else log.writes)


def _fault_routes(faults: Faults) -> list[Route]:
    async def add(request: Request) -> JSONResponse:
        try:
            fault = faults.add(orjson.loads(await request.body()))
        except (FaultRefused, orjson.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(fault.to_json(), 201)

    def clear(_: Request) -> JSONResponse:
        faults.clear()
        return JSONResponse([])

    return [
        Route("/faults", add, methods=["POST"]),
        Route("/faults", clear, methods=["DELETE"]),
        Route("/faults", lambda _: JSONResponse(faults.to_json()), methods=["GET"]),
    ]
