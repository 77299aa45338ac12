"""The two resources."""

import orjson
import pytest

from server.mcp_endpoint.workspace import METRICS, RESOURCES, WORKSPACE
from tests.server.mcp_endpoint.kit import Kit, principal

VERSIONS = ["2025-11-25", "2026-07-28"]
pytestmark = pytest.mark.parametrize("version", VERSIONS)


async def test_every_resource_listed_can_be_read(kit: Kit, version: str) -> None:
    rpc = kit.rpc(version=version)
    listed = (await rpc.result("resources/list"))["resources"]

    assert [resource["uri"] for resource in listed] == [resource.uri for resource in RESOURCES]
    for resource in listed:
        (content,) = (await rpc.result("resources/read", {"uri": resource["uri"]}))["contents"]
        assert (content["uri"], content["mimeType"]) == (resource["uri"], resource["mimeType"])
        assert content["text"]


async def test_the_metrics_are_defined_in_markdown(kit: Kit, version: str) -> None:
    (content,) = (await kit.rpc(version=version).result("resources/read", {"uri": METRICS}))["contents"]

    assert content["text"].startswith("# Metric definitions")


async def test_the_workspace_is_read_through_the_door(kit: Kit, version: str) -> None:
    (content,) = (await kit.rpc(version=version).result("resources/read", {"uri": WORKSPACE}))["contents"]

    assert orjson.loads(content["text"]).keys() == {"whoami", "connections"}
    assert [row.action for row in await kit.logged()] == ["whoami", "list_connections"]


async def test_without_the_scope_for_connections_the_workspace_says_who_one_is(kit: Kit, version: str) -> None:
    kit.keys["narrow"] = principal(id="key_narrow", scopes=frozenset())

    (content,) = (await kit.rpc("narrow", version=version).result("resources/read", {"uri": WORKSPACE}))["contents"]

    assert orjson.loads(content["text"]).keys() == {"whoami"}


async def test_a_refusal_of_the_door_carries_our_error_body(kit: Kit, version: str) -> None:
    kit.keys["slow"] = principal(id="key_slow", rate=1)

    answer = await kit.rpc("slow", version=version).post("resources/read", {"uri": WORKSPACE})

    assert answer.json()["error"]["data"]["code"] == "rate_limited"


async def test_a_resource_that_does_not_exist_is_named(kit: Kit, version: str) -> None:
    answer = await kit.rpc(version=version).post("resources/read", {"uri": "adwright://elsewhere"})

    assert answer.json()["error"]["code"] == -32602
    assert answer.json()["error"]["data"] == {"uri": "adwright://elsewhere"}
