"""What a campaign that was read back says about a write whose answer was lost; the same on every platform."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import JsonValue

from tools.errors import InvalidArguments
from tools.fields import Status
from tools.plan import Operation
from tools.ports import CampaignState, Observation, Observed

_ARCHIVED = {Status.ARCHIVED: Observation.APPLIED, Status.UNKNOWN: Observation.UNCLEAR}


def observed(campaign: CampaignState, operation: Operation) -> Observed:
    """Of an update or an archiving: neither the values sent nor those from before is unclear."""
    if operation.kind == "archive_campaign":
        return Observed(_ARCHIVED.get(campaign.status, Observation.NOT_APPLIED), campaign.campaign_id)
    if has_values(campaign, operation.fields):
        return Observed(Observation.APPLIED, campaign.campaign_id)
    before = {name: operation.before.get(name) for name in operation.fields}
    unchanged = operation.before.keys() >= operation.fields.keys() and has_values(campaign, before)
    return Observed(Observation.NOT_APPLIED if unchanged else Observation.UNCLEAR, campaign.campaign_id)


def has_values(campaign: CampaignState, values: Mapping[str, JsonValue]) -> bool:
    """Whether name, status and daily budget are the given ones; any other field counts as different."""
    return all(_has_value(campaign, name, value) for name, value in values.items())


def _has_value(campaign: CampaignState, name: str, value: JsonValue) -> bool:
    match name:
        case "name":
            return same_name(campaign.name, value)
        case "status":
            return campaign.status.value == value
        case "daily_budget":
            return campaign.daily_budget == (None if value is None else amount(value))
    return False


def same_name(one: object, other: object) -> bool:
    """A platform may trim a name."""
    return str(one).strip() == str(other).strip()


def amount(value: JsonValue) -> Decimal:
    """A JSON number as the decimal its writer typed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise problem("daily_budget", "must be a number")
    return Decimal(repr(value))


def problem(field: str, what: str, fix: str | None = None) -> InvalidArguments:
    return InvalidArguments(
        f"{field}: {what}.", fix=fix or f"Correct {field} and try again.", problems=[{"field": field, "problem": what}]
    )
