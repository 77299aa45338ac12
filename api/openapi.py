"""The OpenAPI 3.1 document: the registry once more, for people's tools."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api import components
from api.components import ref
from api.examples import REQUEST_ID, example
from tools.capability import AnyCapability, Effect, Toolset
from tools.codec import SPELLINGS
from tools.registry import Registry
from tools.schema import input_schema, output_schema, rest_schema

_TAGS = {
    Toolset.ADS: "Connections to ad platforms, campaigns, and what they spend and earn.",
    Toolset.ANALYTICS: "First-party web analytics.",
    Toolset.APPROVALS: "What waits for a person, what was decided, and how to undo it.",
    Toolset.WORKSPACE: "Who is asking, API keys and settings.",
}
_DESCRIPTION = (
    "Run ads. Every answer is `{data, meta}`, every error one flat shape with a `code` to decide on and a `fix` that "
    "says what to do next. A write by an API key is a proposal: it answers 202 `confirm_required`, and a signed-in "
    "person decides. The workspace is the credential's, never an argument."
)


def openapi(
    registry: Registry, public_url: str, version: str, beside: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`beside`: the paths of what is no capability."""
    paths: dict[str, dict[str, Any]] = {}
    for capability in registry:
        paths.setdefault(f"/api/v1{capability.rest.path}", {})[capability.rest.method.lower()] = _operation(capability)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Adwright API",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag, "description": text} for tag, text in _tags(registry, chat=bool(beside)).items()],
        "paths": paths | dict(beside or {}),
        "components": {
            "securitySchemes": _security_schemes(public_url),
            "schemas": components.SCHEMAS,
            "parameters": components.parameters(),
            "headers": components.HEADERS,
            "responses": components.responses(),
        },
    }


def _tags(registry: Registry, *, chat: bool) -> dict[str, str]:
    used = {capability.toolset for capability in registry}
    tags = {toolset.value: _TAGS[toolset] for toolset in Toolset if toolset in used}
    return tags | ({"chat": "The in-app agent: it streams, and changes nothing without a person."} if chat else {})


def _security_schemes(public_url: str) -> dict[str, Any]:
    cookie = "__Host-adwright_session" if public_url.startswith("https:") else "adwright_session"
    return {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: adw_live_…"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "A signed-in person; writes need a same-origin request.",
        },
    }


def _operation(capability: AnyCapability) -> dict[str, Any]:
    model: type[BaseModel] = capability.input
    in_body = capability.rest.method in ("POST", "PATCH")
    schema = rest_schema(model) if in_body else input_schema(model)
    in_path = [name for name in schema.get("properties", {}) if name in capability.rest.path_fields]
    elsewhere = {name: field for name, field in schema.get("properties", {}).items() if name not in in_path}
    parameters: list[dict[str, Any]] = [_parameter(schema, name, "path") for name in in_path]
    if not in_body:
        parameters += [_parameter(schema, name, "query") for name in elsewhere]
    if capability.plan:
        parameters += [ref("parameters", name) for name in ("plan", "If-Match")]
    if capability.effect is not Effect.READ:
        parameters.append(ref("parameters", "Idempotency-Key"))
    operation: dict[str, Any] = {
        "operationId": capability.name,
        "tags": [capability.toolset.value],
        "summary": capability.title,
        "description": f"{capability.description}\n\n{_access(capability)}",
        "security": [{"session": []}] if capability.human_only else [{"apiKey": []}, {"session": []}],
    }
    if parameters:
        operation["parameters"] = parameters
    if in_body and elsewhere:
        operation["requestBody"] = _request_body(schema, elsewhere)
    return operation | {"responses": _responses(capability)}


def _access(capability: AnyCapability) -> str:
    who = "Only a signed-in person." if capability.human_only else "An API key or a signed-in person."
    needs = f"Scope: `{capability.scope}`." if capability.scope else "Any valid credential."
    if capability.rate is None:
        return f"{who} {needs}"
    name, calls, per = capability.rate.label, capability.rate.per_minute, capability.rate.per
    return f"{who} {needs} Rate limit: {calls} calls a minute per {per} (`{name}`)."


def _parameter(schema: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    field = dict(schema["properties"][name])
    described = [field.pop("description", "")]
    if where == "query":
        described += [f"Also spelt `{spelt}`." for spelt, meant in SPELLINGS.items() if meant == name]
    parameter: dict[str, Any] = {"name": name, "in": where}
    if text := " ".join(filter(None, described)):
        parameter["description"] = text
    if where == "path" or name in schema.get("required", ()):
        parameter["required"] = True
    return parameter | {"schema": field, "example": example(field, name)}


def _request_body(schema: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    required = [name for name in schema.get("required", ()) if name in fields]
    body = schema | {"properties": fields, "required": required}
    return {
        "required": bool(required),
        "content": {"application/json": {"schema": body, "example": example(body)}},
    }


def _responses(capability: AnyCapability) -> dict[str, Any]:
    responses = {str(capability.rest.status): _success(capability)}
    if capability.plan:
        preview = components.plan_example()
        shown = {"plan": preview, "digest": components.DIGEST}
        told = _content(ref("schemas", "Preview"), shown, ref("schemas", "Meta"))
        if "200" in responses:
            done = responses["200"]["content"]["application/json"]
            done["schema"] = {"anyOf": [done["schema"], told["schema"]]}
            done["examples"] = {"done": {"value": done.pop("example")}, "plan": {"value": told["example"]}}
        else:
            responses["200"] = _described("With plan=true: what would be done.", told)
        responses["202"] = ref("responses", "ConfirmRequired")
    return responses | {str(status): ref("responses", f"Error{status}") for status in _failures(capability)}


def _failures(capability: AnyCapability) -> list[int]:
    always = [400, 401, 403, 404, 422, 424, 429, 500, 503]
    writes = [402, 409] if capability.effect is not Effect.READ else []
    bodies = [413, 415] if capability.rest.method in ("POST", "PATCH") else [413]
    return sorted(always + writes + bodies)


def _success(capability: AnyCapability) -> dict[str, Any]:
    model: type[BaseModel] = capability.output
    schema, meta = output_schema(model), ref("schemas", "Meta")
    if capability.lists:
        meta, schema = components.page_meta(schema), schema["properties"]["items"]
    created = capability.rest.status == 201
    told = _described("Created." if created else "Done.", _content(schema, example(schema), meta))
    if capability.effect is not Effect.READ:
        told["headers"]["Idempotent-Replayed"] = ref("headers", "Idempotent-Replayed")
    return told


def _content(data: dict[str, Any], shown: Any, meta: dict[str, Any]) -> dict[str, Any]:
    schema = components.closed({"data": data, "meta": meta})
    said = set(meta.get("required", ())) - {"request_id"}
    beside = {name: example(meta["properties"][name], name) for name in sorted(said)}
    return {"schema": schema, "example": {"data": shown, "meta": {"request_id": REQUEST_ID, **beside}}}


def _described(description: str, content: dict[str, Any]) -> dict[str, Any]:
    headers = {"X-Request-Id": ref("headers", "X-Request-Id")}
    return {"description": description, "headers": headers, "content": {"application/json": content}}
