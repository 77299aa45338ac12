"""API keys, told apart without being shown."""

import pytest

from tests.world import OWNER, STRANGER, World, principal
from tools.authority import Role


async def test_a_stranger_sees_none_of_ours(world: World) -> None:
    await world.call(OWNER, "create_api_key", name="Ours", scopes=["ads:read"])

    assert await world.call(STRANGER, "list_api_keys") == {"items": []}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_listing_takes_its_scope(world: World, role: Role) -> None:
    assert (await world.refusal(principal(role), "list_api_keys")).details["required"] == "workspace:admin"


async def test_keys_are_told_apart_without_being_shown(world: World) -> None:
    gated = await world.call(OWNER, "create_api_key", name="Reports", scopes=["ads:read"], rate=60)
    world.clock.pass_by(seconds=1)
    direct = await world.call(OWNER, "create_api_key", name="Nightly", scopes=["ads:write"], policy="direct")

    rows = (await world.call(OWNER, "list_api_keys"))["items"]

    assert rows == [{name: value for name, value in key.items() if name != "key"} for key in (direct, gated)]
    assert [row["policy"] for row in rows] == ["direct", "gated"]
    assert (rows[1]["rate"], rows[1]["createdAt"]) == (60, "2026-11-20T12:00:00Z")
    assert not any("key" in row or "key_hash" in row for row in rows)


async def test_a_revoked_key_stays_listed(world: World) -> None:
    made = await world.call(OWNER, "create_api_key", name="Old", scopes=["ads:read"])
    await world.call(OWNER, "revoke_api_key", key_id=made["id"])

    (row,) = (await world.call(OWNER, "list_api_keys"))["items"]

    assert row["revokedAt"] == "2026-11-20T12:00:00Z"
