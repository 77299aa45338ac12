"""The tools that the official conformance suite expects of a server, as raw MCP.

They bend every rule of our own schemas ($ref, images, sampling, forms), so they are no capabilities; what is judged is
the transport, the two eras and the error mapping, which are the product's.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    GetPromptRequestParams,
    ImageContent,
    InputRequests,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    ListToolsResult,
    SamplingMessage,
    TextContent,
    TextResourceContents,
    Tool,
)

from server.mcp_endpoint.answers import failed
from tools import ids

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

Request = ServerRequestContext[Any, Any]
Outcome = str | list[ContentBlock] | InputRequiredResult
Handler = Callable[[Request, CallToolRequestParams], Awaitable[Outcome]]

bus = InMemorySubscriptionBus()


def form(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def elicit(message: str, **properties: Any) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=form(**properties)))


def _sample(text: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=50))


def embed(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


NAME = {"name": {"type": "string"}}
OK = {"ok": {"type": "boolean"}}


def given(params: CallToolRequestParams | GetPromptRequestParams, key: str, field: str) -> str | None:
    answer = (params.input_responses or {}).get(key)
    return str(answer.content.get(field)) if isinstance(answer, ElicitResult) and answer.content else None


# -- what a tool can answer ------------------------------------------------------------------------------------------


async def simple_text(_: Request, __: CallToolRequestParams) -> Outcome:
    return "This is a simple text response for testing."


async def image(_: Request, __: CallToolRequestParams) -> Outcome:
    return [ImageContent(data=PIXEL, mime_type="image/png")]


async def audio(_: Request, __: CallToolRequestParams) -> Outcome:
    return [AudioContent(data=SILENCE, mime_type="audio/wav")]


async def embedded(_: Request, __: CallToolRequestParams) -> Outcome:
    return [embed("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


async def mixed(_: Request, __: CallToolRequestParams) -> Outcome:
    return [
        TextContent(text="Multiple content types test:"),
        ImageContent(data=PIXEL, mime_type="image/png"),
        embed("test://mixed-content-resource", "application/json", '{"test": "data", "value": 123}'),
    ]


async def error(_: Request, __: CallToolRequestParams) -> Outcome:
    raise RuntimeError("This tool intentionally returns an error for testing")


async def region(_: Request, params: CallToolRequestParams) -> Outcome:
    return f"region={(params.arguments or {}).get('region')}"


async def missing_capability(request: Request, _: CallToolRequestParams) -> Outcome:
    capabilities = request.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs the client's sampling capability", needed)
    return "The client can sample."


# -- what a tool can send while it runs -------------------------------------------------------------------------------


async def logging(request: Request, _: CallToolRequestParams) -> Outcome:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await request.session.send_log_message("info", text, related_request_id=request.request_id)
    return "Tool with logging executed successfully"


async def progress(request: Request, _: CallToolRequestParams) -> Outcome:
    for done in (0, 50, 100):
        await request.session.report_progress(done, 100, f"Completed step {done} of 100")
    return "done"


async def sampling(request: Request, params: CallToolRequestParams) -> Outcome:
    prompt = str((params.arguments or {}).get("prompt"))
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    reply = await request.session.create_message([message], max_tokens=100, related_request_id=request.request_id)
    return f"LLM response: {reply.content.text if isinstance(reply.content, TextContent) else 'none'}"


async def _elicited(request: Request, message: str, schema: dict[str, Any]) -> str:
    reply = await request.session.elicit_form(message, schema, request.request_id)
    return f"action={reply.action}, content={json.dumps(reply.content or {})}"


async def elicitation(request: Request, params: CallToolRequestParams) -> Outcome:
    message = str((params.arguments or {}).get("message"))
    schema = form(response={"type": "string", "description": "User's response"})
    return f"User response: {await _elicited(request, message, schema)}"


async def defaults(request: Request, _: CallToolRequestParams) -> Outcome:
    properties: dict[str, Any] = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    schema = {"type": "object", "properties": properties}
    return f"Elicitation completed: {await _elicited(request, 'Your details', schema)}"


def _titled(keyword: str, **titles: str) -> dict[str, Any]:
    return {keyword: [{"const": const, "title": title} for const, title in titles.items()]}


async def enums(request: Request, _: CallToolRequestParams) -> Outcome:
    schema = form(
        untitledSingle={"type": "string", "enum": ["option1", "option2", "option3"]},
        titledSingle={"type": "string", **_titled("oneOf", value1="First", value2="Second", value3="Third")},
        legacyEnum={"type": "string", "enum": ["a", "b", "c"], "enumNames": ["A", "B", "C"]},
        untitledMulti={"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        titledMulti={"type": "array", "items": _titled("anyOf", value1="First", value2="Second", value3="Third")},
    )
    return f"Elicitation completed: {await _elicited(request, 'Choose', schema)}"


async def tool_change(_: Request, __: CallToolRequestParams) -> Outcome:
    await bus.publish(ToolsListChanged())
    return "announced"


async def prompt_change(_: Request, __: CallToolRequestParams) -> Outcome:
    await bus.publish(PromptsListChanged())
    return "announced"


# -- what a tool can ask for between two rounds ------------------------------------------------------------------------


async def ask_name(_: Request, params: CallToolRequestParams) -> Outcome:
    if (name := given(params, "user_name", "name")) is not None:
        return f"Hello, {name}!"
    return InputRequiredResult(input_requests={"user_name": elicit("What is your name?", **NAME)})


async def ask_model(_: Request, params: CallToolRequestParams) -> Outcome:
    answer = (params.input_responses or {}).get("capital_question")
    if isinstance(answer, CreateMessageResult) and isinstance(answer.content, TextContent):
        return f"Model said: {answer.content.text}"
    return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?")})


async def ask_roots(_: Request, params: CallToolRequestParams) -> Outcome:
    answer = (params.input_responses or {}).get("client_roots")
    if isinstance(answer, ListRootsResult):
        return f"Client exposed {len(answer.roots)} root(s)."
    return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})


async def keep_state(_: Request, params: CallToolRequestParams) -> Outcome:
    if params.request_state == "nonce" and "confirm" in (params.input_responses or {}):
        return "state-ok: confirmation received"
    return InputRequiredResult(input_requests={"confirm": elicit("Please confirm", **OK)}, request_state="nonce")


async def ask_all(_: Request, params: CallToolRequestParams) -> Outcome:
    asked: InputRequests = {
        "user_name": elicit("Name?", **NAME),
        "greeting": _sample("Greet"),
        "client_roots": ListRootsRequest(),
    }
    if asked.keys() <= (params.input_responses or {}).keys():
        return "All inputs received."
    return InputRequiredResult(input_requests=asked, request_state="all")


async def rounds(_: Request, params: CallToolRequestParams) -> Outcome:
    state: list[str] = json.loads(params.request_state) if params.request_state else []
    name = state[0] if state else given(params, "step1", "name")
    if params.request_state is None or name is None:
        step1 = elicit("Step 1: What is your name?", **NAME)
        return InputRequiredResult(input_requests={"step1": step1}, request_state="[]")
    if (color := given(params, "step2", "color")) is not None:
        return f"{name} likes {color}."
    step2 = elicit("Step 2: What is your favorite color?", color={"type": "string"})
    return InputRequiredResult(input_requests={"step2": step2}, request_state=json.dumps([name]))


async def hold_state(_: Request, params: CallToolRequestParams) -> Outcome:
    if params.request_state is not None:
        return f"state-ok: {params.request_state}"
    return InputRequiredResult(input_requests={"confirm": elicit("Please confirm", **OK)}, request_state="held")


async def ask_what_it_can(request: Request, _: CallToolRequestParams) -> Outcome:
    declared = request.session.client_capabilities
    can_sample, can_elicit = (declared is None or getattr(declared, n) is not None for n in ("sampling", "elicitation"))
    asked: InputRequests = {}
    if can_sample:
        asked["sample"] = _sample("Say hello")
    if can_elicit:
        asked["ask"] = elicit("What is your name?", **NAME)
    return InputRequiredResult(input_requests=asked, request_state="what it can")


# -- all of them -------------------------------------------------------------------------------------------------------

EMPTY: dict[str, Any] = {"type": "object", "properties": {}}
REGION: dict[str, Any] = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

TOOLS: dict[str, tuple[Handler, dict[str, Any]]] = {
    "test_simple_text": (simple_text, EMPTY),
    "test_image_content": (image, EMPTY),
    "test_audio_content": (audio, EMPTY),
    "test_embedded_resource": (embedded, EMPTY),
    "test_multiple_content_types": (mixed, EMPTY),
    "test_tool_with_logging": (logging, EMPTY),
    "test_logging_tool": (logging, EMPTY),
    "test_tool_with_progress": (progress, EMPTY),
    "test_streaming_elicitation": (ask_name, EMPTY),
    "test_sampling": (sampling, form(prompt={"type": "string"})),
    "test_elicitation": (elicitation, form(message={"type": "string"})),
    "test_elicitation_sep1034_defaults": (defaults, EMPTY),
    "test_elicitation_sep1330_enums": (enums, EMPTY),
    "test_error_handling": (error, EMPTY),
    "test_x_mcp_header": (region, REGION),
    "test_missing_capability": (missing_capability, EMPTY),
    "test_reconnection": (simple_text, EMPTY),
    "test_trigger_tool_change": (tool_change, EMPTY),
    "test_trigger_prompt_change": (prompt_change, EMPTY),
    "json_schema_2020_12_tool": (simple_text, SCHEMA_2020_12),
    "test_input_required_result_elicitation": (ask_name, EMPTY),
    "test_input_required_result_sampling": (ask_model, EMPTY),
    "test_input_required_result_list_roots": (ask_roots, EMPTY),
    "test_input_required_result_request_state": (keep_state, EMPTY),
    "test_input_required_result_multiple_inputs": (ask_all, EMPTY),
    "test_input_required_result_multi_round": (rounds, EMPTY),
    "test_input_required_result_tampered_state": (hold_state, EMPTY),
    "test_input_required_result_capabilities": (ask_what_it_can, EMPTY),
}


async def list_tools(_: Request, __: object) -> ListToolsResult:
    return ListToolsResult(
        tools=[Tool(name=name, description=name, input_schema=schema) for name, (_, schema) in TOOLS.items()]
    )


async def call_tool(request: Request, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
    if params.name not in TOOLS:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}")
    try:
        outcome = await TOOLS[params.name][0](request, params)
    except MCPError:
        raise
    except Exception as escaped:  # noqa: BLE001 - the product's own rendering is what is judged
        return failed(ids.request_id(), escaped).result()
    if isinstance(outcome, InputRequiredResult):
        return outcome
    return CallToolResult(content=[TextContent(text=outcome)] if isinstance(outcome, str) else outcome)
