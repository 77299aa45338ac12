"""What every operation of the OpenAPI document refers to: errors, approvals, plans, headers."""

from itertools import groupby
from typing import Any

from api.error_examples import EXAMPLES
from api.examples import REQUEST_ID, example
from tools.errors import CapabilityError

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_OPEN = {"type": "object", "additionalProperties": True}


def closed(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


_META = {"request_id": {"type": "string", "pattern": "^req_[A-Za-z0-9]+$", "description": "Quote it when asking."}}
_CHANGE = closed({"target": _TEXT, "field": _TEXT, "before": {}, "after": {}})
_MONEY = closed({"currency": _TEXT, "daily": {"type": "number"}, "monthly": {"type": "number"}})
_STATUSES = ["pending", "executing", "done", "failed", "unknown", "stale", "denied", "expired", "superseded"]

SCHEMAS: dict[str, Any] = {
    "Meta": closed(_META),
    "PageMeta": closed(
        _META | {"next_cursor": {"type": "string", "description": "Send it as cursor; absent on the last page."}},
        optional=("next_cursor",),
    ),
    "Error": closed(
        {
            "code": {"type": "string", "description": "Stable; decide on this one."},
            "message": {"type": "string", "description": "What happened, for people."},
            "fix": {"type": "string", "description": "What to do next."},
            "details": _OPEN,
            "upsellUrl": {"type": "string", "format": "uri", "description": "Where a larger plan is bought."},
            "retryAfter": {"type": "integer", "minimum": 0, "description": "Seconds."},
            "connectionId": {"type": "string", "description": "The connection to renew."},
            "meta": ref("schemas", "Meta"),
        },
        optional=("fix", "details", "upsellUrl", "retryAfter", "connectionId"),
    ),
    "Plan": closed(
        {
            "summary": _TEXT,
            "changes": {"type": "array", "items": _CHANGE},
            "money": _MONEY | {"description": "The signed change in what may be spent, in major units."},
            "amountRequired": {"type": "number", "description": "The person types this amount when agreeing."},
            "evidence": _OPEN,
            "warnings": {"type": "array", "items": _TEXT},
            "reversible": {"type": "boolean"},
        },
        optional=("money", "amountRequired", "evidence"),
    ),
    "Approval": closed(
        {
            "id": {"type": "string", "pattern": "^apr_[A-Za-z0-9]+$"},
            "status": {"type": "string", "enum": _STATUSES},
            "capability": _TEXT | {"examples": ["update_campaign"]},
            "arguments": _OPEN,
            "plan": ref("schemas", "Plan"),
            "digest": {"type": "string", "description": "Of what the person agrees to."},
            "url": {"type": "string", "format": "uri", "description": "Where a signed-in person decides."},
            "requestedBy": _TEXT,
            "via": _TEXT | {"examples": ["key"]},
            "createdAt": _MOMENT,
            "expiresAt": _MOMENT,
            "decidedBy": _TEXT,
            "decidedAt": _MOMENT,
            "supersededBy": _TEXT,
            "result": _OPEN,
            "error": _OPEN,
        },
        optional=("decidedBy", "decidedAt", "supersededBy", "result", "error"),
    ),
    "ConfirmRequired": closed(
        {
            "code": {"const": "confirm_required"},
            "message": _TEXT,
            "fix": _TEXT,
            "approval": ref("schemas", "Approval"),
            "meta": ref("schemas", "Meta"),
        }
    ),
    "Preview": closed(
        {
            "plan": ref("schemas", "Plan"),
            "digest": {"type": "string", "description": 'If-Match: "<digest>" holds the write to this plan.'},
        }
    ),
}

HEADERS: dict[str, Any] = {
    "X-Request-Id": {"description": "The same id as meta.request_id.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "Idempotent-Replayed": {
        "description": "Where the answer is that of an earlier call with the same Idempotency-Key; nothing was done.",
        "schema": {"const": "true"},
    },
    "RateLimit-Policy": {
        "description": 'The limit that is used up, its calls and their window in seconds: "default";q=600;w=60.',
        "schema": _TEXT,
    },
    "RateLimit": {
        "description": 'The limit that is used up and the seconds until it has room: "default";r=0;t=12.',
        "schema": _TEXT,
    },
}


def page_meta(listing: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the rows: PageMeta, and whatever else this listing says of them."""
    beside = {name: each for name, each in listing["properties"].items() if name not in ("items", "next_cursor")}
    if not beside:
        return ref("schemas", "PageMeta")
    page = SCHEMAS["PageMeta"]["properties"] | beside
    required = {"request_id", *listing.get("required", ())}
    return closed(page, optional=tuple(name for name in page if name not in required))


DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def parameters() -> dict[str, Any]:
    return {
        "plan": {
            "name": "plan",
            "in": "query",
            "description": "true: answer the plan and its digest, and do nothing.",
            "schema": {"type": "boolean", "default": False},
        },
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "Do it only if the plan still has this digest, in quotes; otherwise 409 stale_plan.",
            "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
            "example": f'"{DIGEST}"',
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": (
                "Makes a write safe to send again, for 24 hours: the same request gets the first answer, with "
                "Idempotent-Replayed: true; another request gets 422 idempotency_mismatch, and one sent before the "
                "first is answered 409 idempotency_in_progress."
            ),
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
        },
    }


def responses() -> dict[str, Any]:
    """Error400 … Error503, each with every code of that status and an example of it; and ConfirmRequired."""
    by_status = groupby(sorted(EXAMPLES, key=lambda error: error.status), key=lambda error: error.status)
    confirm = {"application/json": {"schema": ref("schemas", "ConfirmRequired"), "example": _confirm_required()}}
    return {f"Error{status}": _error(status, list(group)) for status, group in by_status} | {
        "ConfirmRequired": {
            "description": "Nothing was changed yet: a signed-in person has to agree first.",
            "headers": _headers("X-Request-Id", "Idempotent-Replayed"),
            "content": confirm,
        }
    }


def _error(status: int, told: list[CapabilityError]) -> dict[str, Any]:
    codes = [error.code for error in told]
    narrowed: dict[str, Any] = {"properties": {"code": {"enum": codes}}, "required": ["fix"] if status < 500 else []}
    if status == 429:
        headers = _headers("X-Request-Id", "Retry-After", "RateLimit-Policy", "RateLimit")
    else:
        headers = _headers("X-Request-Id", *(["Retry-After"] if status in (409, 503) else []))
    return {
        "description": " · ".join(codes),
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"allOf": [ref("schemas", "Error"), narrowed]},
                "examples": {error.code: {"value": error.body(REQUEST_ID)} for error in told},
            }
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: ref("headers", name) for name in names}


def plan_example() -> dict[str, Any]:
    change = {"target": "Spring sale", "field": "daily_budget", "before": 120, "after": 150}
    money = {"currency": "USD", "daily": 30, "monthly": 912}
    return {
        "summary": "Raise the daily budget of Spring sale from 120 to 150 USD.",
        "changes": [change],
        "money": money,
        "warnings": ["The budget rises by more than 20 %."],
        "reversible": True,
    }


def _confirm_required() -> dict[str, Any]:
    undecided = {
        name: example(field, name)
        for name, field in SCHEMAS["Approval"]["properties"].items()
        if name in SCHEMAS["Approval"]["required"] and name != "plan"
    }
    arguments = {"campaign_id": "120210000000000001", "daily_budget": 150}
    url = f"https://example.com/approvals/{undecided['id']}"
    return {
        "code": "confirm_required",
        "message": "Nothing was changed yet: a person has to agree first.",
        "fix": f"Ask the person to open {url} and decide, then call get_approval with {undecided['id']}.",
        "approval": undecided | {"arguments": arguments, "plan": plan_example(), "url": url},
        "meta": {"request_id": REQUEST_ID},
    }
