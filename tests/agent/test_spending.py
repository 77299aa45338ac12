"""A call of the model is paid for before it is made: whatever happens to turns, and however many there are at once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.limits import Limits
from agent.model import Model
from agent.runs import Runner
from tests.agent.talk import NEVER, Talk, calls, collected, first, names, open_talk, said, text
from tests.conversations import told
from tests.database import ON_POSTGRESQL
from tests.world import NOON, OWNER, World, open_world, principal
from tools.authority import Principal
from tools.conversations.model import Asked
from tools.errors import QuotaExceeded
from tools.store.tables import chat_messages, usage_counters

FULL = {"output_tokens": 16_000}
"""The longest answer there is: 16 cents. With a prompt of which all is new, a first call can cost 25."""
SLOW = {**text("Slowly. " * 400), "fault": {"kind": "slow"}}
WHO: tuple[str, dict[str, Any]] = ("whoami", {})
EVER = 1 << 62


def conversation(events: list[Any]) -> str:
    return str(first(events, "run_started")["conversationId"])


async def counted(talk: Talk) -> float:
    """USD of the month, as the budget is held against."""
    rows = talk.world.context(OWNER).rows
    found = await rows.all(rows.select(usage_counters).where(usage_counters.c.meter == "chat_spend"))
    return float(sum(row.used for row in found) / 1_000_000)


async def shown(talk: Talk) -> Any:
    return (await talk.world.call(OWNER, "get_usage"))["cost"]


async def held(talk: Talk) -> list[Any]:
    rows = talk.world.context(OWNER).rows
    return await rows.all(rows.select(chat_messages).where(chat_messages.c.kind == "held"))


async def budget(talk: Talk, dollars: float) -> None:
    await talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=dollars)


@contextlib.asynccontextmanager
async def another_process(talk: Talk) -> AsyncIterator[tuple[World, Runner]]:
    """Where only one owns a database it is another runner over the same store."""

    async def standing(who: Principal) -> Principal | None:
        return who

    async with contextlib.AsyncExitStack() as stack:
        world: World = talk.world
        if ON_POSTGRESQL:
            world = await stack.enter_async_context(open_world(talk.world.path, clock=talk.world.clock))
        runner = Runner(
            world.door, world.store, Model(talk.settings), standing=standing,
            report=lambda _, error: talk.world.reported.append(error), renew_seconds=NEVER,
        )  # fmt: skip
        stack.push_async_callback(runner.close)
        yield world, runner


async def test_turns_at_the_same_time_stay_within_the_month_together(talk: Talk) -> None:
    """Each alone would be admitted, and eight of them would spend more than twice as much as there is."""
    await budget(talk, 1.20)
    await talk.says(*(calls(WHO, thinking="", usage=FULL) for _ in range(40)))
    async with another_process(talk) as (world, runner):

        async def turn(number: int) -> str:
            here, who = (world, runner) if number % 2 else (talk.world, talk.runner), principal(user=f"usr_{number}")
            try:
                following = await here[1].start(here[0].context(who), "ads", lambda: Asked(message="Look."))
            except QuotaExceeded:
                return "refused"
            events = await collected(following)
            return str(first(events, "done")["stopReason"])

        ends = await asyncio.gather(*(turn(number) for number in range(8)))

    assert 0.60 < await counted(talk) <= 1.20
    assert await counted(talk) == pytest.approx(await shown(talk), abs=0.0001)
    assert not await held(talk)
    assert set(ends) <= {"cap", "error", "refused"}
    assert "cap" in ends


async def test_a_turn_ends_without_a_summary_where_the_month_has_no_room_for_one(talk: Talk) -> None:
    await budget(talk, 0.30)
    await talk.says(calls(WHO, usage=FULL))

    events = await talk.ask("Look at everything.")

    assert names(events)[-2:] == ["usage", "done"]
    explanation = "The turn reached the workspace's budget of 0.30 USD a month."
    assert first(events, "done") == {"stopReason": "cap", "explanation": explanation}
    assert len(await talk.requests()) == 1
    assert await counted(talk) <= 0.30
    await budget(talk, 9)
    await talk.says(text("It was you."))
    after = await talk.ask("Well?", conversation(events))
    assert said(after) == "It was you."
    sent = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
    assert [block["type"] for block in sent] == ["tool_result", "text", "text"]


async def test_a_conversation_that_grew_too_dear_for_the_rest_of_the_month_says_so(talk: Talk) -> None:
    await budget(talk, 0.40)
    await talk.says(text("That was long.", usage=FULL))
    events = await talk.ask("Hello?")

    after = await talk.ask("Go on.", conversation(events))

    assert first(after, "error")["code"] == "quota_exceeded"
    assert first(after, "done") == {"stopReason": "error"}
    assert len(await talk.requests()) == 1


async def test_a_call_that_nothing_came_of_costs_nothing(talk: Talk) -> None:
    await talk.says({**text("Never."), "fault": {"kind": "throttled"}})

    assert first(await talk.ask("Hello?"), "done") == {"stopReason": "error"}

    assert await counted(talk) == 0
    assert not await held(talk)


async def test_a_call_of_a_process_that_ended_counts_as_the_most_that_it_may_have_cost(talk: Talk) -> None:
    await talk.says(SLOW, text("All of it."))
    seen = await collected(await talk.start("Hello?"), until="text_delta")
    assert 0.16 < await shown(talk) == await counted(talk)
    stalled = talk.runner
    talk.runner = talk._runner()
    await talk.runner.sweep(left_before=EVER)
    rest = await talk.follow(conversation(seen), seen[-1].id)
    await stalled.close()

    assert said(rest).endswith("All of it.")
    (lost,) = await held(talk)
    assert float(lost.cost) > 0.16
    assert await counted(talk) == pytest.approx(await shown(talk), abs=0.0001)
    assert await counted(talk) > float(lost.cost)
    conversation_shown = await talk.world.call(OWNER, "get_conversation", conversationId=conversation(seen))
    assert [message["role"] for message in conversation_shown["messages"]] == ["user", "assistant"]


async def test_a_call_that_a_stopping_process_leaves_costs_what_it_told_by_then(talk: Talk) -> None:
    await talk.says(SLOW, text("All of it."))
    seen = await collected(await talk.start("Hello?"), until="text_delta")

    await talk.restart()
    (left,) = await held(talk)
    talk.runner.open()
    await talk.follow(conversation(seen), seen[-1].id)

    assert left.input_tokens + left.cache_write_tokens > 1_000
    assert 0 < float(left.cost) < 0.16
    assert await counted(talk) == pytest.approx(await shown(talk), abs=0.0001)


async def test_a_turn_that_ends_every_process_is_not_asked_for_ever(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(model_calls=2)) as talk:
        await talk.says(SLOW, SLOW, text("Never asked for."))
        seen = await collected(await talk.start("Hello?"), until="text_delta")
        stalled = [talk.runner]
        for _ in range(2):
            talk.runner = talk._runner()
            stalled.append(talk.runner)
            await talk.runner.sweep(left_before=EVER)
            following = await talk.runner.follow(talk.world.context(OWNER), conversation(seen), seen[-1].id)
            seen += await collected(following, until="text_delta" if len(stalled) == 2 else "done")
        for each in stalled:
            await each.close()

        explanation = "The turn reached its limit of 2 calls of the model."
        assert seen[-1].data == {"stopReason": "cap", "explanation": explanation}
        assert len(await talk.requests()) == 2


async def test_what_was_spent_before_there_was_a_counter_counts(talk: Talk) -> None:
    at = int(NOON.timestamp() * 1000) - 1
    spent = {"input_tokens": 1, "output_tokens": 1, "cache_read_tokens": 0, "cache_write_tokens": 0, "cost": "0.4"}
    await told(talk.world.store, "wsp_north", OWNER.user, at=at, used=spent)
    await budget(talk, 1)

    assert first(await talk.ask("Hello?"), "error")["code"] == "quota_exceeded"

    assert await counted(talk) == 0.8
