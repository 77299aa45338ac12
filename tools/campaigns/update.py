"""Change a campaign."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from tools.authority import Scope
from tools.campaign_writes import apply, plan_update
from tools.campaigns.model import Campaign, CampaignName, shown
from tools.capability import PATCH, Effect, Input, Rate, Toolset, write
from tools.context import Context
from tools.fields import Amount, CampaignId, ConnectionId
from tools.plan import Plan
from tools.targets import find_campaign


class CampaignChange(Input):
    campaign_id: CampaignId
    connectionId: ConnectionId | None = None
    name: CampaignName | None = None
    status: Annotated[Literal["ACTIVE", "PAUSED"], Field(description="ACTIVE starts it, PAUSED stops it.")] | None = (
        None
    )
    daily_budget: Annotated[Amount | None, Field(description="Major units of the account's currency.")] = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "CampaignChange":
        if not self.sent():
            raise ValueError("nothing to change: send name, status or daily_budget")
        return self

    def sent(self) -> dict[str, JsonValue]:
        return self.model_dump(mode="json", include=self.model_fields_set - {"campaign_id", "connectionId"})


async def plan(context: Context, change: CampaignChange) -> Plan[CampaignChange]:
    target, state = await find_campaign(context, change.campaign_id, connection_id=change.connectionId)
    return await plan_update(context, change, target, state, change.sent())


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/ads/campaigns/{campaign_id}"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan,
    idempotent=True,
)
async def update_campaign(context: Context, plan: Plan[CampaignChange]) -> Campaign:
    """Change a campaign: pause or stop it, start or activate it, rename it, raise, lower or set its daily budget.
    Fields left out stay as they are. A person agrees first: the answer is confirm_required with the exact change, and
    nothing is touched until then. Guardrails limit what may be asked for. Returns the campaign as it is afterwards."""
    _, target, state = await apply(context, plan)
    return shown(target, state)
