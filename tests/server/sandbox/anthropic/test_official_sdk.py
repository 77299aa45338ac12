"""The official SDK judges the stand-in: what it streams, what it makes of a fault, what it caches in a tool loop."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import pytest
import uvicorn
from anthropic.types import Message

from server.sandbox.app import create_app
from tests.server.sandbox.anthropic.api import SONNET, call, result, text, tool

TOOLS: Any = [tool(f"list_{number:02}", "Reads something worth reading. " * 8) for number in range(20)]
SYSTEM: Any = [
    {"type": "text", "text": "You operate ad accounts. " * 80, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
]


@dataclass
class Live:
    sdk: anthropic.AsyncAnthropic
    http: httpx2.AsyncClient

    async def script(self, *turns: dict[str, Any]) -> None:
        assert (await self.http.post("/anthropic/script", json={"turns": turns})).status_code == 201

    async def fault(self, kind: str, **more: Any) -> None:
        added = await self.http.post("/faults", json={"target": "anthropic", "kind": kind, **more})
        assert added.status_code == 201, added.text

    async def requests(self) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = (await self.http.get("/anthropic/requests")).json()
        return seen

    async def stream(self, messages: Any = (), **more: Any) -> Message:
        messages = messages or [{"role": "user", "content": "How is it going?"}]
        async with self.sdk.messages.stream(
            model=SONNET, max_tokens=1000, messages=messages, tools=TOOLS, **more
        ) as stream:
            return await stream.get_final_message()


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(), log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        known = (await http.get("/")).json()["anthropic"]
        async with anthropic.AsyncAnthropic(base_url=known["url"], api_key=known["api_key"], max_retries=0) as sdk:
            yield Live(sdk, http)
    server.should_exit = True
    await serving
    listener.close()


CITATION = {
    "type": "char_location", "cited_text": "Well", "document_index": 0, "document_title": None, "start_char_index": 0,
    "end_char_index": 4, "file_id": None,
}  # fmt: skip
EVERYTHING = {
    "blocks": [
        {"type": "thinking", "thinking": "Let me see what there is to see here."},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        text("Well, it goes well: „grün“ ✓.", citations=[CITATION]),
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "ads"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        call("toolu_1", "list_01", limit=5, name='Ünïcode | "quoted"'),
        call("toolu_2", "list_02"),
    ]
}


async def test_every_kind_of_block_streams_to_what_is_answered_at_once(live: Live) -> None:
    await live.script(EVERYTHING, EVERYTHING)
    thinking: Any = {"type": "adaptive", "display": "summarized"}

    streamed = await live.stream(thinking=thinking)
    whole = await live.sdk.messages.create(
        model=SONNET, max_tokens=1000, tools=TOOLS, thinking=thinking,
        messages=[{"role": "user", "content": "How is it going?"}],
    )  # fmt: skip

    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert [block.type for block in whole.content] == [block["type"] for block in EVERYTHING["blocks"]]
    assert streamed.stop_reason == whole.stop_reason == "tool_use"
    assert streamed.usage == whole.usage


async def test_events_come_in_the_order_that_the_api_promises(live: Live) -> None:
    await live.script({"blocks": [text("Well."), call("toolu_1", "list_01", limit=5)]})

    async with live.sdk.messages.stream(
        model=SONNET, max_tokens=100, tools=TOOLS, messages=[{"role": "user", "content": "x"}]
    ) as stream:
        assert (stream.request_id or "").startswith("req_")
    raw = await live.http.post(
        "/anthropic/v1/messages",
        json={"model": SONNET, "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]},
        headers={"x-api-key": str(live.sdk.api_key), "anthropic-version": "2026-10-21"},
    )
    events = [event.split("\n") for event in raw.text.strip().split("\n\n")]
    named = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]

    assert raw.headers["content-type"].startswith("text/event-stream")
    assert all(name == data["type"] for name, data in named)
    kinds = [name for name, _ in named]
    assert kinds[:4] == ["message_start", "ping", "content_block_start", "content_block_delta"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert named[0][1]["message"]["content"] == []
    assert named[0][1]["message"]["stop_reason"] is None


async def test_a_tool_loop_reads_nearly_everything_from_the_cache(live: Live) -> None:
    """Transcripts go through JSON between the calls, as they do through a database."""
    await live.script(
        {"blocks": [{"type": "thinking", "thinking": "First this."}, call("toolu_1", "list_01", limit=5)]},
        {"blocks": [call("toolu_2", "list_02"), call("toolu_3", "list_03")]},
        {"blocks": [{"type": "thinking", "thinking": "Enough."}, text("It goes well.")]},
        {"blocks": [text("You are welcome.")]},
    )  # fmt: skip
    messages: list[Any] = [{"role": "user", "content": "How is it going?"}]
    shares = []
    for _ in range(4):
        answer = await live.stream(messages, system=SYSTEM, cache_control={"type": "ephemeral"})
        usage = answer.usage
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        shares.append(read / (read + written + usage.input_tokens))
        results = [result(block.id, '{"spend": 123}') for block in answer.content if block.type == "tool_use"]
        messages.append({"role": "assistant", "content": [block.to_dict(mode="json") for block in answer.content]})
        messages.append({"role": "user", "content": results or "Thanks!"})
        messages = json.loads(json.dumps(messages))

    assert shares[0] == 0
    assert min(shares[1:]) >= 0.95

    reordered = await live.sdk.messages.create(
        model=SONNET, max_tokens=9, system=SYSTEM, tools=TOOLS[::-1], messages=messages[:1]
    )
    assert reordered.usage.cache_read_input_tokens == 0
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        await live.stream([{"role": "user", "content": "Edited."}, *messages[1:]], system=SYSTEM)


async def test_the_requests_seen_are_the_bytes_sent(live: Live) -> None:
    await live.stream()
    sent = b'{"model": "claude-sonnet-5-5",\n "max_tokens": 1.0, "messages": []}'
    await live.http.post("/anthropic/v1/messages", content=sent, headers={"x-api-key": str(live.sdk.api_key)})

    first, second = await live.requests()

    assert json.loads(first["text"])["tools"] == TOOLS
    assert (first["path"], first["status"], first["ended"]) == ("/v1/messages", 200, "complete")
    assert first["usage"]["output_tokens"] > 0
    assert (second["text"], second["status"]) == (sent.decode(), 400)


@pytest.mark.parametrize(
    ("kind", "error", "status", "type_"),
    [
        ("throttled", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("overloaded", anthropic.OverloadedError, 529, "overloaded_error"),
        ("server_error", anthropic.InternalServerError, 500, "api_error"),
        ("expired_token", anthropic.AuthenticationError, 401, "authentication_error"),
        ("html", anthropic.InternalServerError, 502, None),
        ("overloaded_mid", anthropic.APIStatusError, 200, "overloaded_error"),
        ("too_long", anthropic.BadRequestError, 400, "invalid_request_error"),
    ],
)
async def test_a_fault_is_the_error_that_the_sdk_knows(
    live: Live, kind: str, error: type[anthropic.APIStatusError], status: int, type_: str | None
) -> None:
    await live.fault(kind)

    with pytest.raises(error) as raised:
        await live.stream()

    assert (raised.value.status_code, raised.value.type) == (status, type_)
    assert (await live.stream()).stop_reason == "end_turn"


async def test_the_sdk_waits_and_asks_again_when_it_is_told_to(live: Live) -> None:
    await live.fault("throttled", retry_after=0)
    await live.fault("overloaded", retry_after=0)

    answer = await live.sdk.with_options(max_retries=2).messages.create(
        model=SONNET, max_tokens=100, messages=[{"role": "user", "content": "x"}]
    )

    assert answer.stop_reason == "end_turn"
    assert [each["status"] for each in await live.requests()] == [429, 529, 200]


async def test_a_dropped_connection_is_an_error_of_the_transport(live: Live) -> None:
    await live.fault("cut", times=2)

    with pytest.raises(httpx2.RemoteProtocolError):
        await live.stream()
    with pytest.raises((anthropic.APIConnectionError, httpx2.TransportError)):
        await live.sdk.messages.create(model=SONNET, max_tokens=9, messages=[{"role": "user", "content": "x"}])


async def test_a_stream_may_fall_silent_and_stay_open(live: Live) -> None:
    await live.script({"blocks": [text("A sentence that is not going to end. " * 5)]})
    await live.fault("silent", seconds=600)

    with pytest.raises(httpx2.ReadTimeout):
        async with live.sdk.messages.stream(
            model=SONNET, max_tokens=1000, messages=[{"role": "user", "content": "x"}],
            tools=TOOLS, timeout=httpx2.Timeout(5, read=0.2),
        ) as stream:  # fmt: skip
            async for _ in stream:
                pass


async def test_a_window_that_is_full_ends_the_answer_in_mid_sentence(live: Live) -> None:
    await live.script({"blocks": [text("A sentence that is not going to end.")]})
    await live.fault("context_window")

    answer = await live.stream()

    assert answer.stop_reason == "model_context_window_exceeded"
    assert [block.to_dict() for block in answer.content] == [text("A sentence that is")]


async def test_a_stream_that_ends_early_raises_nothing_and_says_no_reason(live: Live) -> None:
    await live.script({"blocks": [text("Well."), call("toolu_1", "list_01", limit=5)], "fault": {"kind": "truncated"}})

    answer = await live.stream()

    assert answer.stop_reason is None
    assert answer.content[1].to_dict()["input"] == {"limit": 5}


async def test_slow_tokens_come_one_by_one_and_a_client_may_leave(live: Live) -> None:
    await live.script({"blocks": [text("Slowly. " * 200)]})
    await live.fault("slow", seconds=600)

    async with live.sdk.messages.stream(
        model=SONNET, max_tokens=1000, tools=TOOLS, messages=[{"role": "user", "content": "x"}]
    ) as stream:
        async for event in stream:
            if event.type == "content_block_start":
                break
    async with asyncio.timeout(20):
        while (seen := (await live.requests())[0])["ended"] is None:
            pass

    assert (seen["status"], seen["ended"]) == (200, "aborted")


async def test_a_refusal_says_why_and_nothing_else(live: Live) -> None:
    await live.fault("refusal")

    answer = await live.stream()

    assert (answer.stop_reason, answer.content) == ("refusal", [])
    assert answer.stop_details is not None
    assert answer.stop_details.category == "general_harms"


async def test_tokens_run_out_within_a_tool_call(live: Live) -> None:
    await live.script({"blocks": [text("Well."), call("toolu_1", "list_01", limit=5, name="A long name indeed")]})
    await live.fault("max_tokens")

    answer = await live.stream()

    assert answer.stop_reason == "max_tokens"
    assert answer.content[1].type == "tool_use"
    assert "name" not in answer.content[1].input or answer.content[1].input["name"] != "A long name indeed"


async def test_a_block_may_look_whole_and_never_end(live: Live) -> None:
    block = call("toolu_1", "list_01") | {"json": '{"limit": 5}', "open": True}
    await live.script({"blocks": [block], "stop_reason": "max_tokens"})

    stops = 0
    async with live.sdk.messages.stream(
        model=SONNET, max_tokens=100, tools=TOOLS, messages=[{"role": "user", "content": "x"}]
    ) as stream:
        async for event in stream:
            stops += event.type == "content_block_stop"
        answer = await stream.get_final_message()

    assert stops == 0
    assert (answer.stop_reason, answer.content[0].to_dict()["input"]) == ("max_tokens", {"limit": 5})


async def test_calls_can_be_wrong_in_three_ways(live: Live) -> None:
    turn = {"blocks": [text("Well."), call("toolu_1", "list_01", limit=5)]}
    answers = {}
    for kind in ("invalid_arguments", "unknown_tool", "parallel"):
        await live.script({"blocks": [text("No call.")]}, turn)
        await live.fault(kind)
        assert [block.type for block in (await live.stream()).content] == ["text"]
        answers[kind] = [block for block in (await live.stream()).content if block.type == "tool_use"]

    assert [block.name for block in answers["invalid_arguments"]] == ["list_01"]
    assert "nonsense" in answers["invalid_arguments"][0].input
    assert answers["unknown_tool"][0].name not in {each["name"] for each in TOOLS}
    assert [block.name for block in answers["parallel"]] == ["list_01", "list_00", "list_02", "list_03"]


async def test_a_stop_sequence_ends_the_text(live: Live) -> None:
    await live.script({"blocks": [text("One, two, three."), call("toolu_1", "list_01")]})

    answer = await live.stream(stop_sequences=["three", "two"])

    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "two")
    assert [block.to_dict() for block in answer.content] == [text("One, ")]


async def test_text_is_cut_at_max_tokens(live: Live) -> None:
    answer = await live.sdk.messages.create(
        model=SONNET, max_tokens=3, thinking={"type": "disabled"}, messages=[{"role": "user", "content": "A" * 40}]
    )

    assert answer.stop_reason == "max_tokens"
    assert answer.content[0].to_dict() == text("A" * 12)
    assert answer.usage.output_tokens == 3


async def test_models_tell_their_lifecycle_limits_and_capabilities(live: Live) -> None:
    listed = {model.id: model async for model in live.sdk.models.list(limit=2)}

    assert len(listed) > 5
    opus = await live.sdk.models.retrieve("claude-opus-5-5")
    assert opus == listed["claude-opus-5-5"]
    assert (opus.lifecycle, opus.max_input_tokens, opus.max_tokens) == ("active", 1_000_000, 128_000)
    assert opus.capabilities is not None
    assert opus.capabilities.thinking.types.adaptive.supported
    assert not opus.capabilities.thinking.types.disabled.supported
    assert listed["claude-sonnet-4-5"].lifecycle == "deprecated"
    with pytest.raises(anthropic.NotFoundError):
        await live.sdk.models.retrieve("claude-2")


async def test_counting_agrees_with_what_is_billed(live: Live) -> None:
    messages: Any = [{"role": "user", "content": "How is it going?"}]

    counted = await live.sdk.messages.count_tokens(model=SONNET, messages=messages, tools=TOOLS, system=SYSTEM)
    usage = (await live.stream(messages, system=SYSTEM)).usage

    billed = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0) + usage.input_tokens
    assert counted.input_tokens == billed


async def test_threads_are_refused_by_the_code_that_the_sdk_falls_back_on(live: Live) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        await live.stream(extra_body={"thread": {"type": "create"}})

    assert getattr(raised.value.details, "error_code", None) == "thread_unsupported_request"
