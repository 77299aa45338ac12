"""Headers of pages, and of what is none."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.web.headers import SecurityHeaders


async def plain(_: Request) -> Response:
    return PlainTextResponse("x", headers={"cache-control": "max-age=5"})


@pytest.fixture
def client() -> httpx2.AsyncClient:
    app = SecurityHeaders(Starlette(routes=[Route("/{path:path}", plain)]))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x.test")


async def test_what_a_page_says_about_caching_stays(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/anything")

    assert answer.headers["cache-control"] == "max-age=5"
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/api/v1/me", "/mcp", "/mcp/readonly"])
async def test_the_apis_speak_for_themselves(client: httpx2.AsyncClient, path: str) -> None:
    assert "content-security-policy" not in (await client.get(path)).headers
