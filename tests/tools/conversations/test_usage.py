"""What the assistant cost this month, all of it and nothing else."""

import datetime as dt

from tests.conversations import USED, told
from tests.world import AGENT, NOON, OWNER, STRANGER, World, principal
from tools.authority import Role
from tools.conversations.store import Kind, message_added
from tools.conversations.usage import month_to_date
from tools.quota import Meter, spend
from tools.store.tenant import Rows

NOW = int(NOON.timestamp() * 1000)
FIRST = int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp() * 1000)
NOTHING = {
    "period": "2026-11", "since": "2026-11-01T00:00:00Z", "turns": 0, "turnsIncluded": 50, "inputTokens": 0,
    "outputTokens": 0, "cacheReadTokens": 0, "cacheWriteTokens": 0, "cachedShare": None, "cost": 0,
    "budget": 100,
}  # fmt: skip


async def test_a_strangers_usage_is_not_ours(world: World) -> None:
    await told(world.store, "wsp_north", OWNER.user, at=NOW)

    assert await world.call(STRANGER, "get_usage") == NOTHING


async def test_any_valid_credential_sees_the_whole_workspaces(world: World) -> None:
    await told(world.store, "wsp_north", OWNER.user, at=NOW)
    await told(world.store, "wsp_north", "usr_admin", at=NOW)

    for who in (OWNER, AGENT, principal(Role.VIEWER, scopes=frozenset())):
        assert (await world.call(who, "get_usage"))["inputTokens"] == 400


async def test_it_adds_up_tokens_dollars_and_turns_of_the_month(world: World) -> None:
    await told(world.store, "wsp_north", OWNER.user, at=NOW)
    await spend(world.context(OWNER), Meter.CHAT_TURNS)

    assert await world.call(OWNER, "get_usage") == NOTHING | {
        "turns": 1, "inputTokens": 200, "outputTokens": 40, "cacheReadTokens": 600, "cachedShare": 0.75, "cost": 0.001,
    }  # fmt: skip


async def test_what_is_said_aside_counts_and_another_month_does_not(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user, at=FIRST)
    await told(world.store, "wsp_north", OWNER.user, at=FIRST - 1)
    aside = message_added(
        Rows(world.store, "wsp_north"), conversation_id=conversation, seq=99, turn=1, run_id="run_1", role="assistant",
        kind=Kind.ASIDE, content="[]", tool_calls=[], created_at=NOW, **USED,
    )  # fmt: skip
    await world.store.of("wsp_north").write(lambda tx: tx.run(aside))

    assert (await world.call(OWNER, "get_usage"))["inputTokens"] == 300
    shown = await world.call(OWNER, "get_conversation", conversationId=conversation)
    assert len(shown["messages"]) == 3


async def test_the_budget_is_the_workspaces_own_where_it_has_one(world: World) -> None:
    await world.call(OWNER, "update_workspace_settings", chat_month_usd=25)

    assert (await world.call(OWNER, "get_usage"))["budget"] == 25


async def test_a_model_without_a_price_makes_the_cost_unknown_and_not_smaller(world: World) -> None:
    await told(world.store, "wsp_north", OWNER.user, at=NOW)
    await told(world.store, "wsp_north", OWNER.user, at=NOW, used=USED | {"cost": None})

    assert (await world.call(OWNER, "get_usage"))["cost"] is None
    month = await month_to_date(world.context(OWNER))
    assert (month.cost, float(month.spent), month.unpriced) == (None, 0.001, 2)
