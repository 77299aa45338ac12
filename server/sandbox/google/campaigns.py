"""Campaigns by the platform's rules: what a create must say, what may be combined, and what is one-way."""

from datetime import datetime
from typing import cast

from server.sandbox.google import budgets, errors, schema
from server.sandbox.google.draft import Draft
from server.sandbox.google.world import Campaign, Fields

MUTABLE = (
    "name", "status", "advertisingChannelType", "advertisingChannelSubType", "campaignBudget", "startDateTime",
    "endDateTime", "trackingUrlTemplate", "finalUrlSuffix", "containsEuPoliticalAdvertising",
    "adServingOptimizationStatus", "brandGuidelinesEnabled", "networkSettings", "geoTargetTypeSetting", *schema.BIDDING,
)  # fmt: skip
_OUTPUT_ONLY = ("primaryStatus", "servingStatus", "biddingStrategyType")
_FIXED = (
    "id", "resourceName", "advertisingChannelType", "advertisingChannelSubType", "brandGuidelinesEnabled",
    *_OUTPUT_ONLY,
)  # fmt: skip
_REQUIRED = ("name", "status", "campaignBudget", "containsEuPoliticalAdvertising", "startDateTime")
_AUTOMATIC = ("maximizeConversions", "maximizeConversionValue")
_CLASSIC = ("manualCpc", "targetSpend", "targetCpa", "targetRoas", *_AUTOMATIC)
_BIDDING_OF = {
    "SEARCH": (*_CLASSIC, "targetImpressionShare"),
    "DISPLAY": (*_CLASSIC, "manualCpm"),
    "PERFORMANCE_MAX": _AUTOMATIC,
    "DEMAND_GEN": ("targetSpend", "targetCpa", "targetRoas", *_AUTOMATIC),
}
"""The channels that a campaign can be created in here, and how each may bid."""
_LONGEST_NAME = 256
_MOMENT = "%Y-%m-%d %H:%M:%S"


def create(draft: Draft, given: schema.Fields) -> dict[str, object]:
    temporary = draft.reserve(given, "campaigns")
    midnight = f"{draft.world.today(draft.customer)} 00:00:00"
    fields: Fields = {"status": "ENABLED", "startDateTime": midnight}
    fields |= {name: value for name, value in given.items() if name != "resourceName"}
    errors.together(
        lambda: draft.check_settable(given, _OUTPUT_ONLY),
        lambda: _check_status(fields, "create"),
        lambda: _check_name(draft, fields, None, "create"),
        lambda: _check_channel(fields),
        lambda: _check_bidding(fields, "create"),
        lambda: _check_eu(fields, "create"),
        lambda: _attach_budget(draft, fields, None, "create"),
        lambda: _check_networks(fields, "create"),
        lambda: _check_dates(draft, fields, given, "create"),
    )
    campaign = Campaign(draft.next_id(), draft.customer.id, fields)
    draft.put(campaign, temporary)
    _sync_budget(draft, campaign)
    return draft.result(campaign, MUTABLE)


def update(draft: Draft, given: schema.Fields, mask: str) -> dict[str, object]:
    old = _find(draft, str(given.get("resourceName", "")), "update", "resource_name")
    paths = draft.mask(schema.CAMPAIGN, mask, _FIXED)
    if old.status == "REMOVED":
        raise errors.removed()
    campaign = draft.editable(old)
    for path in paths:
        _set(campaign.fields, given, path)
    dated = {path: campaign.fields.get(path) for path in paths if path in {"startDateTime", "endDateTime"}}
    errors.together(
        lambda: _check_status(campaign.fields, "update"),
        lambda: _check_started(draft, old, dated),
        lambda: _check_name(draft, campaign.fields, old, "update"),
        lambda: _check_bidding(campaign.fields, "update"),
        lambda: _attach_budget(draft, campaign.fields, old, "update"),
        lambda: _check_networks(campaign.fields, "update"),
        lambda: _check_dates(draft, campaign.fields, dated, "update"),
    )
    draft.put(campaign)
    _sync_budget(draft, campaign)
    return draft.result(campaign, MUTABLE)


def remove(draft: Draft, name: str) -> dict[str, object]:
    campaign = draft.editable(_find(draft, name, "remove"))
    if campaign.status == "REMOVED":
        raise errors.removed()
    campaign.fields["status"] = "REMOVED"
    draft.put(campaign)
    _sync_budget(draft, campaign)
    return {"resourceName": campaign.resource_name}


def _find(draft: Draft, name: str, *place: str) -> Campaign:
    if not name:
        raise errors.required(*place)
    campaign = draft.account.campaigns.get(draft.resolve(name, "campaigns", *place))
    if campaign is None:
        raise errors.not_found(name, *place)
    return campaign


