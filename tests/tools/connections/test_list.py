"""Connections, with all that one must know and no credential."""

from tests.promises import promise
from tests.world import KEY, STRANGER, VIEWER, World, principal
from tools.authority import Scope, Via
from tools.store.sealing import KeyRing, generate_key


async def test_a_stranger_sees_none_of_ours(world: World) -> None:
    assert await world.call(STRANGER, "list_connections") == {"items": []}


async def test_listing_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset({Scope.ANALYTICS_READ})), "list_connections")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "ads:read")


@promise("dev.connections.list", "dev.payload.case")
async def test_a_connection_shows_what_one_must_know_and_no_credential(world: World) -> None:
    (row,) = (await world.call(VIEWER, "list_connections"))["items"]

    assert row.pop("id").startswith("con_")
    assert row == {
        "platform": "meta",
        "name": "Northwind",
        "status": "connected",
        "decryptReadable": True,
        "accounts": [
            {
                "account_id": f"act_70211445031000{n}", "name": name, "currency": currency, "time_zone": zone,
                "active": True,
            }
            for n, name, currency, zone in (
                (1, "Northwind US", "USD", "America/New_York"),
                (2, "Northwind EU", "EUR", "Europe/Berlin"),
                (3, "Northwind Japan", "JPY", "Asia/Tokyo"),
            )
        ],
        "createdAt": "2026-11-20T12:00:00Z",
        "lastSyncAt": "2026-11-20T12:00:00Z",
        "expiresAt": "2027-01-19T00:00:00Z",
    }  # fmt: skip


async def test_a_platform_filters(world: World) -> None:
    assert len((await world.call(KEY, "list_connections", platform="meta"))["items"]) == 1
    assert (await world.call(KEY, "list_connections", platform="google"))["items"] == []
    assert (await world.refusal(KEY, "list_connections", platform="tiktok")).code == "invalid_arguments"


async def test_credentials_that_cannot_be_opened_are_listed_as_such(world: World) -> None:
    object.__setattr__(world.door._services, "keyring", KeyRing.parse(generate_key("k2")))

    (row,) = (await world.call(VIEWER, "list_connections"))["items"]

    assert row["decryptReadable"] is False
