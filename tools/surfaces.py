"""Which capabilities each surface shows."""

from collections.abc import Collection

from tools.authority import Scope
from tools.capability import AnyCapability, Effect, Toolset
from tools.registry import Registry


def mcp_tools(
    registry: Registry,
    *,
    toolsets: Collection[Toolset] = (),
    read_only: bool = False,
    scopes: Collection[Scope] | None = None,
) -> tuple[AnyCapability, ...]:
    """What an MCP client sees: of these toolsets (all, if none is named), reads only if asked, within these scopes."""
    return tuple(
        capability
        for capability in registry
        if capability.for_models
        and (not toolsets or capability.toolset in toolsets)
        and (not read_only or capability.effect is Effect.READ)
        and (scopes is None or capability.scope is None or capability.scope in scopes)
    )


def ads_chat(registry: Registry) -> tuple[AnyCapability, ...]:
    """What the ads chat sees, whoever asks: a person's scopes count when a tool is used, not in the list of tools."""
    shown = (Toolset.ADS, Toolset.APPROVALS, Toolset.WORKSPACE)
    return tuple(capability for capability in registry if capability.for_models and capability.toolset in shown)
