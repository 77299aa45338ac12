"""Templates become pages: escaped by default, never cached, in one look, errors included."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from server.web.assets import Assets
from tools import ids
from tools.authority import Principal

_MESSAGES = {
    404: ("There is no such page", "The address may be mistyped, or what was here belongs to another workspace."),
    405: ("This page cannot do that", "Go back and try from the page itself."),
    500: ("Something went wrong", "It was written down. Try again; nothing is ever changed twice."),
}


class Renderer:
    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock
        self.assets = Assets.shipped()
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["asset"] = self.assets.url
        self._environment.filters["day"] = _day
        self._environment.filters["moment"] = _moment
        self._environment.filters["until"] = self._until

    def page(self, template: str, *, person: Principal | None = None, status: int = 200, **values: Any) -> HTMLResponse:
        text = self._environment.get_template(template).render(person=person, **values)
        return HTMLResponse(text, status)

    def message(self, request: Request, status: int, title: str, text: str, *, code: str = "not_found") -> Response:
        """A short page; for a program that asks for JSON, the flat error shape."""
        accepted = request.headers.get("accept", "")
        if "json" in accepted and "html" not in accepted:
            body = {"code": code, "message": title + ".", "fix": text, "meta": {"request_id": ids.request_id()}}
            return Response(orjson.dumps(body), status, media_type="application/json")
        return self.page("message.html", status=status, title=title, text=text, number=status)

    async def error(self, request: Request, error: Exception) -> Response:
        """A handler for Starlette's `exception_handlers`: 404, 405 and 500 outside the API."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        known = _MESSAGES.get(status, (HTTPStatus(status).phrase, "Go back and try again."))
        code = {404: "not_found", 405: "method_not_allowed"}.get(
            status, "internal" if status >= 500 else "invalid_request"
        )
        response = self.message(request, status, *known, code=code)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    def _until(self, at: dt.datetime) -> str:
        seconds = int((at - self._clock()).total_seconds())
        return f"in {-(-seconds // 60)} min" if seconds > 60 else f"in {max(0, seconds)} s"


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%-d %b %Y, %H:%M} UTC"


def _day(at: dt.date) -> str:
    return f"{at:%-d %b}"
