"""The registry as other frameworks take it: Anthropic and OpenAI tool lists, MCP tools, OpenAPI."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.tools import tool_params
from api.chat_document import chat_paths
from api.openapi import openapi
from server.house import House
from server.mcp_endpoint.listing import described
from server.version import VERSION
from tools.capability import AnyCapability
from tools.errors import CapabilityError, NotFound
from tools.ids import request_id
from tools.registry import Registry
from tools.schema import input_schema
from tools.surfaces import mcp_tools

FORMATS = ("anthropic", "openai", "mcp", "openapi")


def exported(registry: Registry, format_: str, public_url: str) -> Any:
    """`anthropic`: [{name, description, input_schema}]; `openai`: [{type: function, function: {…}}]; `mcp`: [Tool]."""
    if format_ == "openapi":
        return openapi(registry, public_url, VERSION, chat_paths())
    if format_ == "anthropic":
        return tool_params(registry)
    shape = {"openai": _openai, "mcp": _mcp}[format_]
    return [shape(capability) for capability in mcp_tools(registry)]


def _openai(capability: AnyCapability) -> dict[str, Any]:
    parameters = input_schema(capability.input)
    return {
        "type": "function",
        "function": {"name": capability.name, "description": capability.description, "parameters": parameters},
    }


def _mcp(capability: AnyCapability) -> dict[str, Any]:
    return described(capability).model_dump(mode="json", by_alias=True, exclude_none=True)


def export_routes(house: House) -> list[Route]:
    """For the command line on this machine; the registry is no secret, so the token only keeps the path ours."""

    async def export(request: Request) -> Response:
        called = request_id()
        try:
            house.resolver.require_local_token(request.scope)
            format_ = request.path_params["format"]
            if format_ not in FORMATS:
                raise NotFound(f"There is no format {format_}.", fix=f"Use one of {', '.join(FORMATS)}.")
            body = orjson.dumps(exported(house.door.registry, format_, house.settings.public_url))
        except CapabilityError as error:
            return Response(orjson.dumps(error.body(called)), error.status, media_type="application/json")
        return Response(body, media_type="application/json")

    return [Route("/local/export/{format}", export, methods=["GET"])]
