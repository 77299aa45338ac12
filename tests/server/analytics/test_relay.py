"""Pipes on the product's own origin: passed on as they are, and nothing else of the store within reach."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from server.analytics.relay import MOST_BODY_BYTES
from tests.app import open_product
from tests.server.analytics.upstream import ADMIN, ROWS, WORKSPACE, Upstream, upstream

PIPE = "/v0/pipes/p_geo.json"


@pytest.fixture
async def store() -> AsyncIterator[Upstream]:
    async with upstream() as seen:
        yield seen


@pytest.fixture
async def origin(tmp_path: Path, store: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with open_product(
        tmp_path, TINYBIRD_HOST=store.url, TINYBIRD_ADMIN_TOKEN=ADMIN, TINYBIRD_WORKSPACE_ID=WORKSPACE
    ) as product:
        yield product.client(origin="https://shop.example.com")


async def test_a_query_goes_to_the_store_as_it_came(origin: httpx2.AsyncClient, store: Upstream) -> None:
    answer = await origin.get(f"{PIPE}?token=eyJ.a.b&from=2026-01-01&x=%27%26")

    assert (answer.status_code, answer.json()) == (200, ROWS)
    assert answer.headers["access-control-allow-origin"] == "*"
    (asked,) = store.asked
    assert (asked.path, asked.query) == (PIPE, {"token": "eyJ.a.b", "from": "2026-01-01", "x": "'&"})


async def test_a_body_and_the_bearer_token_are_passed_on_and_no_cookie(
    origin: httpx2.AsyncClient, store: Upstream
) -> None:
    await origin.post(PIPE, json={"by": "city"}, headers={"authorization": "Bearer eyJ.a.b", "cookie": "s=1"})

    (asked,) = store.asked
    assert (asked.method, asked.body) == ("POST", b'{"by":"city"}')
    assert asked.headers["authorization"] == "Bearer eyJ.a.b"
    assert "cookie" not in asked.headers


async def test_refusals_and_rate_headers_of_the_store_are_kept(origin: httpx2.AsyncClient, store: Upstream) -> None:
    store.answer({"error": "Too many requests"}, 429, retry_after="1", x_ratelimit_limit="2", set_cookie="a=b")

    answer = await origin.get(PIPE)

    assert (answer.status_code, answer.json()) == (429, {"error": "Too many requests"})
    assert (answer.headers["retry-after"], answer.headers["x-ratelimit-limit"]) == ("1", "2")
    assert "x-ratelimit-limit" in answer.headers["access-control-expose-headers"]
    assert "set-cookie" not in answer.headers


async def test_a_preflight_is_answered_here(origin: httpx2.AsyncClient, store: Upstream) -> None:
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    answer = await origin.options(PIPE, headers=asked)

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert store.asked == []


async def test_nothing_else_of_the_store_is_within_reach(origin: httpx2.AsyncClient, store: Upstream) -> None:
    others = ("/v0/sql?q=SELECT+1", "/v0/events?name=pageviews", "/v0/tokens", "/v0/datasources", "/v0/pipes")
    near = ("/", "/p_geo", "/p_geo/copy", "/..%2Fsql.json", "/p_geo.html", "/p_geo.json/x")

    answers = {path: await origin.get(path) for path in (*others, *(f"/v0/pipes{end}" for end in near))}

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert store.asked == []


async def test_other_methods_are_refused(origin: httpx2.AsyncClient, store: Upstream) -> None:
    answer = await origin.delete(PIPE)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert store.asked == []


async def test_a_body_beyond_the_limit_is_refused(origin: httpx2.AsyncClient, store: Upstream) -> None:
    answer = await origin.post(PIPE, content=b"x" * (MOST_BODY_BYTES + 1))

    assert answer.status_code == 413
    assert store.asked == []


async def test_a_store_out_of_reach_is_503_in_the_shape_of_the_wire(tmp_path: Path) -> None:
    async with open_product(
        tmp_path, TINYBIRD_HOST="http://127.0.0.1:9", TINYBIRD_ADMIN_TOKEN=ADMIN, TINYBIRD_WORKSPACE_ID=WORKSPACE
    ) as product:
        answer = await product.client().get(PIPE)
        health = await product.client().get("/healthz")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "does not answer" in answer.json()["error"]
    assert health.status_code == 503
    assert health.json()["dependencies"]["tinybird"]["ok"] is False


async def test_where_there_is_no_store_a_pipe_says_so(tmp_path: Path) -> None:
    async with open_product(tmp_path) as product:
        answer = await product.client().get(PIPE)
        health = await product.client().get("/healthz")

    assert answer.status_code == 503
    assert "no analytics store" in answer.json()["error"]
    assert health.status_code == 200
