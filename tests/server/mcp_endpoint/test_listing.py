"""Which tools are seen by whom, and how they are described."""

import pytest

from server.mcp_endpoint.listing import Tools, described
from server.mcp_endpoint.surface import Caller, Surface
from tests.server.mcp_endpoint.kit import REGISTRY, Kit, list_rows, principal, set_budget, take_steps
from tools.authority import Scope
from tools.capability import Toolset
from tools.catalog import catalog

VERSIONS = ["2025-06-18", "2025-11-25", "2026-07-28"]


@pytest.mark.parametrize(
    ("key", "path", "names"),
    [
        ("all", "/mcp", ["list_rows", "set_budget", "take_steps", "break_down", "whoami", "list_connections"]),
        ("all", "/mcp/readonly", ["list_rows", "take_steps", "break_down", "whoami", "list_connections"]),
        ("all", "/mcp/x/ads", ["list_rows", "set_budget"]),
        ("all", "/mcp/x/approvals", []),
        ("reader", "/mcp", ["list_rows", "take_steps", "break_down", "whoami", "list_connections"]),
        ("reader", "/mcp/x/ads,approvals", ["list_rows"]),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_caller_sees_what_its_scopes_allow_of_the_surface_in_the_declared_order(
    kit: Kit, version: str, key: str, path: str, names: list[str]
) -> None:
    listed = await kit.rpc(key, version=version, path=path).result("tools/list")

    assert [tool["name"] for tool in listed["tools"]] == names


async def test_headers_choose_where_the_path_does_not(kit: Kit) -> None:
    listed = await kit.rpc().result("tools/list", None, x_mcp_toolsets="ads", x_mcp_readonly="true")

    assert [tool["name"] for tool in listed["tools"]] == ["list_rows"]


async def test_a_list_says_how_long_it_holds_and_for_whom(kit: Kit) -> None:
    listed = await kit.rpc().result("tools/list")

    assert (listed["ttlMs"], listed["cacheScope"], listed["resultType"]) == (300_000, "private", "complete")


def test_the_annotations_say_what_a_call_does() -> None:
    read, change, inner = (described(c).annotations for c in (list_rows, set_budget, take_steps))
    assert read is not None
    assert change is not None
    assert inner is not None
    assert (read.title, read.read_only_hint, read.destructive_hint, read.idempotent_hint) == (
        "List rows", True, False, True,
    )  # fmt: skip
    assert (change.read_only_hint, change.destructive_hint, change.idempotent_hint) == (False, False, True)
    assert (read.open_world_hint, inner.open_world_hint) == (True, False)


def test_every_tool_of_the_catalog_is_complete() -> None:
    for toolsets in ((), *((toolset,) for toolset in Toolset)):
        caller = Caller(principal(scopes=frozenset(Scope)), Surface(toolsets), "req_1")
        for tool in Tools(catalog).listed(caller).result.tools:
            assert tool.title
            assert tool.description
            assert tool.input_schema["type"] == "object"
            assert tool.output_schema is not None
            assert tool.output_schema["type"] == "object"
            assert tool.annotations is not None
            assert tool.annotations.title == tool.title


def test_a_schema_is_found_for_every_capability_and_for_nothing_else() -> None:
    tools = Tools(REGISTRY)

    assert tools.input_schema("list_rows") == described(list_rows).input_schema
    assert tools.input_schema("no_such_tool") is None


async def test_a_cursor_is_refused_as_there_is_one_page(kit: Kit) -> None:
    for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
        answer = await kit.rpc().post(method, {"cursor": "2"})
        assert answer.json()["error"]["code"] == -32602
