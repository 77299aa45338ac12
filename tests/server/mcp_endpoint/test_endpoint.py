"""Several processes serve one workspace: what one began another ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from server.mcp_endpoint.endpoint import McpEndpoint
from tests.server.mcp_endpoint.kit import PUBLIC_URL, VERSION, Kit
from tests.server.mcp_endpoint.rpc import Rpc

CHANGE = {"campaign_id": "c1", "daily_budget": 20}
URL: dict[str, Any] = {"elicitation": {"url": {}}}
DECLINED = {"inputResponses": {"approval": {"action": "decline"}}}
OLD, NEW = b"o" * 32, b"n" * 32


@contextlib.asynccontextmanager
async def process(kit: Kit, keys: list[bytes], **options: Any) -> AsyncIterator[Rpc]:
    """A client of another process of the same installation."""
    endpoint = McpEndpoint(kit.door, kit.resolve, version=VERSION, public_url=PUBLIC_URL, state_keys=keys, **options)
    async with endpoint.run(), kit.http() as ours:
        transport = httpx2.ASGITransport(app=endpoint)
        async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=ours.headers) as http:
            yield Rpc(http, capabilities=URL)


@pytest.mark.parametrize("keys", [[OLD], [NEW, OLD]], ids=["same key", "rotated meanwhile"])
async def test_a_call_begun_in_one_process_ends_in_another(kit: Kit, keys: list[bytes]) -> None:
    async with process(kit, [OLD]) as first, process(kit, keys) as second:
        begun = await first.call("set_budget", CHANGE)

        ended = await second.call("set_budget", CHANGE, requestState=begun["requestState"], **DECLINED)

    assert ended["structuredContent"]["code"] == "confirm_required"


async def test_a_state_sealed_under_a_key_that_is_gone_is_refused(kit: Kit) -> None:
    async with process(kit, [OLD]) as first, process(kit, [NEW]) as second:
        begun = await first.call("set_budget", CHANGE)

        answer = await second.post(
            "tools/call", {"name": "set_budget", "arguments": CHANGE, "requestState": begun["requestState"]} | DECLINED
        )

    assert answer.json()["error"]["code"] == -32602


async def test_without_sessions_a_client_that_could_be_asked_gets_the_url_to_show(kit: Kit) -> None:
    async with process(kit, [OLD], sessions=False) as rpc:
        rpc.version = "2025-11-25"
        params = {"protocolVersion": rpc.version, "capabilities": URL, "clientInfo": {"name": "c", "version": "1"}}
        opened = await rpc.post("initialize", params)

        pending = await rpc.call("set_budget", CHANGE)

    assert "mcp-session-id" not in opened.headers
    assert pending["structuredContent"]["code"] == "confirm_required"


async def test_many_calls_at_once_are_each_answered_with_their_own(kit: Kit) -> None:
    async with process(kit, [OLD]) as rpc:
        answers = await asyncio.gather(*(rpc.call("list_rows", {"limit": 1 + n % 9}) for n in range(60)))

    assert [len(answer["structuredContent"]["items"]) for answer in answers] == [1 + n % 9 for n in range(60)]
