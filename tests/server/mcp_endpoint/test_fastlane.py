"""The fast lane answers what the SDK would have answered, or leaves the request to it."""

import contextlib
import copy
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from mcp.types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY

from server.mcp_endpoint.fastlane import RegistryFastLane
from tests.server.mcp_endpoint.kit import Kit

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ENVELOPE: dict[str, Any] = {
    PROTOCOL_VERSION_META_KEY: MODERN,
    CLIENT_CAPABILITIES_META_KEY: {},
    CLIENT_INFO_META_KEY: {"name": "c", "version": "1"},
}
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class Watched:
    """The kit's own fast lane, which says what it answered itself and can be switched off."""

    def __init__(self, lane: RegistryFastLane) -> None:
        self._lane = lane
        self.open, self.answered = True, 0

    async def answer(self, caller: Any, headers: Any, message: Any) -> bytes | None:
        found = await self._lane.answer(caller, headers, message) if self.open else None
        self.answered += found is not None
        return found

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        self.open = False
        yield
        self.open = True


@pytest.fixture
def lane(kit: Kit) -> Watched:
    watched = Watched(kit.endpoint._fast)  # type: ignore[arg-type]  # the product's is of this class
    kit.endpoint._fast = watched
    return watched


def request(version: str, method: str, params: Any, **changes: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """A plain request of one era. `changes` go into its headers where a header is meant, else into the message."""
    headers = HEADERS | {"mcp-protocol-version": version}
    if version == MODERN:
        params = {"_meta": copy.deepcopy(ENVELOPE)} | params
        headers |= {"mcp-method": method}
        if method == "tools/call":
            headers["mcp-name"] = params.get("name", "")
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    for name, value in changes.items():
        if name in ("accept", "content_type", "mcp_method", "mcp_name", "mcp_protocol_version"):
            headers[name.replace("_", "-")] = value
        else:
            message[name] = value
    return headers, message


async def both(kit: Kit, lane: Watched, headers: dict[str, str], message: Any) -> tuple[bool, Any, Any]:
    """(whether the fast lane answered, with it, without it); request ids differ and are left out."""
    before = lane.answered
    http = kit.http()
    del http.headers["accept"]
    answers = [await http.post("/mcp", json=message, headers=headers)]
    with lane.closed():
        answers.append(await http.post("/mcp", json=message, headers=headers))
    ours, theirs = ((a.status_code, a.headers.get("content-type"), _comparable(a)) for a in answers)
    return lane.answered > before, ours, theirs


def _comparable(answer: httpx2.Response) -> Any:
    text = re.sub(r"req_\w+", "req_", answer.text)
    return orjson.loads(text) if text and answer.headers.get("content-type") == "application/json" else text


CALL = {"name": "list_rows", "arguments": {"limit": 2}}
FAST = [
    request(LEGACY, "tools/list", {}),
    request("2025-06-18", "tools/list", {"_meta": {}}),
    request(MODERN, "tools/list", {}),
    request(LEGACY, "tools/call", CALL),
    request("2025-06-18", "tools/call", CALL | {"_meta": {"traceparent": "00-1"}}),
    request(MODERN, "tools/call", CALL),
    request(MODERN, "tools/call", {"name": "whoami"}),
    request(MODERN, "tools/call", CALL, id="a string"),
    request(MODERN, "tools/call", CALL, mcp_name="=?base64?bGlzdF9yb3dz?="),
    request(MODERN, "tools/call", CALL, content_type="application/json; charset=utf-8"),
    request(MODERN, "tools/call", {"name": "list_rows", "arguments": {"limit": "no"}}),
    request(MODERN, "tools/call", {"name": "break_down", "arguments": {"name": "x"}}),
    request(LEGACY, "tools/call", {"name": "list_rows", "arguments": {"limit": 500, "padding": 9000}}),
]


@pytest.mark.parametrize("sent", FAST, ids=range(len(FAST)))
async def test_the_plain_requests_get_the_answer_the_sdk_would_have_given(kit: Kit, lane: Watched, sent: Any) -> None:
    fast, ours, theirs = await both(kit, lane, *sent)

    assert fast
    assert ours == theirs


def envelope(**changes: Any) -> dict[str, Any]:
    return {"_meta": {k: v for k, v in (ENVELOPE | changes).items() if v is not ...}}


UNUSUAL = [
    request(MODERN, "tools/call", CALL, mcp_name="another"),
    request(MODERN, "tools/call", CALL, mcp_name="=?base64?!?="),
    request(MODERN, "tools/call", CALL, mcp_method="tools/list"),
    request(MODERN, "tools/call", CALL, accept="text/html"),
    request(MODERN, "tools/call", CALL, content_type="text/plain"),
    request(MODERN, "tools/call", CALL, jsonrpc="1.0"),
    request(MODERN, "tools/call", CALL, id=None),
    request(MODERN, "tools/call", CALL, id=True),
    request(MODERN, "tools/call", CALL, id=1.5),
    request(MODERN, "tools/call", CALL, extra=1),
    request(MODERN, "tools/call", {"name": "no_such_tool"}),
    request(MODERN, "tools/call", {"name": 5}, mcp_name="5"),
    request(MODERN, "tools/call", {"name": "list_rows", "arguments": []}),
    request(MODERN, "tools/call", {"name": "list_rows", "arguments": None}),
    request(MODERN, "tools/call", {"name": "list_rows", "requestState": "forged"}),
    request(MODERN, "tools/call", {"name": "set_budget", "arguments": {"campaign_id": "c", "daily_budget": 1}}),
    request(MODERN, "tools/list", {"cursor": "x"}),
    request(MODERN, "tools/list", envelope(**{CLIENT_CAPABILITIES_META_KEY: ...})),
    request(MODERN, "tools/list", envelope(**{CLIENT_CAPABILITIES_META_KEY: 5})),
    request(MODERN, "tools/list", envelope(**{CLIENT_INFO_META_KEY: {"name": 5}})),
    request(MODERN, "tools/list", envelope(**{PROTOCOL_VERSION_META_KEY: LEGACY})),
    request(MODERN, "tools/list", {"_meta": None}),
    request(MODERN, "ping", {}),
    request(LEGACY, "tools/call", {"name": "no_such_tool"}),
    request(LEGACY, "tools/call", {"name": "list_rows", "arguments": "x"}),
    request(LEGACY, "tools/call", CALL, accept="text/event-stream"),
    request(LEGACY, "tools/list", {"_meta": 5}),
    request(LEGACY, "tools/list", [1]),
    request("2025-03-26", "tools/call", CALL),
    request("2024-11-05", "tools/list", {}),
]


@pytest.mark.parametrize("sent", UNUSUAL, ids=range(len(UNUSUAL)))
async def test_what_is_unusual_or_wrong_is_left_to_the_sdk(kit: Kit, lane: Watched, sent: Any) -> None:
    fast, ours, theirs = await both(kit, lane, *sent)

    assert not fast
    assert ours == theirs


async def test_a_header_given_twice_is_left_to_the_sdk(kit: Kit, lane: Watched) -> None:
    headers, message = request(MODERN, "tools/call", CALL)
    twice = [*headers.items(), ("mcp-name", "list_rows")]
    http = kit.http()
    del http.headers["accept"]

    answer = await http.post("/mcp", json=message, headers=twice)

    assert lane.answered == 0
    assert answer.json()["error"]["code"] == -32020


async def test_only_so_many_envelopes_are_remembered(kit: Kit, lane: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.mcp_endpoint.fastlane.KEPT_ENVELOPES", 3)
    for number in range(10):
        headers, message = request(MODERN, "tools/call", {"name": "whoami"} | envelope(traceparent=str(number)))
        answer = await kit.http().post("/mcp", json=message, headers=headers)
        assert answer.json()["result"]["structuredContent"]["client"] == "c"

    assert lane.answered == 10
    assert len(lane._lane._clients) <= 3


async def test_a_large_envelope_is_answered_and_forgotten(kit: Kit, lane: Watched) -> None:
    headers, message = request(MODERN, "tools/call", {"name": "whoami"} | envelope(baggage="x" * 5000))

    answer = await kit.http().post("/mcp", json=message, headers=headers)

    assert answer.json()["result"]["structuredContent"]["client"] == "c"
    assert lane.answered == 1
    assert not lane._lane._clients


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 600)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
arguments = st.dictionaries(st.sampled_from(["limit", "padding", "cursor", "name", "x"]), json_values, max_size=3)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    version=st.sampled_from([MODERN, LEGACY, "2025-06-18"]),
    name=st.sampled_from(["list_rows", "whoami", "take_steps", "unknown"]),
    arguments=arguments,
    change=st.fixed_dictionaries({}, optional={"id": json_values, "jsonrpc": json_values, "params": json_values}),
    meta=st.none() | st.dictionaries(st.sampled_from([*ENVELOPE, "progressToken", "x"]), json_values, max_size=2),
)
async def test_whatever_is_called_with_whatever_both_lanes_say_the_same(
    kit: Kit, lane: Watched, version: str, name: str, arguments: Any, change: Any, meta: Any
) -> None:
    headers, message = request(version, "tools/call", {"name": name, "arguments": arguments})
    if meta is not None:
        message["params"]["_meta"] = message["params"].get("_meta", {}) | meta

    _, ours, theirs = await both(kit, lane, headers, message | change)

    assert ours == theirs
