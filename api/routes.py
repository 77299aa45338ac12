"""REST under /api/v1: finds the capability a request names, hands its arguments to the door, wraps what comes back."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

import orjson
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from api import received
from api.envelope import Answer, Sendable, failure, success
from api.openapi import openapi
from tools import ids
from tools.authority import Principal
from tools.capability import AnyCapability
from tools.codec import SPELLINGS, from_strings, invalid_arguments
from tools.errors import CapabilityError, Internal, InvalidRequest, MethodNotAllowed, NotFound
from tools.invoke import Door, Preview
from tools.registry import Registry

PREFIX = "/api/v1"

Parameters = dict[str, str | list[str]]

logger = logging.getLogger("adwright.api")


class Resolve(Protocol):
    """Who is asking; raises the 401 and 403 errors of tools.errors."""

    async def __call__(self, scope: Scope, *, face: str) -> Principal: ...


class Request(NamedTuple):
    id: str
    scope: Scope
    headers: received.Headers
    receive: Receive
    path: Mapping[str, str]  # the values of the path's fields


Handler = Callable[[Request], Awaitable[Sendable]]
Handlers = Mapping[str, Mapping[str, Handler]]
"""By path below the prefix, then by method."""


class Beside(Protocol):
    """Operations that are no capabilities, such as the chat's streams."""

    def handlers(self) -> Handlers: ...

    def paths(self) -> dict[str, Any]:
        """As the OpenAPI document shows them."""
        ...


def rest_routes(
    registry: Registry, door: Door, resolve: Resolve, *, public_url: str, version: str, beside: Sequence[Beside] = ()
) -> list[BaseRoute]:
    """Everything under /api/v1, unknown paths too: a route of another kind there has to stand before these."""
    document = Document(registry, public_url, version, {k: v for each in beside for k, v in each.paths().items()})
    handlers: dict[str, dict[str, Handler]] = {"/openapi.json": {"GET": document.answer}}
    for path, methods in [found for each in beside for found in each.handlers().items()]:
        handlers[path] = dict(methods)
    for capability in registry:
        endpoint = Endpoint(capability, door, resolve)
        handlers.setdefault(capability.rest.path, {})[capability.rest.method] = endpoint.answer
    return [ApiV1(handlers)]


