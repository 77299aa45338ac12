"""The wire as one ASGI application, open to browsers of any origin: what opens it is a token, never a cookie."""

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from server.analytics.deployment import Deployed
from server.analytics.engine import EngineError, Limits
from server.analytics.leaving import Left
from server.analytics.template.errors import TemplateError, TemplateRefusal
from server.analytics.wire.answers import json_answer
from server.analytics.wire.datasources import Datasources
from server.analytics.wire.events import Events
from server.analytics.wire.minting import Minting
from server.analytics.wire.pipes import Pipes
from server.analytics.wire.rates import Rates
from server.analytics.wire.refusals import Refusal, of_engine, of_template
from server.analytics.wire.sql import Sql
from server.analytics.wire.tokens import Identity, Tokens

Answer = Callable[[Request], Awaitable[Response]]
logger = logging.getLogger(__name__)


def create_app(
    deployed: Deployed, identity: Identity, *, rates: Rates | None = None, limits: Limits | None = None
) -> ASGIApp:
    tokens = Tokens(identity, deployed.project)
    limits = limits or Limits()
    pipes = Pipes(deployed, tokens, rates or Rates(), limits)
    sources = Datasources(deployed.project, tokens)
    minting = Minting(deployed.project, tokens)
    sql = Sql(deployed, tokens, limits)
    routes = [
        *_both("/v0/pipes", pipes.listed, "GET"),
        Route("/v0/pipes/{name}/copy", pipes.copy, methods=["POST"]),
        Route("/v0/pipes/{name}", pipes.one, methods=["GET", "POST"]),
        *_both("/v0/events", Events(deployed, tokens).append, "POST"),
        *_both("/v0/sql", sql.answer, "GET", "POST"),
        *_both("/v0/tokens", minting.listed, "GET"),
        *_both("/v0/tokens", minting.mint, "POST"),
        *_both("/v0/datasources", sources.listed, "GET"),
        Route("/v0/datasources/{name}", sources.one, methods=["GET"]),
        Route("/alive", _alive, methods=["GET", "POST"]),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            Refusal: _refused,
            EngineError: _refused,
            TemplateError: _refused,
            TemplateRefusal: _refused,
            HTTPException: _no_route,
            Left: _left,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"],
        max_age=600,
    )


def _both(path: str, answer: Answer, *methods: str) -> list[Route]:
    """Tinybird's clients write some paths with a slash at the end."""
    return [Route(spelt, answer, methods=list(methods)) for spelt in (path, f"{path}/")]


async def _alive(_: Request) -> Response:
    return json_answer({"alive": True})


async def _refused(_: Request, error: Exception) -> Response:
    match error:
        case Refusal():
            return error.response()
        case EngineError():
            return of_engine(error).response()
        case TemplateError() | TemplateRefusal():
            return of_template(error).response()
    raise error


async def _no_route(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return Refusal(error.status_code, error.detail, headers=error.headers).response()


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


async def _broken(request: Request, error: Exception) -> Response:
    logger.error("unexpected %s at %s", type(error).__name__, request.url.path, exc_info=error)
    return Refusal(500, "Something here went wrong; the log of adwright analytics tells more").response()
