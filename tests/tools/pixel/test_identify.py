"""Who a visitor is stays in our own database, sealed; the analytics store learns a hash and names."""

import hashlib
import json
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.outside import full_disk
from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import AGENT, KEY, OWNER, VIEWER, World, principal
from tools.analytics import Kind
from tools.authority import Via
from tools.errors import IngestUnavailable
from tools.store.sealing import SealingError
from tools.store.tables import visitor_traits
from tools.store.tenant import Rows

JANE = hashlib.sha256(b"jane@example.com").hexdigest()
GIVEN: dict[str, Any] = {"website_id": SITE, "visitor_id": "v_abc", "external_id": "jane@example.com"}


@pytest.fixture(autouse=True)
async def site(world: World) -> None:
    await add_site(world)


async def kept(world: World, workspace: str = "wsp_north") -> list[Any]:
    rows = Rows(world.store, workspace)
    return await rows.all(rows.select(visitor_traits))


def opened(world: World, held: Any, **bound: str) -> Any:
    given = {"workspace": held.workspace_id, "row": f"{held.website_id}/{held.visitor_id}", "field": "traits"} | bound
    return json.loads(world.context(OWNER).keyring.unseal(held.sealed_traits, **given).reveal())


async def test_a_strangers_website_is_not_found(world: World) -> None:
    await add_site(world, THEIRS, "wsp_south")

    error = await world.refusal(KEY, "identify_visitor", **(GIVEN | {"website_id": THEIRS}))

    assert (error.code, world.arrivals.events, await kept(world)) == ("not_found", [], [])


@promise("pixel.identify")
async def test_identifying_takes_its_scope(world: World) -> None:
    reader = principal(via=Via.KEY, scopes=VIEWER.scopes)

    error = await world.refusal(reader, "identify_visitor", **GIVEN)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "pixel:write")


@promise("pixel.identify", "pixel.identify.hashed")
async def test_the_store_of_analytics_learns_the_hash_and_the_names_of_traits(world: World) -> None:
    answer = await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "enterprise", "seats": 3})

    assert answer == {"visitor_id": "v_abc", "external_id_sha256": JANE, "traits": ["plan", "seats"]}
    (event,) = world.arrivals.events
    assert (event.kind, event.visitor_id, event.website_id) == (Kind.IDENTIFY, "v_abc", SITE)
    assert (event.external_id_sha256, tuple(event.traits)) == (JANE, ("plan", "seats"))
    assert "jane" not in repr(event)
    assert "enterprise" not in repr(event)


@pytest.mark.parametrize("spelt", ["Jane@Example.com", "  jane@example.com\n", "JANE@EXAMPLE.COM"])
async def test_an_address_is_one_however_it_is_spelt(world: World, spelt: str) -> None:
    answer = await world.call(KEY, "identify_visitor", **(GIVEN | {"external_id": spelt}))

    assert answer["external_id_sha256"] == JANE


async def test_a_user_id_is_taken_as_it_is(world: World) -> None:
    upper = await world.call(KEY, "identify_visitor", **(GIVEN | {"external_id": "U7"}))

    assert upper["external_id_sha256"] == hashlib.sha256(b"U7").hexdigest()


async def test_values_are_sealed_for_this_workspace_row_and_field(world: World) -> None:
    await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})

    (row,) = await kept(world)
    assert "pro" not in row.sealed_traits
    assert opened(world, row) == {"plan": "pro"}
    for other in ({"workspace": "wsp_south"}, {"row": f"{SITE}/v_xyz"}, {"field": "credential"}):
        with pytest.raises(SealingError):
            opened(world, row, **other)


async def test_traits_come_together_for_one_person_and_not_for_the_next(world: World) -> None:
    await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "free", "city": "Bonn"})
    again = await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})
    (row,) = await kept(world)
    assert (again["traits"], opened(world, row)) == (["city", "plan"], {"plan": "pro", "city": "Bonn"})
    await world.call(KEY, "identify_visitor", **GIVEN)
    assert await kept(world) == [row]

    await world.call(KEY, "identify_visitor", **(GIVEN | {"external_id": "joe@example.com"}), traits={"plan": "x"})

    (row,) = await kept(world)
    assert opened(world, row) == {"plan": "x"}


async def test_the_same_told_twice_is_one_fact(world: World) -> None:
    for _ in range(2):
        await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})

    first, second = world.arrivals.events
    assert first.event_id == second.event_id


async def test_rows_of_key_and_value_are_taken_too(world: World) -> None:
    await world.call(AGENT, "identify_visitor", **GIVEN, traits=[{"key": "plan", "value": "pro"}])

    assert opened(world, (await kept(world))[0]) == {"plan": "pro"}


@pytest.mark.parametrize(
    "sent",
    [
        {"external_id": ""}, {"external_id": " "}, {"external_id": "x" * 321}, {"external_id": 7}, {"visitor_id": ""},
        {"traits": "plan"}, {"traits": {"plan": None}}, {"traits": {"plan": {"a": 1}}}, {"traits": {"plan": "x" * 501}},
        {"traits": {str(n): "x" for n in range(51)}}, {"traits": {"plan": "\0"}}, {"workspace_id": "wsp_south"},
        {"external_id": "j\0e"},
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    error = await world.refusal(KEY, "identify_visitor", **(GIVEN | sent))

    assert error.code == "invalid_arguments"
    assert world.arrivals.events == []


async def test_the_log_holds_neither_who_it_is_nor_what_is_known(world: World) -> None:
    await world.call(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})

    rows = [row for row in await world.audit_rows() if row["action"] == "identify_visitor"]
    assert [json.loads(row["payload"]) for row in rows] == [{"count": 1, "actions": {"identify_visitor": 1}}]
    assert "jane" not in repr(rows)


async def test_what_is_not_durable_is_not_acknowledged_and_leaves_no_traits(world: World) -> None:
    world.arrivals.failure = IngestUnavailable("The disk is full.", fix="Send it again.")

    error = await world.refusal(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})

    assert (error.code, error.status, await kept(world)) == ("ingest_unavailable", 503, [])


async def test_traits_that_cannot_be_kept_are_not_acknowledged(world: World) -> None:
    with full_disk(world.store):
        error = await world.refusal(KEY, "identify_visitor", **GIVEN, traits={"plan": "pro"})

    assert error.status == 503
    assert await kept(world) == []
