"""The limits of a workspace: read by all, set by an admin in person."""

from typing import Any

import pytest

from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Role

DEFAULTS = {
    "warn_change_percent": 20,
    "typed_amount_percent": 50,
    "budget_edits_per_hour": 4,
    "bulk_limit": 50,
    "approvals": "page",
    "chat_month_usd": 100,
}


async def test_a_strangers_settings_are_its_own(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", bulk_limit=5)

    assert await world.call(STRANGER, "get_workspace_settings") == DEFAULTS


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_who_is_no_admin_reads_them_but_sets_none(world: World, role: Role) -> None:
    who = principal(role)

    assert await world.call(who, "get_workspace_settings") == DEFAULTS
    error = await world.refusal(who, "update_workspace_settings", bulk_limit=5)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "workspace:admin")


async def test_an_agent_reads_them_but_sets_none(world: World) -> None:
    assert await world.call(AGENT, "get_workspace_settings") == DEFAULTS
    assert (await world.refusal(AGENT, "update_workspace_settings", bulk_limit=5)).code == "human_required"


async def test_what_is_not_sent_stays_as_it_is(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", warn_change_percent=10, campaign_daily_ceiling=99.5)

    changed = await world.call(OWNER, "update_workspace_settings", approvals="client")

    expected = DEFAULTS | {"warn_change_percent": 10, "campaign_daily_ceiling": 99.5, "approvals": "client"}
    assert changed == expected
    assert await world.call(VIEWER, "get_workspace_settings") == expected


async def test_the_chats_budget_may_be_lower_or_higher_than_the_servers(world: World) -> None:
    for own in (0.5, 2000):
        assert (await world.call(OWNER, "update_workspace_settings", chat_month_usd=own))["chat_month_usd"] == own
        assert (await world.call(OWNER, "update_workspace_settings", bulk_limit=5))["chat_month_usd"] == own


async def test_a_value_set_back_to_its_default_is_the_default(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", bulk_limit=5)

    assert await world.call(OWNER, "update_workspace_settings", bulk_limit=50) == DEFAULTS


@pytest.mark.parametrize(
    "sent",
    [
        {"warn_change_percent": 0},
        {"typed_amount_percent": 1001},
        {"chat_month_usd": 0},
        {"budget_edits_per_hour": 0},
        {"bulk_limit": 51},
        {"campaign_daily_ceiling": -1},
        {"account_daily_ceiling": float("nan")},
        {"approvals": "nobody"},
        {"approvals": None},
        {"plan": "scale"},
    ],
)
async def test_what_no_limit_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    error = await world.refusal(OWNER, "update_workspace_settings", **sent)

    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert await world.call(OWNER, "get_workspace_settings") == DEFAULTS
