"""The MCP endpoint as the composition root mounts it: registry, door and transport put together."""

from collections.abc import Sequence

from server.mcp_endpoint.asking import Asking
from server.mcp_endpoint.calls import Calls
from server.mcp_endpoint.discovery import Discovery
from server.mcp_endpoint.fastlane import RegistryFastLane
from server.mcp_endpoint.listing import Tools
from server.mcp_endpoint.transport import Resolve, Transport
from tools.invoke import Door


class McpEndpoint(Transport):
    """ASGI application for /mcp, /mcp/x/<toolset> and /mcp/readonly; enter `run()` in the lifespan of its host.

    `sessions`: whether handshake-era clients that can be asked get a session, which ties them to one process.
    """

    def __init__(
        self,
        door: Door,
        resolve: Resolve,
        *,
        version: str,
        public_url: str,
        state_keys: Sequence[bytes],
        elicitation_wait_seconds: float = 45,
        sessions: bool = True,
    ) -> None:
        tools = Tools(door.registry)
        calls = Calls(door, tools, Asking(elicitation_wait_seconds))
        server = Discovery(tools).server(
            version=version,
            state_keys=state_keys,
            on_call_tool=calls.call_tool,
            on_read_resource=calls.read_resource,
        )
        fast = RegistryFastLane(calls, tools, server)
        super().__init__(server, resolve, public_url=public_url, fast=fast, sessions=sessions)
