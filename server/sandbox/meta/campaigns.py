"""Reading campaigns: fields, filters and what a list leaves out unless asked."""

from datetime import datetime

from server.sandbox.meta import filtering, params
from server.sandbox.meta.paging import page
from server.sandbox.meta.seed import Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import Campaign, World

FIELDS = frozenset({
    "account_id", "adlabels", "advantage_state_info", "bid_constraints", "bid_strategy", "boosted_object_id",
    "brand_lift_studies", "budget_rebalance_flag", "budget_remaining", "buying_type",
    "campaign_group_active_time", "can_create_brand_lift_study", "can_use_spend_cap", "configured_status",
    "created_time", "daily_budget", "effective_status", "frequency_control_specs",
    "has_secondary_skadnetwork_reporting", "id", "is_adset_budget_sharing_enabled", "is_budget_schedule_enabled",
    "is_direct_send_campaign", "is_message_campaign", "is_meta_moment_maker_enabled", "is_pca_unified",
    "is_reels_trending_ads_enabled", "is_skadnetwork_attribution", "issues_info", "last_budget_toggling_time",
    "lifetime_budget", "name", "objective", "pacing_type", "primary_attribution", "promoted_object",
    "recommendations", "smart_promotion_type", "source_campaign", "source_campaign_id",
    "source_recommendation_type", "special_ad_categories", "special_ad_category", "special_ad_category_country",
    "spend_cap", "start_time", "status", "stop_time", "topline_id", "updated_time",
})  # fmt: skip
EFFECTIVE_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES")
_LISTED_UNASKED = frozenset({"ACTIVE", "PAUSED", "IN_PROCESS", "WITH_ISSUES"})
_FILTERS = (
    "id",
    "name",
    "objective",
    "status",
    "effective_status",
    "daily_budget",
    "lifetime_budget",
    "created_time",
    "updated_time",
)


def list_campaigns(world: World, account: Account, call: Call) -> Answer:
    params.only(
        call.params,
        params.PAGED | {"effective_status", "filtering", "is_completed", "date_preset", "time_range"},
    )
    asked = params.fields(call.params, FIELDS, "Campaign")
    raw_filter = call.params.get("filtering")
    tests = filtering.parse(raw_filter, [*_FILTERS, *(f"campaign.{name}" for name in _FILTERS)])
    if call.params.get("effective_status"):
        statuses = frozenset(params.list_of("effective_status", call.params["effective_status"], EFFECTIVE_STATUSES))
    elif filtering.mentions(raw_filter, "effective_status") or filtering.mentions(
        raw_filter, "campaign.effective_status"
    ):
        statuses = frozenset(EFFECTIVE_STATUSES)
    else:
        statuses = _LISTED_UNASKED
    found = [
        campaign for campaign in world.of_account(account)
        if campaign.status in statuses and all(test(filter_row(campaign)) for test in tests)
    ]  # fmt: skip
    answer = page(call, [show(world, each, asked) for each in found], [each.id for each in found])
    if call.params.get("summary"):
        answer["summary"] = {"total_count": len(found)}
    return Answer(answer)


def read_campaign(world: World, campaign: Campaign, call: Call) -> Answer:
    params.only(call.params, params.COMMON)
    return Answer(show(world, campaign, params.fields(call.params, FIELDS, "Campaign")))


def filter_row(campaign: Campaign) -> dict[str, object]:
    row: dict[str, object] = {
        "id": campaign.id,
        "name": campaign.name,
        "objective": campaign.objective,
        "status": campaign.status,
        "effective_status": campaign.status,
        "daily_budget": campaign.daily_budget,
        "lifetime_budget": campaign.lifetime_budget,
        "created_time": int(datetime.fromisoformat(campaign.created_time).timestamp()),
        "updated_time": int(datetime.fromisoformat(campaign.updated_time).timestamp()),
    }
    return row | {f"campaign.{name}": value for name, value in row.items()}


def show(world: World, campaign: Campaign, asked: list[str]) -> dict[str, object]:
    """The campaign as the platform words it: budgets are strings of minor units, and what is unset is absent."""
    known: dict[str, object] = campaign.attributes | {
        "id": campaign.id,
        "account_id": campaign.account_id,
        "name": campaign.name,
        "objective": campaign.objective,
        "status": campaign.status,
        "configured_status": campaign.status,
        "effective_status": campaign.status,
        "buying_type": campaign.attributes.get("buying_type", "AUCTION"),
        "bid_strategy": campaign.bid_strategy,
        "daily_budget": campaign.daily_budget,
        "lifetime_budget": campaign.lifetime_budget,
        "spend_cap": campaign.spend_cap,
        "special_ad_categories": campaign.special_ad_categories,
        "special_ad_category": (campaign.special_ad_categories or ["NONE"])[0],
        "budget_rebalance_flag": False,
        "can_use_spend_cap": True,
        "pacing_type": campaign.attributes.get("pacing_type", ["standard"]),
        "smart_promotion_type": campaign.attributes.get("smart_promotion_type", "GUIDED_CREATION"),
        "source_campaign_id": campaign.attributes.get("source_campaign_id", "0"),
        "topline_id": campaign.attributes.get("topline_id", "0"),
        "created_time": campaign.created_time,
        "updated_time": campaign.updated_time,
        "start_time": campaign.start_time,
        "stop_time": campaign.stop_time,
    }
    if "budget_remaining" in asked:
        known["budget_remaining"] = _remaining(world, campaign)
    for name in ("daily_budget", "lifetime_budget", "spend_cap"):
        known[name] = None if known[name] is None else str(known[name])
    return {name: known[name] for name in asked if known.get(name) is not None}


def _remaining(world: World, campaign: Campaign) -> str:
    if campaign.lifetime_budget is not None:
        return str(max(0, campaign.lifetime_budget - world.spent(campaign)))
    today = world.today(world.accounts[campaign.account_id])
    spent = sum(facts.spend for facts in world.delivered(campaign, today).values())
    return str(max(0, (campaign.daily_budget or 0) - spent))
