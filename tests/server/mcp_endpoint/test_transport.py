"""Who is let in, how much is read, and what each era gets."""

import asyncio
from typing import Any

import pytest

from server.mcp_endpoint.transport import BODY_LIMIT
from tests.server.mcp_endpoint.kit import Kit, principal, seen
from tests.server.mcp_endpoint.rpc import Rpc, events

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
ASKED: dict[str, Any] = {"elicitation": {"url": {}}}


async def opened(rpc: Rpc) -> str:
    """The id of the session a client that can be asked is given."""
    params = {"protocolVersion": LEGACY, "capabilities": ASKED, "clientInfo": {"name": "asked", "version": "1"}}
    answer = await rpc.post("initialize", params)
    session: str = answer.headers["mcp-session-id"]
    await rpc.http.post(
        "/mcp",
        json={"jsonrpc": "2.0", "method": "notifications/initialized"},
        headers={"mcp-session-id": session, "mcp-protocol-version": LEGACY},
    )
    return session


@pytest.mark.parametrize("version", [LEGACY, MODERN])
async def test_without_a_credential_nothing_is_answered_but_how_to_get_in(kit: Kit, version: str) -> None:
    rpc = kit.rpc(version=version)
    del rpc.http.headers["authorization"]

    answer = await rpc.post("tools/list")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="adwright"'
    assert answer.json()["code"] == "missing_authorization"
    assert answer.json()["meta"] == {"request_id": answer.headers["x-request-id"]}


async def test_a_key_nobody_made_is_told_apart_from_none(kit: Kit) -> None:
    answer = await kit.rpc("made up").post("tools/list")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_api_key")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_key_that_acts_without_asking_is_refused(kit: Kit) -> None:
    answer = await kit.rpc("direct").post("tools/list")

    assert (answer.status_code, answer.json()["code"]) == (403, "direct_key_refused")


async def test_a_foreign_page_and_a_foreign_host_are_refused_before_anything_else(kit: Kit) -> None:
    rpc = kit.rpc("made up")

    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        answer = await rpc.post("tools/list", None, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
async def test_only_posts_are_served_outside_a_session(kit: Kit, method: str) -> None:
    answer = await kit.http().request(method, "/mcp")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_message_of_a_mebibyte_is_read_and_a_larger_one_is_not(kit: Kit) -> None:
    http = kit.http()
    headers = {"content-type": "application/json", "mcp-protocol-version": LEGACY}

    read = await http.post("/mcp", content=b" " * BODY_LIMIT, headers=headers)
    refused = await http.post("/mcp", content=b" " * (BODY_LIMIT + 1), headers=headers)

    async def unannounced() -> Any:
        for _ in range(20):
            yield b" " * (BODY_LIMIT // 10)

    streamed = await http.post("/mcp", content=unannounced(), headers=headers)

    assert read.status_code == 400  # read, and found to be no JSON
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert streamed.status_code == 413


async def test_a_client_that_cannot_be_asked_gets_no_session(kit: Kit) -> None:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}

    answer = await kit.rpc(version=LEGACY).post("initialize", params)

    assert "mcp-session-id" not in answer.headers
    assert answer.json()["result"]["serverInfo"] == {"name": "adwright", "title": "Adwright", "version": "0.0.test"}


async def test_a_session_belongs_to_the_key_that_opened_it(kit: Kit) -> None:
    session = await opened(kit.rpc(version=LEGACY))

    mine = await kit.rpc(version=LEGACY).post("tools/list", mcp_session_id=session)
    theirs = await kit.rpc("other", version=LEGACY).post("tools/list", mcp_session_id=session)

    assert mine.status_code == 200
    assert theirs.status_code == 404


async def test_a_key_revoked_since_is_refused_within_its_own_session(kit: Kit) -> None:
    rpc = kit.rpc(version=LEGACY)
    session = await opened(rpc)
    del kit.keys["all"]

    answer = await rpc.post("tools/list", mcp_session_id=session)

    assert answer.status_code == 401


async def test_a_key_that_lost_a_scope_sees_less_within_its_own_session(kit: Kit) -> None:
    rpc = kit.rpc(version=LEGACY)
    session = await opened(rpc)
    kit.keys["all"] = principal(scopes=frozenset())

    answer = await rpc.post("tools/list", mcp_session_id=session)

    names = [tool["name"] for tool in list(events(answer.text))[-1]["result"]["tools"]]
    assert names == ["take_steps", "break_down", "whoami"]


async def test_an_ended_session_is_not_found(kit: Kit) -> None:
    rpc = kit.rpc(version=LEGACY)
    session = await opened(rpc)

    ended = await rpc.http.delete("/mcp", headers={"mcp-session-id": session, "mcp-protocol-version": LEGACY})
    after = await rpc.post("tools/list", mcp_session_id=session)

    assert (ended.status_code, after.status_code) == (200, 404)


async def test_a_modern_message_under_a_legacy_header_is_served(kit: Kit) -> None:
    result = await kit.rpc().result(
        "tools/call", {"name": "whoami"}, mcp_protocol_version=LEGACY, mcp_method="", mcp_name=""
    )

    assert result["structuredContent"] == {"name": "key of a test", "client": "test client"}
    assert result["resultType"] == "complete"


async def test_a_modern_message_without_a_version_header_is_a_mismatch(kit: Kit) -> None:
    answer = await kit.rpc().post("tools/list", mcp_protocol_version="")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"mcp_method": "tools/call"}, -32020),
        ({"mcp_method": ""}, -32020),
        ({"mcp_protocol_version": "2099-01-01"}, -32020),
    ],
)
async def test_headers_that_contradict_the_body_are_a_mismatch(kit: Kit, headers: dict[str, str], code: int) -> None:
    answer = await kit.rpc().post("tools/list", None, **headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": 1}',
        b'{"a": 1e400}',
        b'"\\ud800"',
    ],
    ids=["empty", "cut", "not utf-8", "batch", "null", "deep", "no method", "huge number", "lone surrogate"],
)
@pytest.mark.parametrize("version", [LEGACY, MODERN])
async def test_what_is_no_message_is_a_bad_request_and_nothing_worse(kit: Kit, body: bytes, version: str) -> None:
    headers = {"content-type": "application/json", "mcp-protocol-version": version}

    answer = await kit.http().post("/mcp", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32700, -32600, -32602)


@pytest.mark.parametrize("version", [LEGACY, MODERN])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "with progress"])
async def test_a_client_that_goes_away_ends_its_call(url: str, kit: Kit, version: str, plain: bool) -> None:
    more: dict[str, Any] = {} if plain else {"_meta": {"progressToken": "p"}}

    async with kit.http(network=True) as http:
        rpc = Rpc(http, version=version, path=url)
        calling = asyncio.create_task(rpc.call("take_steps", {"name": "abandoned", "forever": True}, **more))
        await asyncio.wait_for(seen.started.get(), 30)
        calling.cancel()

        assert await asyncio.wait_for(seen.cancelled.get(), 30) == "abandoned"
        with pytest.raises(asyncio.CancelledError):
            await calling


@pytest.mark.parametrize("place", ["arguments", "_meta"])
async def test_a_message_nested_too_deep_is_refused_in_words(kit: Kit, place: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": [deep]}

    answer = await kit.rpc(version=LEGACY).post("tools/call", {"name": "whoami", place: deep})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "nested deeper than 64 levels" in answer.json()["message"]
