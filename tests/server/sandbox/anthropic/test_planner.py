"""The demo's questions, asked of the scripted model with the real tools behind it: what it says is what they said."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from agent.tools import tool_params
from server.sandbox.anthropic.planner import intents, periods
from server.sandbox.anthropic.planner.planner import plan
from tests.server.sandbox.anthropic.api import SONNET, Api, assistant, call, result, tool, user
from tests.server.sandbox.anthropic.talk import Talk
from tests.world import NOON, OWNER, open_world
from tools.catalog import catalog


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with open_world(tmp_path) as world:
        yield Talk(world)


WEEK = {"since": "2026-11-14", "until": "2026-11-20"}
MONTH = {"since": "2026-10-22", "until": "2026-11-20"}


async def test_questions_are_answered_from_the_tools_that_they_need(talk: Talk) -> None:
    every = await talk.world.campaigns()
    active = [each for each in every if each["status"] == "ACTIVE"]
    for question, calls, part in (
        ("Who are you?", [], "scripted demo model"),
        ("Who am I?", [("whoami", {})], "**owner@wsp_north**, owner of"),
        ("Which campaigns do I have?", [("list_campaigns", {})], f"You have {len(every)} campaigns:"),
        ("Which are active?", [("list_campaigns", {"status": "ACTIVE"})], f"You have {len(active)} active campaigns"),
        ("What did I spend in the last 7 days?", [("get_insights", WEEK)], "All accounts, the last 7 days"),
        ("ROAS by campaign, last 30 days", [("get_insights", MONTH | {"breakdown": "campaign"})], "| Campaign |"),
        ("Spend per day please", [("get_insights", WEEK | {"breakdown": "day"})], "| 2026-11-20 |"),
        ("Compare Meta and Google", [("get_insights", WEEK | {"breakdown": "platform"})], "| meta |"),
        ("What changed recently?", [("list_changes", {"limit": 20})], "Nothing has been changed"),
        ("What waits for approval?", [("list_approvals", {"status": "pending"})], "Nothing waits"),
        ("Are my connections healthy?", [("list_connections", {})], "all healthy"),
        ("Undo the last change", [("list_changes", {"limit": 20})], "no change that can be undone"),
        ("Hello", [], "scripted demo model"),
        ("Thanks!", [], "welcome"),
        ("Blargh", [], "did not understand"),
    ):
        answer = await talk.ask(question)

        assert (question, talk.calls) == (question, calls)
        assert part in answer, answer


async def test_figures_are_those_of_the_tools(talk: Talk) -> None:
    answer = await talk.ask("What did I spend in the last 7 days?")
    found = await talk.world.call(OWNER, "get_insights", **WEEK)

    for row in found["rows"]:
        digits = 0 if row["currency"] == "JPY" else 2
        assert f"{row['spend']:,.{digits}f} {row['currency']}" in answer
        assert f"ROAS {row['roas']:.2f}" in answer
    assert "Currencies are not added up." in answer


async def test_waste_leads_to_a_change_and_back_again(talk: Talk) -> None:
    wasteful = await talk.ask("Which campaigns waste money?")
    worst = re.match(r"\*\*(.+?)\*\* wastes the most", wasteful)
    assert worst, wasteful

    paused = await talk.ask("Pause it")
    assert paused == f"**{worst[1]}** is changed: status ACTIVE → PAUSED."
    assert "PAUSED → ACTIVE" in await talk.ask("Turn it on again")
    assert "ACTIVE → PAUSED" in await talk.ask("No, turn it off")
    changes = await talk.ask("What changed?")
    assert "The latest 3 changes" in changes
    assert "Undone" in await talk.ask("Undo the last change")

    assert (await talk.world.campaign(name=worst[1]))["status"] == "ACTIVE"


async def test_a_name_that_fits_several_is_asked_back(talk: Talk) -> None:
    which = await talk.ask("Pause the prospecting campaign")
    assert which.startswith("Several campaigns fit that.")
    assert which.endswith("Which one do you mean?")
    assert len(re.findall(r"^\| .*Prospecting", which, re.MULTILINE)) > 3

    assert "**Prospecting | DACH | Sales** is changed" in await talk.ask("The DACH one")
    assert "PAUSED already" in await talk.ask("Pause Prospecting | DACH | Sales")


async def test_a_platform_in_the_words_tells_namesakes_apart(talk: Talk) -> None:
    await talk.world.connect_google()

    assert "Which one do you mean?" in await talk.ask("Pause the full catalog campaign")
    assert "**Performance Max | Full catalog** is changed" in await talk.ask("Pause full catalog on Google")


async def test_google_s_legal_statement_is_the_person_s(talk: Talk) -> None:
    await talk.world.connect_google()

    asked = await talk.ask('Create a leads campaign called "Autumn" with 30 a day in 4210007011 on Google')
    assert "political ads" in asked
    assert (await talk.ask("No")).startswith("Created **Autumn**")

    assert talk.calls[-1][1]["eu_political_ads"] is False


async def test_a_name_that_fits_none_is_asked_back(talk: Talk) -> None:
    assert (await talk.ask("Pause Zebra")).startswith("I found no campaign that fits.")


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        ("Raise the budget of Leads | Size guide download to 45.50", 45.5),
        ("Set the daily budget of Size guide download to $45", 45),
        ("Increase the budget of Size guide download by 10 %", 44),
        ("Lower the budget of Size guide download by 10 percent", 36),
        ("Cut the budget of Size guide download by 5", 35),
        ("Make Size guide download 55 per day", 55),
        ("Halve the budget of Size guide download", 20),
    ],
)
def test_a_budget_is_set_to_by_or_in_part(api: Api, words: str, budget: float) -> None:
    guide = {"campaign_id": "1", "name": "Leads | Size guide download", "status": "ACTIVE", "daily_budget": 40}
    listed = result("toolu_1", json.dumps({"items": [guide | {"currency": "USD", "platform": "meta"}]}))
    messages = [user(words), assistant([call("toolu_1", "list_campaigns")]), user([listed])]

    (*_, asked) = api.answer(messages=messages, tools=[tool("list_campaigns"), tool("update_campaign")])["content"]

    assert (asked["name"], asked["input"]) == ("update_campaign", {"campaign_id": "1", "daily_budget": budget})


async def test_a_budget_without_a_number_is_asked_for(talk: Talk) -> None:
    asked = await talk.ask("Raise the budget of Size guide download")
    assert asked.endswith("To what amount, or by how many percent?")

    assert "40.00 USD → 48.00 USD" in await talk.ask("By 20 %")


async def test_campaigns_are_created_renamed_and_archived(talk: Talk) -> None:
    assert "an objective" in await talk.ask("Create a campaign")
    assert "In which account" in await talk.ask('"Winter sale", sales, 50 a day')
    assert (await talk.ask("Northwind US")).startswith("Created **Winter sale**")

    assert "name Winter sale → Spring sale" in await talk.ask("Rename Winter sale to Spring sale")
    assert "PAUSED → ARCHIVED" in await talk.ask("Archive Spring sale")
    assert talk.calls[-1][1]["mode"] == "archive"


async def test_all_with_a_low_roas_are_one_proposal(talk: Talk) -> None:
    answer = await talk.ask("Pause all campaigns with ROAS below 0.8 in the last 30 days")

    assert talk.calls == [("pause_low_roas_campaigns", MONTH | {"roas_below": 0.8, "min_spend": 1})]
    assert re.match(r"Paused \d+ campaigns with a ROAS below 0.8", answer)


async def test_a_no_is_taken_for_a_no(talk: Talk) -> None:
    talk.agrees = False

    answer = await talk.ask("Pause Retargeting | Cart abandoners 14d")

    assert answer == "**Retargeting | Cart abandoners 14d** stays as it is: A person said no; denied."
    assert [name for name, _ in talk.calls] == ["list_campaigns", "update_campaign"]


async def test_a_platform_that_does_not_answer_is_said(talk: Talk) -> None:
    await talk.world.break_next("throttled", times=20)

    answer = await talk.ask("What did I spend in the last 7 days?")

    assert "Missing: " in answer or answer.startswith("That did not work.")


def change_with(told: str) -> list[dict[str, Any]]:
    """A transcript in which a campaign was to be paused."""
    alpha = {"campaign_id": "1", "name": "Alpha", "status": "ACTIVE", "currency": "USD"}
    return [
        user("Pause Alpha"),
        assistant([call("toolu_1", "list_campaigns")]),
        user([result("toolu_1", json.dumps({"items": [alpha]}))]),
        assistant([call("toolu_2", "update_campaign", campaign_id="1", status="PAUSED")]),
        user([result("toolu_2", told) | {"is_error": True}]),
    ]


WAITING = {"plan": {"summary": "Pause Alpha", "warnings": ["It sells."]}, "url": "http://x/a"}


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (
            json.dumps({"code": "confirm_required", "message": "m", "approval": WAITING}),
            "This waits for your yes; nothing has changed yet.\nPause Alpha\n- It sells.\nDecide here: http://x/a",
        ),
        ('{"code": "approval_expired", "message": "Nobody decided in time.", "fix": "f"}',
         "**Alpha** stays as it is: Nobody decided in time."),
        ('{"status": "error", "code": "guardrail", "fix": "Ask for less.", "untrusted": {"message": "Too much."}}',
         "That did not work. Too much. Ask for less."),
        ("The tool broke.", "That did not work. The tool broke."),
    ],
)  # fmt: skip
def test_what_became_of_a_change_is_said_in_plain_words(api: Api, told: str, answer: str) -> None:
    tools = [tool("list_campaigns"), tool("update_campaign")]

    said = api.answer(messages=change_with(told), tools=tools)["content"][-1]["text"]

    assert said == answer


def test_where_no_call_is_allowed_it_sums_up(api: Api) -> None:
    said = api.answer(tools=[tool("list_campaigns")], tool_choice={"type": "none"},
                      messages=[user("Which campaigns do I have?")])["content"][-1]  # fmt: skip

    assert said["type"] == "text"
    assert "stop here" in said["text"]


def test_the_day_is_the_message_s_own_where_it_has_one(api: Api) -> None:
    """The sandbox's clock says 22 November."""
    messages = [user('<context>{"today":"2026-03-08"}</context>\nSpend yesterday'), user("Spend yesterday")]
    tools = [tool("get_insights")]

    days = [api.answer(messages=[each], tools=tools)["content"][-1]["input"]["since"] for each in messages]

    assert days == ["2026-03-07", "2026-11-21"]


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("in the past 14 days", "2026-11-07", "2026-11-20"),
        ("last 2 weeks", "2026-11-07", "2026-11-20"),
        ("this week", "2026-11-16", "2026-11-20"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("this month", "2026-11-01", "2026-11-20"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("from 2026-11-05 to 2026-11-01", "2026-11-01", "2026-11-05"),
        ("since 2026-11-05", "2026-11-05", "2026-11-20"),
        ("whenever", "2026-11-14", "2026-11-20"),
    ],
)
def test_spans_of_days_are_understood(words: str, since: str, until: str) -> None:
    assert periods.find(words, NOON.date()).arguments == {"since": since, "until": until}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Which campaigns should I pause?", "waste"),
        ("Which campaigns are paused?", "campaigns"),
        ("turn off Broad", "status"),
        ("What is the budget of Broad?", "budget"),
        ("Put Broad at 50", "budget"),
        ("How is Broad doing?", "performance"),
        ("Switch Broad back on", "status"),
        ("Who made the last change?", "changes"),
        ("Launch a new campaign", "create"),
        ("Who changed the budget?", "changes"),
        ("When does my token expire?", "connections"),
        ("What can you do?", "abilities"),
        ("What did you just do?", "recap"),
        ("Did it work?", "state"),
        ("Start Traffic | Journal articles", "status"),
        ("How did Traffic | Journal articles do?", "performance"),
        ("How many visitors were there from 2026-11-01 to 2026-11-05?", "visitors"),
        ("Don't pause Broad", "left_alone"),
        ("Create a traffic campaign “Undo”", "create"),
        ("No, make it 190", "budget"),
        ("190 instead", "budget"),
        ("Actually, 190 USD a day", "budget"),
        ("Pause everything below ROAS 1 that spent over 100", "pause_low"),
    ],
)
def test_the_first_intent_that_fits_decides(words: str, answer: str) -> None:
    found = intents.find(words)

    assert found is not None
    assert found.__name__ == answer