def _set(fields: Fields, given: schema.Fields, path: str) -> None:
    """Put in, or clear, what the mask names; another way of bidding replaces the one before."""
    first, *rest = path.split(".")
    if first in schema.BIDDING and first not in fields:
        for name in [name for name in schema.BIDDING if name in fields]:
            del fields[name]
    if rest:
        within = cast("Fields", given.get(first, {}))
        held = {name: value for name, value in fields.get(first, {}).items() if name != rest[0]}
        fields[first] = held | {name: within[name] for name in rest if name in within}
    elif first in given:
        fields[first] = given[first]
    elif first in _REQUIRED:
        raise errors.failure(
            "fieldError.FIELD_CANNOT_BE_CLEARED", "The field cannot be cleared.", "update", schema.snake(first)
        )
    else:
        fields.pop(first, None)


def _sync_budget(draft: Draft, campaign: Campaign) -> None:
    """The name and status of a budget that is not shared follow its campaign's."""
    budget = draft.account.budgets[campaign.fields["campaignBudget"]]
    if budget.is_shared:
        return
    status = "REMOVED" if campaign.status == "REMOVED" else "ENABLED"
    draft.follow(budget, {"name": campaign.fields["name"], "status": status})


def _check_status(fields: Fields, operation: str) -> None:
    if fields["status"] in {"ENABLED", "PAUSED"}:
        return
    code = {
        "create": "operationAccessDeniedError.CREATE_AS_REMOVED_NOT_PERMITTED",
        "update": "enumError.ENUM_VALUE_NOT_PERMITTED",
    }[operation]
    raise errors.failure(code, "A campaign is removed by the remove operation only.", operation, "status")


def _check_name(draft: Draft, fields: Fields, old: Campaign | None, operation: str) -> None:
    name = str(fields.get("name", ""))
    if not name.strip():
        raise errors.required(operation, "name")
    if any(character in name for character in "\0\n\r"):
        raise errors.failure(
            "campaignError.INVALID_CAMPAIGN_NAME", "The name of a campaign is invalid.", operation, "name", trigger=name
        )
    if len(name) > _LONGEST_NAME:
        raise errors.failure("stringLengthError.TOO_LONG", "Too long.", operation, "name", trigger=name)
    for other in draft.account.campaigns.values():
        if other.fields["name"] == name and other.status != "REMOVED" and (old is None or other.id != old.id):
            raise errors.failure(
                "campaignError.DUPLICATE_CAMPAIGN_NAME", "The name is already being used for another campaign.",
                operation, "name", trigger=name,
            )  # fmt: skip


def _check_channel(fields: Fields) -> None:
    place = ("create", "advertising_channel_type")
    channel = fields.get("advertisingChannelType")
    if channel is None:
        raise errors.required(*place)
    if channel not in _BIDDING_OF:
        raise errors.failure(
            "campaignError.ADVERTISING_CHANNEL_TYPE_NOT_AVAILABLE_FOR_ACCOUNT_TYPE",
            "The advertising channel type cannot be used for this account.", *place, trigger=channel,
        )  # fmt: skip
    if fields.get("brandGuidelinesEnabled"):
        code = (
            "REQUIRED_BUSINESS_NAME_ASSET_NOT_LINKED" if channel == "PERFORMANCE_MAX" else "INCOMPATIBLE_CAMPAIGN_FIELD"
        )
        raise errors.failure(
            f"campaignError.{code}", "Brand guidelines need linked business name and logo assets.", "create",
            "brand_guidelines_enabled",
        )  # fmt: skip


def _check_bidding(fields: Fields, operation: str) -> None:
    chosen = next((name for name in schema.BIDDING if name in fields), None)
    if chosen is None:
        raise errors.required(operation, "campaign_bidding_strategy")
    channel = fields.get("advertisingChannelType", "")
    if channel in _BIDDING_OF and chosen not in _BIDDING_OF[channel]:
        raise errors.failure(
            "biddingError.CANNOT_CREATE_CAMPAIGN_WITH_BIDDING_STRATEGY"
            if operation == "create"
            else "biddingError.INVALID_BIDDING_STRATEGY_TYPE",
            "The bidding strategy cannot be used by campaigns of this type.", operation, schema.snake(chosen),
        )  # fmt: skip


def _check_eu(fields: Fields, operation: str) -> None:
    if "containsEuPoliticalAdvertising" not in fields:
        raise errors.required(operation, "contains_eu_political_advertising")


