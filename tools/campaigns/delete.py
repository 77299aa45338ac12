"""Take a campaign out of service."""

from typing import Annotated, Literal

from pydantic import Field

from tools.authority import Scope
from tools.campaign_writes import apply, plan_archive, plan_update
from tools.campaigns.model import Campaign, shown
from tools.capability import DELETE, Effect, Input, Rate, Toolset, write
from tools.context import Context
from tools.fields import CampaignId, ConnectionId
from tools.plan import Plan
from tools.targets import find_campaign


class CampaignRemoval(Input):
    campaign_id: CampaignId
    connectionId: ConnectionId | None = None
    mode: Annotated[
        Literal["pause", "archive"], Field(description="pause can be undone at any time; archive never.")
    ] = "pause"


async def plan(context: Context, removal: CampaignRemoval) -> Plan[CampaignRemoval]:
    target, state = await find_campaign(context, removal.campaign_id, connection_id=removal.connectionId)
    if removal.mode == "archive":
        return await plan_archive(context, removal, target, state)
    return await plan_update(context, removal, target, state, {"status": "PAUSED"})


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/ads/campaigns/{campaign_id}"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan,
    idempotent=True,
)
async def delete_campaign(context: Context, plan: Plan[CampaignRemoval]) -> Campaign:
    """Take a campaign out of service. It is paused, which can be undone; with mode archive it is archived, which is
    one-way on the platform. Nothing is ever deleted for good, so its history stays. A person agrees first. Returns the
    campaign as it is afterwards."""
    _, target, state = await apply(context, plan)
    return shown(target, state)
