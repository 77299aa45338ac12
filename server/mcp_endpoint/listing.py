"""The registry as MCP tools: who sees which, described once for each surface and set of scopes."""

from functools import cached_property

from mcp.types import ListToolsResult, Tool, ToolAnnotations
from pydantic import BaseModel

from server.mcp_endpoint.surface import Caller, Surface
from tools.authority import Scope
from tools.capability import AnyCapability, Effect, Toolset
from tools.registry import Registry
from tools.schema import input_schema, output_schema
from tools.surfaces import mcp_tools

LIST_TTL_MS = 300_000
"""Tools change with a release or with the scopes of a key; five minutes is soon enough for both."""


class Listed:
    """What one kind of caller sees, in the registry's order: a list that stays the same keeps prompt caches warm."""

    def __init__(self, capabilities: tuple[AnyCapability, ...]) -> None:
        self._capabilities = capabilities
        self.wire: dict[str, bytes] = {}  # the ready answer, by protocol version

    @cached_property
    def result(self) -> ListToolsResult:
        tools = [described(capability) for capability in self._capabilities]
        return ListToolsResult(tools=tools, ttl_ms=LIST_TTL_MS, cache_scope="private")


class Tools:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._surfaces: dict[Surface, dict[str, AnyCapability]] = {}
        self._listed: dict[tuple[Surface, frozenset[Scope]], Listed] = {}
        self._input_schemas = {capability.name: described(capability).input_schema for capability in registry}

    def input_schema(self, name: str) -> dict[str, object] | None:
        return self._input_schemas.get(name)

    def on(self, surface: Surface) -> dict[str, AnyCapability]:
        """By name, whatever the scopes: the door refuses what a caller may not, and says which scope it lacks."""
        if surface not in self._surfaces:
            found = mcp_tools(self._registry, toolsets=surface.toolsets, read_only=surface.read_only)
            self._surfaces[surface] = {capability.name: capability for capability in found}
        return self._surfaces[surface]

    def listed(self, caller: Caller) -> Listed:
        key = (caller.surface, caller.principal.scopes)
        if (known := self._listed.get(key)) is None:
            toolsets, read_only = caller.surface.toolsets, caller.surface.read_only
            seen = mcp_tools(self._registry, toolsets=toolsets, read_only=read_only, scopes=caller.principal.scopes)
            known = self._listed[key] = Listed(seen)
        return known


def described(capability: AnyCapability) -> Tool:
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
