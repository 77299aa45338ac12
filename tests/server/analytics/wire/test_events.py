"""Appending over the wire: counted, gzipped, bounded, and never half."""

import gzip
from typing import Any

import httpx2
import orjson
import pytest

from server.analytics.deployment import Deployed
from server.analytics.engine import EngineUnavailable
from server.analytics.wire.app import create_app
from server.analytics.wire.events import MOST_BYTES
from tests.server.analytics.wire.conftest import IDENTITY, signed

Headers = dict[str, str]
HIT = b'{"tenant": "ours", "path": "/a"}'


async def count(wire: httpx2.AsyncClient, admin: Headers, table: str = "hits") -> int:
    statement = f"SELECT count() AS n FROM {table}"  # noqa: S608 -- a name of the test's own
    answer = await wire.get("/v0/sql", params={"q": statement}, headers=admin)
    return int(answer.json()["data"][0]["n"])


@pytest.mark.parametrize(("wait", "status"), [("", 202), ("&wait=false", 202), ("&wait=true", 200)])
async def test_rows_are_there_when_it_answers(wire: httpx2.AsyncClient, admin: Headers, wait: str, status: int) -> None:
    answer = await wire.post(f"/v0/events?name=hits{wait}", content=HIT + b"\n" + HIT + b"\n", headers=admin)

    assert (answer.status_code, answer.json()) == (status, {"successful_rows": 2, "quarantined_rows": 0})
    assert await count(wire, admin) == 2


async def test_lines_that_do_not_fit_are_set_aside_and_counted(wire: httpx2.AsyncClient, admin: Headers) -> None:
    bad = [b"{", b"[1]", b'"x"', b'{"tenant": "ours", "path": "/a", "n": "many"}', b"\xff", b'{"path": "/a"}']

    answer = await wire.post("/v0/events?name=hits", content=b"\n".join([HIT, *bad, HIT]), headers=admin)

    told = answer.json()
    assert told["successful_rows"] + told["quarantined_rows"] == 8
    assert told["quarantined_rows"] >= 5
    assert await count(wire, admin, "hits_quarantine") == told["quarantined_rows"]


async def test_one_object_or_an_array_as_json(wire: httpx2.AsyncClient, admin: Headers) -> None:
    row = {"tenant": "ours", "path": "/a\n/b"}

    for body, rows in ((row, 1), ([row, row], 2), ([], 0)):
        pretty = orjson.dumps(body, option=orjson.OPT_INDENT_2)
        answer = await wire.post("/v0/events?name=hits&format=json", content=pretty, headers=admin)
        assert answer.json() == {"successful_rows": rows, "quarantined_rows": 0}


async def test_gzipped_bodies_are_unpacked(wire: httpx2.AsyncClient, admin: Headers) -> None:
    packed = gzip.compress(b"\n".join([HIT] * 1000))

    answer = await wire.post("/v0/events?name=hits", content=packed, headers=admin | {"content-encoding": "gzip"})

    assert answer.json() == {"successful_rows": 1000, "quarantined_rows": 0}


@pytest.mark.parametrize(
    ("query", "body", "more", "status"),
    [
        ("", HIT, {}, 400),
        ("name=", HIT, {}, 400),
        ("name=nowhere", HIT, {}, 404),
        ("name=hits_quarantine", HIT, {}, 404),
        ("name=hits%3B+DROP+TABLE+hits", HIT, {}, 404),
        ("name=p_hits", HIT, {}, 404),
        ("name=hits&format=xml", HIT, {}, 400),
        ("name=hits&format=json", b"{", {}, 400),
        ("name=hits", HIT, {"content-encoding": "gzip"}, 400),
        ("name=hits", HIT, {"content-encoding": "br"}, 415),
        ("name=hits", gzip.compress(b"x" * 40_000_000), {"content-encoding": "gzip"}, 413),
        ("name=hits", b"x" * (MOST_BYTES + 1), {}, 413),
    ],
    ids=[
        "no name",
        "empty",
        "unknown",
        "quarantine",
        "sql",
        "pipe",
        "format",
        "json",
        "no gzip",
        "br",
        "bomb",
        "11 MB",
    ],
)
async def test_what_cannot_be_appended_is_refused_and_leaves_nothing(
    wire: httpx2.AsyncClient, admin: Headers, query: str, body: bytes, more: Headers, status: int
) -> None:
    answer = await wire.post(f"/v0/events?{query}", content=body, headers=admin | more)

    assert answer.status_code == status
    assert answer.json()["error"]
    assert await count(wire, admin) == 0


async def test_who_may_append(wire: httpx2.AsyncClient, admin: Headers) -> None:
    """Nobody, a reader, a token of another table, and then one for this."""
    tokens = ["", signed("hits", kind="DATASOURCES:READ"), signed("copied", kind="DATASOURCES:APPEND"),
              signed("hits", kind="DATASOURCES:APPEND")]  # fmt: skip

    answers = [await wire.post("/v0/events", content=HIT, params={"name": "hits", "token": each}) for each in tokens]

    assert [each.status_code for each in answers] == [403, 403, 403, 202]
    assert await count(wire, admin) == 1


async def test_a_store_that_cannot_write_says_so_and_when_to_come_again(store: Deployed, admin: Headers) -> None:
    class Full:
        """The engine once its disk is full."""

        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

        async def insert(self, *_: Any, **__: Any) -> None:
            raise EngineUnavailable("There is no space left on the disk.", 243)

    engine, store.engine = store.engine, Full()
    transport = httpx2.ASGITransport(create_app(store, IDENTITY))

    async with httpx2.AsyncClient(transport=transport, base_url="http://store") as client:
        answer = await client.post("/v0/events?name=hits&wait=true", content=HIT, headers=admin)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "no space" in answer.json()["error"]
