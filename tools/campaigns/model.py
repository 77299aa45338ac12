"""A campaign, as every face shows it."""

import datetime as dt
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field

from tools.capability import Output
from tools.fields import Amount, Objective, Platform, Status, number
from tools.legible import require_legible
from tools.ports import CampaignState
from tools.targets import Target

CampaignName = Annotated[
    str,
    BeforeValidator(require_legible),
    Field(min_length=1, max_length=250, pattern=r"\S", description="Name of the campaign."),
]


class Campaign(Output):
    campaign_id: str
    name: str
    status: Status
    platform_status: str  # the platform's own word
    platform: Platform
    account_id: str
    connectionId: str
    currency: str
    objective: Objective | None = None  # left out where the platform's own fits none of ours
    platform_objective: str
    daily_budget: Amount | None = None  # left out where the budget is for its lifetime or set below the campaign
    budget_shared: bool = False  # true where other campaigns spend from the same budget
    start_date: dt.date | None = None  # in the account's time zone


_DEFAULTS = {name: field.default for name, field in Campaign.model_fields.items() if not field.is_required()}


def shown(target: Target, state: CampaignState) -> Campaign:
    """Made of what is typed already, so that it is not checked once more."""
    return Campaign.model_construct(**_fields(target, state))


def row(target: Target, state: CampaignState) -> bytes:
    """The wire JSON of the same, for lists of thousands: a model for each would be most of what they cost."""
    fields = _fields(target, state).items()
    return orjson.dumps(
        {name: value for name, value in fields if value is not _DEFAULTS.get(name, ...)}, default=number
    )


def _fields(target: Target, state: CampaignState) -> dict[str, Any]:
    return {
        "campaign_id": state.campaign_id,
        "name": state.name,
        "status": state.status,
        "platform_status": state.platform_status,
        "platform": target.connection.platform,
        "account_id": state.account_id,
        "connectionId": target.connection.id,
        "currency": state.currency,
        "objective": state.objective,
        "platform_objective": state.platform_objective,
        "daily_budget": state.daily_budget,
        "budget_shared": state.budget_shared,
        "start_date": state.start_date,
    }
