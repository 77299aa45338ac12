"""Campaigns between Google's words and ours: statuses, objectives, budgets, and what a write sends."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from server.platforms.google.answers import part, text
from server.platforms.google.money import to_major, to_micros
from server.platforms.google.wire import Row
from server.platforms.readback import amount, problem
from tools.fields import Objective, Status
from tools.plan import Operation
from tools.ports import Account, CampaignState

CREATE, UPDATE, ARCHIVE = "create_campaign", "update_campaign", "archive_campaign"

FIELDS = (
    "campaign.id", "campaign.name", "campaign.status", "campaign.primary_status", "campaign.advertising_channel_type",
    "campaign.bidding_strategy_type", "campaign.start_date_time", "campaign.campaign_budget", "campaign_budget.id",
    "campaign_budget.amount_micros", "campaign_budget.period", "campaign_budget.explicitly_shared",
    "campaign_budget.reference_count",
)  # fmt: skip

_STATUSES = {"ENABLED": Status.ACTIVE, "PAUSED": Status.PAUSED, "REMOVED": Status.ARCHIVED}
WORDS = {status: word for word, status in _STATUSES.items()}
"""Google's status for each of ours but UNKNOWN, which no campaign there is set to."""
LIVE = ("ENABLED", "PAUSED")

_CREATED_AS: Mapping[Objective, tuple[str, str]] = {
    Objective.SALES: ("SEARCH", "maximizeConversionValue"),
    Objective.LEADS: ("SEARCH", "maximizeConversions"),
    Objective.TRAFFIC: ("SEARCH", "targetSpend"),
    Objective.AWARENESS: ("DISPLAY", "manualCpm"),
}
"""Channel and bidding of a new campaign (decision 0012). Video and app campaigns need what the API does not take from
us: ads made elsewhere, an app's id."""

_STRATEGIES = {
    "maximizeConversionValue": "MAXIMIZE_CONVERSION_VALUE",
    "maximizeConversions": "MAXIMIZE_CONVERSIONS",
    "targetSpend": "TARGET_SPEND",
    "manualCpm": "MANUAL_CPM",
}
"""What a read calls the bidding field of a create."""

_CHANNELS = {
    "MULTI_CHANNEL": Objective.APP_PROMOTION,  # what Google calls app campaigns
    "SHOPPING": Objective.SALES,
}
_BIDDING = {
    **dict.fromkeys(("MAXIMIZE_CONVERSION_VALUE", "TARGET_ROAS"), Objective.SALES),
    **dict.fromkeys(("MAXIMIZE_CONVERSIONS", "TARGET_CPA"), Objective.LEADS),
    **dict.fromkeys(("TARGET_SPEND", "MANUAL_CPC", "ENHANCED_CPC"), Objective.TRAFFIC),
    **dict.fromkeys(("MANUAL_CPM", "TARGET_CPM", "TARGET_IMPRESSION_SHARE"), Objective.AWARENESS),
    **dict.fromkeys(("MANUAL_CPV", "TARGET_CPV"), Objective.ENGAGEMENT),
}

_NETWORKS = {
    "SEARCH": {"targetGoogleSearch": True, "targetContentNetwork": False},
    "DISPLAY": {"targetGoogleSearch": False, "targetContentNetwork": True},
}
_NO_PARTNERS = {"targetSearchNetwork": False, "targetPartnerSearchNetwork": False}

_EU = {True: "CONTAINS_EU_POLITICAL_ADVERTISING", False: "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"}
_NEW_BUDGET, _NEW_CAMPAIGN = "-1", "-2"  # temporary ids by which the parts of one request refer to each other

_FIELDS_OF = {
    CREATE: {
        "name", "objective", "status", "daily_budget", "start_date", "eu_political_ads", "special_ad_categories",
    },
    UPDATE: {"name", "status", "daily_budget"},
    ARCHIVE: {"status"},
}  # fmt: skip


def campaign_state(row: Row, account: Account) -> CampaignState:
    """`status` is what was set, `platform_status` Google's view of it (ELIGIBLE, LIMITED, …)."""
    campaign, budget = part(row, "campaign"), part(row, "campaignBudget")
    configured, starts = str(campaign.get("status", "")), campaign.get("startDateTime")
    channel, bidding = campaign.get("advertisingChannelType", ""), campaign.get("biddingStrategyType", "")
    return CampaignState(
        account_id=account.account_id,
        campaign_id=text(campaign, "id"),
        name=str(campaign.get("name", "")),
        status=_STATUSES.get(configured, Status.UNKNOWN),
        platform_status=str(campaign.get("primaryStatus") or configured),
        objective=_CHANNELS.get(channel) or _BIDDING.get(bidding),
        platform_objective=" ".join(word for word in (channel, bidding) if word),
        daily_budget=to_major(budget["amountMicros"])
        if budget.get("amountMicros") and budget.get("period", "DAILY") == "DAILY"
        else None,
        currency=account.currency,
        start_date=dt.date.fromisoformat(str(starts)[:10]) if starts else None,
        budget_shared=is_shared(budget),
        budget_id=text(budget, "id") if is_shared(budget) else None,
    )


