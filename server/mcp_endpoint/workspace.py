"""The two resources: who is connected to what, and how metrics are defined; what is asked for goes through the door."""

from importlib import resources

import orjson
from mcp.types import ReadResourceResult, Resource, TextResourceContents

from tools.context import Context
from tools.errors import InsufficientScope, Unavailable
from tools.invoke import Door

WORKSPACE = "adwright://workspace"
METRICS = "adwright://metrics"

_ANALYTICS = """
## Web analytics

query_metrics reads these pipes, describe_metric tells what each takes. Bots are left out; revenue is in one currency,
and payments in others are counted beside it. Days are those of the website's time zone.

| pipe | answers |
|---|---|
"""

RESOURCES = [
    Resource(
        uri=METRICS,
        name="metrics",
        title="Metric definitions",
        description="How spend, conversions, ROAS, CTR and CPC are counted, and which web analytics there are.",
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
        return _contents(uri, "text/markdown", text + await _pipes(door, context))
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


async def _pipes(door: Door, context: Context) -> str:
    """What the pipes say of themselves; nothing where this caller or this server has none."""
    if (listing := door.registry.get("list_metrics")) is None:
        return ""
    try:
        listed = (await door.invoke(listing, context, {})).wire()["items"]
    except (InsufficientScope, Unavailable):
        return ""
    rows = "".join(f"| `{row['pipe']}` | {row['answers'].replace('|', '/')} |\n" for row in listed)
    return f"{_ANALYTICS}{rows}"


def _contents(uri: str, mime_type: str, text: str) -> ReadResourceResult:
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])
