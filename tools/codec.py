"""What a face received becomes arguments, strings too; the input model's own schema says how."""

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from tools.capability import AnyCapability, Input
from tools.errors import InvalidArguments
from tools.schema import input_schema

SPELLINGS = {"campaignId": "campaign_id", "website_id": "websiteId", "from": "since", "to": "until"}
"""Published spellings of query parameters and the field each stands for, where the input has that field."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)(\.0+)?", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 40


def from_strings(capability: AnyCapability, given: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """Arguments as JSON would carry them. Several strings for one name are a list field's items, or a mistake.

    Raises InvalidArguments that lists every problem at once; bounds, formats and missing fields are the model's.
    """
    model: type[BaseModel] = capability.input
    fields = input_schema(model).get("properties", {})
    arguments: dict[str, Any] = {}
    problems: list[dict[str, str]] = []
    for spelt, text in given.items():
        name = SPELLINGS.get(spelt, spelt) if spelt not in fields else spelt
        try:
            if name not in fields:
                raise ValueError(unknown(capability))
            if name in arguments:
                raise ValueError("given twice; send it once")
            arguments[name] = _value(fields[name], text)
        except ValueError as error:
            problems.append({"field": spelt, "problem": str(error)})
    if problems:
        raise invalid_arguments(capability, problems)
    return arguments


@cache
def _nothing_given(model: type[Input]) -> Input:
    """Frozen and made of constants, so that one does for every call; what needs an argument raises each time."""
    return model.model_validate({})


def validated(capability: AnyCapability, arguments: Mapping[str, Any]) -> Input:
    """Raises InvalidArguments that lists every problem at once."""
    model: type[Input] = capability.input
    try:
        data = model.model_validate(dict(arguments)) if arguments else _nothing_given(model)
    except ValidationError as invalid:
        problems = [
            {
                "field": ".".join(map(str, problem["loc"])) or "arguments",
                "problem": unknown(capability)
                if problem["type"] == "extra_forbidden"
                else problem["msg"].removeprefix("Value error, "),
            }
            for problem in invalid.errors(include_url=False, include_input=False)
        ]
        raise invalid_arguments(capability, problems) from None
    return data


def invalid_arguments(capability: AnyCapability, problems: list[dict[str, str]]) -> InvalidArguments:
    told = "; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems[:3])
    return InvalidArguments(
        f"{capability.name} cannot take these arguments: {told}",
        fix="Correct the fields named in details.problems.",
        problems=problems,
    )


def unknown(capability: AnyCapability) -> str:
    """What is wrong with a field that there is not."""
    fields = input_schema(capability.input).get("properties", {})
    return f"unknown; this takes {', '.join(fields)}" if fields else "unknown; this takes no arguments"


def _value(schema: Mapping[str, Any], text: str | list[str]) -> Any:
    kind = schema.get("type")
    if kind == "array" and schema["items"].get("type") not in ("object", "array"):
        given = [text] if isinstance(text, str) else text
        return [_scalar(schema["items"], item) for part in given for item in part.split(",")]
    if isinstance(text, str):
        return _scalar(schema, text)
    if len(text) == 1:
        return _scalar(schema, text[0])
    raise ValueError("given twice; send it once")


def _scalar(schema: Mapping[str, Any], text: str) -> Any:
    match schema.get("type"):
        case "integer":
            if len(text) > _LONGEST_NUMBER or not _INTEGER.fullmatch(text):
                raise ValueError("must be a whole number, such as 25")
            return int(text.partition(".")[0])
        case "number":
            return _number(text)
        case "boolean":
            if text not in ("true", "false"):
                raise ValueError("must be true or false")
            return text == "true"
        case "object" | "array":
            return _json(text)
    return text


def _number(text: str) -> float | int:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError("must be a number, such as 12.5")
    if text.lstrip("-").isdecimal():
        return int(text)
    if math.isinf(number := float(text)):
        raise ValueError("is too large a number")
    return number


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error}") from error
