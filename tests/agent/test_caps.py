"""A turn that meets a limit says what it found and which limit it was; a workspace whose month is over begins none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.limits import Limits
from tests.agent.talk import Talk, calls, first, names, open_talk, said, text
from tests.world import OWNER, STRANGER
from tools.errors import QuotaExceeded
from tools.store.tables import chat_messages, chat_sessions, usage_counters
from tools.store.tenant import Rows

HALF_A_DOLLAR = {"output_tokens": 50_000}
"""Of Sonnet's output; a turn's limit is a dollar. More than an answer can have, so that few suffice."""

FULL = {"output_tokens": 16_000}
"""The longest answer there is: 16 cents. With a prompt of which all is new, a first call can cost 25."""


def conversation(events: list[Any]) -> str:
    return str(first(events, "run_started")["conversationId"])


async def rows_of(talk: Talk, table: Any) -> list[dict[str, Any]]:
    rows = Rows(talk.world.store, OWNER.workspace)
    return [row.as_dict() for row in await rows.all(rows.select(table))]


def capped(limit: str) -> dict[str, str]:
    return {"stopReason": "cap", "explanation": f"The turn reached {limit}."}


def instructed(request: bytes) -> str:
    """What the model is told last."""
    return str(json.loads(request)["messages"][-1]["content"][-1]["text"])


async def test_after_its_calls_of_the_model_a_turn_ends_with_a_summary(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(model_calls=3)) as talk:
        await talk.says(
            calls(("whoami", {})), calls(("list_connections", {})), text("What I found so far.")
        )  # the third is the summary

        events = await talk.ask("Look at everything.")

        assert said(events) == "What I found so far."
        assert first(events, "done") == capped("its limit of 3 calls of the model")
        last = json.loads((await talk.requests())[-1])
        assert last["tool_choice"] == {"type": "none"}
        assert "limit of 3 calls of the model" in last["messages"][-1]["content"][-1]["text"]
        assert len(await talk.requests()) == 3


async def test_calls_beyond_the_turns_number_are_not_made(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(tool_calls=2)) as talk:
        await talk.says(calls(("whoami", {}), ("list_connections", {}), ("list_changes", {})), text("Two of three."))

        events = await talk.ask("Look at everything.")

        results = {event.data["toolUseId"]: event.data for event in events if event.name == "tool_result"}
        asked = [event.data["toolUseId"] for event in events if event.name == "tool_use"]
        assert [results[call]["status"] for call in asked] == ["ok", "ok", "error"]
        assert first(events, "done") == capped("its limit of 2 calls of tools")


async def test_a_turn_whose_time_is_over_ends_with_a_summary(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(seconds=0)) as talk:
        await talk.says(text("No time for more."))

        events = await talk.ask("Look at everything.")

        assert first(events, "done") == capped("its limit of 0 seconds")
        assert json.loads((await talk.requests())[-1])["tool_choice"] == {"type": "none"}


async def test_a_summary_that_calls_a_tool_after_all_runs_nothing(tmp_path: Path) -> None:
    async with open_talk(tmp_path, limits=Limits(model_calls=1)) as talk:
        await talk.says(calls(("whoami", {})), text("Again."))

        events = await talk.ask("Look.")
        again = await talk.ask("And now?", conversation(events))

        assert first(events, "done") == capped("its limit of 1 calls of the model")
        assert "tool_result" not in names(events)
        assert first(again, "done")["stopReason"] == "cap"
        content = json.loads((await talk.requests())[-1])["messages"][-1]["content"]
        assert content[0]["type"] == "tool_result"
        assert content[0]["is_error"] is True


async def test_a_turn_that_costs_its_dollars_ends_with_a_summary(talk: Talk) -> None:
    await talk.says(
        calls(("whoami", {}), usage=HALF_A_DOLLAR),
        calls(("list_connections", {}), usage=HALF_A_DOLLAR),
        text("For a dollar, this."),
    )

    events = await talk.ask("Look at everything.")

    assert said(events) == "For a dollar, this."
    assert first(events, "done") == capped("its limit of 1.00 USD")
    last = (await talk.requests())[-1]
    assert "its limit of 1.00 USD" in instructed(last)
    assert json.loads(last)["tool_choice"] == {"type": "none"}


async def test_what_a_turn_cost_before_a_decision_counts_after_it(talk: Talk) -> None:
    campaign = next(each for each in await talk.world.campaigns(status="ACTIVE"))
    pause = ("update_campaign", {"campaign_id": campaign["campaign_id"], "status": "PAUSED"})
    await talk.says(calls(pause, usage={"output_tokens": 100_000}), text("Paused, and that was a dollar."))
    events = await talk.ask("Pause it.")
    await talk.approve(first(events, "confirm_required")["approval"])

    after = await talk.resumed(conversation(events), events[-1].id)

    assert first(after, "done") == capped("its limit of 1.00 USD")


async def test_a_model_without_a_price_is_counted_as_the_dearest_and_shown_without_a_cost(talk: Talk) -> None:
    """A dollar of the dearest is 20,000 tokens of output."""
    talk.settings = replace(talk.settings, model="claude-opus-4-8")
    await talk.restart()
    await talk.says(
        calls(("whoami", {}), thinking="", usage={"output_tokens": 12_000}),
        calls(("list_connections", {}), thinking="", usage={"output_tokens": 12_000}),
        text("So far."),
    )

    events = await talk.ask("Look at everything.")

    assert first(events, "usage")["cost"] is None
    assert first(events, "done") == capped("its limit of 1.00 USD")


async def test_after_the_months_budget_no_turn_begins_and_nothing_is_stored_or_charged(talk: Talk) -> None:
    await talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=0.30)
    await talk.says(text("That was it.", usage=FULL))
    events = await talk.ask("Hello?")
    before = [await rows_of(talk, table) for table in (chat_sessions, chat_messages, usage_counters)]

    for asked in (None, conversation(events)):
        with pytest.raises(QuotaExceeded) as refused:
            await talk.start("And now?", asked)

    assert refused.value.details == {"meter": "chat_spend", "limit": 0.3, "period": "2026-11"}
    assert "chat_month_usd" in refused.value.fix
    assert [await rows_of(talk, table) for table in (chat_sessions, chat_messages, usage_counters)] == before
    assert len(await talk.requests()) == 1


async def test_another_workspace_and_another_month_have_a_budget_of_their_own(talk: Talk) -> None:
    await talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=0.30)
    await talk.says(text("That was it.", usage=FULL), text("Hello."), text("Hello."))
    await talk.ask("Hello?")
    with pytest.raises(QuotaExceeded):
        await talk.start("Hello?")

    assert first(await talk.ask("Hello?", by=STRANGER), "done") == {"stopReason": "end_turn"}
    talk.world.clock.pass_by(days=31)
    assert first(await talk.ask("Hello?"), "done") == {"stopReason": "end_turn"}


async def test_a_month_that_is_used_up_in_the_middle_ends_the_turn_with_a_summary(talk: Talk) -> None:
    await talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=0.45)
    await talk.says(calls(("whoami", {}), usage=FULL), text("As far as the month goes."))

    events = await talk.ask("Look at everything.")

    assert said(events) == "As far as the month goes."
    assert first(events, "done") == capped("the workspace's budget of 0.45 USD a month")


async def test_an_admin_may_set_a_higher_budget_than_the_servers(talk: Talk) -> None:
    await talk.says(text("Dear.", usage={"input_tokens": 51_000_000}), text("Hello."))
    await talk.ask("Hello?")
    with pytest.raises(QuotaExceeded):
        await talk.start("And now?")

    await talk.world.call(OWNER, "update_workspace_settings", chat_month_usd=200)

    assert first(await talk.ask("And now?"), "done") == {"stopReason": "end_turn"}
