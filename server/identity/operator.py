"""What only whoever runs the machine may do: /local/…, over loopback, with the data directory's own token."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.identity.operations import OUTSIDE, Done, NewKey, NewLink, NewUser, Operations
from server.identity.requests import from_this_machine
from server.identity.resolver import Resolver
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore
from tools import ids
from tools.authority import Via
from tools.capability import Input, Nothing
from tools.errors import CapabilityError, Conflict, InvalidArguments, InvalidRequest, TooLarge, Unavailable
from tools.store.audit import AuditLog, Entry
from tools.store.engine import ConstraintViolated, Store, StoreUnavailable
from tools.store.sealing import KeyRing

MAX_BODY = 64 * 1024

Body = TypeVar("Body", bound=Input)


class Operator:
    def __init__(
        self,
        *,
        store: Store,
        identity: IdentityStore,
        sessions: Sessions,
        resolver: Resolver,
        audit: AuditLog,
        keyring: KeyRing,
        clock: Callable[[], dt.datetime],
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._resolver, self._audit, self._clock = resolver, audit, clock
        self._operations = Operations(
            store=store,
            identity=identity,
            sessions=sessions,
            audit=audit,
            keyring=keyring,
            clock=clock,
            status=status,
        )

    def routes(self) -> list[Route]:
        do = self._operations
        return [
            self._route("POST", "/local/users", "create_user", NewUser, do.create_user),
            self._route("POST", "/local/keys", "create_api_key", NewKey, do.create_key),
            self._route("GET", "/local/keys", "list_api_keys", Nothing, do.list_keys),
            self._key_revocation(),
            self._route("POST", "/local/login-links", "create_login_link", NewLink, do.create_link),
            self._route("POST", "/local/secrets/rotate", "rotate_secrets", Nothing, do.rotate_secrets),
            self._route("POST", "/local/audit/verify", "verify_audit", Nothing, do.verify_audit),
            self._route("GET", "/local/status", "show_status", Nothing, do.show_status),
        ]

    def _key_revocation(self) -> Route:
        async def endpoint(request: Request) -> Response:
            key_id = request.path_params["key_id"]
            return await self._answer(
                request, "revoke_api_key", {"key_id": key_id}, lambda: self._operations.revoke_key(key_id)
            )

        return Route("/local/keys/{key_id}/revoke", endpoint, methods=["POST"])

    def _route(
        self, method: str, path: str, action: str, model: type[Body], handler: Callable[[Body], Awaitable[Done]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            sent: dict[str, Any] = {}

            async def run() -> Done:
                body = _parsed(model, await _read(request))
                sent.update(body.model_dump(mode="json", exclude_unset=True))
                return await handler(body)

            return await self._answer(request, action, sent, run)

        return Route(path, endpoint, methods=[method])

    async def _answer(
        self, request: Request, action: str, sent: dict[str, Any], run: Callable[[], Awaitable[Done]]
    ) -> Response:
        if not from_this_machine(request.scope):
            raise HTTPException(404)  # as if there were nothing here
        request_id = ids.request_id()
        try:
            self._resolver.require_local_token(request.scope)
        except CapabilityError as error:
            return _json(error.body(request_id), error.status, request_id)
        entry = Entry(
            workspace_id=OUTSIDE,
            at=self._now(),
            request_id=request_id,
            action=action,
            status="ok",
            principal_id="operator",
            via=Via.OPERATOR,
        )
        try:
            done = await run()
            await self._commit(entry._replace(workspace_id=done.workspace, payload=sent), done)
        except CapabilityError as error:
            refused = entry._replace(status=error.code, error_message=error.message, payload=sent)
            await self._audit.record(refused)
            return _json(error.body(request_id), error.status, request_id)
        return _json({"data": done.data, "meta": {"request_id": request_id}}, done.status, request_id)

    async def _commit(self, entry: Entry, done: Done) -> None:
        try:
            await self._audit.record(entry, durable=True, with_=done.statements)
        except ConstraintViolated as error:
            raise Conflict("Someone else did this at the same moment.", fix="Look, and try again.") from error
        except StoreUnavailable as error:
            raise Unavailable("The database cannot be written.", fix="Free disk space, then try again.") from error

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)


async def _read(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY:
            raise TooLarge(f"At most {MAX_BODY} bytes are read here.", fix="Send less.")
    return bytes(received)


def _parsed(model: type[Body], body: bytes) -> Body:
    try:
        return model.model_validate(orjson.loads(body or b"{}"))
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("The body is not JSON.", fix="Send one JSON object in UTF-8.") from error
    except ValidationError as error:
        problems = [
            {"field": ".".join(map(str, problem["loc"])) or "body", "problem": problem["msg"]}
            for problem in error.errors()
        ]
        raise InvalidArguments(
            "Some arguments cannot be used.", fix="Correct the fields of details.problems.", problems=problems
        ) from error


def _json(body: Mapping[str, Any], status: int, request_id: str) -> Response:
    headers = {"x-request-id": request_id, "cache-control": "no-store"}
    return Response(orjson.dumps(body), status, headers, "application/json")
