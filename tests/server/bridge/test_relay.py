"""What a client of the bridge gets, with a server behind it that is slow, gone, new or broken."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from server.bridge.confirming import Confirming
from server.bridge.relay import Relay
from server.bridge.snapshot import Snapshot
from server.bridge.upstream import Server
from tests.server.bridge.wire import Answer, Request, Wire, listening
from tools.errors import Unavailable

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
KNOWN = {
    "initialize": {"2025-06-18": {"protocolVersion": "2025-06-18"}, "2025-11-25": {"protocolVersion": "2025-11-25"}},
    "handshake": {"prompts/list": {"prompts": []}, "tools/list": {"all": {"tools": []}}},
    "modern": {
        "server/discover": {"supportedVersions": ["2026-07-28"]},
        "tools/list": {"all": {"tools": [{"name": "look", "annotations": {"readOnlyHint": True}}]}},
    },
}


class Restartable:
    """An upstream whose server can be replaced; without one, nobody is there yet."""

    def __init__(self, url: str | None) -> None:
        self.server = Server(url, "token", local=True) if url else None
        self.next: Server | None = None
        self.there = asyncio.Event()

    async def ready(self) -> Server:
        if self.server is None:
            await self.there.wait()
        if self.server is None:
            raise Unavailable("It could not start.", fix="See the log.")
        return self.server

    def lost(self, server: Server) -> bool:
        if self.server is server:
            server.http.close()
            self.server = self.next
        return self.server is not None

    def close(self) -> None:
        if self.server:
            self.server.http.close()


class Client:
    """The far side of stdio."""

    def __init__(self, upstream: Restartable, *, discovers: bool = True) -> None:
        self.upstream = upstream
        self._received: asyncio.Queue[bytes] = asyncio.Queue()
        self.relay = Relay(
            upstream, self._received.put_nowait, path="/mcp", headers={"x-adwright-workspace": "w"},
            snapshot=Snapshot(KNOWN, "all"), discovers=discovers, confirming=Confirming(enabled=False),
        )  # fmt: skip

    def send(self, method: str, id_: Any = None, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": id_} if id_ is not None else {})
        self.relay.receive(json.dumps(message).encode())

    async def received(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self._received.get(), 30))
        return found

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self.send(method, 1, **params)
        return await self.received()

    async def nothing_more(self) -> None:
        await asyncio.sleep(0)
        assert self._received.empty()


@contextlib.asynccontextmanager
async def bridged(answer: Answer, *, discovers: bool = True) -> AsyncIterator[tuple[Client, Wire]]:
    async with listening(answer) as wire:
        client = Client(Restartable(wire.url), discovers=discovers)
        try:
            yield client, wire
        finally:
            await client.relay.close()
            client.upstream.close()


def handshaking(answer: Answer, session: Callable[[], str] = lambda: "s1") -> Answer:
    """A server that opens a session for whoever shakes hands."""

    async def handle(request: Request) -> None:
        if request.method != "POST":
            await request.answer(405)
        elif request.message.get("method") == "initialize":
            await request.result({"protocolVersion": "2025-11-25"}, mcp_session_id=session())
        elif request.message.get("method") == "notifications/initialized":
            await request.answer(202)
        else:
            await answer(request)

    return handle


async def echo(request: Request) -> None:
    await request.result({"echo": request.message["params"]})


async def test_discovery_does_not_wait_for_the_server() -> None:
    client = Client(Restartable(None))
    assert (await client.ask("initialize", protocolVersion="2025-06-18"))["result"]["protocolVersion"] == "2025-06-18"
    assert (await client.ask("initialize", protocolVersion="1999-01-01"))["result"]["protocolVersion"] == "2025-11-25"
    client.send("notifications/initialized")
    assert (await client.ask("tools/list"))["result"] == {"tools": []}
    assert (await client.ask("ping"))["result"] == {}
    assert "supportedVersions" in (await client.ask("server/discover", _meta=META))["result"]
    await client.relay.close()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"3", -32600),
        (b'{"method":1}', -32600),
    ],
)
async def test_a_line_that_is_no_message_is_answered_and_forgotten(line: bytes, code: int) -> None:
    client = Client(Restartable(None))
    client.relay.receive(line)
    answer = await client.received()
    assert (answer["error"]["code"], answer["id"]) == (code, None)
    assert (await client.ask("ping"))["result"] == {}


async def test_the_stateless_era_says_in_headers_what_is_in_the_body() -> None:
    async with bridged(echo) as (client, wire):
        await client.ask("tools/call", name="look", _meta=META)
        await client.ask("prompts/get", name="näme", _meta=META)
    first, second = (request.headers for request in wire.requests)
    assert first["mcp-protocol-version"] == "2026-07-28"
    assert (first["mcp-method"], first["mcp-name"]) == ("tools/call", "look")
    assert second["mcp-name"] == f"=?base64?{base64.b64encode('näme'.encode()).decode()}?="
    assert first["authorization"] == "Bearer token"
    assert first["x-adwright-workspace"] == "w"


async def test_the_handshake_is_replayed_before_the_first_call() -> None:
    async with bridged(handshaking(echo)) as (client, wire):
        await client.ask("initialize", protocolVersion="2025-11-25", capabilities={"elicitation": {}})
        answer = await client.ask("tools/call", name="look")
        assert answer["result"]["echo"] == {"name": "look"}
        posts = [request for request in wire.requests if request.method == "POST"]
    assert [request.message["method"] for request in posts] == ["initialize", "notifications/initialized", "tools/call"]
    assert posts[0].message["params"]["capabilities"] == {"elicitation": {}}
    assert posts[2].headers["mcp-session-id"] == "s1"
    assert posts[2].headers["mcp-protocol-version"] == "2025-11-25"


async def test_a_session_is_given_back_when_the_client_leaves() -> None:
    async with listening(handshaking(echo)) as wire:
        client = Client(Restartable(wire.url))
        await client.ask("initialize", protocolVersion="2025-11-25")
        await client.ask("tools/call", name="look")
        await client.relay.close()
        client.upstream.close()
        assert wire.requests[-1].method == "DELETE"
        assert wire.requests[-1].headers["mcp-session-id"] == "s1"


async def test_a_stream_carries_progress_questions_and_their_answers() -> None:
    answered = asyncio.Event()

    async def asking(request: Request) -> None:
        if "method" not in request.message:
            answered.set()
            await request.answer(202)
            return
        await request.stream()
        await request.event({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}})
        await request.event({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": {}})
        await asyncio.wait_for(answered.wait(), 30)
        await request.event({"jsonrpc": "2.0", "id": request.message["id"], "result": {"done": True}})
        await request.end()

    async with bridged(handshaking(asking)) as (client, wire):
        await client.ask("initialize", protocolVersion="2025-11-25")
        client.send("tools/call", 7, name="act")
        assert (await client.received())["method"] == "notifications/progress"
        assert (await client.received())["method"] == "elicitation/create"
        client.relay.receive(b'{"jsonrpc":"2.0","id":"q1","result":{"action":"accept"}}')
        assert await client.received() == {"jsonrpc": "2.0", "id": 7, "result": {"done": True}}
        answer = next(request for request in wire.requests if b"accept" in request.body)
    assert answer.headers["mcp-session-id"] == "s1"


@pytest.mark.parametrize("modern", [True, False])
async def test_a_write_whose_answer_is_lost_is_unknown_and_not_sent_again(modern: bool) -> None:
    async def cut(request: Request) -> None:
        request.writer.close()

    async with bridged(cut) as (client, wire):
        answer = await client.ask("tools/call", name="act", **({"_meta": META} if modern else {}))
    told = answer["result"]
    assert told["isError"] is True
    assert told["structuredContent"]["code"] == "unavailable"
    assert told["structuredContent"]["details"] == {"outcome": "unknown"}
    assert json.loads(told["content"][0]["text"]) == told["structuredContent"]
    assert ("resultType" in told) is modern
    assert len(wire.requests) == 1


async def test_a_read_whose_answer_is_lost_may_be_repeated() -> None:
    async def cut(request: Request) -> None:
        await request.stream()
        await request.end()

    async with bridged(cut) as (client, wire):
        told = (await client.ask("tools/call", name="look"))["result"]["structuredContent"]
    assert "details" not in told
    assert told["fix"] == "Call it again."
    assert len(wire.requests) == 1


async def test_what_is_not_a_tool_fails_as_json_rpc() -> None:
    async def cut(request: Request) -> None:
        request.writer.close()

    async with bridged(cut) as (client, _):
        answer = await client.ask("prompts/get", name="weekly")
    assert answer["error"]["data"]["code"] == "unavailable"


async def test_a_session_the_server_forgot_is_opened_anew() -> None:
    sessions = iter(["s1", "s2"])

    async def forgetful(request: Request) -> None:
        if request.headers.get("mcp-session-id") == "s1":
            await request.answer(404, {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "gone"}})
        else:
            await echo(request)

    async with bridged(handshaking(forgetful, lambda: next(sessions))) as (client, _):
        await client.ask("initialize", protocolVersion="2025-11-25")
        assert (await client.ask("tools/call", name="act"))["result"]["echo"] == {"name": "act"}


async def test_a_server_that_was_replaced_is_shaken_hands_with_again() -> None:
    async with listening(handshaking(echo, lambda: "new")) as second, bridged(handshaking(echo)) as (client, _):
        await client.ask("initialize", protocolVersion="2025-11-25")
        await client.ask("tools/call", name="look")
        client.upstream.next = Server(second.url, "other", local=True)
        assert client.upstream.server is not None
        client.upstream.lost(client.upstream.server)
        await client.ask("tools/call", name="look")
        assert [request.message["method"] for request in second.requests if request.method == "POST"] == [
            "initialize", "notifications/initialized", "tools/call",
        ]  # fmt: skip
        assert second.requests[0].headers["authorization"] == "Bearer other"


async def test_the_token_of_an_owner_that_left_is_exchanged() -> None:
    async def stale(request: Request) -> None:
        await request.answer(401, {"code": "invalid_api_key", "message": "no", "fix": "x"})

    async with listening(echo) as second, bridged(stale) as (client, first):
        client.upstream.next = Server(second.url, "new", local=True)
        assert "result" in await client.ask("tools/call", name="act")
        assert len(first.requests) == len(second.requests) == 1


async def test_a_server_that_cannot_start_says_so_to_each_call() -> None:
    client = Client(Restartable(None))
    client.upstream.there.set()
    told = (await client.ask("tools/call", name="act"))["result"]["structuredContent"]
    assert (told["code"], told["message"], told["fix"]) == ("unavailable", "It could not start.", "See the log.")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, {"code": "direct_key_refused", "message": "no", "fix": "another key"}, "direct_key_refused"),
        (502, b"<html>Bad gateway</html>", "unavailable"),
        (200, b"<html>\n<p>Sign in to this network</p>\n</html>", "unavailable"),
        (200, None, None),
    ],
)
async def test_a_refusal_is_told_in_the_one_error_shape(status: int, body: Any, code: str | None) -> None:
    async def refuse(request: Request) -> None:
        await (request.answer(status, body) if code else echo(request))

    async with bridged(refuse) as (client, _):
        told = (await client.ask("tools/call", name="act"))["result"]
    assert told.get("structuredContent", {}).get("code") == code


async def test_an_answer_of_several_lines_stays_one_line_for_the_client() -> None:
    async def pretty(request: Request) -> None:
        answer = {"jsonrpc": "2.0", "id": request.message["id"], "result": {"text": "two\nlines"}}
        await request.answer(200, json.dumps(answer, indent=2).encode())

    async with bridged(pretty) as (client, _):
        assert (await client.ask("tools/call", name="act"))["result"] == {"text": "two\nlines"}
        await client.nothing_more()


async def test_a_json_rpc_error_comes_under_the_clients_id() -> None:
    async def refuse(request: Request) -> None:
        await request.answer(400, {"jsonrpc": "2.0", "id": None, "error": {"code": -32020, "message": "mismatch"}})

    async with bridged(refuse) as (client, _):
        answer = await client.ask("tools/call", name="act", _meta=META)
    assert (answer["id"], answer["error"]["code"]) == (1, -32020)


async def test_cancelling_closes_the_call_and_answers_nothing() -> None:
    called, told, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def never(request: Request) -> None:
        if request.message.get("method") == "notifications/cancelled":
            told.set()
            await request.answer(202)
            return
        await request.stream()
        called.set()
        await request.gone.wait()
        gone.set()

    async with bridged(handshaking(never)) as (client, _):
        await client.ask("initialize", protocolVersion="2025-11-25")
        client.send("tools/call", 9, name="act")
        await asyncio.wait_for(called.wait(), 30)
        client.send("notifications/cancelled", requestId=9)
        await asyncio.wait_for(asyncio.gather(told.wait(), gone.wait()), 30)
        await client.nothing_more()


async def test_calls_do_not_wait_for_each_other() -> None:
    first_may_end = asyncio.Event()

    async def answer(request: Request) -> None:
        if request.message["id"] == 1:
            await asyncio.wait_for(first_may_end.wait(), 30)
        await echo(request)

    async with bridged(answer) as (client, _):
        client.send("tools/call", 1, name="look")
        client.send("tools/call", 2, name="look")
        assert (await client.received())["id"] == 2
        first_may_end.set()
        assert (await client.received())["id"] == 1


async def test_a_remote_server_answers_discovery_itself() -> None:
    async def answer(request: Request) -> None:
        if request.message.get("method") == "notifications/initialized":
            await request.answer(202)
        elif request.message.get("method") == "initialize":
            await request.result({"protocolVersion": "2025-11-25"}, mcp_session_id="r1")
        elif request.method == "POST":
            await request.result({"tools": [{"name": "theirs"}]})

    async with bridged(answer, discovers=False) as (client, wire):
        await client.ask("initialize", protocolVersion="2025-11-25")
        client.send("notifications/initialized")
        assert (await client.ask("tools/list"))["result"]["tools"] == [{"name": "theirs"}]
        posts = [request for request in wire.requests if request.method == "POST"]
    assert [request.message["method"] for request in posts] == ["initialize", "notifications/initialized", "tools/list"]
    assert posts[2].headers["mcp-session-id"] == "r1"


@pytest.mark.parametrize("modern", [True, False])
async def test_an_idempotency_key_reaches_the_server_and_its_mark_the_client(modern: bool) -> None:
    async def replayed(request: Request) -> None:
        await request.result({"_meta": {"idempotent_replayed": True}, "key": request.message["params"]["_meta"]})

    async with bridged(handshaking(replayed)) as (client, _):
        if not modern:
            await client.ask("initialize", protocolVersion="2025-11-25")
            client.send("notifications/initialized")
        meta = (META if modern else {}) | {"idempotency_key": "8e03978e"}
        answer = await client.ask("tools/call", name="pause", arguments={}, _meta=meta)
    assert answer["result"]["key"]["idempotency_key"] == "8e03978e"
    assert answer["result"]["_meta"]["idempotent_replayed"] is True
