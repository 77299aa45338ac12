"""The ASGI application: the house opened in the lifespan, and every face mounted on it."""

import contextlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.chat import Chat, Turns
from api.routes import rest_routes
from server.analytics.relay import PIPES, relaying
from server.chat import open_chat
from server.export import export_routes
from server.health import health_routes
from server.house import House, open_house, utc_now
from server.identity.operator import Operator
from server.mcp_endpoint.endpoint import McpEndpoint
from server.observe import INGEST, Observe
from server.settings import Settings
from server.version import VERSION
from server.web.headers import SecurityHeaders
from server.web.pages import web_routes
from server.web.rendering import Renderer
from tools.secret import Secret

Extra = Callable[[House], Sequence[BaseRoute]]
"""Routes of whoever runs the process: holding it open, draining it, seeding a demo."""


def create_app(
    settings: Settings,
    *,
    local_token: Secret,
    extra: Extra = lambda _: (),
    limits_clock: Callable[[], int] | None = None,
) -> ASGIApp:
    """Nothing is opened before the lifespan starts; everything is closed when it ends."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            open_house(settings, local_token, limits_clock=limits_clock) as house,
            open_chat(house) as turns,
            relaying(house.pipes, public_url=house.settings.public_url) as relay,
        ):
            mcp = _mcp(house)
            faces.direct = {"/api/v1": _rest(house, turns), "/mcp": mcp, PIPES: relay, **_ingest(house)}
            app.router.routes.extend(
                [*_routes(house, extra), *web_routes(house.door, house.sessions, renderer, turns.answers)]
            )
            observe.metrics = house.metrics
            async with mcp.run():
                yield

    renderer = Renderer(utc_now)
    pages = {HTTPException: renderer.error, Exception: renderer.error}
    application = Starlette(lifespan=lifespan, exception_handlers=pages)
    # Such a redirect would name the host and scheme that the request came with: behind a proxy, plain http.
    application.router.redirect_slashes = False
    faces = Faces(SecurityHeaders(application))
    observe = Observe(faces)
    return observe


class Faces:
    """Programs' faces by the start of the path: they answer everything below it and need nothing of Starlette's."""

    def __init__(self, others: ASGIApp) -> None:
        self._others = others
        self.direct: Mapping[str, ASGIApp] = {}  # until the house is open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            for prefix, face in self.direct.items():
                if path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/"):
                    await face(scope, receive, send)
                    return
        await self._others(scope, receive, send)


def _rest(house: House, turns: Turns) -> ASGIApp:
    door, resolve, public_url = house.door, house.resolver.resolve, house.settings.public_url
    beside = [Chat(door, resolve, turns)]
    (rest,) = rest_routes(door.registry, door, resolve, public_url=public_url, version=VERSION, beside=beside)
    return rest.handle


def _ingest(house: House) -> Mapping[str, ASGIApp]:
    """Where the script sends events, if there is a store for them."""
    return {} if house.ingest is None else {INGEST: house.ingest.endpoint}


def _mcp(house: House) -> McpEndpoint:
    return McpEndpoint(
        house.door,
        house.resolver.resolve,
        version=VERSION,
        public_url=house.settings.public_url,
        state_keys=_state_keys(house.settings),
        sessions=house.settings.adwright_workers == 1,  # the next request may reach another process
    )


def _state_keys(settings: Settings) -> list[bytes]:
    """Keys of their own for the state MCP clients carry, from the ring's: the same on every process, newest first."""
    ring = settings.encryption_keys.reveal().split(",")
    return [hmac.digest(entry.strip().encode(), b"mcp request state", "sha256") for entry in ring]


def _routes(house: House, extra: Extra) -> list[BaseRoute]:
    operator = Operator(
        store=house.store,
        identity=house.identity,
        sessions=house.sessions,
        resolver=house.resolver,
        audit=house.audit,
        keyring=house.keyring,
        clock=house.door.clock,
        status=lambda: {
            "version": VERSION,
            "url": house.settings.public_url,
            "auditHealthy": house.audit.healthy,
        },
    )
    return [*health_routes(house), *operator.routes(), *export_routes(house), *extra(house)]
