"""/v0/tokens: the tokens there are, and new ones that expire."""

import time
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from server.analytics.datafiles.model import Project
from server.analytics.wire.answers import json_answer
from server.analytics.wire.received import body_of, token_of
from server.analytics.wire.refusals import TOKENS, Refusal, missing
from server.analytics.wire.tokens import Scope, ScopeType, Tokens, id_of

MOST_BYTES = 64 * 1024


class Minting:
    def __init__(self, project: Project, tokens: Tokens) -> None:
        self._project, self._tokens = project, tokens

    async def listed(self, request: Request) -> Response:
        self._tokens.authenticate(token_of(request)).as_admin()
        return json_answer({"tokens": list(self._tokens.listed())})

    async def mint(self, request: Request) -> Response:
        """POST ?expiration_time=UNIX {"name", "scopes": [{"type", "resource", "fixed_params"?}], "limits"?: {"rps"}}"""
        self._tokens.authenticate(token_of(request)).as_admin()
        expires = request.query_params.get("expiration_time", "")
        if not expires.isdecimal() or len(expires) > 12:
            raise _refused("'expiration_time' is a Unix timestamp; tokens that never expire are named in datafiles")
        if int(expires) <= time.time():
            raise _refused("'expiration_time' has passed")
        told = _object(await body_of(request, MOST_BYTES))
        name, scopes = told.get("name") or request.query_params.get("name"), told.get("scopes")
        if not isinstance(name, str) or not name:
            raise _refused("'name' is missing")
        if not isinstance(scopes, list) or not scopes:
            raise _refused("'scopes' is a list of at least one")
        signed = self._tokens.mint(name, [self._scope(each) for each in scopes], int(expires), _rps(told))
        return json_answer({"token": signed})

    def _scope(self, told: object) -> dict[str, Any]:
        scope = Scope.read(told)
        if scope is None:
            raise _refused(f"A scope is {{type, resource, fixed_params?}}, its type one of {', '.join(ScopeType)}")
        known = self._project.pipes if scope.type is ScopeType.PIPES_READ else self._project.datasources
        if scope.resource not in known and scope.resource not in map(id_of, known):
            raise missing("Resource", scope.resource)
        return {"type": str(scope.type), "resource": scope.resource, "fixed_params": dict(scope.fixed)}


def _rps(told: dict[str, Any]) -> int | None:
    limits = told.get("limits") or {}
    rps = limits.get("rps") if isinstance(limits, dict) else 0
    if rps is not None and (not isinstance(rps, int) or isinstance(rps, bool) or rps < 1):
        raise _refused("'limits' is {rps}, a whole number of requests a second")
    return rps


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        raise _refused("The body is not JSON") from None
    if not isinstance(found, dict):
        raise _refused("The body is not a JSON object")
    return found


def _refused(message: str) -> Refusal:
    return Refusal(400, message, documentation=TOKENS)
