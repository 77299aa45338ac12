"""The capability reference of the docs, written from the registry so that it cannot be wrong about it."""

from typing import Any

import orjson

from api.examples import example
from tools.capability import AnyCapability, Effect
from tools.registry import Registry
from tools.schema import input_schema

HEAD = """# Capabilities

Every capability once, as it appears on every face. Generated from the registry: `./dev docs` writes this page.

| Capability | REST | Scope | Effect | MCP |
|---|---|---|---|---|
"""


def capability_reference(registry: Registry) -> str:
    rows = [
        f"| [{c.name}](#{c.name}) | `{c.rest.method} /api/v1{c.rest.path}` | {c.scope or 'any credential'} "
        f"| {c.effect} | {_tool(c)} |\n"
        for c in registry
    ]
    return HEAD + "".join(rows) + "".join(_section(capability) for capability in registry)


def _tool(capability: AnyCapability) -> str:
    return f"toolset `{capability.toolset}`" if capability.for_models else "no: for people only"


def _section(capability: AnyCapability) -> str:
    schema = input_schema(capability.input)
    fields: dict[str, dict[str, Any]] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    table = "".join(
        f"| `{name}` | {_type(field)} | {'yes' if name in required else 'no'} | {_told(field)} |\n"
        for name, field in fields.items()
    )
    arguments = (
        f"| Argument | Type | Required | |\n|---|---|---|---|\n{table}\n" if table else "Takes no arguments.\n\n"
    )
    call = "" if capability.human_only else f"```sh\n{_call(capability, schema)}\n```\n"
    return f"\n## {capability.name}\n\n{capability.description}\n\n{_waits(capability)}{arguments}{call}"


def _waits(capability: AnyCapability) -> str:
    if capability.human_only:
        return "Only a signed-in person uses this: on the pages, or over REST with the session's cookie.\n\n"
    if capability.effect is Effect.READ:
        return ""
    return "Waits for a person unless a session or a `direct` key asks.\n\n"


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    kind = str(field.get("type", "any"))
    return f"{kind} of {_type(field['items'])}" if kind == "array" else kind


def _told(field: dict[str, Any]) -> str:
    default = f" Default: `{field['default']}`." if field.get("default") not in (None, [], ()) else ""
    return f"{field.get('description', '')}{default}".strip()


def _call(capability: AnyCapability, schema: dict[str, Any]) -> str:
    """A curl that works once $URL and $KEY are set: required arguments, or for a partial update what may be sent."""
    shown: dict[str, Any] = example(schema if capability.rest.method == "PATCH" else _only_required(schema))
    path = capability.rest.path
    for name in capability.rest.path_fields:
        path = path.replace(f"{{{name}}}", str(shown.pop(name)))
    head = f'curl -X {capability.rest.method} "$URL/api/v1{path}" -H "Authorization: Bearer $KEY"'
    if not shown or capability.rest.method in ("GET", "DELETE"):
        return head
    return f"{head} \\\n  -H 'Content-Type: application/json' -d '{orjson.dumps(shown).decode()}'"


def _only_required(schema: dict[str, Any]) -> dict[str, Any]:
    fields = {name: field for name, field in schema.get("properties", {}).items() if name in schema.get("required", ())}
    return {**schema, "properties": fields}
