"""Campaigns between Meta's words and ours: statuses, objectives, budgets, and what a write sends."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from server.platforms.meta.answers import Row, text
from server.platforms.meta.money import to_major, to_minor
from server.platforms.meta.wire import json_param
from server.platforms.readback import amount, problem
from tools.fields import Objective, Status
from tools.plan import Operation
from tools.ports import CampaignState

FIELDS = "id,account_id,name,status,effective_status,objective,daily_budget,created_time,start_time"
EVERY_STATUS = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES")
"""Meta leaves out archived and deleted objects wherever no status is named."""

_LIVE = ("IN_PROCESS", "WITH_ISSUES")  # effective; what the person set may be ACTIVE or PAUSED
EFFECTIVE: Mapping[Status | None, tuple[str, ...]] = {
    None: ("ACTIVE", "PAUSED", "ARCHIVED", *_LIVE),
    Status.ACTIVE: ("ACTIVE", *_LIVE),
    Status.PAUSED: ("PAUSED", *_LIVE),
    Status.ARCHIVED: ("ARCHIVED",),
    Status.UNKNOWN: ("DELETED",),
}
"""The effective statuses that campaigns whose own status is the key can have; None: all but deleted campaigns."""

_STATUSES = {"ACTIVE": Status.ACTIVE, "PAUSED": Status.PAUSED, "ARCHIVED": Status.ARCHIVED}
_OBJECTIVES = {f"OUTCOME_{objective.name}": objective for objective in Objective}
_WORDS = {objective: word for word, objective in _OBJECTIVES.items()}
_FIELDS_OF = {
    "create_campaign": {"name", "objective", "status", "daily_budget", "special_ad_categories", "start_date"},
    "update_campaign": {"name", "status", "daily_budget"},
    "archive_campaign": {"status"},
}


def campaign_state(row: Row, currency: str) -> CampaignState:
    """`status` is what was set (DELETED is UNKNOWN here), `platform_status` Meta's view of it (WITH_ISSUES)."""
    configured = str(row.get("status", ""))
    objective = str(row.get("objective", ""))
    created, starts = row.get("created_time"), row.get("start_time")
    return CampaignState(
        account_id=f"act_{text(row, 'account_id')}",
        campaign_id=text(row, "id"),
        name=str(row.get("name", "")),
        status=_STATUSES.get(configured, Status.UNKNOWN),
        platform_status=str(row.get("effective_status") or configured),
        objective=_OBJECTIVES.get(objective),
        platform_objective=objective,
        daily_budget=to_major(row["daily_budget"], currency)
        if row.get("daily_budget") not in (None, "", "0")
        else None,
        currency=currency,
        created_at=dt.datetime.fromisoformat(created) if created else None,
        start_date=dt.datetime.fromisoformat(starts).date() if starts else None,
    )


def write_form(operation: Operation, currency: str | None, time_zone: str | None = None) -> dict[str, str]:
    """What is sent for an operation. Currency and time zone are the account's, needed for a budget and a start."""
    unknown = operation.fields.keys() - _FIELDS_OF.get(operation.kind, set())
    if (
        operation.kind not in _FIELDS_OF or unknown
    ):  # a defect of ours: sending the rest would not be what was agreed to
        raise ValueError(f"{operation.kind} with {sorted(operation.fields)} is not an operation on Meta")
    fields = {name: value for name, value in operation.fields.items() if value is not None}
    if operation.kind == "archive_campaign":
        return {"status": Status.ARCHIVED.value}
    form: dict[str, str] = {}
    if "name" in fields:
        form["name"] = str(fields["name"])
    if "status" in fields:
        form["status"] = _status(fields["status"])
    if "daily_budget" in fields:
        if currency is None:
            raise ValueError("a budget needs the account's currency")
        form["daily_budget"] = str(to_minor(amount(fields["daily_budget"]), currency, field="daily_budget"))
    if operation.kind == "create_campaign":
        return form | _only_at_creation(fields, form) | _start(fields, time_zone)
    if not form:
        raise problem("fields", "nothing to change")
    return form


def _only_at_creation(fields: Mapping[str, JsonValue], form: Mapping[str, str]) -> dict[str, str]:
    for required in ("name", "objective", "special_ad_categories"):
        if required not in fields:
            raise problem(required, "is required to create a campaign on Meta")
    objective = fields["objective"]
    if objective not in set(Objective):
        raise problem("objective", f"must be one of {', '.join(Objective)}")
    extra = {
        "objective": _WORDS[Objective(str(objective))],
        "special_ad_categories": json_param(fields["special_ad_categories"]),
    }
    if "status" not in form:
        extra["status"] = Status.PAUSED.value
    if "daily_budget" not in form:  # then Meta wants to be told
        extra["is_adset_budget_sharing_enabled"] = "false"
    return extra


def _start(fields: Mapping[str, JsonValue], time_zone: str | None) -> dict[str, str]:
    """The first moment of the day in the account's time zone, offset included: Meta takes a bare time for its own."""
    if "start_date" not in fields:
        return {}
    if time_zone is None:
        raise ValueError("a start needs the account's time zone")
    day = dt.date.fromisoformat(str(fields["start_date"]))
    first = dt.datetime.combine(day, dt.time(), ZoneInfo(time_zone))
    return {"start_time": first.strftime("%Y-%m-%dT%H:%M:%S%z")}


def _status(value: JsonValue) -> str:
    if value not in _STATUSES:
        raise problem("status", "must be ACTIVE, PAUSED or ARCHIVED")
    return str(value)
