"""What a client may ask before it does anything, none of which needs the door: lists, prompts, who this server is."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.caching import CacheHint
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types.methods import CacheableMethod

from server.mcp_endpoint import prompts, workspace
from server.mcp_endpoint.listing import LIST_TTL_MS, Tools
from server.mcp_endpoint.surface import CALLER, Caller

INSTRUCTIONS = (
    "Adwright reads and changes the ad accounts that list_connections names, and knows what visitors of the websites "
    "that list_websites names did and paid (list_metrics, query_metrics). find_capability finds what is not listed. "
    "Changes are proposals: the tool answers confirm_required with a URL where a person decides. "
    "Show them that URL and the plan, then ask get_approval for the outcome; calling again proposes nothing new. "
    "Money is in major units of the currency beside it. Every error says in `fix` what to do next."
)

Request = ServerRequestContext[Any, Any]
_PAGED = PaginatedRequestParams | None

_PRIVATE = CacheHint(ttl_ms=LIST_TTL_MS, scope="private")
_HINTS: Mapping[CacheableMethod, CacheHint] = {
    "server/discover": _PRIVATE,
    "tools/list": _PRIVATE,
    "prompts/list": _PRIVATE,
    "resources/list": _PRIVATE,
    "resources/templates/list": _PRIVATE,
    "resources/read": CacheHint(ttl_ms=0, scope="private"),
}


def caller_of(request: Request) -> Caller:
    assert request.request is not None  # noqa: S101 - there is no transport but HTTP
    caller: Caller = request.request.scope[CALLER]
    return caller


class Discovery:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._prompts = prompts.load()

    async def list_tools(self, request: Request, params: _PAGED) -> ListToolsResult:
        _one_page(params)
        return self._tools.listed(caller_of(request)).result

    async def list_prompts(self, _: Request, params: _PAGED) -> ListPromptsResult:
        _one_page(params)
        return ListPromptsResult(prompts=[prompt.listed() for prompt in self._prompts.values()])

    async def get_prompt(self, _: Request, params: GetPromptRequestParams) -> GetPromptResult:
        if (prompt := self._prompts.get(params.name)) is None:
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name}. There are {', '.join(self._prompts)}.")
        arguments = params.arguments or {}
        if missing := prompt.missing(arguments):
            raise MCPError(INVALID_PARAMS, f"{params.name} needs {', '.join(missing)}.")
        return prompt.filled(arguments)

    async def list_resources(self, _: Request, params: _PAGED) -> ListResourcesResult:
        _one_page(params)
        return ListResourcesResult(resources=workspace.RESOURCES)

    async def list_templates(self, _: Request, params: _PAGED) -> ListResourceTemplatesResult:
        _one_page(params)
        return ListResourceTemplatesResult(resource_templates=[])

    def server(self, *, version: str, state_keys: Sequence[bytes], **handlers: Any) -> Server[Any]:
        """The SDK's server with these methods and `handlers`. What travels through a client between two rounds of a
        call is sealed under the first of `state_keys` and opened with any."""
        server: Server[Any] = Server(
            "adwright",
            version=version,
            title="Adwright",
            instructions=INSTRUCTIONS,
            cache_hints=_HINTS,
            get_tool_input_schema=self._tools.input_schema,
            on_list_tools=self.list_tools,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            **handlers,
        )
        security = RequestStateSecurity(keys=state_keys, bind_principal=_identity)
        server.middleware[:] = [  # without the SDK's tracer: nothing here exports traces
            RequestStateBoundary(security, default_audience=server.name)
        ]
        return server


def _one_page(params: _PAGED) -> None:
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, "This list has one page; leave out cursor.")


def _identity(request: Request) -> str:
    principal = caller_of(request).principal
    return f"{principal.workspace} {principal.id}"
