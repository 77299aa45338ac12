"""How calls leave this machine, and what is known when one fails."""

import socket

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from server.platforms.exchange import Answer, Broken, Hidden, exchange, http_client, masked, proxy_for
from tools.secret import Secret


async def everything(request: Request) -> Response:
    return JSONResponse({"query": dict(request.query_params), "token": request.headers.get("x-token")})


async def endless(_request: Request) -> Response:
    return StreamingResponse(b" " * 1000 for _ in range(1000))


def upstream() -> httpx2.AsyncClient:
    app = Starlette(routes=[Route("/all", everything), Route("/endless", endless)])
    return http_client("https://ads.test", 5, httpx2.ASGITransport(app))


async def test_what_is_hidden_is_sent_and_stands_in_no_request_that_others_see() -> None:
    hidden = Hidden({"x-token": Secret("t0p")}, {"proof": Secret("s3cret")})
    async with upstream() as http:
        request = http.build_request("GET", "https://ads.test/all?a=1", extensions={"hidden": hidden})
        answer = await exchange(http, request, seconds=5, most_bytes=1000)
    assert isinstance(answer, Answer)
    assert answer.content == b'{"query":{"a":"1","proof":"s3cret"},"token":"t0p"}'
    assert "s3cret" not in f"{request.url} {request.headers}"
    assert "t0p" not in f"{request.url} {request.headers}"


async def test_an_answer_that_does_not_end_is_cut_off() -> None:
    async with upstream() as http:
        request = http.build_request("GET", "https://ads.test/endless")
        assert await exchange(http, request, seconds=5, most_bytes=10_000) == Broken(
            "sent an answer that cannot be read"
        )


async def test_a_call_that_reaches_nobody_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with http_client(url, 5) as http:
        broken = await exchange(http, http.build_request("GET", url), seconds=5, most_bytes=1000)
    assert broken == Broken("could not be reached at all", sent=False, again=True)


def test_an_answer_loses_the_secrets_it_repeats_but_never_its_shape() -> None:
    said = b'{"a": "EAAB|x/yz EAAB%7Cx%2Fyz", "n": 0}'
    assert masked(said, [Secret("EAAB|x/yz"), Secret("0")]) == b'{"a": "*** ***", "n": 0}'


def test_an_egress_proxy_of_the_environment_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert proxy_for("https://graph.facebook.com") == "http://proxy.test:3128"
    assert proxy_for("http://127.0.0.1:8000/meta") is None
