"""Revoked API keys, at once and for good."""

import pytest

from tests.world import AGENT, OWNER, STRANGER, World, principal
from tools.authority import Role
from tools.store.tables import api_keys


async def key(world: World) -> str:
    return str((await world.call(OWNER, "create_api_key", name="Old", scopes=["ads:read"]))["id"])


async def test_a_strangers_key_is_not_there(world: World) -> None:
    made = await key(world)

    assert (await world.refusal(STRANGER, "revoke_api_key", key_id=made)).code == "not_found"
    assert "revokedAt" not in (await world.call(OWNER, "list_api_keys"))["items"][0]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_revoking_takes_its_scope(world: World, role: Role) -> None:
    error = await world.refusal(principal(role), "revoke_api_key", key_id=await key(world))

    assert error.details["required"] == "workspace:admin"


async def test_only_a_person_revokes(world: World) -> None:
    assert (await world.refusal(AGENT, "revoke_api_key", key_id=await key(world))).code == "human_required"


async def test_a_key_is_revoked_at_once_and_for_good(world: World) -> None:
    made = await key(world)

    revoked = await world.call(OWNER, "revoke_api_key", key_id=made)
    world.clock.pass_by(hours=1)
    again = await world.call(OWNER, "revoke_api_key", key_id=made)

    assert again == revoked
    assert revoked["revokedAt"] == "2026-11-20T12:00:00Z"
    context = world.context(OWNER)
    (row,) = await context.rows.all(context.rows.select(api_keys))
    assert row.revoked_at == world.clock.milliseconds() - 3_600_000


@pytest.mark.parametrize("sent", ["key_unknown", "con_1", ""])
async def test_an_unknown_key_is_not_found(world: World, sent: str) -> None:
    assert (await world.refusal(OWNER, "revoke_api_key", key_id=sent)).code in ("not_found", "invalid_arguments")
