"""JSON Schema as models like it (flat, without titles, references or null arms), made once and shared by every face."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from tools.fields import PAIR


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    return _schema(model, "validation")


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A field that is left out while it has its default is not required, and then never null."""
    return _schema(model, "serialization")


def rest_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The input as a JSON body has it: what tools send as rows of key and value may there be the map it stands for."""
    schema = input_schema(model)
    fields = {name: _or_map(field) for name, field in schema.get("properties", {}).items()}
    return schema | {"properties": fields} if fields else schema


def _or_map(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("items") != PAIR:
        return field
    key, value = PAIR["properties"]["key"], PAIR["properties"]["value"]
    return field | {
        "type": ["object", "array"],
        "maxProperties": field["maxItems"],
        "propertyNames": {name: bound for name, bound in key.items() if name != "type"},
        "additionalProperties": value | {"type": ["string", "number", "boolean"]},
        "examples": [{"plan": "pro"}],
    }


@cache
def _schema(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
    return _compact(model.model_json_schema(mode=mode))


def _compact(schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "anyOf" in node and "default" in node:
            node = _without_null_arm(node)
        if "$ref" in node:
            node = {**definitions[node["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in node.items() if k != "$ref"}}
        kept = {
            k: v for k, v in node.items() if not (k == "title" and isinstance(v, str)) and (k, v) != ("default", None)
        }
        if "properties" in kept:  # a field may be called title: only schema keywords are dropped
            kept["properties"] = {name: walk(field) for name, field in kept["properties"].items()}
        return {k: v if k == "properties" else walk(v) for k, v in kept.items()}

    compacted: dict[str, Any] = walk(schema)
    compacted.pop("description", None)  # the model's docstring is ours; the capability describes itself
    return compacted


def _without_null_arm(node: dict[str, Any]) -> dict[str, Any]:
    arms = [arm for arm in node["anyOf"] if arm != {"type": "null"}]
    rest = {k: v for k, v in node.items() if k not in ("anyOf", "default")}
    merged = {**arms[0], **rest} if len(arms) == 1 else {**rest, "anyOf": arms}
    return merged if node["default"] is None else merged | {"default": node["default"]}
