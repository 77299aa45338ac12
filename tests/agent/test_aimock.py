"""The loop against a stand-in that others wrote: where ours errs as the loop does, neither would notice."""

import json
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.agent.talk import Event, Talk, first, names, open_talk, said

INSTALLED = Path(os.environ.get("ADWRIGHT_TEST_CONFORMANCE") or Path(__file__).parents[2] / ".dev" / "node")
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
AIMOCK = INSTALLED / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
START_SECONDS = 60.0

WORDS = "Northwind is connected, and three of its campaigns are running. " * 8
BOTH = [
    {"name": "whoami", "arguments": "{}"},
    {"name": "list_campaigns", "arguments": json.dumps({"limit": 1, "status": "ACTIVE"})},
]
FIXTURES: list[dict[str, Any]] = [
    {"match": {"userMessage": "Hello?"}, "response": {"content": WORDS, "reasoning": "Somebody greets me."}},
    {
        "match": {"userMessage": "Both?", "hasToolResult": False},
        "response": {"content": "I look at both.", "reasoning": "Two reads at once.", "toolCalls": BOTH},
    },
    {"match": {"userMessage": "Both?", "hasToolResult": True}, "response": {"content": "You, and one campaign."}},
    {
        "match": {"userMessage": "Rename it.", "hasToolResult": False},
        "response": {"toolCalls": [{"name": "list_campaigns", "arguments": json.dumps({"limit": "many"})}]},
    },
    {"match": {"userMessage": "Rename it.", "hasToolResult": True}, "response": {"content": "That did not fit."}},
    {"match": {"userMessage": "Cut?"}, "response": {"content": WORDS}, "truncateAfterChunks": 6, "latency": 20},
    {
        "match": {"userMessage": "Overloaded?"},
        "response": {"error": {"message": "Overloaded", "type": "overloaded_error"}, "status": 529},
    },
]


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; it takes a port of its own."""
    if not (NODE.exists() and AIMOCK.exists()):
        pytest.skip(f"no aimock in {INSTALLED}; .ci/run says how it is installed")
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}), encoding="utf-8")
    command = [str(NODE), str(AIMOCK), "--port", "0", "--fixtures", str(fixtures), "--strict"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        late = threading.Timer(START_SECONDS, process.kill)
        late.start()
        try:
            assert process.stdout is not None
            told = next((line for line in process.stdout if "listening on" in line), "")
            assert told, "aimock did not start"
            late.cancel()
            yield told.rpartition(" ")[2].strip()
        finally:
            late.cancel()
            process.kill()


@pytest.fixture
async def elsewhere(tmp_path: Path, aimock: str) -> AsyncIterator[Talk]:
    """A conversation whose model is theirs; the platform behind the tools is ours as always."""
    async with open_talk(tmp_path) as talk:
        talk.settings = replace(talk.settings, base_url=aimock)
        await talk.restart()
        yield talk


async def read_by(aimock: str, question: str) -> list[dict[str, Any]]:
    """The newest messages they took to be about this question, in the words of their own reading."""
    async with httpx2.AsyncClient(base_url=aimock) as http:
        journal = (await http.get("/__aimock/journal")).json()
    bodies = [entry["body"] for entry in journal if entry["path"] == "/v1/messages" and entry["body"].get("tools")]
    return [body for body in bodies if question in json.dumps(body["messages"])][-1]["messages"]  # type: ignore[no-any-return]  # JSON


def results(events: list[Event]) -> dict[str, str]:
    return {event.data["toolUseId"]: event.data["status"] for event in events if event.name == "tool_result"}


async def test_words_and_thoughts_stream_to_their_end(elsewhere: Talk) -> None:
    events = await elsewhere.ask("Hello?")

    assert names(events) == ["run_started", "thinking_delta", "text_delta", "usage", "done"]
    assert said(events) == WORDS
    assert first(events, "thinking_delta") == {"text": "Somebody greets me."}
    assert first(events, "done") == {"stopReason": "end_turn"}


async def test_a_thought_is_given_back_in_the_next_turn_as_it_came(elsewhere: Talk, aimock: str) -> None:
    events = await elsewhere.ask("Hello?")
    again = await elsewhere.ask("Hello?", first(events, "run_started")["conversationId"])

    assert first(again, "done") == {"stopReason": "end_turn"}
    (thought, _), *_ = [
        json.loads(row.content)
        for row in await elsewhere.messages(first(events, "run_started")["conversationId"])
        if row.role == "assistant"
    ]
    assert thought == {
        "type": "thinking", "thinking": "Somebody greets me.", "signature": "aimock-placeholder-signature"
    }  # fmt: skip
    read = [message["role"] for message in await read_by(aimock, "Hello?")]
    assert read == ["system", "user", "assistant", "user"]


async def test_calls_side_by_side_run_and_their_results_are_read_as_such(elsewhere: Talk, aimock: str) -> None:
    events = await elsewhere.ask("Both?")

    asked = [event.data["toolUseId"] for event in events if event.name == "tool_use"]
    assert [event.data["name"] for event in events if event.name == "tool_use"] == ["whoami", "list_campaigns"]
    assert results(events) == dict.fromkeys(asked, "ok")
    assert said(events) == "I look at both.You, and one campaign."
    read = [message for message in await read_by(aimock, "Both?") if message["role"] == "tool"]
    assert [message["tool_call_id"] for message in read] == asked
    (campaign,) = json.loads(read[1]["content"])["untrusted"]["items"]
    assert campaign["campaign_id"] in {each["campaign_id"] for each in await elsewhere.world.campaigns()}


async def test_what_does_not_fit_a_tool_is_told_to_the_model(elsewhere: Talk, aimock: str) -> None:
    events = await elsewhere.ask("Rename it.")

    assert set(results(events).values()) == {"error"}
    (read,) = [message for message in await read_by(aimock, "Rename it.") if message["role"] == "tool"]
    assert json.loads(read["content"])["code"] == "invalid_arguments"
    assert said(events) == "That did not fit."


async def test_a_stream_cut_in_the_middle_keeps_what_was_said_and_is_told(elsewhere: Talk) -> None:
    events = await elsewhere.ask("Cut?")

    assert names(events)[-3:] == ["error", "usage", "done"]
    assert first(events, "error")["code"] == "unavailable"
    assert said(events)
    assert WORDS.startswith(said(events))
    assert first(events, "done") == {"stopReason": "error"}


async def test_an_overloaded_model_is_told_in_our_own_words(elsewhere: Talk) -> None:
    error = first(await elsewhere.ask("Overloaded?"), "error")

    assert error["code"] == "unavailable"
    assert error["fix"]
