"""What people say in one breath, and what they say next: each request on what came of the one before."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.anthropic.planner import requests
from tests.agent.talk import Talk as Turns
from tests.agent.talk import open_talk
from tests.server.sandbox.anthropic.api import Api, assistant, call, result, tool, user
from tests.server.sandbox.anthropic.talk import Talk
from tests.world import OWNER, open_world

VIDEO, CATALOG = "Prospecting | Lookalike 1% | Video", "Advantage+ Shopping | Full catalog"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with open_world(tmp_path) as world:
        yield Talk(world)


@pytest.fixture
async def turns(tmp_path: Path) -> AsyncIterator[Turns]:
    async with open_talk(tmp_path) as talk:
        yield talk


async def test_a_question_and_a_change_on_its_result_are_one_turn_that_waits(turns: Turns) -> None:
    events = await turns.ask("Which campaigns waste money? Pause the worst one.")

    said = "".join(event.data["text"] for event in events if event.name == "text_delta")
    (waits,) = [event for event in events if event.name == "confirm_required"]
    assert events[-1].data["stopReason"] == "confirm_required"
    name = said.split("**")[1]
    assert said.index("wastes the most") < said.index("| Campaign |") < said.index(f"**{name}** has the lowest ROAS")
    assert "Tell me which to pause" not in said
    assert name in waits.data["approval"]["plan"]["summary"]

    await turns.approve(waits.data["approval"])
    conversation = events[0].data["conversationId"]
    after = await turns.resumed(conversation, events[-1].id)
    told = "".join(event.data["text"] for event in after if event.name == "text_delta")
    assert told == f"**{name}** is changed: status ACTIVE → PAUSED."


FIGURES = {"impressions": 1, "clicks": 1, "conversions": 1, "conversion_value": 1, "ctr": None, "cpc": None}


def figured(**roas_and_spend: tuple[float | None, float]) -> list[dict[str, Any]]:
    """What the two reads answer of these campaigns, a day after day."""
    rows = [
        {"campaign_id": name, "campaign_name": name, "platform": "meta", "currency": "USD", "roas": roas,
         "spend": spend, **FIGURES}
        for name, (roas, spend) in roas_and_spend.items()
    ]  # fmt: skip
    running = [
        {"campaign_id": name, "name": name, "platform": "meta", "status": "ACTIVE", "objective": "sales"}
        for name in roas_and_spend
    ]
    week = {"since": "2026-11-16", "until": "2026-11-22", "breakdown": "campaign"}
    return [
        assistant([call("toolu_1", "get_insights", **week), call("toolu_2", "list_campaigns", status="ACTIVE")]),
        user([result("toolu_1", json.dumps({"rows": rows, "totals": []})),
              result("toolu_2", json.dumps({"items": running}))]),
    ]  # fmt: skip


TOOLS = [tool(name) for name in ("get_insights", "list_campaigns", "list_changes", "update_campaign", "undo_change")]


@pytest.mark.parametrize(
    ("words", "campaigns", "taken"),
    [
        ("Pause the worst one", {"Fair": (2, 9), "Poor": (0.5, 9), "Unspent": (None, 0)}, "Poor"),
        ("Pause the worst campaign", {"Small": (0.5, 9), "Large": (0.5, 90)}, "Large"),
        ("Pause the most wasteful campaign", {"Fair": (2, 9), "Poor": (0.5, 9)}, "Poor"),
        ("Double the budget of the best one", {"Fair": (2, 9), "Poor": (0.5, 9)}, None),
        ("Pause the weakest campaign", {"Good": (3, 9), "Fair": (2, 9)}, "Fair"),
        ("Which campaigns waste money? Pause the worst one", {"Good": (3, 9), "Fair": (2, 9)}, None),
    ],
)
def test_the_worst_is_the_one_with_the_lowest_roas_then_with_more_spend(
    api: Api, words: str, campaigns: dict[str, tuple[float | None, float]], taken: str | None
) -> None:
    content = api.answer(messages=[user(words), *figured(**campaigns)], tools=TOOLS)["content"]

    asked = [block["input"] for block in content if block["type"] == "tool_use"]
    assert asked == ([{"campaign_id": taken, "status": "PAUSED"}] if taken else [])
    assert taken is None or f"**{taken}** has the lowest ROAS" in content[-2]["text"]


async def test_two_changes_in_a_sentence_are_two_proposals(talk: Talk) -> None:
    answer = await talk.ask(f"Pause {VIDEO} and set the budget of {CATALOG} to 250.")

    assert [arguments.get("status", arguments.get("daily_budget")) for name, arguments in talk.calls
            if name == "update_campaign"] == ["PAUSED", 250]  # fmt: skip
    assert f"**{VIDEO}** is changed" in json.dumps(talk.messages)
    assert f"**{CATALOG}** is changed: daily budget 240.00 USD → 250.00 USD." in answer


async def test_a_question_back_about_the_second_request_is_about_that_one(talk: Talk) -> None:
    asked = await talk.ask(f"Pause {VIDEO} and raise the budget of {CATALOG}.")
    assert asked.endswith("To what amount, or by how many percent?")

    assert "240.00 USD → 252.00 USD" in await talk.ask("By 5 %")
    assert [name for name, _ in talk.calls] == ["list_campaigns", "update_campaign"]


async def test_another_amount_takes_the_place_of_a_proposal(turns: Turns) -> None:
    events = await turns.ask("Raise the daily budget of Prospecting | Broad | Sales to 200.")
    conversation = events[0].data["conversationId"]

    events = await turns.ask("No, make it 190.", conversation)

    (waits,) = [event for event in events if event.name == "confirm_required"]
    items = (await turns.world.call(OWNER, "list_approvals"))["items"]
    assert sorted(each["status"] for each in items) == ["pending", "superseded"]
    assert "190" in waits.data["approval"]["plan"]["summary"]


async def test_the_change_that_is_named_is_undone_and_not_the_newest(talk: Talk) -> None:
    await talk.ask(f"Pause {VIDEO}")
    await talk.ask(f"Set the budget of {CATALOG} to 250")

    assert "PAUSED → ACTIVE" in await talk.ask(f"Undo the pausing of {VIDEO}.")
    assert "None of the" in await talk.ask("Undo the renaming")
    assert "daily_budget 250 → 240" in await talk.ask("Undo the budget change")


async def test_what_was_done_is_told_and_read_back(talk: Talk) -> None:
    assert "I asked for no change" in await talk.ask("What did you just do?")
    await talk.ask(f"Pause {VIDEO}")

    assert f"**{VIDEO}** is paused" in await talk.ask("Did it work?")
    assert talk.calls == [("list_campaigns", {})]
    told = await talk.ask("What did you just do?")
    assert re.search(r"`update_campaign` with campaign_id \d+, status PAUSED: done", told)
    assert talk.calls == [("list_changes", {"limit": 20})]


async def test_all_that_spent_enough_are_one_proposal(talk: Talk) -> None:
    answer = await talk.ask("Pause everything below ROAS 0.8 that spent over 100")

    ((name, arguments),) = talk.calls
    assert (name, arguments["roas_below"], arguments["min_spend"]) == ("pause_low_roas_campaigns", 0.8, 100)
    assert "that spent 100 or more" in answer


async def test_an_id_that_nothing_has_is_said(talk: Talk) -> None:
    assert "There is no campaign 99999999999" in await talk.ask("Pause the campaign 99999999999")


async def test_what_is_not_to_be_done_is_left_alone(talk: Talk) -> None:
    assert await talk.ask(f"Do not pause {VIDEO}.") == "I leave it as it is."
    assert talk.calls == []


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("Which waste money? Pause it.", ["Which waste money?", "Pause it."]),
        (f"Pause {VIDEO}, and then archive it", [f"Pause {VIDEO}", "archive it"]),
        ("Compare Meta and Google", ["Compare Meta and Google"]),
        ("Rename it to “Stop. And start”", ["Rename it to “Stop. And start”"]),
        ("ROAS below 0.8 and spend over 100", ["ROAS below 0.8 and spend over 100"]),
    ],
)
def test_a_message_is_split_where_something_else_is_asked(words: str, parts: list[str]) -> None:
    assert requests.split(words) == parts
