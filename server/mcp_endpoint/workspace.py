"""The two resources: who is connected to what, read through the door, and how our metrics are defined."""

from importlib import resources

import orjson
from mcp.types import ReadResourceResult, Resource, TextResourceContents

from tools.context import Context
from tools.errors import InsufficientScope
from tools.invoke import Door

WORKSPACE = "adwright://workspace"
METRICS = "adwright://metrics"

RESOURCES = [
    Resource(
        uri=METRICS,
        name="metrics",
        title="Metric definitions",
        description="How spend, conversions, ROAS, CTR and CPC are counted, and what they leave out.",
        mime_type="text/markdown",
    ),
    Resource(
        uri=WORKSPACE,
        name="workspace",
        title="Workspace",
        description="Who you are here, what you may do, and the connected ad accounts.",
        mime_type="application/json",
    ),
]


async def read(uri: str, door: Door, context: Context) -> ReadResourceResult | None:
    """None for a resource that does not exist; raises CapabilityError where the door refuses."""
    if uri == METRICS:
        text = resources.files("server.mcp_endpoint").joinpath("metrics.md").read_text(encoding="utf-8")
        return _contents(uri, "text/markdown", text)
    if uri == WORKSPACE:
        return _contents(uri, "application/json", orjson.dumps(await _workspace(door, context)).decode())
    return None


async def _workspace(door: Door, context: Context) -> dict[str, object]:
    shown: dict[str, object] = {"whoami": (await door.invoke(door.registry["whoami"], context, {})).wire()}
    try:
        connections = await door.invoke(door.registry["list_connections"], context, {})
    except InsufficientScope:  # whoami already says which scopes there are
        return shown
    return shown | {"connections": connections.wire()}


def _contents(uri: str, mime_type: str, text: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])
