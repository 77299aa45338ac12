"""A call goes through the door, and whatever happens there is something a model can act on."""

from typing import Any

import orjson
import pytest

from tests.server.mcp_endpoint.kit import Kit, principal

VERSIONS = ["2025-06-18", "2025-11-25", "2026-07-28"]
PROGRESS: dict[str, Any] = {"_meta": {"progressToken": "p"}}  # takes the SDK's way instead of the fast one

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def body(result: dict[str, Any]) -> dict[str, Any]:
    """Our error body, which is structured content and text alike."""
    assert result["isError"] is True
    assert orjson.loads(result["content"][0]["text"]) == result["structuredContent"]
    found: dict[str, Any] = result["structuredContent"]
    return found


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_a_read_answers_structured_content_and_its_text(kit: Kit, version: str, more: dict[str, Any]) -> None:
    result = await kit.rpc(version=version).call("list_rows", {"limit": 1}, **more)

    row = {"campaign_id": "c0", "name": "üüüüüüüü", "daily_budget": 12.5}
    assert result["structuredContent"] == {"items": [row], "next_cursor": "more"}
    assert orjson.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert result["isError"] is False


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_wrong_arguments_are_named_field_by_field(kit: Kit, version: str, more: dict[str, Any]) -> None:
    refused = body(await kit.rpc(version=version).call("list_rows", {"limit": "many", "colour": 1}, **more))

    assert refused["code"] == "invalid_arguments"
    assert {problem["field"] for problem in refused["details"]["problems"]} == {"limit", "colour"}
    assert refused["fix"]


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_what_a_handler_lets_escape_is_reported_to_us_and_not_to_the_model(
    kit: Kit, version: str, more: dict[str, Any]
) -> None:
    refused = body(await kit.rpc(version=version).call("break_down", {"name": "x"}, **more))

    assert refused["code"] == "internal"
    assert "secret" not in str(refused)
    assert [str(error) for error in kit.reported] == ["secret of x"]


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_a_missing_scope_is_a_result_that_names_it(kit: Kit, version: str, more: dict[str, Any]) -> None:
    arguments = {"campaign_id": "c1", "daily_budget": 5}

    refused = body(await kit.rpc("reader", version=version).call("set_budget", arguments, **more))

    assert (refused["code"], refused["details"]["required"]) == ("insufficient_scope", "ads:write")


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_a_result_that_is_too_large_says_how_to_page(kit: Kit, version: str, more: dict[str, Any]) -> None:
    refused = body(await kit.rpc(version=version).call("list_rows", {"limit": 500, "padding": 1000}, **more))

    assert refused["code"] == "too_large"
    assert "limit" in refused["fix"]


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_a_change_by_a_client_that_cannot_be_asked_answers_confirm_required(
    kit: Kit, version: str, more: dict[str, Any]
) -> None:
    arguments = {"campaign_id": "c1", "daily_budget": 50}

    first = body(await kit.rpc(version=version).call("set_budget", arguments, **more))
    again = body(await kit.rpc(version=version).call("set_budget", arguments, **more))

    assert first["code"] == "confirm_required"
    assert first["approval"]["status"] == "pending"
    assert first["approval"]["id"] == again["approval"]["id"]
    assert first["approval"]["url"] in first["fix"]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/x/workspace", "/mcp/readonly"])
async def test_a_tool_that_is_not_on_the_surface_is_unknown(kit: Kit, version: str, path: str) -> None:
    name = "set_budget" if path != "/mcp" else "no_such_tool"

    answer = await kit.rpc(version=version, path=path).post("tools/call", {"name": name, "arguments": {}})

    assert answer.json()["error"]["code"] == -32602
    assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize("more", [{}, PROGRESS], ids=["fast", "sdk"])
async def test_an_answer_its_error_and_its_audit_row_carry_one_request_id(
    kit: Kit, version: str, more: dict[str, Any]
) -> None:
    answer = await kit.rpc(version=version).post("tools/call", {"name": "list_rows", "arguments": {"limit": 0}} | more)

    (row,) = await kit.logged()
    assert answer.headers["x-request-id"] == row.request_id
    assert row.request_id in answer.text


async def test_one_call_is_one_audit_row_whichever_way_it_went(kit: Kit, version: str) -> None:
    rpc = kit.rpc(version=version)
    await rpc.call("list_rows")
    await rpc.call("list_rows", None, **PROGRESS)
    await rpc.call("list_rows", {"limit": 0})

    rows = await kit.logged()

    assert [(row.action, row.status, row.via) for row in rows] == [
        ("list_rows", "ok", "mcp"), ("list_rows", "ok", "mcp"), ("list_rows", "invalid_arguments", "mcp"),
    ]  # fmt: skip


async def test_a_call_over_its_limit_is_told_when_to_come_back(kit: Kit, version: str) -> None:
    kit.keys["slow"] = principal(id="key_slow", rate=1)
    rpc = kit.rpc("slow", version=version)
    await rpc.call("whoami")

    refused = body(await rpc.call("whoami"))

    assert refused["code"] == "rate_limited"
    assert refused["retryAfter"] >= 1
