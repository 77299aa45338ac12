"""New API keys: shown once, kept as a hash, never more powerful than their maker."""

from typing import Any

import pytest

from tests.promises import promise
from tests.world import AGENT, KEY, OWNER, STRANGER, World, principal, renamed
from tools.authority import Principal, Role, Scope
from tools.keys.format import parse
from tools.store.tables import api_keys

READ: dict[str, Any] = {"name": "Reports", "scopes": ["ads:read"]}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_creating_takes_its_scope(world: World, role: Role) -> None:
    error = await world.refusal(principal(role), "create_api_key", **READ)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "workspace:admin")


@pytest.mark.parametrize("who", [AGENT, KEY], ids=lambda who: who.via)
async def test_only_a_person_creates_keys(world: World, who: Principal) -> None:
    assert (await world.refusal(who, "create_api_key", **READ)).code == "human_required"


@promise("dev.keys.columns", "dev.keys.workspace-scoped")
async def test_a_key_is_shown_once_and_kept_as_its_hash(world: World) -> None:
    made = await world.call(OWNER, "create_api_key", **READ, expires_days=30)

    key = parse(made["key"])
    assert key is not None
    assert (made["prefix"], made["policy"], made["scopes"]) == (key.prefix, "gated", ["ads:read"])
    assert made["expiresAt"] == "2026-12-20T12:00:00Z"
    context = world.context(OWNER)
    (row,) = await context.rows.all(context.rows.select(api_keys))
    assert (row.name, row.key_hash, row.workspace_id, row.created_by) == ("Reports", key.hash, "wsp_north", "usr_owner")
    assert made["key"] not in str(row.as_dict()) + str(await world.audit_rows())
    for file in world.path.iterdir():
        assert made["key"].encode() not in file.read_bytes()
    assert (await world.call(STRANGER, "list_api_keys"))["items"] == []


async def test_no_two_keys_are_alike(world: World) -> None:
    made = [await world.call(OWNER, "create_api_key", **READ) for _ in range(3)]

    assert len({key["key"] for key in made}) == len({key["id"] for key in made}) == 3


async def test_a_direct_key_is_an_owners_to_give(world: World) -> None:
    error = await world.refusal(principal(Role.ADMIN), "create_api_key", **READ, policy="direct")
    made = await world.call(OWNER, "create_api_key", **READ, policy="direct")

    assert (error.code, error.status) == ("insufficient_scope", 403)
    assert made["policy"] == "direct"


async def test_a_key_can_do_no_more_than_who_made_it(world: World) -> None:
    partly = renamed(OWNER, scopes=frozenset({Scope.WORKSPACE_ADMIN, Scope.ADS_READ}))

    error = await world.refusal(partly, "create_api_key", name="n", scopes=["ads:read", "ads:write"])

    assert error.code == "insufficient_scope"
    assert "ads:write" in str(error.details["required"])
    assert (await world.call(OWNER, "list_api_keys"))["items"] == []


async def test_a_scope_named_twice_counts_once(world: World) -> None:
    made = await world.call(OWNER, "create_api_key", name="n", scopes=["ads:write", "ads:read", "ads:write"])

    assert made["scopes"] == ["ads:write", "ads:read"]


@pytest.mark.parametrize(
    "sent",
    [
        {"name": ""},
        {"name": " "},
        {"name": "n" * 101},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "ads:read"},
        {"rate": 0},
        {"rate": 1.5},
        {"expires_days": 0},
        {"expires_days": 3651},
        {"policy": "trusted"},
        {"key": "adw_live_mine"},
    ],
)
async def test_what_no_key_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    error = await world.refusal(OWNER, "create_api_key", **(READ | sent))

    assert error.code == "invalid_arguments"