def _attach_budget(draft: Draft, fields: Fields, old: Campaign | None, operation: str) -> None:
    place = (operation, "campaign_budget")
    budget = budgets.find(draft, str(fields.get("campaignBudget", "")), *place)
    fields["campaignBudget"] = budget.resource_name
    if budget.fields["status"] == "REMOVED":
        raise errors.failure("campaignBudgetError.CAMPAIGN_BUDGET_REMOVED", "The budget is removed.", *place)
    others = [each for each in draft.account.on_budget(budget.resource_name) if old is None or each.id != old.id]
    if others and not budget.is_shared:
        raise errors.failure(
            "campaignBudgetError.CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS",
            "Cannot use an implicitly shared budget with multiple campaigns.", *place,
        )  # fmt: skip
    if budget.is_shared and fields.get("advertisingChannelType") == "PERFORMANCE_MAX":
        raise errors.failure(
            "campaignError.CAMPAIGN_CANNOT_USE_SHARED_BUDGET", "The campaign cannot use a shared budget.", *place
        )
    if budget.is_shared and any(name in fields for name in _AUTOMATIC):
        raise errors.failure(
            "biddingError.BIDDING_STRATEGY_TYPE_INCOMPATIBLE_WITH_SHARED_BUDGET",
            "The bidding strategy type is incompatible with a shared budget.", *place,
        )  # fmt: skip


def _check_networks(fields: Fields, operation: str) -> None:
    networks = fields.get("networkSettings")
    if networks is None:
        return
    place = (operation, "network_settings")
    if not any(networks.values()):
        raise errors.failure(
            "campaignError.CAMPAIGN_MUST_TARGET_AT_LEAST_ONE_NETWORK", "A campaign must target at least one network.",
            *place,
        )  # fmt: skip
    if networks.get("targetSearchNetwork") and not networks.get("targetGoogleSearch"):
        raise errors.failure(
            "campaignError.CANNOT_TARGET_SEARCH_NETWORK_WITHOUT_GOOGLE_SEARCH",
            "Cannot target the search network without Google search.", *place,
        )  # fmt: skip
    if networks.get("targetPartnerSearchNetwork"):
        raise errors.failure(
            "campaignError.CANNOT_TARGET_PARTNER_SEARCH_NETWORK", "Cannot target the partner search network.", *place
        )


def _check_started(draft: Draft, old: Campaign, dated: schema.Fields) -> None:
    started = old.fields["startDateTime"][:10] <= draft.world.today(draft.customer).isoformat()
    if started and dated.get("startDateTime", old.fields["startDateTime"]) != old.fields["startDateTime"]:
        raise errors.failure(
            "campaignError.CANNOT_MODIFY_START_DATE_IF_ALREADY_STARTED",
            "Cannot change the start of a campaign that has started.", "update", "start_date_time",
        )  # fmt: skip


def _check_dates(draft: Draft, fields: Fields, given: schema.Fields, operation: str) -> None:
    for name in ("startDateTime", "endDateTime"):
        if given.get(name) is not None:
            _check_moment(draft, fields, name, operation)
    if fields["startDateTime"] > fields.get("endDateTime", "9999"):
        raise errors.failure(
            "dateRangeError.START_DATE_AFTER_END_DATE", "The start date was after the end date.", operation,
            "end_date_time",
        )  # fmt: skip


def _check_moment(draft: Draft, fields: Fields, name: str, operation: str) -> None:
    raw, place = str(fields[name]), (operation, schema.snake(name))
    try:
        moment = datetime.strptime(raw, _MOMENT)  # noqa: DTZ007  # in the customer's zone, which the platform implies
    except ValueError as error:
        raise errors.failure(
            "dateError.INVALID_STRING_DATE_TIME_SECONDS", "The string date time's format should be 'yyyy-mm-dd "
            "hh:mm:ss'.", *place, trigger=raw,
        ) from error  # fmt: skip
    bound, word = ("00:00:00", "START") if name == "startDateTime" else ("23:59:59", "END")
    if fields.get("advertisingChannelType") != "DEMAND_GEN" and f"{moment:%H:%M:%S}" != bound:
        raise errors.failure(
            f"dateError.DATE_RANGE_ERROR_{word}_TIME_MUST_BE_THE_{word}_OF_A_DAY",
            f"The {word.lower()} time must be the {word.lower()} of a day ({bound}).", *place, trigger=raw,
        )  # fmt: skip
    if moment.date() < draft.world.today(draft.customer):
        raise errors.failure(
            "campaignError.CANNOT_SET_DATE_TO_PAST", "Cannot set a campaign's start or end to the past.", *place,
            trigger=raw,
        )  # fmt: skip
