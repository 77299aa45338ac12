"""Errors as Tinybird tells them: a status, {"error", "documentation"?}, and nothing about what is behind."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from server.analytics.engine import (
    EngineError,
    EngineUnavailable,
    QueryCancelled,
    QueryRefused,
    QueryTimeout,
    QueryTooBig,
    RowsRefused,
)
from server.analytics.template.errors import TemplateError, TemplateRefusal

_DOCUMENTATION = "https://www.tinybird.co/docs/"
TOKENS = f"{_DOCUMENTATION}api-reference/token-api"
TEMPLATES = f"{_DOCUMENTATION}forward/work-with-data/query-parameters"


class Refusal(Exception):
    """Answered as it is; `body` stands in for the usual one."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        documentation: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.documentation = status, message, documentation
        self.headers, self._body = dict(headers or {}), body

    def response(self) -> Response:
        shown = {"error": self.message} | ({"documentation": self.documentation} if self.documentation else {})
        body = orjson.dumps(shown) if self._body is None else self._body
        return Response(body, self.status, {"cache-control": "no-store", **self.headers}, media_type="application/json")


def forbidden(message: str = "Invalid token") -> Refusal:
    return Refusal(403, message, documentation=TOKENS)


def missing(what: str, name: str) -> Refusal:
    return Refusal(404, f"{what} '{name}' not found")


_STATUS: tuple[tuple[type[EngineError], int], ...] = (
    (QueryTimeout, 408),
    (QueryTooBig, 400),
    (QueryRefused, 400),
    (RowsRefused, 400),
    (QueryCancelled, 499),
    (EngineUnavailable, 503),
)


def of_engine(error: EngineError) -> Refusal:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return Refusal(status, error.message, headers={"retry-after": "2"} if status == 503 else None)


def of_template(error: TemplateError | TemplateRefusal) -> Refusal:
    if isinstance(error, TemplateError):
        return Refusal(400, error.message, documentation=TEMPLATES)
    return Refusal(error.status, str(error), body=orjson.dumps(dict(error.body), default=str))
