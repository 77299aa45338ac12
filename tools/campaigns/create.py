"""Create a campaign."""

from typing import Annotated, Literal

from pydantic import Field

from tools.authority import Scope
from tools.campaign_writes import apply, plan_create
from tools.campaigns.model import Campaign, CampaignName, shown
from tools.capability import POST, Effect, Input, Rate, Toolset, write
from tools.context import Context
from tools.fields import AccountId, Amount, ConnectionId, ObjectiveField, PlatformField
from tools.plan import Plan
from tools.targets import one_target

SpecialAdCategory = Literal[
    "HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES", "ISSUES_ELECTIONS_POLITICS",
    "ONLINE_GAMBLING_AND_GAMING",
]  # fmt: skip


class NewCampaign(Input):
    name: CampaignName
    objective: Annotated[ObjectiveField, Field(description="What the campaign is optimised for.")]
    daily_budget: Annotated[Amount, Field(description="Major units of the account's currency.")]
    status: Annotated[Literal["ACTIVE", "PAUSED"], Field(description="PAUSED unless it should run at once.")] = "PAUSED"
    platform: PlatformField | None = None
    connectionId: ConnectionId | None = None
    account_id: AccountId | None = None
    special_ad_categories: Annotated[
        tuple[SpecialAdCategory, ...],
        Field(
            strict=False,
            max_length=6,
            description="A legal statement: which special categories the ads fall in; none if left out.",
        ),
    ] = ()


async def plan(context: Context, new: NewCampaign) -> Plan[NewCampaign]:
    target = await one_target(context, platform=new.platform, connection_id=new.connectionId, account_id=new.account_id)
    fields = new.model_dump(
        mode="json", include={"name", "objective", "daily_budget", "status", "special_ad_categories"}
    )
    return await plan_create(context, new, target, fields, new.daily_budget)


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/ads/campaigns", status=201),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan,
)
async def create_campaign(context: Context, plan: Plan[NewCampaign]) -> Campaign:
    """Create a campaign, paused unless told otherwise. A person agrees first: the answer is confirm_required with the
    exact campaign. It creates the campaign only, no ad sets or ads, so nothing is shown until those exist. Returns the
    new campaign with its id."""
    _, target, state = await apply(context, plan)
    return shown(target, state)
