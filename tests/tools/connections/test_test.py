"""Trying credentials, and what is said when they do not work."""

from pathlib import Path

import pytest

from tests.promises import promise
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, open_world
from tools.store.sealing import KeyRing, generate_key


async def connection(world: World) -> dict[str, str]:
    (found,) = (await world.call(OWNER, "list_connections"))["items"]
    return dict(found)


async def test_a_strangers_connection_is_not_there(world: World) -> None:
    error = await world.refusal(STRANGER, "test_connection", connectionId=(await connection(world))["id"])

    assert (error.code, error.status) == ("not_found", 404)


async def test_trying_takes_its_scope(world: World) -> None:
    error = await world.refusal(VIEWER, "test_connection", connectionId=(await connection(world))["id"])

    assert (error.code, error.details["required"]) == ("insufficient_scope", "connections:write")


@promise("dev.connections.test")
async def test_one_read_says_that_it_works(world: World) -> None:
    held = await connection(world)
    world.clock.pass_by(days=1)

    health = await world.call(AGENT, "test_connection", connectionId=held["id"])

    assert (health["id"], health["ok"], health["status"]) == (held["id"], True, "connected")
    assert len(health["accounts"]) == 3
    assert "ads_read" in health["scopes"]
    assert (await connection(world))["lastSyncAt"] == "2026-11-21T12:00:00Z"
    assert await world.writes_seen() == []


@pytest.mark.parametrize(
    ("kind", "status"), [("expired_token", "reauth_required"), ("html", "unreachable"), ("server_error", "unreachable")]
)
async def test_what_does_not_work_is_said_and_remembered(world: World, kind: str, status: str) -> None:
    held = await connection(world)
    await world.break_next(kind, times=9)

    health = await world.call(OWNER, "test_connection", connectionId=held["id"])

    assert (health["ok"], health["status"], health["accounts"]) == (False, status, [])
    assert health["problem"]
    assert health["fix"]
    assert (await connection(world))["status"] == status

    await world.sandbox.delete("/faults")
    assert (await world.call(OWNER, "test_connection", connectionId=held["id"]))["ok"] is True
    assert (await connection(world))["status"] == "connected"


async def test_being_throttled_says_nothing_about_the_credentials(world: World) -> None:
    held = await connection(world)
    await world.break_next("throttled", times=9)

    error = await world.refusal(OWNER, "test_connection", connectionId=held["id"])

    assert (error.code, error.status, error.details["source"]) == ("rate_limited", 429, "upstream")
    assert (await connection(world))["status"] == "connected"


async def test_a_blocked_account_is_told_from_a_bad_token(world: World) -> None:
    held = await connection(world)
    await world.break_next("error", code=368, times=9)

    health = await world.call(OWNER, "test_connection", connectionId=held["id"])

    assert health["status"] == "account_blocked"


async def test_credentials_that_cannot_be_opened_name_their_connection(world: World) -> None:
    held = await connection(world)
    object.__setattr__(world.door._services, "keyring", KeyRing.parse(generate_key("k2")))

    error = await world.refusal(OWNER, "test_connection", connectionId=held["id"])

    assert (error.code, error.status, error.connection_id) == ("credentials_unreadable", 422, held["id"])


@pytest.mark.parametrize(("kind", "status"), [("expired_token", "reauth_required"), ("html", "unreachable")])
async def test_google_is_tried_alike(tmp_path: Path, kind: str, status: str) -> None:
    async with open_world(tmp_path, google=True) as world:
        google = (await world.call(OWNER, "list_connections", platform="google"))["items"][0]["id"]
        good = await world.call(OWNER, "test_connection", connectionId=google)
        await world.break_next(kind, target="google", times=9)

        bad = await world.call(OWNER, "test_connection", connectionId=google)

    assert (good["ok"], len(good["accounts"]), good["status"]) == (True, 4, "connected")
    assert (bad["ok"], bad["status"]) == (False, status)
    assert bad["fix"]
