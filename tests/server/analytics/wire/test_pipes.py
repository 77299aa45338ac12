"""Reading pipes over the wire: formats, parameters, refusals, and queries nobody waits for any more."""

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Scope

from server.analytics.deployment import Deployed
from server.analytics.wire.app import create_app
from server.analytics.wire.pipes import MOST_BODY_BYTES
from tests.server.analytics.wire.conftest import IDENTITY, ROWS, signed

Headers = dict[str, str]
OURS = {"tenant": "ours"}
RUNNING = "SELECT 1 FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%system.processes%'"


@pytest.fixture
def asked(filled: httpx2.AsyncClient, admin: Headers) -> httpx2.AsyncClient:
    filled.headers.update(admin)
    return filled


async def test_json_is_tinybirds(asked: httpx2.AsyncClient) -> None:
    answer = await asked.get("/v0/pipes/p_hits.json", params=OURS)

    body = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert body["meta"] == [{"name": "path", "type": "String"}, {"name": "n", "type": "Int64"}]
    assert body["data"] == [{"path": "/a", "n": 2}, {"path": "/b", "n": 1}]
    assert body["rows"] == 2
    assert set(body["statistics"]) == {"elapsed", "rows_read", "bytes_read"}


@pytest.mark.parametrize(
    ("pipe", "kind", "body"),
    [
        ("p_hits.csv", "text/csv", b'"/a",2\n"/b",1\n'),
        ("p_hits.csvwithnames", "text/csv", b'"path","n"\n"/a",2\n"/b",1\n'),
        ("p_hits.ndjson", "application/x-ndjson", b'{"path":"\\/a","n":2}\n{"path":"\\/b","n":1}\n'),
    ],
)
async def test_other_formats_are_the_engines_own(asked: httpx2.AsyncClient, pipe: str, kind: str, body: bytes) -> None:
    answer = await asked.get(f"/v0/pipes/{pipe}", params=OURS)

    assert answer.headers["content-type"].startswith(kind)
    assert answer.content == body


async def test_parquet_and_prometheus(asked: httpx2.AsyncClient) -> None:
    parquet = await asked.get("/v0/pipes/p_hits.parquet", params=OURS)
    prometheus = await asked.get("/v0/pipes/p_prometheus.prometheus")

    assert (parquet.content[:4], parquet.content[-4:]) == (b"PAR1", b"PAR1")
    assert "# TYPE hits counter\nhits 4\n" in prometheus.text


async def test_parameters_come_by_query_by_form_and_as_json(asked: httpx2.AsyncClient) -> None:
    pipe = "/v0/pipes/p_hits.json"

    answers = [
        await asked.get(pipe, params=OURS | {"path": "/b"}),
        await asked.post(pipe, data=OURS | {"path": "/b"}),
        await asked.post(pipe, json=OURS | {"path": "/b", "limit": 5}),
        await asked.post(f"{pipe}?tenant=ours", json={"path": "/b"}),
    ]

    assert [answer.json()["data"] for answer in answers] == [[{"path": "/b", "n": 1}]] * 4


@pytest.mark.parametrize(
    ("query", "body"), [("&paths=/a&paths=/b", None), ("&paths=/a,/b", None), ("", {"paths": ["/a", "/b"]})]
)
async def test_lists_come_as_several_as_one_and_as_json(asked: httpx2.AsyncClient, query: str, body: Any) -> None:
    answer = await asked.request("POST" if body else "GET", f"/v0/pipes/p_in.json?tenant=ours{query}", json=body)

    assert answer.json()["data"] == [{"n": 3}]


@pytest.mark.parametrize("value", ["ours' OR '1'='1", "ours\\", "ours\0", "😀'", "{{tenant}}", "ours --", "x" * 50_000])
async def test_hostile_values_stay_values(asked: httpx2.AsyncClient, value: str) -> None:
    answer = await asked.post("/v0/pipes/p_hits.json", json={"tenant": value})

    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    ("path", "values", "status", "told"),
    [
        ("p_none.json", {}, 404, "p_none"),
        ("lib.json", {}, 404, "endpoint"),
        ("c_hits.json", {}, 404, "endpoint"),
        ("p_hits.html", OURS, 400, "html"),
        ("p_hits.json", {}, 400, "tenant"),
        ("p_hits.json", OURS | {"limit": "many"}, 400, "many"),
        ("p_hits.json", OURS | {"q": "SELECT * FROM _"}, 400, "'q'"),
        ("p_refuses.json", {}, 400, "not so"),
        ("p_endless.json", {}, 408, ""),
        ("a/b.json", {}, 404, ""),
    ],
)
async def test_what_cannot_be_answered_says_why(
    asked: httpx2.AsyncClient, path: str, values: Headers, status: int, told: str
) -> None:
    answer = await asked.get(f"/v0/pipes/{path}", params=values)

    assert answer.status_code == status
    assert told in answer.json()["error"]
    assert set(answer.json()) <= {"error", "documentation"}