class ApiV1(BaseRoute):
    """One route for the whole prefix: a fixed path is one dictionary look-up, and every answer has our envelope."""

    def __init__(self, handlers: Mapping[str, Mapping[str, Handler]]) -> None:
        self._fixed = {path: methods for path, methods in handlers.items() if "{" not in path}
        self._patterns = [
            (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), methods)
            for path, methods in handlers.items()
            if "{" in path
        ]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ours = scope["type"] == "http" and (scope["path"] == PREFIX or scope["path"].startswith(PREFIX + "/"))
        return (Match.FULL if ours else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)  # Starlette asks every route; capabilities are addressed by their path

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = ids.request_id()
        try:
            handler, path = self._find(scope["method"], scope["path"][len(PREFIX) :])
            answer = await handler(Request(request_id, scope, dict(scope["headers"]), receive, path))
        except CapabilityError as error:
            answer = failure(error, request_id)
        except received.Disconnected:
            return
        except Exception:
            logger.exception("unexpected failure", extra={"request_id": request_id})
            fix = f"Try again; if it stays, report {request_id}."
            answer = failure(Internal("Something went wrong on our side.", fix=fix), request_id)
        await answer.send(send, request_id, without_body=scope["method"] == "HEAD")

    def _find(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        methods, values = (self._fixed[path], {}) if path in self._fixed else self._match(path)
        if handler := methods.get("GET" if method == "HEAD" else method):
            return handler, values
        allowed = sorted(methods.keys() | ({"HEAD"} if "GET" in methods else set()))
        raise MethodNotAllowed(f"{method} is not possible here.", fix=f"Use {' or '.join(allowed)}.", allowed=allowed)

    def _match(self, path: str) -> tuple[Mapping[str, Handler], dict[str, str]]:
        for pattern, methods in self._patterns:
            if found := pattern.fullmatch(path):
                return methods, found.groupdict()
        raise NotFound("There is nothing at this path.", fix=f"GET {PREFIX}/openapi.json lists every path.")


class Endpoint:
    """One capability as an HTTP operation: path and query for GET and DELETE, path and JSON body for POST and PATCH."""

    def __init__(self, capability: AnyCapability, door: Door, resolve: Resolve) -> None:
        self._capability, self._door, self._resolve = capability, door, resolve
        self._takes_body = capability.rest.method in ("POST", "PATCH")

    async def answer(self, request: Request) -> Answer:
        context = self._door.context(await self._resolve(request.scope, face="rest"), request.id)
        query: Parameters = {}
        body, options, refusal = b"", NO_OPTIONS, None
        try:
            if request.scope["query_string"]:
                query = received.query_parameters(request.scope["query_string"])
            if self._capability.plan:
                options = _options(request.headers, query.pop("plan", "false"))
            if self._takes_body or received.announces_body(request.headers):
                body = await self._body(request)
        except CapabilityError as error:
            refusal = error

        def arguments() -> Mapping[str, Any]:
            if refusal is not None:  # told where the door tells it: after authorisation and rate limit, and audited
                raise refusal
            return self._arguments(request.path, query, body)

        key = request.headers.get(b"idempotency-key")
        output = await self._door.invoke(
            self._capability,
            context,
            arguments if query or body or request.path or refusal else {},
            preview=options.preview,
            expect_digest=options.expect_digest,
            idempotency_key=None if key is None else key.decode("latin-1"),
        )
        if self._capability.plan and isinstance(output, Preview):
            answer = success(200, output, request.id)
            return Answer(answer.status, answer.body, (*answer.headers, (b"etag", f'"{output.digest}"'.encode())))
        return success(self._capability.rest.status, output, request.id)

    async def _body(self, request: Request) -> bytes:
        body = await received.read_body(request.headers, request.receive)
        if body and not self._takes_body:
            raise InvalidRequest(
                f"{self._capability.rest.method} takes no body here.", fix="Send the arguments in the query string."
            )
        if body:
            received.require_json(request.headers)
        return body

    def _arguments(self, path: Mapping[str, str], query: Parameters, body: bytes) -> Mapping[str, Any]:
        if not self._takes_body:
            self._refuse([name for name in query if SPELLINGS.get(name, name) in path], "is in the path; leave it out")
            return from_strings(self._capability, {**path, **query})
        self._refuse(query, "is no query parameter here; send arguments in the JSON body")
        fields = received.json_object(body) if body else {}
        self._refuse(fields.keys() & path.keys(), "is in the path; leave it out of the body")
        return {**fields, **from_strings(self._capability, path)}

    def _refuse(self, names: Iterable[str], why: str) -> None:
        if problems := [{"field": name, "problem": why} for name in names]:
            raise invalid_arguments(self._capability, problems)


@dataclass(frozen=True, slots=True)
class Options:
    """How a write with a plan is asked for: only shown, or held to what was shown before."""

    preview: bool = False
    expect_digest: str | None = None


NO_OPTIONS = Options()


def _options(headers: received.Headers, plan: str | list[str]) -> Options:
    if plan not in ("true", "false"):
        raise InvalidRequest("The query parameter plan is true or false.", fix="Send ?plan=true once, or leave it out.")
    if b"if-match" not in headers:
        return Options(preview=plan == "true")
    if not (digest := re.fullmatch(rb'"([^"]+)"', headers[b"if-match"])):
        raise InvalidRequest(
            "If-Match holds a write to one plan, by its digest in quotes.",
            fix='Ask for the plan with ?plan=true, then send If-Match: "<its digest>".',
        )
    return Options(preview=plan == "true", expect_digest=digest[1].decode("latin-1"))


class Document:
    """The OpenAPI document: made when it is first asked for, then the same bytes for as long as the process lives."""

    def __init__(self, registry: Registry, public_url: str, version: str, paths: dict[str, Any]) -> None:
        self._made_from = registry, public_url, version, paths

    async def answer(self, request: Request) -> Answer:
        headers = ((b"etag", self._etag), (b"cache-control", b"no-cache"), (b"content-type", b"application/json"))
        if self._etag in request.headers.get(b"if-none-match", b""):
            return Answer(304, b"", headers)
        return Answer(200, self._bytes, headers)

    @cached_property
    def _bytes(self) -> bytes:
        return orjson.dumps(openapi(*self._made_from))

    @cached_property
    def _etag(self) -> bytes:
        return f'"{sha256(self._bytes).hexdigest()[:32]}"'.encode()
