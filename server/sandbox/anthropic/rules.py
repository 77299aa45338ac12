"""What the API refuses beyond a request's shape: what a model does not take, and tools that are too much."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.anthropic.errors import invalid
from server.sandbox.anthropic.models import Model
from server.sandbox.anthropic.prefix import blocks

_STRICT_TOOLS, _OPTIONAL, _UNIONS = 20, 24, 16
_SAMPLING = ("temperature", "top_p", "top_k")


def check(model: Model, body: Mapping[str, Any]) -> None:
    _max_tokens(model, body)
    for name in _SAMPLING:
        if body.get(name) is not None and not model.sampling:
            raise invalid(f"`{name}` is not supported for this model.")
    _thinking(model, body)
    _tools(body)
    _tool_choice(model, body)
    _marks(body)


def _max_tokens(model: Model, body: Mapping[str, Any]) -> None:
    wanted = body.get("max_tokens", 0)
    if wanted > model.max_tokens:
        raise invalid(
            f"max_tokens: {wanted} > {model.max_tokens}, which is the maximum allowed number of output tokens for "
            f"{model.id}"
        )


def _thinking(model: Model, body: Mapping[str, Any]) -> None:
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    if kind is None:
        return
    if kind not in model.thinking:
        raise invalid(
            f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" and '
            '"output_config.effort" to control thinking behavior.'
        )
    budget = thinking.get("budget_tokens")
    if (kind == "enabled") != (budget is not None):
        raise invalid(
            f"thinking.{kind}.budget_tokens: "
            + ("Field required" if kind == "enabled" else "Extra inputs are not permitted")
        )
    if budget is not None and budget >= body.get("max_tokens", budget + 1):
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or ()
    seen: set[str] = set()
    for position, tool in enumerate(tools):
        if tool["name"] in seen:
            raise invalid(f"tools: Tool names must be unique. `{tool['name']}` is used more than once.")
        seen.add(tool["name"])
        if tool["input_schema"].get("type") != "object":
            raise invalid(f"tools.{position}.custom.input_schema.type: Input should be 'object'")
    _strict([tool for tool in tools if tool.get("strict")])


def _strict(tools: list[Mapping[str, Any]]) -> None:
    """The limits are sums over the request."""
    if len(tools) > _STRICT_TOOLS:
        raise invalid(f"Too many strict tools: {len(tools)}. A request can have at most {_STRICT_TOOLS}.")
    for tool in tools:
        if tool["input_schema"].get("additionalProperties") is not False:
            raise invalid(
                f"tools.{tool['name']}: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
    optional = sum(_optional(tool["input_schema"]) for tool in tools)
    if optional > _OPTIONAL:
        raise invalid(
            f"Schema is too complex for compilation: {optional} optional parameters in strict tools, "
            f"at most {_OPTIONAL} are allowed."
        )
    unions = sum(_unions(tool["input_schema"]) for tool in tools)
    if unions > _UNIONS:
        raise invalid(
            f"Schema is too complex for compilation: {unions} parameters with union types in strict tools, "
            f"at most {_UNIONS} are allowed."
        )


def _optional(schema: Any) -> int:
    here = len(set(schema.get("properties", ())) - set(schema.get("required", ())))
    return here + sum(_optional(part) for part in _parts(schema))


def _unions(schema: Any) -> int:
    here = 1 if "anyOf" in schema or isinstance(schema.get("type"), list) else 0
    return here + sum(_unions(part) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    if isinstance(schema.get("items"), Mapping):
        found.append(schema["items"])
    return [part for part in found if isinstance(part, Mapping)]


def _tool_choice(model: Model, body: Mapping[str, Any]) -> None:
    choice = body.get("tool_choice") or {}
    kind = choice.get("type")
    if kind in {"any", "tool"} and not model.forced_tools:
        raise invalid(f'tool_choice: "{kind}" forces tool use, which is not supported for this model. Use "auto".')
    if kind is not None and kind != "none" and not body.get("tools"):
        raise invalid("tool_choice: may only be specified while providing tools")
    if (kind == "tool") != (choice.get("name") is not None):
        raise invalid(
            f"tool_choice.{kind}.name: " + ("Field required" if kind == "tool" else "Extra inputs are not permitted")
        )
    if kind == "tool" and choice["name"] not in {tool["name"] for tool in body.get("tools") or ()}:
        raise invalid(f"tool_choice: Tool '{choice['name']}' not found in provided tools")


def _marks(body: Mapping[str, Any]) -> None:
    texts = [("system", block) for block in blocks(body.get("system"))]
    for position, message in enumerate(body["messages"]):
        texts += [(f"messages.{position}", block) for block in blocks(message["content"])]
    for where, block in texts:
        if block.get("type") == "text" and not block["text"].strip() and block.get("cache_control"):
            raise invalid(f"{where}: cache_control cannot be set for empty text blocks")
