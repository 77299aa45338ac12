"""The server that the official conformance suite judges: its fixtures, served by the product's transport."""

import json
from typing import Any

from mcp.server import Server
from mcp.server.caching import CacheHint
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    BlobResourceContents,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    ContentBlock,
    EmptyResult,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel

from tests.conformance.fixture_tools import PIXEL, TOOLS, Request, bus, call_tool, elicit, embed, given, list_tools

RESOURCES: dict[str, TextResourceContents | BlobResourceContents] = {
    content.uri: content
    for content in (
        TextResourceContents(
            uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
        ),
        BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=PIXEL),
        TextResourceContents(uri="test://watched-resource", mime_type="text/plain", text="Watched resource content"),
    )
}


async def list_resources(_: Request, __: object) -> ListResourcesResult:
    resources = [Resource(uri=uri, name=uri, mime_type=content.mime_type) for uri, content in RESOURCES.items()]
    return ListResourcesResult(resources=resources)


async def list_templates(_: Request, __: object) -> ListResourceTemplatesResult:
    template = ResourceTemplate(uri_template="test://template/{id}/data", name="template", mime_type="application/json")
    return ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(_: Request, params: ReadResourceRequestParams) -> ReadResourceResult:
    if params.uri in RESOURCES:
        return ReadResourceResult(contents=[RESOURCES[params.uri]])
    if params.uri.startswith("test://template/") and params.uri.endswith("/data"):
        identifier = params.uri.split("/")[3]
        text = json.dumps({"id": identifier, "templateTest": True, "data": f"Data for ID: {identifier}"})
        return ReadResourceResult(
            contents=[TextResourceContents(uri=params.uri, mime_type="application/json", text=text)]
        )
    raise MCPError(INVALID_PARAMS, f"Unknown resource: {params.uri}", {"uri": params.uri})


PROMPTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


async def list_prompts(_: Request, __: object) -> ListPromptsResult:
    return ListPromptsResult(
        prompts=[
            Prompt(name=name, description=name, arguments=[PromptArgument(name=a, required=True) for a in arguments])
            for name, arguments in PROMPTS.items()
        ]
    )


async def get_prompt(_: Request, params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    if params.name not in PROMPTS:
        raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name}")
    if params.name == "test_input_required_result_prompt" and given(params, "user_context", "context") is None:
        return InputRequiredResult(input_requests={"user_context": elicit("Context?", context={"type": "string"})})
    arguments = params.arguments or {}
    content: dict[str, list[ContentBlock]] = {
        "test_simple_prompt": [TextContent(text="This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            TextContent(text=f"Prompt with arguments: arg1='{arguments.get('arg1')}', arg2='{arguments.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            embed(arguments.get("resourceUri", ""), "text/plain", "Embedded resource content for testing."),
            TextContent(text="Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [
            ImageContent(data=PIXEL, mime_type="image/png"),
            TextContent(text="Please analyze the image above."),
        ],
        "test_input_required_result_prompt": [TextContent(text=f"Use: {given(params, 'user_context', 'context')}")],
    }
    return GetPromptResult(messages=[PromptMessage(role="user", content=block) for block in content[params.name]])


async def acknowledge(_: Request, __: BaseModel) -> EmptyResult:
    return EmptyResult()


async def complete(_: Request, __: CompleteRequestParams) -> CompleteResult:
    return CompleteResult(completion=Completion(values=[], total=0, has_more=False))


def build() -> Server[Any]:
    hint = CacheHint(ttl_ms=60_000, scope="private")
    server: Server[Any] = Server(
        "adwright-conformance",
        version="1",
        cache_hints={
            "server/discover": hint,
            "tools/list": hint,
            "prompts/list": hint,
            "resources/list": hint,
            "resources/templates/list": hint,
            "resources/read": hint,
        },
        get_tool_input_schema=lambda name: TOOLS[name][1] if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_subscriptions_listen=ListenHandler(bus),
    )
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, acknowledge)
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, acknowledge)
    server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, acknowledge)
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity(keys=["k" * 32], bind_principal=None), default_audience=server.name)
    )
    return server