def is_shared(budget: Row) -> bool:
    """What counts is whether others spend from it: one made to be shared may have a single campaign."""
    return int(budget.get("referenceCount") or 0) > 1


def campaign_changes(operation: Operation, customer_id: str) -> Row | None:
    """What an operation of campaigns:mutate says; None where the campaign itself stays as it is."""
    if operation.kind == CREATE:
        raise ValueError("a create is no change of a campaign")
    name = f"customers/{customer_id}/campaigns/{operation.campaign_id}"
    fields = _agreed(operation)
    if operation.kind == ARCHIVE:
        return {"remove": name}
    update: Row = {}
    if "name" in fields:
        update["name"] = str(fields["name"])
    if "status" in fields:
        update["status"] = _status(fields["status"])
    if not update and "daily_budget" not in fields:
        raise problem("fields", "nothing to change")
    return {"updateMask": ",".join(update), "update": {"resourceName": name, **update}} if update else None


def mutate_operations(operation: Operation, customer_id: str, budget: str | None = None) -> list[Row]:
    """What googleAds:mutate is sent, all or nothing. `budget` is the resource of the campaign's, where it changes."""
    if operation.kind == CREATE:
        return _creation(_agreed(operation), f"customers/{customer_id}")
    changes, fields = campaign_changes(operation, customer_id), _agreed(operation)
    found: list[Row] = [{"campaignOperation": changes}] if changes else []
    if "daily_budget" in fields:
        if budget is None:
            raise ValueError("a budget changes by its resource")
        micros = to_micros(amount(fields["daily_budget"]), field="daily_budget")
        update = {"resourceName": budget, "amountMicros": micros}
        found.append({"campaignBudgetOperation": {"updateMask": "amountMicros", "update": update}})
    return found


def _agreed(operation: Operation) -> dict[str, JsonValue]:
    unknown = operation.fields.keys() - _FIELDS_OF.get(operation.kind, set())
    if operation.kind not in _FIELDS_OF or unknown:  # a defect of ours: the rest would not be what was agreed to
        raise ValueError(f"{operation.kind} with {sorted(operation.fields)} is not an operation on Google")
    return {name: value for name, value in operation.fields.items() if value is not None}


def _creation(fields: Mapping[str, JsonValue], customer: str) -> list[Row]:
    for required in ("name", "objective", "daily_budget", "eu_political_ads"):
        if required not in fields:
            raise problem(required, "is required to create a campaign on Google")
    if fields.get("special_ad_categories"):
        raise problem("special_ad_categories", "is a statement to Meta; Google takes none", "Leave it out on Google.")
    channel, bidding = created_as(fields["objective"])
    budget = f"{customer}/campaignBudgets/{_NEW_BUDGET}"
    campaign: dict[str, Any] = {
        "resourceName": f"{customer}/campaigns/{_NEW_CAMPAIGN}",
        "name": str(fields["name"]),
        "status": _status(fields.get("status", Status.PAUSED)),  # left out, Google would run it
        "advertisingChannelType": channel,
        "campaignBudget": budget,
        bidding: {},
        "networkSettings": _NETWORKS[channel] | _NO_PARTNERS,
        "containsEuPoliticalAdvertising": _eu(fields["eu_political_ads"]),
    }
    if "start_date" in fields:
        campaign["startDateTime"] = f"{_day(fields['start_date'])} 00:00:00"
    money = {
        "resourceName": budget,
        "amountMicros": to_micros(amount(fields["daily_budget"]), field="daily_budget"),
        "deliveryMethod": "STANDARD",
        "explicitlyShared": False,  # left out, other campaigns could spend from it
    }
    return [{"campaignBudgetOperation": {"create": money}}, {"campaignOperation": {"create": campaign}}]


def created_as(objective: JsonValue) -> tuple[str, str]:
    """Channel and bidding of a new campaign."""
    possible = {each.value: as_ for each, as_ in _CREATED_AS.items()}
    if objective not in possible:
        raise problem("objective", f"must be one of {', '.join(possible)} to create a campaign on Google")
    return possible[str(objective)]


def matches_creation(row: Row, state: CampaignState, operation: Operation) -> bool:
    """Whether a campaign is what a create sent, in all that Google keeps as it was sent."""
    channel, bidding = created_as(operation.fields.get("objective"))
    campaign, budget = part(row, "campaign"), part(row, "campaignBudget")
    starts = operation.fields.get("start_date")
    return (
        campaign.get("advertisingChannelType") == channel
        and campaign.get("biddingStrategyType") == _STRATEGIES[bidding]
        and state.daily_budget == amount(operation.fields.get("daily_budget"))
        and not budget.get("explicitlyShared")
        and state.start_date is not None
        and (starts is None or state.start_date == _day(starts))
    )


def _status(value: JsonValue) -> str:
    if value not in (Status.ACTIVE, Status.PAUSED):
        raise problem("status", "must be ACTIVE or PAUSED")
    return WORDS[Status(str(value))]


def _eu(value: JsonValue) -> str:
    if not isinstance(value, bool):
        raise problem("eu_political_ads", "must be true or false")
    return _EU[value]


def _day(value: JsonValue) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise problem("start_date", "must be a day such as 2026-12-01") from None
