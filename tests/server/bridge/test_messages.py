"""What of a client's capabilities and names the bridge reads."""

from typing import Any

import pytest

from server.bridge.messages import opens_urls, stateless_headers


@pytest.mark.parametrize(
    ("capabilities", "opens"),
    [
        ({"elicitation": {"url": {}}}, True),
        ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {"form": {}}}, False),
        ({"elicitation": {}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_only_a_declared_url_elicitation_opens_pages(capabilities: Any, opens: bool) -> None:
    assert opens_urls(capabilities) is opens


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("list_campaigns", "list_campaigns"),
        ("two words", "two words"),
        (" edge", "=?base64?IGVkZ2U=?="),
        ("a\r\nx-injected: 1", "=?base64?YQ0KeC1pbmplY3RlZDogMQ==?="),
        ("=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="),
        ("", "=?base64??="),
    ],
)
def test_a_name_survives_in_a_header_whatever_it_is(name: str, header: str) -> None:
    message = {"method": "tools/call", "params": {"name": name}}
    assert stateless_headers(message, "2026-07-28")["mcp-name"] == header


def test_a_resource_is_named_by_its_uri() -> None:
    message = {"method": "resources/read", "params": {"uri": "adwright://workspace"}}
    assert stateless_headers(message, "2026-07-28")["mcp-name"] == "adwright://workspace"
