"""The client against a store that answers everything a store, or a proxy before it, may answer."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jwt
import orjson
import pytest

from server.analytics.client import MOST_APPENDED_BYTES, TinybirdClient
from tests.server.analytics.upstream import ADMIN, WORKSPACE, Upstream, client_of, upstream
from tools.analytics import PipeColumn
from tools.errors import (
    CapabilityError,
    InvalidArguments,
    InvalidPipe,
    PlatformFailure,
    RateLimited,
    TooLarge,
    Unavailable,
)

LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
async def store() -> AsyncIterator[Upstream]:
    async with upstream() as seen:
        yield seen


@pytest.fixture
async def client(store: Upstream) -> AsyncIterator[TinybirdClient]:
    async with client_of(store.url) as made:
        yield made


def test_a_minted_token_reads_one_pipe_with_its_parameters_fixed(client: TinybirdClient) -> None:
    token = client.mint("p_geo", name="wsp_1", fixed={"workspace_id": "wsp_1"}, expires_at=LATER)

    claims = jwt.decode(token, ADMIN, algorithms=["HS256"])

    assert (claims["workspace_id"], claims["name"], claims["exp"]) == (WORKSPACE, "wsp_1", int(LATER.timestamp()))
    assert claims["scopes"] == [{"type": "PIPES:READ", "resource": "p_geo", "fixed_params": {"workspace_id": "wsp_1"}}]
    assert client.url == "https://ads.example.com"


async def test_a_query_sends_its_parameters_in_the_body_and_answers_rows(
    client: TinybirdClient, store: Upstream
) -> None:
    found = await client.query("p_top_pages", {"path": "/a?b=c&d='\\", "limit": "5"})

    assert (found.rows, found.rows_read) == (({"path": "/", "visitors": 3},), 12)
    assert found.columns == (PipeColumn("path", "String"), PipeColumn("visitors", "UInt64"))
    (asked,) = store.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/v0/pipes/p_top_pages.json", {})
    assert orjson.loads(asked.body) == {"path": "/a?b=c&d='\\", "limit": "5"}
    assert asked.headers["authorization"] == f"Bearer {ADMIN}"


@pytest.mark.parametrize("name", ["../sql?q=x", "p_x.json?token=y", "", "p x", "p_é", "p" * 201])
async def test_what_is_no_name_is_no_pipe_and_is_not_asked_for(
    client: TinybirdClient, store: Upstream, name: str
) -> None:
    with pytest.raises(InvalidPipe):
        await client.query(name, {})

    assert store.asked == []


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "limit is not a number"}, InvalidArguments),
        (401, {"error": "no"}, PlatformFailure),
        (403, {"error": "no"}, PlatformFailure),
        (404, {"error": "Pipe 'p_x' not found"}, InvalidPipe),
        (408, {"error": "too long"}, PlatformFailure),
        (429, {"error": "too many"}, RateLimited),
        (500, "<html>oops</html>", Unavailable),
        (502, "<html>Bad gateway</html>", Unavailable),
        (503, {"error": "starting"}, Unavailable),
        (418, {"error": "teapot"}, PlatformFailure),
        (200, "<html>Sign in</html>", PlatformFailure),
        (200, "[1, 2]", PlatformFailure),
        (200, {"data": []}, PlatformFailure),
        (200, {"data": [], "meta": [1]}, PlatformFailure),
        (400, {"error": {"deep": 1}}, InvalidArguments),
    ],
)
async def test_each_answer_of_the_store_is_an_error_of_ours(
    client: TinybirdClient, store: Upstream, status: int, body: Any, kind: type[CapabilityError]
) -> None:
    store.answer(body, status)

    with pytest.raises(CapabilityError) as caught:
        await client.query("p_x", {})

    assert type(caught.value) is kind
    assert caught.value.fix
    assert "<html>" not in caught.value.message


async def test_a_store_that_is_busy_says_when_to_come_back(client: TinybirdClient, store: Upstream) -> None:
    store.answer({"error": "slow down"}, 429, retry_after="7")

    with pytest.raises(RateLimited) as caught:
        await client.query("p_x", {})

    assert (caught.value.retry_after, caught.value.details) == (7, {"source": "upstream"})


async def test_the_admin_token_is_in_no_error_though_the_store_repeats_it(
    client: TinybirdClient, store: Upstream
) -> None:
    store.answer({"error": f"token {ADMIN} is wrong"}, 403)

    with pytest.raises(PlatformFailure) as caught:
        await client.query("p_x", {})

    assert ADMIN not in str(caught.value)


async def test_a_store_out_of_reach_is_unavailable() -> None:
    async with client_of(CLOSED) as client:
        for call in (client.ping(), client.query("p_x", {}), client.append("pageviews", [{"a": 1}]), client.pipes()):
            with pytest.raises(Unavailable):
                await call


async def test_rows_are_appended_as_lines_and_waited_for(client: TinybirdClient, store: Upstream) -> None:
    store.answer({"successful_rows": 2, "quarantined_rows": 0})

    at = dt.datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=dt.UTC)
    await client.append("visitor_payments", [{"amount": Decimal("0.1000"), "ts": at}, {"amount": Decimal("1E+3")}])

    (asked,) = store.asked
    assert (asked.path, asked.query) == ("/v0/events", {"name": "visitor_payments", "wait": "true"})
    assert asked.body.split(b"\n") == [
        b'{"amount":"0.1000","ts":"2026-01-02T03:04:05.006000+00:00"}',
        b'{"amount":"1000"}',
    ]


async def test_nothing_to_append_asks_nobody(client: TinybirdClient, store: Upstream) -> None:
    await client.append("pageviews", [])

    assert store.asked == []


async def test_more_than_one_request_may_carry_is_refused_before_it_is_sent(
    client: TinybirdClient, store: Upstream
) -> None:
    with pytest.raises(TooLarge):
        await client.append("pageviews", [{"title": "x" * MOST_APPENDED_BYTES}])

    assert store.asked == []


async def test_rows_set_aside_are_told_in_the_log_and_to_who_sent_them(
    client: TinybirdClient, store: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    store.answer({"successful_rows": 1, "quarantined_rows": 1})

    assert await client.append("pageviews", [{"a": 1}, {"b": 2}]) == 1

    assert "1 of 2 rows for pageviews" in caplog.text


async def test_pipes_are_those_that_answer_with_each_parameter_once(client: TinybirdClient, store: Upstream) -> None:
    params = [
        {"name": "from", "type": "Date", "required": True, "description": "first day"},
        {"name": "by", "type": "String", "default": "channel", "enum": ["channel", "source"]},
    ]
    nodes = [{"name": "a", "params": params[:1]}, {"name": "b", "params": params}]
    store.answer(
        {
            "pipes": [
                {"name": "p_one", "description": "One.", "type": "endpoint", "nodes": nodes},
                {"name": "lib", "type": "library", "endpoint": None, "nodes": nodes},
                {"name": "p_two", "endpoint": "t_2", "nodes": []},
            ]
        }
    )

    one, two = await client.pipes()

    assert (one.name, one.description, [each.name for each in one.parameters]) == ("p_one", "One.", ["from", "by"])
    assert (one.parameters[0].required, one.parameters[1].choices) == (True, ("channel", "source"))
    assert (two.name, two.parameters) == ("p_two", ())


async def test_what_pipes_take_is_asked_for_once_and_again_of_another_store(
    client: TinybirdClient, store: Upstream
) -> None:
    store.answer({"pipes": []})
    await client.pipes()
    await client.pipes()
    assert len(store.asked) == 1

    address = client.find()
    client.find = lambda: replace(address, workspace_id="another")
    store.answer({"pipes": []})
    await client.pipes()
    assert len(store.asked) == 2


async def test_copies_are_run_one_after_another(client: TinybirdClient, store: Upstream) -> None:
    store.answer({"pipes": [{"name": "copy_a", "type": "copy"}, {"name": "p", "type": "endpoint"}]})
    await client.copy()
    assert [(asked.method, asked.path) for asked in store.asked] == [
        ("GET", "/v0/pipes"), ("POST", "/v0/pipes/copy_a/copy"),
    ]  # fmt: skip

    store.answer({"pipes": [{"name": "copy_a", "type": "copy"}]})
    store.answer({"error": "out of room"}, status=503)
    with pytest.raises(Unavailable):
        await client.copy()
