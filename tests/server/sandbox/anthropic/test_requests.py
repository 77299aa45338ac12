"""Every rule of a request refuses what breaks it, in the API's words, and lets its neighbour pass."""

from typing import Any

import pytest

from tests.server.sandbox.anthropic.api import Api, request, text, tool
from tests.server.sandbox.conftest import Clock

OPUS, HAIKU, FABLE = "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-1"
OLD = "claude-haiku-4-5"


def strict(number: int, *, optional: int = 0, unions: int = 0) -> dict[str, Any]:
    properties: dict[str, Any] = {f"o{each}": {"type": "string"} for each in range(optional)}
    properties |= {f"u{each}": {"anyOf": [{"type": "string"}, {"type": "null"}]} for each in range(unions)}
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name.startswith("u")],
        "additionalProperties": False,
    }
    return {"name": f"strict_{number}", "input_schema": schema, "strict": True}


@pytest.mark.parametrize(
    ("refused", "complaint", "taken"),
    [
        ({"bogus": 1}, "bogus: Extra inputs are not permitted", {}),
        ({"mcp_servers": []}, "mcp_servers: Extra inputs are not permitted", {}),
        ({"model": 5}, "model: Input should be a valid string", {}),
        ({"messages": []}, "messages: List should have at least 1 item", {}),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be 'user'", {}),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required", {}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "shade": 1}]}]},
            "messages.0.content.0.text.shade: Extra inputs are not permitted",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "poem"}]}]},
            "messages.0.content.0: Input tag 'poem'",
            {},
        ),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer", {"max_tokens": 1}),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0", {"max_tokens": 0}),
        ({"max_tokens": 128_001}, "max_tokens: 128001 > 128000", {"max_tokens": 128_000}),
        ({"model": OLD, "max_tokens": 64_001}, "64001 > 64000", {"model": OLD, "max_tokens": 64_000}),
        ({"temperature": 0.5}, "`temperature` is not supported", {"model": OLD, "temperature": 0.5}),
        ({"top_p": 0.5}, "`top_p` is not supported", {"model": OLD, "top_p": 0.5}),
        ({"top_k": 5}, "`top_k` is not supported", {"model": OLD, "top_k": 5}),
        ({"model": OLD, "temperature": 1.5}, "temperature: Input should be less", {"model": OLD, "temperature": 1.0}),
        (
            {"model": OPUS, "thinking": {"type": "disabled"}},
            '"thinking.type.disabled" is not supported for this model',
            {"thinking": {"type": "disabled"}},
        ),
        (
            {"model": OPUS, "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
            '"thinking.type.enabled" is not supported for this model',
            {"model": OLD, "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
        ),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "budget_tokens: Input should be greater", {}),
        (
            {"model": OLD, "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 2000},
            "`max_tokens` must be greater than `thinking.budget_tokens`",
            {"model": OLD, "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 2001},
        ),
        ({"model": OLD, "thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required", {}),
        ({"thinking": {"type": "between"}}, "thinking.type: Input should be", {"thinking": {"type": "between_tools"}}),
        ({"output_config": {"effort": "huge"}}, "output_config.effort", {"output_config": {"effort": "low"}}),
        ({"stream": "yes"}, "stream: Input should be a valid boolean", {"stream": False}),
        ({"system": [{"type": "image"}]}, "system.0", {"system": "Be brief."}),
        ({"tools": [tool("a b")]}, "tools.0.name: String should match pattern", {"tools": [tool("a-b_C9")]}),
        ({"tools": [{"name": "a"}]}, "tools.0.input_schema: Field required", {"tools": [tool("a")]}),
        (
            {"tools": [{"name": "a", "input_schema": {"type": "string"}}]},
            "tools.0.custom.input_schema.type",
            {"tools": [{"name": "a", "input_schema": {"type": "object"}}]},
        ),
        ({"tools": [tool("a"), tool("a")]}, "Tool names must be unique", {"tools": [tool("a"), tool("b")]}),
        ({"tool_choice": {"type": "auto"}}, "may only be specified while providing tools", {}),
        (
            {"model": HAIKU, "tools": [tool("a")], "tool_choice": {"type": "tool", "name": "b"}},
            "Tool 'b' not found",
            {"model": HAIKU, "tools": [tool("a")], "tool_choice": {"type": "tool", "name": "a"}},
        ),
        ({"model": HAIKU, "tools": [tool("a")], "tool_choice": {"type": "tool"}}, "name: Field required", {}),
        *(
            (
                {"model": model, "tools": [tool("a")], "tool_choice": {"type": "any"}},
                "forces tool use, which is not supported for this model",
                {"model": other, "tools": [tool("a")], "tool_choice": {"type": kind}},
            )
            for model, other, kind in (
                (OPUS, OPUS, "auto"),
                ("claude-sonnet-5-5", "claude-sonnet-5-5", "none"),
                (OPUS, FABLE, "any"),
            )
        ),
        (
            {"tools": [strict(number) for number in range(21)]},
            "Too many strict tools: 21",
            {"tools": [strict(number) for number in range(20)]},
        ),
        (
            {"tools": [strict(1, optional=13), strict(2, optional=12)]},
            "25 optional parameters",
            {"tools": [strict(1, optional=12), strict(2, optional=12)]},
        ),
        (
            {"tools": [strict(1, unions=9), strict(2, unions=8)]},
            "17 parameters with union types",
            {"tools": [strict(1, unions=8), strict(2, unions=8)]},
        ),
        (
            {"tools": [{"name": "a", "input_schema": {"type": "object"}, "strict": True}]},
            "'additionalProperties' must be explicitly set to false",
            {"tools": [strict(1)]},
        ),
        (
            {"system": [text(" ", cache_control={"type": "ephemeral"})]},
            "cache_control cannot be set for empty text blocks",
            {"system": [text("x", cache_control={"type": "ephemeral"})]},
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_and_its_neighbour_taken(
    api: Api, refused: dict[str, Any], complaint: str, taken: dict[str, Any]
) -> None:
    assert complaint in api.refusal(**refused)
    assert api.answer(**taken)


@pytest.mark.parametrize("field", ["model", "max_tokens", "messages"])
def test_a_required_field_is_missed_by_name(api: Api, field: str) -> None:
    body = request()
    del body[field]

    assert api.refusal(body) == f"{field}: Field required"


def test_counting_takes_no_max_tokens(api: Api) -> None:
    answered = api.post(request(), "/v1/messages/count_tokens")

    assert answered.json()["error"]["message"] == "max_tokens: Extra inputs are not permitted"


def test_a_prompt_longer_than_the_context_is_refused(api: Api) -> None:
    words = "x" * 4 * 201_000

    assert "prompt is too long" in api.refusal(model=OLD, messages=[{"role": "user", "content": words}])
    assert api.answer(messages=[{"role": "user", "content": words}])


def test_an_answer_ends_where_the_context_is_full(api: Api) -> None:
    """Two hundred thousand tokens, of which the question leaves less than the answer needs."""
    messages = [{"role": "user", "content": "x" * 4 * 199_950}]
    api.script({"blocks": [text("A long answer. " * 20)]})

    answer = api.answer(model=OLD, max_tokens=1000, messages=messages, tools=[tool("a")])

    assert answer["stop_reason"] == "model_context_window_exceeded"
    assert answer["content"][0]["text"] != "A long answer. " * 20


def test_a_body_of_more_than_32_mb_is_too_large(api: Api) -> None:
    answered = api.post({"x": "y" * 33 * 1024 * 1024})

    assert (answered.status_code, answered.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_body_that_is_no_object_is_refused(api: Api, content: str) -> None:
    answered = api.http.post(
        "/anthropic/v1/messages", content=content,
        headers={"x-api-key": api.key, "anthropic-version": "2026-10-21"},
    )  # fmt: skip

    assert (answered.status_code, answered.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("headers", "status", "complaint"),
    [
        ({}, 401, "x-api-key header is required"),
        ({"x-api-key": "sk-ant-wrong"}, 401, "invalid x-api-key"),
        ({"authorization": "Bearer sk-ant-wrong"}, 401, "invalid x-api-key"),
        ({"x-api-key": Api.key}, 400, "anthropic-version: header is required"),
        ({"authorization": f"Bearer {Api.key}", "anthropic-version": "2023-06-01"}, 200, ""),
        ({"x-api-key": Api.key, "anthropic-version": "2026-10-21"}, 200, ""),
    ],
)
def test_a_key_and_a_version_are_needed(api: Api, headers: dict[str, str], status: int, complaint: str) -> None:
    answered = api.http.get("/anthropic/v1/models", headers=headers)

    assert answered.status_code == status
    assert complaint in answered.text


def test_an_unknown_model_or_path_is_not_found(api: Api) -> None:
    for answered in (api.post(request(model="claude-2")), api.post(request(), "/v1/nothing")):
        assert (answered.status_code, answered.json()["error"]["type"]) == (404, "not_found_error")


def test_each_answer_names_its_request_and_what_is_left_of_the_minute(api: Api, clock: Clock) -> None:
    def left() -> int:
        return int(api.post(request()).headers["anthropic-ratelimit-requests-remaining"])

    first, second = left(), left()
    clock.pass_by(minutes=1)

    assert (first - second, left()) == (1, first)


def test_a_refusal_names_its_request_and_is_not_to_be_repeated(api: Api) -> None:
    refused = api.post(request(bogus=1))

    assert refused.headers["request-id"].startswith("req_")
    assert refused.json()["request_id"] == refused.headers["request-id"]
    assert refused.headers["x-should-retry"] == "false"
