"""Examples for the documents: made from a schema alone, the same every time, and valid against it."""

import re
from collections.abc import Mapping
from typing import Any

REQUEST_ID = "req_7Hq2mXv9KpLr4TnW8sYd"

_OPAQUE = REQUEST_ID.removeprefix("req_")
_BY_FORMAT = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "email": "jane@example.com",
    "uri": "https://example.com",
    "uuid": "5b0f4b1e-6f0e-4c39-9a55-0d6f2f6f1c3a",
}
_BY_NAME: Mapping[str, Any] = {
    "account_id": "act_1001",
    "amount": 150,
    "campaign_id": "120210000000000001",
    "clicks": 1840,
    "conversions": 96,
    "cpc": 0.65,
    "ctr": 0.0204,
    "currency": "USD",
    "daily_budget": 150,
    "impressions": 90100,
    "login_customer_id": "123-456-7890",
    "name": "Spring sale",
    "next_cursor": "eyJhZnRlciI6IjI1In0",
    "cursor": "eyJhZnRlciI6IjI1In0",
    "roas": 3.2,
    "since": "2026-11-01",
    "spend": 1196.4,
    "summary": "Raise the daily budget of Spring sale from 120 to 150 USD.",
    "time_zone": "Europe/Berlin",
    "until": "2026-11-30",
    "upsellUrl": "https://example.com/pricing",
}


def example(schema: Mapping[str, Any], name: str = "") -> Any:
    for told in ("const", "default"):
        if told in schema:
            return schema[told]
    for listed in ("examples", "enum"):
        if schema.get(listed):
            return schema[listed][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], name)
    return _of_kind(schema, name)


def _of_kind(schema: Mapping[str, Any], name: str) -> Any:
    match schema.get("type", "string"):
        case "object":
            return _object(schema)
        case "array":
            return [example(schema.get("items", {}), name)] * max(1, schema.get("minItems", 0))
        case "string":
            return _string(schema, name)
        case "integer" | "number":
            known = _BY_NAME.get(name)
            return known if _fits(known, schema) else _number(schema)
        case "boolean":
            return True
    return None


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: example(field, name) for name, field in schema.get("properties", {}).items()}
    more = schema.get("additionalProperties")
    return shown or ({"key": example(more)} if isinstance(more, dict) else {})


def _string(schema: Mapping[str, Any], name: str) -> str:
    pattern, known = schema.get("pattern", ""), _BY_NAME.get(name)
    if isinstance(known, str) and re.search(pattern, known):
        return known
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    if identifier := re.match(r"\^([a-z]{2,6}_)", pattern):
        return identifier[1] + _OPAQUE
    return (name or "text").ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _fits(known: Any, schema: Mapping[str, Any]) -> bool:
    if not isinstance(known, int if schema["type"] == "integer" else int | float):
        return False
    return bool(schema.get("minimum", known) <= known <= schema.get("maximum", known))


def _number(schema: Mapping[str, Any]) -> float | int:
    if "exclusiveMinimum" in schema:
        return _least(schema["exclusiveMinimum"] + 1, schema)
    return _least(schema.get("minimum", 1), schema)


def _least(number: float, schema: Mapping[str, Any]) -> float | int:
    least = min(number, schema.get("maximum", number))
    return int(least) if least == int(least) else least
