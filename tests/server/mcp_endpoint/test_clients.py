"""Clients that are not ours, over a real socket: what they get is what the protocol promises them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import fastmcp
import pytest
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent

from tests.server.mcp_endpoint.kit import Kit, seen

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@contextlib.asynccontextmanager
async def connected(kit: Kit, url: str, mode: Any, **options: Any) -> AsyncIterator[Client]:
    async with (
        kit.http(network=True) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **options) as client,
    ):
        yield client


def foreign(url: str, mode: Any, **options: Any) -> "fastmcp.Client[StreamableHttpTransport]":
    return fastmcp.Client(StreamableHttpTransport(url, auth="all"), mode=mode, **options)


@both_eras
async def test_the_sdks_client_lists_calls_and_reads(kit: Kit, url: str, mode: str) -> None:
    async with connected(kit, url, mode) as client:
        tools = await client.list_tools()
        result = await client.call_tool("list_rows", {"limit": 1})
        prompts = await client.list_prompts()
        prompt = await client.get_prompt("plan_budget_change", {"goal": "sell more"})
        resource = await client.read_resource("adwright://metrics")

    assert [tool.name for tool in tools.tools][:2] == ["list_rows", "set_budget"]
    assert result.structured_content is not None
    assert result.structured_content["items"][0]["campaign_id"] == "c0"
    assert not result.is_error
    assert len(prompts.prompts) == 3
    assert isinstance(prompt.messages[0].content, TextContent)
    assert "The goal: sell more" in prompt.messages[0].content.text
    assert resource.contents[0].mime_type == "text/markdown"


@both_eras
async def test_the_sdks_client_sees_refusals_as_results_and_unknown_names_as_errors(
    kit: Kit, url: str, mode: str
) -> None:
    async with connected(kit, url, mode) as client:
        refused = await client.call_tool("list_rows", {"limit": 0})
        pending = await client.call_tool("set_budget", {"campaign_id": "c1", "daily_budget": 5})
        for unknown in (
            client.call_tool("no_such_tool", {}),
            client.get_prompt("no_such_prompt"),
            client.get_prompt("plan_budget_change"),
            client.read_resource("adwright://nowhere"),
        ):
            with pytest.raises(MCPError) as error:
                await unknown
            assert error.value.error.code == -32602

    assert refused.is_error
    assert refused.structured_content is not None
    assert refused.structured_content["code"] == "invalid_arguments"
    assert pending.is_error
    assert pending.structured_content is not None
    assert pending.structured_content["code"] == "confirm_required"


@both_eras
async def test_progress_arrives_in_order_before_the_result(kit: Kit, url: str, mode: str) -> None:
    steps: list[tuple[float, float | None, str | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total, message))

    async with connected(kit, url, mode) as client:
        result = await client.call_tool("take_steps", {"name": "x", "steps": 3}, progress_callback=told)

    assert not result.is_error
    assert steps == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


@pytest.mark.parametrize(("mode", "asked"), [("auto", False), ("auto", True), ("legacy", True)])
async def test_a_call_its_client_gives_up_is_cancelled(kit: Kit, url: str, mode: str, asked: bool) -> None:
    """A handshake-era client without a session says so in another request that nothing ties to the first: there only
    its going away ends a call, which test_transport holds."""

    async def never(_: Any, __: Any) -> Any:
        raise AssertionError("nothing is to be asked")

    options: dict[str, Any] = {"elicitation_callback": never} if asked else {}
    async with connected(kit, url, mode, **options) as client:
        calling = asyncio.create_task(client.call_tool("take_steps", {"name": "given up", "forever": True}))
        await asyncio.wait_for(seen.started.get(), 30)
        calling.cancel()

        assert await asyncio.wait_for(seen.cancelled.get(), 30) == "given up"
        with contextlib.suppress(asyncio.CancelledError):
            await calling


@both_eras
async def test_fastmcps_client_lists_calls_and_is_refused(url: str, mode: str) -> None:
    async with foreign(url, mode) as client:
        tools = await client.list_tools()
        result = await client.call_tool("list_rows", {"limit": 2})
        refused = await client.call_tool("list_rows", {"limit": 0}, raise_on_error=False)
        with pytest.raises(ToolError, match="confirm_required"):
            await client.call_tool("set_budget", {"campaign_id": "c1", "daily_budget": 5})

    assert len(tools) == 6
    assert result.structured_content is not None
    assert len(result.structured_content["items"]) == 2
    assert refused.is_error


@both_eras
async def test_a_toolset_and_a_read_only_endpoint_are_clients_worlds_of_their_own(
    kit: Kit, url: str, mode: str
) -> None:
    async with connected(kit, f"{url}/x/ads", mode) as client:
        ads = [tool.name for tool in (await client.list_tools()).tools]
    async with connected(kit, f"{url}/readonly", mode) as client:
        reads = [tool.name for tool in (await client.list_tools()).tools]

    assert ads == ["list_rows", "set_budget"]
    assert "set_budget" not in reads
