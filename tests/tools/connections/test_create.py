"""Connecting: a token is tried, sealed and never seen again."""

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World, open_world, principal
from tools.authority import Principal, Role
from tools.store.tables import connections


async def token(world: World) -> str:
    return str((await world.sandbox.get("/")).json()["meta"]["access_token"])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_connecting_takes_its_scope(world: World, role: Role) -> None:
    error = await world.refusal(principal(role), "create_connection", platform="meta", access_token="x")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "connections:write")


@pytest.mark.parametrize("who", [AGENT, KEY, DIRECT_KEY], ids=lambda who: who.id)
async def test_only_a_person_pastes_a_token(world: World, who: Principal) -> None:
    error = await world.refusal(who, "create_connection", platform="meta", access_token=await token(world))

    assert error.code == "human_required"


@promise("dev.connections.create")
async def test_a_token_that_works_is_tried_and_kept(world: World) -> None:
    made = await world.call(STRANGER, "create_connection", platform="meta", access_token=await token(world))

    assert made["id"].startswith("con_")
    assert (made["name"], made["status"], made["decryptReadable"]) == ("Northwind US", "connected", True)
    assert made["probe"]["ok"] is True
    assert [account["currency"] for account in made["probe"]["accounts"]] == ["USD", "EUR", "JPY"]
    assert "ads_management" in made["probe"]["scopes"]
    assert made["expiresAt"] == "2027-01-19T00:00:00Z"
    (listed,) = (await world.call(STRANGER, "list_connections"))["items"]
    assert listed == {name: value for name, value in made.items() if name != "probe"}
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


async def test_the_token_is_sealed_and_shown_nowhere(world: World) -> None:
    secret = await token(world)

    made = await world.call(OWNER, "create_connection", platform="meta", access_token=secret)

    context = world.context(OWNER)
    row = await context.rows.first(context.rows.select(connections).where(connections.c.id == made["id"]))
    assert row is not None
    assert secret not in str(row.as_dict())
    assert secret not in str(made) + str(await world.call(OWNER, "list_connections"))
    assert secret not in str(await world.audit_rows())
    assert [entry for entry in await world.audit_rows() if "***" in (entry["payload"] or "")]
    for file in world.path.iterdir():
        assert secret.encode() not in file.read_bytes()


async def test_a_token_the_platform_refuses_is_not_kept(world: World) -> None:
    error = await world.refusal(OWNER, "create_connection", platform="meta", access_token="EAAnope")

    assert (error.code, error.status) == ("reauth_required", 424)
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status"), [("html", "platform_error", 424), ("throttled", "rate_limited", 429)]
)
async def test_a_platform_out_of_reach_keeps_nothing(world: World, kind: str, code: str, status: int) -> None:
    await world.break_next(kind, times=9)

    error = await world.refusal(OWNER, "create_connection", platform="meta", access_token=await token(world))

    assert (error.code, error.status) == (code, status)
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"platform": "google", "access_token": "x"},
        {"platform": "meta"},
        {"platform": "meta", "access_token": ""},
        {"platform": "meta", "access_token": 5},
        {"platform": "meta", "access_token": "x", "name": ""},
        {"platform": "meta", "access_token": "x", "name": "n" * 101},
    ],
)
async def test_what_cannot_be_a_connection_is_refused(world: World, sent: dict[str, object]) -> None:
    assert (await world.refusal(OWNER, "create_connection", **sent)).code == "invalid_arguments"


async def test_a_connection_survives_a_restart(world: World) -> None:
    listed = await world.call(OWNER, "list_connections")
    async with open_world(world.path, clock=world.clock) as again:
        assert await again.call(OWNER, "list_connections") == listed
        assert (await again.call(VIEWER, "list_campaigns", limit=1))["items"]


@pytest.mark.parametrize("name", ["EAAB" + "x" * 30, "my unshaped-token shop"])
async def test_a_token_is_not_kept_as_a_name(world: World, name: str) -> None:
    sent = {"platform": "meta", "access_token": "unshaped-token", "name": name}

    error = await world.refusal(OWNER, "create_connection", **sent)

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "name")
    assert name not in str(error.body("req_test"))
