"""The registry as the Messages API takes it: tool definitions in the order every face shows them."""

from typing import Any

from agent.snapshot import tool
from tools.registry import Registry
from tools.surfaces import mcp_tools


def tool_params(registry: Registry) -> list[dict[str, Any]]:
    """`tools` of a Messages request: [{name, description, input_schema}], everything a model may see."""
    return [tool(capability) for capability in mcp_tools(registry)]
