"""Which capabilities each surface shows, and which of them are looked up where not everything fits."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import orjson

from tools.authority import Scope
from tools.capability import AnyCapability, Effect, Toolset
from tools.registry import Registry
from tools.schema import input_schema, output_schema

MOST_TOOLS, MOST_BYTES = 25, 40_000
"""Beyond this models begin to choose badly, and clients begin to cut."""

_AROUND = 300
"""Bytes a tool has beside its description and its schemas: name, title, annotations."""

_FINDING, _FINDING_BYTES = 4, 3_500
"""What the tools of tools/finding.py take of that."""

RARE = (
    "get_usage", "get_conversation", "list_conversations",
    "list_reports", "list_alerts",
    "delete_share_link", "list_share_links",
    "delete_funnel", "update_funnel", "delete_goal", "update_goal", "delete_website",
    "list_api_keys", "get_pipe_token", "create_funnel", "create_goal", "list_funnels", "list_goals",
    "get_workspace_settings", "check_installation", "update_website", "get_visitor", "delete_connection",
    "get_install_snippet", "create_website", "test_connection",
)  # fmt: skip
"""What a conversation needs least, rarest first: on a surface that is full it is found, described and called through
tools/finding.py."""


class Offer(NamedTuple):
    """What a surface lists, and what else can be called on it by who looks it up."""

    listed: tuple[AnyCapability, ...]
    looked_up: tuple[AnyCapability, ...] = ()

    @property
    def all(self) -> tuple[AnyCapability, ...]:
        return self.listed + self.looked_up


def offered(capabilities: Iterable[AnyCapability]) -> Offer:
    """All of them listed where they fit, else all but the rarest."""
    held = tuple(capabilities)
    if _fit(held, MOST_TOOLS, MOST_BYTES):
        return Offer(held)
    listed = held
    for name in RARE:
        listed = tuple(capability for capability in listed if capability.name != name)
        if _fit(listed, MOST_TOOLS - _FINDING, MOST_BYTES - _FINDING_BYTES):
            break
    names = {capability.name for capability in listed}
    return Offer(listed, tuple(capability for capability in held if capability.name not in names))


def _fit(capabilities: Collection[AnyCapability], most: int, most_bytes: int) -> bool:
    return len(capabilities) <= most and sum(map(_size, capabilities)) <= most_bytes


def _size(capability: AnyCapability) -> int:
    schemas = input_schema(capability.input), output_schema(capability.output)
    return len(orjson.dumps(schemas)) + len(capability.description) + _AROUND


def mcp_tools(
    registry: Registry,
    *,
    toolsets: Collection[Toolset] = (),
    read_only: bool = False,
    scopes: Collection[Scope] | None = None,
) -> tuple[AnyCapability, ...]:
    """What an MCP client can call: of these toolsets (all, if none is named), reads only if asked, within these
    scopes."""
    return tuple(
        capability
        for capability in registry
        if capability.for_models
        and (not toolsets or capability.toolset in toolsets)
        and (not read_only or capability.effect is Effect.READ)
        and (scopes is None or capability.scope is None or capability.scope in scopes)
    )


def ads_chat(registry: Registry) -> Offer:
    """What the ads chat has, whoever asks: a person's scopes count when a tool is used, not in the list of tools."""
    return offered(mcp_tools(registry))


def analytics_chat(registry: Registry) -> Offer:
    """Reads of web analytics, so that whatever a page or an event says, nothing can be changed from there. What is
    shown once, as a token is, belongs to programs and not into a conversation."""
    return Offer(
        tuple(
            capability
            for capability in mcp_tools(registry, read_only=True)
            if capability.toolset is Toolset.ANALYTICS or capability.scope is None
            if not capability.output.shown_once
        )
    )
