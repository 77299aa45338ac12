"""Changing campaigns by the platform's rules: what must be given, what may not be combined, and what is one-way."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from server.sandbox.meta import errors, params
from server.sandbox.meta.seed import OBJECTIVES, Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import Campaign, World

_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")
_CATEGORIES = (
    "NONE", "EMPLOYMENT", "HOUSING", "CREDIT", "ISSUES_ELECTIONS_POLITICS", "ONLINE_GAMBLING_AND_GAMING",
    "FINANCIAL_PRODUCTS_SERVICES",
)  # fmt: skip
_BID_STRATEGIES = ("LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP", "LOWEST_COST_WITH_MIN_ROAS")
_EXECUTION_OPTIONS = ("validate_only", "include_recommendations")
_EDITS_PER_HOUR = 4
_LONGEST_NAME = 400

_FLAGS = frozenset({
    "is_adset_budget_sharing_enabled", "is_budget_schedule_enabled", "is_direct_send_campaign", "is_message_campaign",
    "is_meta_moment_maker_enabled", "is_pca_unified", "is_reels_trending_ads_enabled", "is_skadnetwork_attribution",
})  # fmt: skip
_OBJECTS = frozenset({
    "adlabels", "budget_schedule_specs", "frequency_control_specs", "iterative_split_test_configs", "pacing_type",
    "promoted_object", "special_ad_category_country",
})  # fmt: skip
_KEPT = _FLAGS | _OBJECTS | {"smart_promotion_type"}
_SET = frozenset({
    "name", "status", "daily_budget", "lifetime_budget", "bid_strategy", "spend_cap", "special_ad_categories",
    "start_time", "stop_time",
})  # fmt: skip
_UPDATABLE = params.COMMON | _KEPT | _SET | {"execution_options"}
_CREATABLE = _UPDATABLE | {"objective", "buying_type", "source_campaign_id", "topline_id"}

_DECODERS: dict[str, Callable[[str, str], object]] = {
    "daily_budget": params.unsigned,
    "lifetime_budget": params.unsigned,
    "spend_cap": params.unsigned,
    "start_time": params.moment,
    "stop_time": params.moment,
    "status": lambda name, raw: params.one_of(name, raw, _STATUSES),
    "bid_strategy": lambda name, raw: params.one_of(name, raw, _BID_STRATEGIES),
    "special_ad_categories": lambda name, raw: params.list_of(name, raw, _CATEGORIES),
    "execution_options": lambda name, raw: params.list_of(name, raw, _EXECUTION_OPTIONS),
    "buying_type": lambda name, raw: params.one_of(name, raw, ("AUCTION", "RESERVED")),
    "objective": lambda name, raw: params.one_of(name, raw, OBJECTIVES),
    **dict.fromkeys(_FLAGS, params.boolean),
    **{name: lambda name, raw: params.json_value(name, raw, "a JSON value") for name in _OBJECTS},
}

Values = dict[str, Any]


def create_campaign(world: World, account: Account, call: Call) -> Answer:
    params.only(call.params, _CREATABLE)
    for name in ("name", "objective"):
        params.required(call.params, name)
    values = _decode(call.params)
    if "special_ad_categories" not in values:
        raise errors.invalid(
            "special_ad_categories", "Special Ad Category Required",
            "Declare the special ad categories of the campaign, or send an empty list if there are none.", 4834003,
        )  # fmt: skip
    status = values.setdefault("status", "ACTIVE")
    if status not in {"ACTIVE", "PAUSED"}:
        raise errors.not_one_of("status", ("ACTIVE", "PAUSED"), status)
    _check_new_budget(account, values)
    if _validate_only(values):
        return Answer({"success": True})
    fields = {name: value for name, value in values.items() if name in _SET or name == "objective"}
    if _has_budget(values):
        fields.setdefault("bid_strategy", "LOWEST_COST_WITHOUT_CAP")
    fields["special_ad_categories"] = _real_categories(values["special_ad_categories"])
    campaign = world.new_campaign(account, **fields, attributes=_attributes(values))
    return Answer({"id": campaign.id}, wrote=True)


def update_campaign(world: World, campaign: Campaign, call: Call) -> Answer:
    params.only(call.params, _UPDATABLE)
    values = _decode(call.params)
    _check_one_way(campaign, values)
    account = world.accounts[campaign.account_id]
    edits_budget = _check_budget_edit(world, account, campaign, values)
    if _validate_only(values):
        return Answer({"success": True})
    if edits_budget:
        campaign.budget_edits = [*campaign.budget_edits[1 - _EDITS_PER_HOUR :], world.timestamp()]
    if "special_ad_categories" in values:
        values["special_ad_categories"] = _real_categories(values["special_ad_categories"])
    for name in _SET & values.keys():
        setattr(campaign, name, values[name])
    campaign.attributes |= _attributes(values)
    world.changed(campaign)
    return Answer({"success": True}, wrote=True)


def delete_campaign(world: World, campaign: Campaign, call: Call) -> Answer:
    params.only(call.params, params.COMMON)
    if campaign.status == "DELETED":
        raise _deleted()
    campaign.status = "DELETED"
    world.changed(campaign)
    return Answer({"success": True}, wrote=True)


def validates_only(raw: Mapping[str, str]) -> bool:
    return "validate_only" in raw.get("execution_options", "")


def _decode(raw: Mapping[str, str]) -> Values:
    values: Values = {
        name: _DECODERS[name](name, value) if name in _DECODERS else value
        for name, value in raw.items()
        if name not in params.COMMON
    }
    if "name" in values and not 0 < len(values["name"].strip()) <= _LONGEST_NAME:
        raise errors.invalid("name", "Invalid name", f"A campaign's name has 1 to {_LONGEST_NAME} characters.")
    return values


def _validate_only(values: Values) -> bool:
    return "validate_only" in values.get("execution_options", ())


def _has_budget(values: Values) -> bool:
    return "daily_budget" in values or "lifetime_budget" in values


def _real_categories(categories: list[str]) -> list[str]:
    return [category for category in categories if category != "NONE"]


def _attributes(values: Values) -> dict[str, object]:
    kept = _KEPT | {"buying_type", "source_campaign_id", "topline_id"}
    return {name: value for name, value in values.items() if name in kept}


def _check_new_budget(account: Account, values: Values) -> None:
    if not _has_budget(values) and "is_adset_budget_sharing_enabled" not in values:
        raise errors.invalid(
            "is_adset_budget_sharing_enabled", "Must specify True or False in is_adset_budget_sharing_enabled field",
            "A campaign without a budget of its own must say whether its ad sets share some of theirs.", 4834011,
        )  # fmt: skip
    if "bid_strategy" in values and not _has_budget(values):
        raise errors.invalid(
            "bid_strategy", "Bid strategy needs a campaign budget",
            "Set daily_budget or lifetime_budget on the campaign, or the bid strategy on its ad sets.",
        )  # fmt: skip
    if "lifetime_budget" in values and "stop_time" not in values:
        raise errors.invalid("stop_time", "End time required", "A campaign with a lifetime budget needs a stop_time.")
    _check_amounts(account, values)


def _check_amounts(account: Account, values: Values) -> None:
    if "daily_budget" in values and "lifetime_budget" in values:
        raise errors.invalid(
            "daily_budget", "Only one budget", "Set either daily_budget or lifetime_budget, not both.",
        )  # fmt: skip
    for name in ("daily_budget", "lifetime_budget"):
        if name in values and values[name] < account.min_daily_budget:
            least = (
                f"{account.min_daily_budget / account.offset:,.{0 if account.offset == 1 else 2}f} {account.currency}"
            )
            raise errors.invalid(name, "Your budget is too low", f"The budget must be at least {least}.", 1885272)


def _check_one_way(campaign: Campaign, values: Values) -> None:
    if campaign.status == "DELETED":
        raise _deleted()
    if campaign.status != "ARCHIVED":
        return
    wanted = values.get("status", "ARCHIVED")
    if wanted not in {"ARCHIVED", "DELETED"}:
        raise errors.invalid(
            "status", "Archived campaigns stay archived", "The status of an archived campaign can only become DELETED.",
        )  # fmt: skip
    rest = values.keys() - {"name", "status", "execution_options"}
    if rest:
        raise errors.invalid(min(rest), "Campaign is archived", "Only the name of an archived campaign can be edited.")


def _deleted() -> errors.GraphError:
    return errors.invalid(None, "Campaign is deleted", "A deleted campaign can be read but not changed.")


def _check_budget_edit(world: World, account: Account, campaign: Campaign, values: Values) -> bool:
    """Whether the call changes a budget, having refused what the platform would refuse."""
    _check_amounts(account, values)
    for name, other in (("daily_budget", "lifetime_budget"), ("lifetime_budget", "daily_budget")):
        if name not in values or getattr(campaign, name) is not None:
            continue
        if getattr(campaign, other) is not None:
            raise errors.invalid(name, "Budget type is fixed", f"This campaign has a {other}; change that instead.")
        raise errors.invalid(
            name, "Budget is set on the ad sets",
            "You cannot set a budget on both the campaign and its ad sets; change the budgets of the ad sets.", 1885621,
        )  # fmt: skip
    changed = any(
        name in values and values[name] != getattr(campaign, name) for name in ("daily_budget", "lifetime_budget")
    )
    recent = [moment for moment in campaign.budget_edits if moment > world.timestamp() - 3600]
    if changed and len(recent) >= _EDITS_PER_HOUR:
        raise errors.budget_changed_too_often(math.ceil((recent[0] + 3600 - world.timestamp()) / 60))
    return changed
