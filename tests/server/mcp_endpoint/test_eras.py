"""Which way each kind of message is served."""

from typing import Any

import pytest
from mcp.types import PROTOCOL_VERSION_META_KEY

from server.mcp_endpoint.eras import Lane, lane, repaired

BOTH = {b"accept": b"application/json, text/event-stream"}
LEGACY = {**BOTH, b"mcp-protocol-version": b"2025-11-25"}
MODERN = {**BOTH, b"mcp-protocol-version": b"2026-07-28"}
MODERN_META = {PROTOCOL_VERSION_META_KEY: "2026-07-28"}


def message(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


INITIALIZE_AND_ASK = message("initialize", capabilities={"elicitation": {}})


@pytest.mark.parametrize(
    ("headers", "sent", "way"),
    [
        (MODERN, message("tools/list"), Lane.STREAM),
        ({**MODERN, b"accept": b"application/json"}, message("tools/list"), Lane.JSON),
        ({**MODERN, b"mcp-session-id": b"left over"}, message("tools/list"), Lane.STREAM),
        ({**BOTH, b"mcp-protocol-version": b"2099-01-01"}, message("tools/list"), Lane.STREAM),
        (LEGACY, message("tools/list"), Lane.JSON),
        (BOTH, message("initialize", capabilities={}), Lane.JSON),
        (BOTH, message("initialize", capabilities={"sampling": {}}), Lane.JSON),
        (BOTH, INITIALIZE_AND_ASK, Lane.SESSION),
        ({b"accept": b"application/json"}, INITIALIZE_AND_ASK, Lane.JSON),
        ({**LEGACY, b"mcp-session-id": b"s"}, message("tools/list"), Lane.SESSION),
        (LEGACY, message("tools/call", _meta={"progressToken": 1}), Lane.STREAM),
        ({**LEGACY, b"accept": b"application/json"}, message("tools/call", _meta={"progressToken": 1}), Lane.JSON),
        (LEGACY, None, Lane.JSON),
        (LEGACY, ["a batch"], Lane.JSON),
        (LEGACY, {"method": 5, "params": []}, Lane.JSON),
    ],
)
def test_a_message_is_served_in_the_way_its_era_and_client_need(headers: Any, sent: Any, way: Lane) -> None:
    assert lane(headers, sent, sessions=True) is way


def test_no_session_opens_where_several_processes_serve() -> None:
    assert lane(BOTH, INITIALIZE_AND_ASK, sessions=False) is Lane.JSON


def test_a_modern_message_under_a_legacy_header_gets_the_headers_it_should_have_had() -> None:
    call = message("tools/call", name="größe", _meta=MODERN_META)

    changed = repaired(LEGACY, call)

    assert changed is not None
    assert changed[b"mcp-protocol-version"] == b"2026-07-28"
    assert changed[b"mcp-method"] == b"tools/call"
    assert changed[b"mcp-name"] == b"=?base64?Z3LDtsOfZQ==?="


def test_a_repair_contradicts_no_header_the_client_did_send() -> None:
    headers = {**LEGACY, b"mcp-name": b"another", b"mcp-method": b"tools/list"}

    changed = repaired(headers, message("tools/call", name="this", _meta=MODERN_META))

    assert changed is not None
    assert (changed[b"mcp-name"], changed[b"mcp-method"]) == (b"another", b"tools/list")


def test_a_modern_message_without_any_version_header_stays_wrong() -> None:
    changed = repaired(BOTH, message("tools/list", _meta=MODERN_META))

    assert changed is not None
    assert changed[b"mcp-protocol-version"] == b""


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (MODERN, message("tools/list", _meta=MODERN_META)),
        (LEGACY, message("tools/list")),
        (LEGACY, message("initialize", _meta=MODERN_META)),
        (LEGACY, message("tools/list", _meta={PROTOCOL_VERSION_META_KEY: "2099-01-01"})),
        (LEGACY, None),
    ],
)
def test_nothing_else_is_changed(headers: Any, sent: Any) -> None:
    assert repaired(headers, sent) is None
