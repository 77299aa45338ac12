"""Create a campaign."""

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from tools.authority import Scope
from tools.campaign_writes import apply, plan_create
from tools.campaigns.model import Campaign, CampaignName, shown
from tools.capability import POST, Effect, Input, Rate, Toolset, write
from tools.context import Context
from tools.errors import InvalidArguments
from tools.fields import AccountId, Amount, ConnectionId, ObjectiveField, Platform, PlatformField, StartDate
from tools.plan import Plan
from tools.targets import Target, one_target

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
            description="Meta: a legal statement, which special categories the ads fall in; none if left out.",
        ),
    ] = ()
    eu_political_ads: (
        Annotated[
            bool, Field(description="Google: a legal statement, whether the ads are political advertising in the EU.")
        ]
        | None
    ) = None
    start_date: StartDate | None = None


async def plan(context: Context, new: NewCampaign) -> Plan[NewCampaign]:
    target = await one_target(context, platform=new.platform, connection_id=new.connectionId, account_id=new.account_id)
    _only_what_it_takes(target.connection.platform, new)
    _not_past(context, target, new.start_date)
    statement = "special_ad_categories" if target.connection.platform is Platform.META else "eu_political_ads"
    sent = {"name", "objective", "daily_budget", "status", statement} | ({"start_date"} if new.start_date else set())
    return await plan_create(context, new, target, new.model_dump(mode="json", include=sent), new.daily_budget)


def _only_what_it_takes(platform: Platform, new: NewCampaign) -> None:
    """Each platform has its own statement; what one does not ask for is refused rather than dropped."""
    if platform is Platform.GOOGLE and new.eu_political_ads is None:
        raise _problem("eu_political_ads", "is required on Google", "Ask the person, then send true or false.")
    if platform is Platform.GOOGLE and new.special_ad_categories:
        raise _problem("special_ad_categories", "is a statement to Meta; Google takes none", "Leave it out.")
    if platform is Platform.META and new.eu_political_ads is not None:
        fix = "Leave it out; on Meta special_ad_categories states it."
        raise _problem("eu_political_ads", "is a statement to Google; Meta takes none", fix)


def _not_past(context: Context, target: Target, start: dt.date | None) -> None:
    today = context.clock().astimezone(ZoneInfo(target.account.time_zone)).date()
    if start is not None and start < today:
        raise _problem("start_date", f"is before today, {today} where the account is", "Send today or a later day.")


def _problem(field: str, problem: str, fix: str) -> InvalidArguments:
    return InvalidArguments(f"{field} {problem}.", fix=fix, problems=[{"field": field, "problem": problem}])


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
