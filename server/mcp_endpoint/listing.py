"""The registry as MCP tools: who sees which, described once for each surface and set of scopes."""

from functools import cached_property

from mcp.types import ListToolsResult, Tool, ToolAnnotations
from pydantic import BaseModel

from server.mcp_endpoint.surface import Caller, Surface
from tools.authority import Scope
from tools.capability import AnyCapability, Effect, Toolset
from tools.finding import FindingTool, finding_tools, shown
from tools.registry import Registry
from tools.schema import input_schema, output_schema
from tools.surfaces import Offer, mcp_tools, offered

LIST_TTL_MS = 300_000
"""Tools change with a release or with the scopes of a key; five minutes is soon enough for both."""


class Listed:
    """What one kind of caller sees, in the registry's order: a list that stays the same keeps prompt caches warm."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self.wire: dict[str, bytes] = {}  # the ready answer, by protocol version

    @cached_property
    def result(self) -> ListToolsResult:
        tools = [described(tool) for tool in shown(self._offer)]
        return ListToolsResult(tools=tools, ttl_ms=LIST_TTL_MS, cache_scope="private")


class Tools:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._offers: dict[Surface, Offer] = {}
        self._surfaces: dict[Surface, dict[str, AnyCapability]] = {}
        self._finding: dict[Surface, dict[str, FindingTool]] = {}
        self._listed: dict[tuple[Surface, frozenset[Scope]], Listed] = {}
        described_here = (*registry, *finding_tools(offered(mcp_tools(registry))))
        self._input_schemas = {each.name: described(each).input_schema for each in described_here}

    def input_schema(self, name: str) -> dict[str, object] | None:
        return self._input_schemas.get(name)

    def on(self, surface: Surface) -> dict[str, AnyCapability]:
        """By name, whatever the scopes: the door refuses what a caller may not, and says which scope it lacks."""
        if surface not in self._surfaces:
            self._surfaces[surface] = {capability.name: capability for capability in self.offer(surface).all}
        return self._surfaces[surface]

    def offer(self, surface: Surface) -> Offer:
        if surface not in self._offers:
            held = mcp_tools(self._registry, toolsets=surface.toolsets, read_only=surface.read_only)
            self._offers[surface] = offered(held)
        return self._offers[surface]

    def finding(self, surface: Surface, name: str) -> FindingTool | None:
        if surface not in self._finding:
            self._finding[surface] = {tool.name: tool for tool in finding_tools(self.offer(surface))}
        return self._finding[surface].get(name)

    def listed(self, caller: Caller) -> Listed:
        key = (caller.surface, caller.principal.scopes)
        if (known := self._listed.get(key)) is None:
            toolsets, read_only = caller.surface.toolsets, caller.surface.read_only
            seen = mcp_tools(self._registry, toolsets=toolsets, read_only=read_only, scopes=caller.principal.scopes)
            known = self._listed[key] = Listed(offered(seen))
        return known


def described(capability: AnyCapability | FindingTool) -> Tool:
    if isinstance(capability, FindingTool):
        return _finding(capability)
    takes: type[BaseModel] = capability.input
    returns: type[BaseModel] = capability.output
    read = capability.effect is Effect.READ
    return Tool(
        name=capability.name,
        title=capability.title,
        description=capability.description,
        input_schema=input_schema(takes),
        output_schema=output_schema(returns),
        annotations=ToolAnnotations(
            title=capability.title,
            read_only_hint=read,
            destructive_hint=capability.effect is Effect.DESTROY,
            idempotent_hint=read or capability.idempotent,
            open_world_hint=capability.toolset is Toolset.ADS,  # the ad platforms; all else is our own records
        ),
    )


def _finding(tool: FindingTool) -> Tool:
    """Of a call through another tool the worst that its targets may do is said."""
    calls = tool.output is None
    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=input_schema(tool.input),
        output_schema={"type": "object"} if tool.output is None else output_schema(tool.output),
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.reads,
            destructive_hint=not tool.reads,
            idempotent_hint=tool.reads,
            open_world_hint=calls,
        ),
    )