async def test_a_pipe_may_answer_an_error_of_its_own(asked: httpx2.AsyncClient) -> None:
    answer = await asked.get("/v0/pipes/p_refuses.json?hard=1")

    assert (answer.status_code, answer.json()) == (418, {"error": "never", "code": 7})


async def test_refusals_of_a_limited_token_tell_its_rate(asked: httpx2.AsyncClient) -> None:
    token = signed("p_none", limits={"rps": 5})

    answer = await asked.get("/v0/pipes/p_none.json", headers={"authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (404, "4")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_a_body_that_is_none_is_refused(asked: httpx2.AsyncClient, body: bytes) -> None:
    answer = await asked.post("/v0/pipes/p_hits.json", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400


async def test_a_body_beyond_the_limit_is_refused(asked: httpx2.AsyncClient) -> None:
    answer = await asked.post("/v0/pipes/p_hits.json", content=b"x" * (MOST_BODY_BYTES + 1))

    assert answer.status_code == 413


async def test_browsers_of_any_origin_may_ask(asked: httpx2.AsyncClient) -> None:
    origin = {"origin": "https://shop.example.com"}
    wish = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}

    preflight = await asked.options("/v0/pipes/p_hits.json", headers=origin | wish)
    answer = await asked.get("/v0/pipes/p_hits.json", params=OURS, headers=origin)
    refusal = await asked.get("/v0/pipes/p_hits.json", headers={**origin, "authorization": "Bearer no"})

    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert {each.headers["access-control-allow-origin"] for each in (preflight, answer, refusal)} == {"*"}


async def test_pipes_are_listed_with_what_they_take(asked: httpx2.AsyncClient) -> None:
    listed = {each["name"]: each for each in (await asked.get("/v0/pipes")).json()["pipes"]}

    assert set(listed) == {"p_hits", "p_in", "p_refuses", "p_prometheus", "p_endless", "lib", "c_hits"}
    assert [listed[name]["type"] for name in ("p_hits", "lib", "c_hits")] == ["endpoint", "library", "copy"]
    assert [bool(listed[name]["endpoint"]) for name in ("p_hits", "lib")] == [True, False]
    answer = listed["p_hits"]["nodes"][-1]
    tenant, *others = sorted(answer["params"], key=lambda each: str(each["name"] != "tenant"))
    assert tenant == {"name": "tenant", "type": "String", "required": True, "description": "whose"}
    assert {each["name"] for each in others} == {"path", "limit"}
    assert (await asked.get("/v0/pipes/p_hits")).json() == listed["p_hits"]
    assert (await asked.get("/v0/pipes/p_none")).status_code == 404


async def test_a_copy_is_made_when_it_is_asked_for(wire: httpx2.AsyncClient, admin: Headers) -> None:
    wire.headers.update(admin)
    await wire.post("/v0/events?name=hits&format=json", json=ROWS)
    for _ in range(2):
        assert (await wire.post("/v0/pipes/c_hits/copy")).json()["job"]["status"] == "done"

    rows = await wire.get("/v0/sql", params={"q": "SELECT n FROM copied FORMAT CSV"})
    assert rows.text == "4\n"
    assert (await wire.post("/v0/pipes/p_hits/copy")).status_code == 400
    assert (await wire.post("/v0/pipes/p_none/copy")).status_code == 404


async def test_a_query_whose_client_goes_away_is_stopped(shared: Deployed) -> None:
    """Without a limit of time it would run for hours; stopped, the call ends."""
    app = create_app(shared, IDENTITY)
    scope: Scope = {
        "type": "http", "method": "GET", "path": "/v0/pipes/p_endless.json", "raw_path": b"", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {IDENTITY.admin_token}".encode())], "http_version": "1.1",
        "scheme": "http", "server": ("store", 80), "client": ("127.0.0.1", 1), "root_path": "",
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    under_way = asyncio.Event()

    async def receive() -> Message:
        under_way.set()
        while not await shared.engine.inspect(RUNNING):  # noqa: ASYNC110 -- the engine has no event for it
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(8):  # the engine's own limit is ten seconds
        await app(scope, receive, send)

    assert under_way.is_set()
    assert sent[0]["status"] == 499
