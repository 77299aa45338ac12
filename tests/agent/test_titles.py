"""A title is the small model's, given once beside the first answer; no turn waits for it or fails by it."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.titles import sanitised
from tests.agent.prefixes import assert_append_only
from tests.agent.talk import Talk, first, names, open_talk, text
from tests.world import OWNER
from tools.conversations.model import TITLE_LENGTH

HAIKU = "claude-haiku-5-5"
QUESTION = "Which campaigns lose money since the sale began last week?"


@contextlib.asynccontextmanager
async def titling(path: Path) -> AsyncIterator[Talk]:
    async with open_talk(path) as talk:
        talk.settings = replace(talk.settings, title_model=HAIKU)
        await talk.restart()
        yield talk


def conversation(events: list[Any]) -> str:
    return str(first(events, "run_started")["conversationId"])


async def titled(talk: Talk, events: list[Any]) -> tuple[str, str]:
    await talk.runner.settle()
    session = await talk.session(conversation(events))
    return session.title, session.titled_by


def called(words: str, **more: Any) -> dict[str, Any]:
    return {**text(words), "model": HAIKU, **more}


async def test_the_small_model_names_what_was_asked_and_its_tokens_are_kept_aside(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(called("Campaigns that lose money"), text("None."))

        events = await talk.ask(QUESTION)

        assert await titled(talk, events) == ("Campaigns that lose money", "model")
        aside, *rest = await talk.messages(conversation(events))
        assert (aside.seq, aside.kind, aside.model, aside.content) == (0, "aside", HAIKU, "[]")
        assert aside.output_tokens > 0
        assert float(aside.cost) > 0
        assert [row.kind for row in rest] == ["sent", "sent"]
        month = await talk.world.call(OWNER, "get_usage")
        assert month["outputTokens"] == aside.output_tokens + rest[1].output_tokens


async def test_it_is_told_the_message_as_something_to_name_and_given_no_tools(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(text("None."))
        await talk.ask(QUESTION)
        await talk.runner.settle()

        (asked,) = [json.loads(body) for body in await talk.requests() if HAIKU.encode() in body]
        assert asked["messages"] == [{"role": "user", "content": f"<message>\n{QUESTION}\n</message>"}]
        assert "Do not answer it" in asked["system"]
        assert "tools" not in asked


async def test_the_scripted_model_names_it_by_its_first_words(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        title, by = await titled(talk, await talk.ask("please list my campaigns, and be quick about it"))

        assert (title, by) == ("Please list my campaigns", "model")


async def test_later_turns_ask_for_no_title_and_begin_with_the_bytes_of_the_first(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(text("None."), text("None."))
        events = await talk.ask(QUESTION)
        await talk.ask("And now?", conversation(events))
        await talk.runner.settle()

        requests = await talk.requests()
        assert sum(HAIKU.encode() in body for body in requests) == 1
        assert_append_only([body for body in requests if HAIKU.encode() not in body])


async def test_a_title_that_a_person_gave_stays(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(called("Too late", fault={"kind": "slow", "seconds": 0.5}), text("None."))
        events = await talk.ask(QUESTION)

        await talk.world.call(OWNER, "rename_conversation", conversationId=conversation(events), title="Mine")

        assert await titled(talk, events) == ("Mine", "person")


@pytest.mark.parametrize("kind", ["throttled", "overloaded", "server_error", "cut", "html", "refusal", "max_tokens"])
async def test_whatever_becomes_of_the_title_the_turn_is_the_same(tmp_path: Path, kind: str) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(called("A title", fault={"kind": kind}), text("None."))

        events = await talk.ask(QUESTION)

        assert names(events) == ["run_started", "text_delta", "usage", "done"]
        assert await titled(talk, events) == (QUESTION, "message")
        assert not talk.world.reported


async def test_an_answer_does_not_wait_for_a_title_that_never_comes(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(called("A title", fault={"kind": "silent", "seconds": 600}), text("None."))

        events = await talk.ask(QUESTION)

        assert first(events, "done") == {"stopReason": "end_turn"}
        assert (await talk.session(conversation(events))).titled_by == "message"


async def test_a_model_that_is_not_there_leaves_the_first_words(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        talk.settings = replace(talk.settings, title_model="claude-nobody")
        await talk.restart()
        await talk.says(text("None."))

        assert await titled(talk, await talk.ask(QUESTION)) == (QUESTION, "message")


async def test_two_processes_that_ask_keep_one(tmp_path: Path) -> None:
    async with titling(tmp_path) as talk:
        await talk.says(called("The first"), called("The second"), text("None."))
        events = await talk.ask(QUESTION)
        await talk.runner.settle()

        session = await talk.session(conversation(events))
        await talk.runner._titles._title(talk.world.context(OWNER), session, QUESTION)

        assert (await talk.session(conversation(events))).title == "The first"
        assert sum(row.kind == "aside" for row in await talk.messages(conversation(events))) == 1


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"Campaigns below ROAS 1."', "Campaigns below ROAS 1"),
        ("**Visitors** from `ChatGPT`\n\nI chose this because", "Visitors from ChatGPT"),
        ("<script>alert(1)</script> Sale", "alert(1) Sale"),
        ("![x](http://evil.example/?q=1) Sale", "x (http://evil.example/?q=1) Sale"),
        ("Sum\u200bmer\u202e sale\x1b[31m", "Summer sale 31m"),
        ("\n\n", ""),
        ("…", "…"),
        ("Key sk-ant-api03-abcdefgh", "Key ***"),
        ("word " * 40, None),
    ],
    ids=["quoted", "markdown", "tags", "image", "hidden", "blank", "dots", "secret", "long"],
)
def test_a_title_is_one_short_line_of_plain_words(said: str, title: str | None) -> None:
    made = sanitised(said)

    assert len(made) <= TITLE_LENGTH
    assert made == title if title is not None else made.endswith("…")
