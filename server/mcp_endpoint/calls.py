"""Tool calls and resource reads: through the door, and rendered so that a model can act on every refusal."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    InputRequiredResult,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from server.mcp_endpoint import workspace
from server.mcp_endpoint.answers import KEY_META, Answer, answered, failed
from server.mcp_endpoint.asking import Asking
from server.mcp_endpoint.discovery import Request, caller_of
from server.mcp_endpoint.listing import Tools
from server.mcp_endpoint.surface import Caller
from tools import finding
from tools.approval import ConfirmRequired
from tools.authority import Via
from tools.capability import AnyCapability
from tools.context import Context, Progress, no_progress
from tools.errors import CapabilityError, Unavailable
from tools.invoke import Door
from tools.store.engine import StoreUnavailable

CLIENT_NAME_LIMIT = 100


class Calls:
    def __init__(self, door: Door, tools: Tools, asking: Asking) -> None:
        self._door, self._tools, self._asking = door, tools, asking

    def context(self, caller: Caller, client: str | None, progress: Progress = no_progress) -> Context:
        principal = caller.principal
        if client is not None:
            principal = principal.through(Via.MCP, client[:CLIENT_NAME_LIMIT])
        return self._door.context(principal, caller.request_id, progress)

    async def attempt(
        self, capability: AnyCapability, context: Context, arguments: Mapping[str, Any], key: str | None = None
    ) -> Answer:
        """Through the door; raises ConfirmRequired, which a person may still be asked about, and nothing else."""
        try:
            output = await self._door.invoke(capability, context, arguments, idempotency_key=key)
            return answered(capability, output, context.request_id)
        except ConfirmRequired:
            raise
        except Exception as error:  # noqa: BLE001 - failed() renders our errors and logs what is not ours
            return failed(context.request_id, error)

    async def call_tool(self, request: Request, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        surface = caller_of(request).surface
        if params.name not in self._tools.on(surface) and self._tools.finding(surface, params.name) is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}. Call tools/list for what this endpoint has.")
        context = self._context(request)
        try:
            answer = await self._called(request, context, params)
        except StoreUnavailable:  # while asking: the door has its own words for it
            down = Unavailable(
                "The decision cannot be read now.",
                fix="Ask get_approval in a moment; do not call this again.",
                retry_after=5,
            )
            answer = failed(context.request_id, down)
        except Exception as error:  # noqa: BLE001 - the SDK would answer a bare -32603 to whatever is raised here
            answer = failed(context.request_id, error)
        return answer.result() if isinstance(answer, Answer) else answer

    async def _called(
        self, request: Request, context: Context, params: CallToolRequestParams
    ) -> Answer | InputRequiredResult:
        """The call of a capability: by its own name, or by that of a tool which finds, describes and calls others."""
        surface, arguments = caller_of(request).surface, params.arguments or {}
        if (tool := self._tools.finding(surface, params.name)) is None:
            return await self._answer(self._tools.on(surface)[params.name], arguments, request, context, params)
        offer = self._tools.offer(surface)
        if tool.output is not None:
            return Answer(finding.answer(tool, offer, context.principal.scopes, arguments).wire_json())
        return await self._answer(*finding.target(tool, offer, arguments), request, context, params)

    async def _answer(
        self,
        capability: AnyCapability,
        arguments: Mapping[str, Any],
        request: Request,
        context: Context,
        params: CallToolRequestParams,
    ) -> Answer | InputRequiredResult:
        replies = [reply for reply in (params.input_responses or {}).values() if isinstance(reply, ElicitResult)]
        if params.request_state is not None and replies:
            return await self._asking.replied(context, params.request_state, replies[0])
        try:
            return await self.attempt(capability, context, arguments, _key(params.meta))
        except ConfirmRequired as waiting:
            answer = await self._asking.ask(request, context, waiting)
            return replace(answer, replayed=waiting.replays is not None) if isinstance(answer, Answer) else answer

    async def read_resource(self, request: Request, params: ReadResourceRequestParams) -> ReadResourceResult:
        context = self._context(request)
        try:
            found = await workspace.read(params.uri, self._door, context)
        except CapabilityError as error:
            raise MCPError(INTERNAL_ERROR, f"{error.message} {error.fix}", error.body(context.request_id)) from error
        if found is None:
            raise MCPError(INVALID_PARAMS, f"Unknown resource: {params.uri}", {"uri": params.uri})
        return found

    def _context(self, request: Request) -> Context:
        client = request.session.client_params.client_info.name if request.session.client_params else None
        return self.context(caller_of(request), client, request.session.report_progress)


def _key(meta: Mapping[str, Any] | None) -> str | None:
    key = (meta or {}).get(KEY_META)
    return key if key is None or isinstance(key, str) else ""  # which the door refuses, where it is looked at
