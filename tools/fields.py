"""Field types that several capabilities share, each carrying its own description, bounds and wire form."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema


class Platform(StrEnum):
    META = "meta"
    GOOGLE = "google"


class Status(StrEnum):
    """UNKNOWN: the platform reports something that fits none of the others; its own word stands beside it."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ARCHIVED = "ARCHIVED"
    UNKNOWN = "UNKNOWN"


class Objective(StrEnum):
    SALES = "sales"
    LEADS = "leads"
    TRAFFIC = "traffic"
    AWARENESS = "awareness"
    ENGAGEMENT = "engagement"
    APP_PROMOTION = "app_promotion"


def _exact(value: object) -> object:
    """A JSON number becomes the Decimal its writer typed: 0.1 is 0.1, never a binary neighbour."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a JSON number without quotes, such as 42.5")
    try:
        return Decimal(repr(value))
    except InvalidOperation:
        return value


def number(value: Decimal) -> int | float:
    """A Decimal as a JSON number: 40, not 40.0, so that before and after of a plan are spelled alike."""
    return int(value) if value == value.to_integral_value() else float(value)


Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A figure that is a JSON number already: 40 stays 40."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(gt=0, le=1_000_000_000, allow_inf_nan=False),
    PlainSerializer(number, return_type=int | float),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000_000}),
]
"""Money in major units: a JSON number outside, a Decimal inside, never a float in between. How many decimals its
currency has is checked where the currency is known."""

Paid = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(ge=0, le=1_000_000_000_000, decimal_places=4, allow_inf_nan=False),
    PlainSerializer(number, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1_000_000_000_000}),
]
"""An amount that somebody paid, or a value of something: as Amount, but nothing is an amount, too."""

Ratio = Annotated[Decimal, PlainSerializer(number, return_type=int | float), WithJsonSchema({"type": "number"})]
"""A computed figure (money summed, a rate): Decimal inside, a JSON number outside."""


def member(kind: type[StrEnum]) -> Callable[[object], object]:
    """Strict models take enum members only; on the wire they are their strings."""

    def build(value: object) -> object:
        if not isinstance(value, str) or value not in kind._value2member_map_:
            raise ValueError(f"must be one of {', '.join(kind)}")
        return kind(value)

    return build


def _date(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError("a date looks like 2026-11-22")
        return dt.date.fromisoformat(value)
    return value


_DAY: dict[str, Any] = {"type": "string", "format": "date"}

PlatformField = Annotated[Platform, BeforeValidator(member(Platform)), Field(description="Ad platform.")]
StatusField = Annotated[Status, BeforeValidator(member(Status))]
ObjectiveField = Annotated[Objective, BeforeValidator(member(Objective))]
Since = Annotated[
    dt.date,
    BeforeValidator(_date),
    WithJsonSchema(_DAY | {"description": "First day, YYYY-MM-DD, in the account's time zone."}),
]
Until = Annotated[
    dt.date, BeforeValidator(_date), WithJsonSchema(_DAY | {"description": "Last day (included), YYYY-MM-DD."})
]
StartDate = Annotated[
    dt.date,
    BeforeValidator(_date),
    WithJsonSchema(
        _DAY | {"description": "First day it may run, YYYY-MM-DD, in the account's time zone; at once if left out."}
    ),
]
CampaignId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="The platform's campaign id, from list_campaigns.",
    ),
]
AccountId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Ad account id, from list_connections; implied when there is one.",
    ),
]
ConnectionId = Annotated[
    str,
    Field(
        pattern=r"^con_[A-Za-z0-9]{1,40}$",
        description="Connection id, from list_connections; implied when there is one.",
    ),
]
AnyWebsite = Annotated[
    str, Field(min_length=1, max_length=64, description="Website id, from list_websites; an unknown one is not found.")
]
VisitorId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"\S", description="Visitor id.")]
ExternalId = Annotated[
    str, Field(min_length=1, max_length=320, pattern=r"\S", description="E-mail address or user id of a visitor.")
]
ApprovalId = Annotated[
    str, Field(pattern=r"^apr_[A-Za-z0-9]{1,40}$", description="Approval id, from a confirm_required answer.")
]
ChangeId = Annotated[str, Field(pattern=r"^chg_[A-Za-z0-9]{1,40}$", description="Change id, from list_changes.")]
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 50, 64, 500


def _pairs(value: object) -> object:
    """A map as people write it in JSON, or the rows of it that tools send, as their inputs have no maps."""
    held = _of_rows(value) if isinstance(value, list | tuple) else value
    if not isinstance(held, dict):
        raise ValueError("must be a JSON object")
    if len(held) > MOST_PAIRS:
        raise ValueError(f"has {len(held)} keys; at most {MOST_PAIRS} are taken")
    for key, each in held.items():
        if problem := _pair_problem(key, each):
            raise ValueError(problem)
    return held


def _of_rows(rows: list[Any] | tuple[Any, ...]) -> dict[str, str]:
    if any(not isinstance(row, dict) or row.keys() != {"key", "value"} for row in rows):
        raise ValueError('each row is {"key": "…", "value": "…"}')
    if any(not isinstance(text, str) for row in rows for text in row.values()):
        raise ValueError("key and value of a row are strings")
    held = {row["key"]: row["value"] for row in rows}
    if len(held) < len(rows):
        raise ValueError("the same key is there more than once")
    return held


def _pair_problem(key: str, value: object) -> str | None:
    if not 1 <= len(key) <= LONGEST_KEY:
        return f"a key has 1 to {LONGEST_KEY} characters"
    if not isinstance(value, str | int | float):
        return f"the value of {key} is no string, number or boolean"
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"the value of {key} has more than {LONGEST_VALUE} characters"
    return "take the character U+0000 out" if "\0" in f"{key}{value}" else None


PAIR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        "value": {"type": "string", "maxLength": LONGEST_VALUE},
    },
    "required": ["key", "value"],
    "additionalProperties": False,
}
Pairs = Annotated[
    dict[str, Any],
    BeforeValidator(_pairs),
    WithJsonSchema({"type": "array", "items": PAIR, "maxItems": MOST_PAIRS, "description": "Rows of key and value."}),
]
"""A small map of strings, numbers and booleans. REST takes it as the map it is (tools/schema.py says so there)."""
Cursor = Annotated[
    str, Field(max_length=2000, description="next_cursor of the page before; leave out for the first page.")
]
Limit = Annotated[int, Field(ge=1, le=500, description="Rows a page, at most 500.")]
