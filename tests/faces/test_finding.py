"""What the MCP surface does not list: reached through four tools, answered and logged as under its own name."""

from typing import Any

import pytest

from tests.app import Caller, Product
from tests.faces.faces import CLIENT, Answer, mcp_handshake, mcp_modern, modern, rest
from tests.promises import promise

MCP = pytest.mark.parametrize("call", [mcp_modern, mcp_handshake], ids=["modern", "handshake"])
SIGNUP = {"name": "Signup", "selector": "event:signup"}


@pytest.fixture
async def person(product: Product) -> Caller:
    person = await product.person()
    await person.data("POST", "/pixel/websites", {"domain": "shop.example.com"})
    return person


async def through(call: Any, caller: Caller, tool: str, name: str, arguments: dict[str, Any], **more: Any) -> Answer:
    answer: Answer = await call(caller, tool, {"name": name, "arguments": arguments}, **more)
    return answer


async def last(product: Product) -> tuple[str, str]:
    row = (await product.audit_rows())[-1]
    return row["action"], row["status"]


async def test_the_default_surface_lists_the_four_and_a_whole_toolset_needs_none(product: Product) -> None:
    key = await product.key()

    listed = {tool["name"]: tool for tool in (await modern(key.http, "tools/list", {}))["result"]["tools"]}

    assert len(listed) <= 25
    assert "list_goals" not in listed
    read, write = listed["call_read"]["annotations"], listed["call_write"]["annotations"]
    assert (read["readOnlyHint"], read["destructiveHint"]) == (True, False)
    assert (write["readOnlyHint"], write["destructiveHint"], write["idempotentHint"]) == (False, True, False)
    assert listed["find_capability"]["annotations"]["openWorldHint"] is False
    everyone = {tool["inputSchema"]["type"] for tool in listed.values()} | {
        tool["outputSchema"]["type"] for tool in listed.values()
    }
    assert everyone == {"object"}


@MCP
@promise("dev.overview.one-surface")
async def test_what_is_found_is_described_and_read(product: Product, person: Caller, call: Any) -> None:
    await person.data("POST", "/pixel/goals", SIGNUP)
    key = await product.key()

    found = await call(key, "find_capability", {"query": "goals"})
    described = await call(key, "describe_capability", {"name": "list_goals"})
    rows = len(await product.audit_rows())
    answer = await through(call, key, "call_read", "list_goals", {"limit": 5})

    assert {"list_goals", "create_goal"} <= {hit["name"] for hit in found.data["items"]}
    assert described.data["input_schema"]["properties"]["limit"]["maximum"] == 1000
    assert answer.data == (await rest(key, "list_goals", {"limit": 5})).data
    (through_mcp, directly) = (await product.audit_rows())[rows:]
    assert (through_mcp["action"], through_mcp["payload"]) == (directly["action"], directly["payload"])


@MCP
async def test_a_change_is_proposed_as_under_its_own_name(product: Product, person: Caller, call: Any) -> None:
    key = await product.key()

    proposed = await through(call, key, "call_write", "create_goal", SIGNUP)
    again = await call(key, "create_goal", SIGNUP)

    approval = proposed.data["approval"]
    assert (proposed.kind, approval["capability"], approval["arguments"]) == ("proposed", "create_goal", SIGNUP)
    assert again.data["approval"]["id"] == approval["id"]
    assert await last(product) == ("create_goal", "confirm_required")
    assert await person.data("GET", "/pixel/goals") == []
    await person.data("POST", f"/approvals/{approval['id']}/approve", {})
    assert [goal["name"] for goal in await person.data("GET", "/pixel/goals")] == ["Signup"]


@MCP
async def test_an_idempotency_key_holds_the_targets_call(product: Product, call: Any) -> None:
    key, person = await product.key(), await product.person()
    await person.data("POST", "/pixel/websites", {"domain": "shop.example.com"})

    first = await through(call, key, "call_write", "create_goal", SIGNUP, once="k1")
    replayed = await through(call, key, "call_write", "create_goal", SIGNUP, once="k1")
    directly = await call(key, "create_goal", SIGNUP, once="k1")

    assert first.data["approval"]["id"] == replayed.data["approval"]["id"] == directly.data["approval"]["id"]
    assert (first.replayed, replayed.replayed, directly.replayed) == (False, True, True)


@MCP
@pytest.mark.parametrize(
    ("tool", "sent", "code"),
    [
        ("call_read", {"name": "create_goal", "arguments": SIGNUP}, "invalid_arguments"),
        ("call_write", {"name": "list_goals", "arguments": {}}, "invalid_arguments"),
        ("call_write", {"name": "create_share_link", "arguments": {"name": "Board"}}, "not_found"),
        ("call_write", {"name": "approve", "arguments": {"approval_id": "apr_1"}}, "not_found"),
        ("call_read", {"name": "call_read", "arguments": {}}, "not_found"),
        ("call_read", {}, "invalid_arguments"),
        ("call_read", {"name": "list_goals", "limit": 5}, "invalid_arguments"),
        ("call_read", {"name": "list_goals", "arguments": [1]}, "invalid_arguments"),
        ("describe_capability", {"name": "nothing"}, "not_found"),
        ("find_capability", {"query": 7}, "invalid_arguments"),
        ("find_capability", {"query": "x" * 201}, "invalid_arguments"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_call_is_refused_with_what_to_do_and_reaches_no_door(
    shared: Product, call: Any, tool: str, sent: dict[str, Any], code: str
) -> None:
    key, person = await shared.key(), await shared.person()
    rows = len(await shared.audit_rows())

    answer = await call(key, tool, sent)

    assert (answer.kind, answer.code) == ("refused", code)
    assert answer.data["fix"]
    assert answer.data["meta"]["request_id"].startswith("req_")
    assert len(await shared.audit_rows()) == rows
    assert await person.data("GET", "/approvals") == []


async def test_a_targets_own_refusals_are_the_doors(product: Product, person: Caller) -> None:
    key, reader = await product.key(), await product.key(["pixel:read"])
    goal = await person.data("POST", "/pixel/goals", SIGNUP)

    unfit = await through(mcp_modern, key, "call_read", "list_goals", {"limit": 0, "colour": "red"})
    assert {problem["field"] for problem in unfit.data["details"]["problems"]} == {"limit", "colour"}
    assert await last(product) == ("list_goals", "invalid_arguments")
    lacking = await through(mcp_modern, reader, "call_write", "delete_goal", {"goal_id": goal["id"]})
    assert (lacking.code, lacking.data["details"]["required"]) == ("insufficient_scope", "pixel:write")
    assert await last(product) == ("delete_goal", "insufficient_scope")


async def test_a_reading_surface_has_no_way_to_change_anything(product: Product, person: Caller) -> None:
    key, headers = await product.key(), {"mcp-protocol-version": "2025-11-25", "accept": "application/json"}

    async def asked(method: str, params: dict[str, Any]) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answered: dict[str, Any] = (await key.http.post("/mcp/readonly", json=message, headers=headers)).json()
        return answered

    opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    await asked("initialize", opening)
    listed = {tool["name"] for tool in (await asked("tools/list", {}))["result"]["tools"]}
    named = {"name": "create_goal", "arguments": SIGNUP}
    refused = await asked("tools/call", {"name": "call_write", "arguments": named})
    through_reading = await asked("tools/call", {"name": "call_read", "arguments": named})

    assert "call_write" not in listed
    assert "call_read" in listed
    assert refused["error"]["code"] == -32602
    assert through_reading["result"]["structuredContent"]["code"] == "not_found"
    assert await person.data("GET", "/approvals") == []
