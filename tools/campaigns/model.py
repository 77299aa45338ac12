"""A campaign, as every face shows it."""

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator, Field

from tools.capability import Output
from tools.fields import Amount, Objective, Platform, Status
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


def shown(target: Target, state: CampaignState) -> Campaign:
    """Made of what is typed already, so that thousands of rows are not checked once more."""
    return Campaign.model_construct(
        campaign_id=state.campaign_id,
        name=state.name,
        status=state.status,
        platform_status=state.platform_status,
        platform=target.connection.platform,
        account_id=state.account_id,
        connectionId=target.connection.id,
        currency=state.currency,
        objective=state.objective,
        platform_objective=state.platform_objective,
        daily_budget=state.daily_budget,
        budget_shared=state.budget_shared,
        start_date=state.start_date,
    )
