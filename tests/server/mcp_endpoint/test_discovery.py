"""What a client learns before it does anything."""

import pytest

from server.mcp_endpoint.discovery import INSTRUCTIONS
from tests.server.mcp_endpoint.kit import Kit

LEGACY, MODERN = "2025-11-25", "2026-07-28"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"
BOTH = pytest.mark.parametrize("version", [LEGACY, MODERN])


async def test_a_modern_client_discovers_versions_capabilities_and_instructions(kit: Kit) -> None:
    found = await kit.rpc().result("server/discover")

    assert found["supportedVersions"] == [MODERN]
    assert found["capabilities"].keys() == {"tools", "prompts", "resources"}
    assert found["instructions"] == INSTRUCTIONS
    assert found["_meta"][SERVER_INFO] == {"name": "adwright", "title": "Adwright", "version": "0.0.test"}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY])
async def test_a_handshake_agrees_on_the_version_that_was_asked_for(kit: Kit, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}

    found = await kit.rpc(version="").result("initialize", params)

    assert found["protocolVersion"] == version
    assert found["instructions"] == INSTRUCTIONS


async def test_an_unknown_version_in_a_handshake_is_answered_with_the_newest_of_that_era(kit: Kit) -> None:
    params = {"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}

    assert (await kit.rpc(version="").result("initialize", params))["protocolVersion"] == LEGACY


async def test_the_instructions_are_short() -> None:
    assert len(INSTRUCTIONS) < 600


async def test_a_ping_is_answered_where_the_era_has_one(kit: Kit) -> None:
    gone = await kit.rpc().post("ping")

    assert await kit.rpc(version=LEGACY).result("ping") == {}
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, -32601)


@BOTH
async def test_a_prompt_is_filled_and_its_mistakes_are_named(kit: Kit, version: str) -> None:
    rpc = kit.rpc(version=version)

    filled = await rpc.result("prompts/get", {"name": "plan_budget_change", "arguments": {"goal": "sell"}})
    missing = await rpc.post("prompts/get", {"name": "plan_budget_change"})
    unknown = await rpc.post("prompts/get", {"name": "nothing"})

    assert filled["messages"][0]["content"]["text"].startswith("The goal: sell")
    assert missing.json()["error"] == {"code": -32602, "message": "plan_budget_change needs goal."}
    assert "weekly_review" in unknown.json()["error"]["message"]


@BOTH
async def test_there_are_no_resource_templates_and_asking_is_no_mistake(kit: Kit, version: str) -> None:
    assert (await kit.rpc(version=version).result("resources/templates/list"))["resourceTemplates"] == []