def test_a_part_of_a_name_is_no_amount() -> None:
    assert intents.find("No, the 14d one") is None


def test_platforms_are_compared_within_a_currency(api: Api) -> None:
    figures = {"impressions": 1, "clicks": 1, "conversions": 1, "conversion_value": 1, "ctr": None, "cpc": None}
    rows = [
        {"platform": platform, "currency": currency, "spend": 10, "roas": roas, **figures}
        for platform, currency, roas in (("meta", "USD", 2), ("google", "USD", 3.5), ("meta", "EUR", 9))
    ]
    arguments = {"since": "2026-11-16", "until": "2026-11-22", "breakdown": "platform"}
    messages = [
        user("Compare Meta and Google"),
        assistant([call("toolu_1", "get_insights", **arguments)]),
        user([result("toolu_1", json.dumps({"rows": rows, "totals": rows}))]),
    ]

    said = api.answer(messages=messages, tools=[tool("get_insights")])["content"][-1]["text"]

    assert said.startswith("In USD the ROAS is Google 3.50 against Meta 2.00. Each platform")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "rows", "totals", "status", "name", "roas"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@hypothesis.given(
    words=st.sampled_from(["spend", "waste", "pause Alpha", "undo", "who am I", "compare", "approvals", "create x"])
    | st.text(max_size=30),
    answer=JSON,
    is_error=st.booleans(),
    gullible=st.booleans(),
)
@hypothesis.settings(max_examples=100)
def test_whatever_a_tool_answers_something_is_said(words: str, answer: Any, is_error: bool, gullible: bool) -> None:
    """It goes on until it calls nothing more, whatever shape the results have."""
    tools = tool_params(catalog)
    messages: list[dict[str, Any]] = [user([{"type": "text", "text": f"x {words}"}])]
    for step in range(12):
        turn = plan({"model": SONNET, "messages": messages, "tools": tools}, NOON.date(), gullible=gullible)
        if not turn.calls:
            assert turn.blocks[-1]["text"]
            return
        content = [{**block, "id": f"toolu_{step}_{at}"} for at, block in enumerate(turn.calls)]
        results = [result(block["id"], json.dumps(answer)) | {"is_error": is_error} for block in content]
        messages += [assistant(content), user(results)]
    raise AssertionError(f"no end for {words!r}")
