"""The demo's questions about a website, answered from what the analytics tools say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.snapshot import snapshot
from server.sandbox.anthropic.planner.planner import plan
from tests.server.sandbox.anthropic.api import SONNET, user
from tests.server.sandbox.anthropic.talk import CONTEXT, Talk
from tests.tools.pixel.sites import SITE, add_site
from tests.world import NOON, OWNER, open_world
from tools.catalog import catalog
from tools.surfaces import analytics_chat

WEEK = {"since": "2026-11-14", "until": "2026-11-20"}
PAGES = [
    {"path": "/", "visitors": 900, "pageviews": 1300, "bounce_rate": 0.41},
    {"path": "/shop", "visitors": 500, "pageviews": 800, "bounce_rate": 0.2},
]
SOURCES = [
    {
        "channel": "organic_search",
        "visitors": 600,
        "sessions": 700,
        "payments": 9,
        "revenue": 1204.5,
        "currency": "EUR",
    },
    {"channel": "ai", "visitors": 120, "sessions": 130, "payments": 4, "revenue": 380.0, "currency": "EUR"},
]
REVENUE = [
    {"channel": "ai", "payments": 4, "revenue": 380.0, "share": 0.8, "currency": "EUR", "other_currency_payments": 2},
    {
        "channel": "direct",
        "payments": 1,
        "revenue": 95.0,
        "share": 0.2,
        "currency": "EUR",
        "other_currency_payments": 0,
    },
]
ENGINES = [
    {"engine": name, "visitors": visitors, "goals": 3, "payments": 4, "revenue": 380.0, "currency": "EUR"}
    for name, visitors in (("perplexity", 80), ("chatgpt", 70))
]
SUMMARY = {"visitors": 1020, "sessions": 1200, "pageviews": 2100}
STEPS = [
    {"step": 1, "label": "/shop", "visitors": 500, "conversion_from_previous": 1, "conversion_from_first": 1},
    {"step": 2, "label": "payment", "visitors": 25, "conversion_from_previous": 0.05, "conversion_from_first": 0.05},
]


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with open_world(tmp_path) as world:
        await add_site(world)
        world.pipes.rows |= {"p_top_pages": PAGES, "p_traffic_sources": SOURCES, "p_attributed_revenue": REVENUE}
        world.pipes.rows |= {"p_llm_traffic": ENGINES, "p_funnel_v2": STEPS, "p_visitors_summary": [SUMMARY]}
        yield Talk(world)


def asked(pipe: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "query_metrics", {"pipe": pipe, **WEEK, **more}


@pytest.mark.parametrize(
    ("question", "call", "part"),
    [
        ("What are the top pages?", asked("p_top_pages", limit=10), "**/** had the most visitors"),
        ("Which pages are most popular?", asked("p_top_pages", limit=10), "| /shop | 500 | 800 | 20.00 % |"),
        ("Where do visitors come from?", asked("p_traffic_sources", by="channel", limit=10), "by **organic_search**"),
        (
            "Traffic sources please", asked("p_traffic_sources", by="channel", limit=10),
            "| ai | 120 | 130 | 4 | 380.00 EUR |",
        ),
        (
            "What is the revenue by channel?",
            asked("p_attributed_revenue", model="last_touch", by="channel", limit=10),
            "By last touch, **ai** brought the most",
        ),
        (
            "Which channel earns the most, by first touch?",
            asked("p_attributed_revenue", model="first_touch", by="channel", limit=10), "380.00 EUR",
        ),
        (
            "What did ChatGPT bring me?", asked("p_llm_traffic", limit=10),
            "**chatgpt** sent 70 visitors in the last 7 days",
        ),
        ("Traffic from AI assistants", asked("p_llm_traffic", limit=10), "| perplexity | 80 | 3 | 4 | 380.00 EUR |"),
        ("How many visitors were there?", asked("p_visitors_summary"), "1,020 visitors in the last 7 days"),
        ("Which metrics are there?", ("list_metrics", {}), "| p_top_pages |"),
    ],
)  # fmt: skip
async def test_questions_are_answered_from_the_pipe_that_they_need(
    talk: Talk, question: str, call: tuple[str, dict[str, Any]], part: str
) -> None:
    answer = await talk.ask(question)

    assert talk.calls == [call]
    assert part in answer, answer


async def test_what_was_not_added_up_is_passed_on(talk: Talk) -> None:
    answer = await talk.ask("Revenue by channel in the last 30 days")

    assert "Payments in other currencies, not in the revenue: 2" in answer
    assert "Bots are left out." in answer


async def test_a_funnel_is_looked_up_and_followed(talk: Talk) -> None:
    assert "No funnel is kept yet" in await talk.ask("How does the funnel convert?")
    steps = [{"type": "path", "op": "starts_with", "value": "/shop"}, {"type": "payment"}]
    await talk.world.call(OWNER, "create_funnel", websiteId=SITE, name="Checkout", steps=steps)

    answer = await talk.ask("What are the conversions of the checkout funnel?")

    assert "**Checkout** converted 5.00 % in the last 7 days (2026-11-14 to 2026-11-20): 25 of 500 visitors." in answer
    name, sent = talk.calls[-1]
    assert (name, sent["pipe"], sent["websiteId"]) == ("query_metrics", "p_funnel_v2", SITE)
    assert [step["type"] for step in json.loads(sent["steps"])] == ["path", "payment"]


async def test_of_several_funnels_the_person_chooses(talk: Talk) -> None:
    for name in ("Checkout", "Signup"):
        steps = [{"type": "path", "value": "/a"}, {"type": "path", "value": "/b"}]
        await talk.world.call(OWNER, "create_funnel", websiteId=SITE, name=name, steps=steps)

    assert "Which one do you mean?" in await talk.ask("How does the funnel convert?")
    assert "**Signup**" in await talk.ask("The signup funnel")


def test_in_the_analytics_chat_it_says_what_can_be_asked_there() -> None:
    tools = json.loads(snapshot("analytics", analytics_chat(catalog).all).tools)
    body = {"model": SONNET, "max_tokens": 1000, "tools": tools, "messages": [user(f"{CONTEXT}\nWhat can you do?")]}

    told = plan(body, NOON.date()).blocks[-1]["text"]

    assert "Where do visitors come from?" in told
    assert "budget" not in told


def test_in_the_analytics_chat_campaigns_are_told_by_what_their_visitors_paid() -> None:
    tools = json.loads(snapshot("analytics", analytics_chat(catalog).all).tools)
    asked = user(f"{CONTEXT}\nWhich campaigns make money and which waste it?")
    body = {"model": SONNET, "max_tokens": 1000, "tools": tools, "messages": [asked]}

    call = plan(body, NOON.date()).blocks[-1]

    assert (call["name"], call["input"]["pipe"], call["input"]["by"]) == (
        "query_metrics", "p_attributed_revenue", "campaign",
    )  # fmt: skip
