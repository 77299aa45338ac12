"""The MCP servers ours is measured against: `python -m tests.bench.mcp_peers raw|fastmcp FILE`; FILE is its whoami."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import uvloop
from fastmcp import FastMCP
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool
from starlette.applications import Starlette

from server.mcp_endpoint.listing import described
from server.process.serving import serve
from tools.catalog import catalog
from tools.finding import shown
from tools.surfaces import mcp_tools, offered

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def raw(tools: list[Tool], name: str, answer: Answer) -> Starlette:
    """The SDK's low-level server at its best: schema lookup set, compact text, ready list, stateless JSON."""
    listed = ListToolsResult(tools=tools)
    schemas = {tool.name: tool.input_schema for tool in tools}

    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        return listed

    async def call_tool(_: Any, params: Any) -> CallToolResult:
        assert params.name == name
        found = answer(params.arguments or {})
        return CallToolResult(content=[TextContent(text=orjson.dumps(found).decode())], structured_content=found)

    server: Server[Any] = Server(
        "raw", get_tool_input_schema=schemas.get, on_list_tools=list_tools, on_call_tool=call_tool
    )
    local = TransportSecuritySettings(allowed_hosts=["127.0.0.1", "127.0.0.1:*"])
    return server.streamable_http_app(json_response=True, stateless_http=True, transport_security=local)


def fastmcp_server(name: str, answer: Answer) -> Starlette:
    server = FastMCP("peer")

    async def tool(limit: int = 5, padding: int = 8) -> dict[str, Any]:
        return answer({"limit": limit, "padding": padding})

    server.tool(tool, name=name)
    return server.http_app(path="/mcp", json_response=True, stateless_http=True)


async def _serve(side: str, file: Path) -> None:
    found: dict[str, Any] = orjson.loads(await asyncio.to_thread(file.read_bytes))
    tools = [described(tool) for tool in shown(offered(mcp_tools(catalog)))]
    app = raw(tools, "whoami", lambda _: found) if side == "raw" else fastmcp_server("whoami", lambda _: found)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def ready(_: object) -> None:
        sys.stdout.write(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()

    await serve(app, listener, ready=ready, draining=lambda: None)


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], Path(sys.argv[2])))
