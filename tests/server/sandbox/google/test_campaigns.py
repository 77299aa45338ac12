"""Campaigns: what a create must say, what may be combined, and that REMOVED is for good."""

from typing import Any

import pytest

from tests.server.sandbox.ads_client import OUTLET, US, AdsClient, new_campaign
from tests.server.sandbox.conftest import Clock


def test_what_a_create_leaves_open_is_the_platforms_choice(ads: AdsClient) -> None:
    created = ads.create(status=None)

    campaign = ads.read(
        created, "campaign.status", "campaign.start_date_time", "campaign.bidding_strategy_type",
        "campaign.primary_status", "campaign.serving_status",
    )["campaign"]  # fmt: skip
    assert campaign["status"] == "ENABLED"
    assert campaign["startDateTime"] == "2026-11-22 00:00:00"
    assert campaign["biddingStrategyType"] == "MANUAL_CPC"
    assert (campaign["primaryStatus"], campaign["servingStatus"]) == ("ELIGIBLE", "SERVING")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": None}, "fieldError.REQUIRED"),
        ({"name": " "}, "fieldError.REQUIRED"),
        ({"name": "two\nlines"}, "campaignError.INVALID_CAMPAIGN_NAME"),
        ({"name": "x" * 257}, "stringLengthError.TOO_LONG"),
        ({"name": "Competitors"}, "campaignError.DUPLICATE_CAMPAIGN_NAME"),
        ({"advertisingChannelType": None}, "fieldError.REQUIRED"),
        (
            {"advertisingChannelType": "VIDEO"},
            "campaignError.ADVERTISING_CHANNEL_TYPE_NOT_AVAILABLE_FOR_ACCOUNT_TYPE",
        ),
        ({"campaignBudget": None}, "fieldError.REQUIRED"),
        ({"campaignBudget": f"customers/{US}/campaignBudgets/-9"}, "mutateError.RESOURCE_NOT_FOUND"),
        ({"manualCpc": None}, "fieldError.REQUIRED"),
        ({"manualCpc": None, "manualCpm": {}}, "biddingError.CANNOT_CREATE_CAMPAIGN_WITH_BIDDING_STRATEGY"),
        ({"advertisingChannelType": "PERFORMANCE_MAX"}, "biddingError.CANNOT_CREATE_CAMPAIGN_WITH_BIDDING_STRATEGY"),
        ({"brandGuidelinesEnabled": True}, "campaignError.INCOMPATIBLE_CAMPAIGN_FIELD"),
        ({"containsEuPoliticalAdvertising": None}, "fieldError.REQUIRED"),
        ({"containsEuPoliticalAdvertising": "UNSPECIFIED"}, "fieldError.REQUIRED"),
        ({"status": "REMOVED"}, "operationAccessDeniedError.CREATE_AS_REMOVED_NOT_PERMITTED"),
        ({"servingStatus": "SERVING"}, "fieldError.VALUE_MUST_BE_UNSET"),
        ({"id": "7"}, "newResourceCreationError.CANNOT_SET_ID_FOR_CREATE"),
        ({"networkSettings": {}}, "campaignError.CAMPAIGN_MUST_TARGET_AT_LEAST_ONE_NETWORK"),
        (
            {"networkSettings": {"targetSearchNetwork": True}},
            "campaignError.CANNOT_TARGET_SEARCH_NETWORK_WITHOUT_GOOGLE_SEARCH",
        ),
        (
            {"networkSettings": {"targetGoogleSearch": True, "targetPartnerSearchNetwork": True}},
            "campaignError.CANNOT_TARGET_PARTNER_SEARCH_NETWORK",
        ),
        ({"startDateTime": "2026-12-01"}, "dateError.INVALID_STRING_DATE_TIME_SECONDS"),
        ({"startDateTime": "2026-12-01 09:30:00"}, "dateError.DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY"),
        ({"endDateTime": "2026-12-01 00:00:00"}, "dateError.DATE_RANGE_ERROR_END_TIME_MUST_BE_THE_END_OF_A_DAY"),
        ({"startDateTime": "2026-11-21 00:00:00"}, "campaignError.CANNOT_SET_DATE_TO_PAST"),
        (
            {"startDateTime": "2026-12-02 00:00:00", "endDateTime": "2026-12-01 23:59:59"},
            "dateRangeError.START_DATE_AFTER_END_DATE",
        ),
    ],
)
def test_a_create_that_breaks_a_rule_is_refused(ads: AdsClient, fields: dict[str, Any], code: str) -> None:
    assert ads.mutate_refused(US, "googleAds", *new_campaign(**fields)) == [code]


def test_a_budget_of_its_own_serves_one_campaign(ads: AdsClient) -> None:
    budget = ads.budget_of(ads.named("Hiking boots"))

    assert ads.mutate_refused(US, "googleAds", new_campaign(campaignBudget=budget)[1]) == [
        "campaignBudgetError.CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS"
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (
            {"manualCpc": None, "maximizeConversions": {}},
            "biddingError.BIDDING_STRATEGY_TYPE_INCOMPATIBLE_WITH_SHARED_BUDGET",
        ),
        (
            {"manualCpc": None, "maximizeConversionValue": {}, "advertisingChannelType": "PERFORMANCE_MAX"},
            "campaignError.CAMPAIGN_CANNOT_USE_SHARED_BUDGET",
        ),
    ],
)
def test_not_every_campaign_can_share_a_budget(ads: AdsClient, fields: dict[str, Any], code: str) -> None:
    shared = ads.budget_of(ads.named("Competitors"))

    assert ads.mutate_refused(US, "googleAds", new_campaign(campaignBudget=shared, **fields)[1]) == [code]


def test_one_more_campaign_may_join_a_shared_budget(ads: AdsClient) -> None:
    shared = ads.budget_of(ads.named("Competitors"))
    ads.mutate(US, "googleAds", new_campaign(campaignBudget=shared)[1])

    row = ads.read(ads.named("Spring"), "campaign_budget.reference_count")
    assert row["campaignBudget"]["referenceCount"] == "4"


def update(campaign: str, mask: str, **fields: Any) -> dict[str, Any]:
    return {"updateMask": mask, "update": {"resourceName": campaign} | fields}


def test_an_update_changes_what_its_mask_names_and_no_more(ads: AdsClient) -> None:
    campaign = ads.create()

    ads.mutate(US, "campaigns", update(campaign, "name,status", name="Summer", status="ENABLED", finalUrlSuffix="a=b"))

    found = ads.read(campaign, "campaign.name", "campaign.status", "campaign.final_url_suffix", "campaign_budget.name")
    assert (found["campaign"]["name"], found["campaign"]["status"]) == ("Summer", "ENABLED")
    assert "finalUrlSuffix" not in found["campaign"]
    assert found["campaignBudget"]["name"] == "Summer"


def test_a_field_in_the_mask_alone_is_cleared(ads: AdsClient) -> None:
    campaign = ads.create(finalUrlSuffix="a=b")

    ads.mutate(US, "campaigns", update(campaign, "finalUrlSuffix"))

    assert "finalUrlSuffix" not in ads.read(campaign, "campaign.final_url_suffix")["campaign"]
    assert ads.mutate_refused(US, "campaigns", update(campaign, "name")) == ["fieldError.FIELD_CANNOT_BE_CLEARED"]


def test_another_way_of_bidding_replaces_the_one_before(ads: AdsClient) -> None:
    campaign = ads.create()
    wanted = update(campaign, "maximizeConversions.targetCpaMicros", maximizeConversions={"targetCpaMicros": "9000000"})

    ads.mutate(US, "campaigns", wanted)

    found = ads.read(campaign, "campaign.bidding_strategy_type", "campaign.maximize_conversions.target_cpa_micros")
    assert found["campaign"]["biddingStrategyType"] == "MAXIMIZE_CONVERSIONS"
    assert found["campaign"]["maximizeConversions"] == {"targetCpaMicros": "9000000"}


@pytest.mark.parametrize(
    ("mask", "fields", "code"),
    [
        ("", {"name": "x"}, "fieldMaskError.FIELD_MASK_MISSING"),
        ("startDate", {}, "fieldMaskError.FIELD_NOT_FOUND"),
        ("networkSettings", {}, "fieldMaskError.FIELD_HAS_SUBFIELDS"),
        ("advertisingChannelType", {"advertisingChannelType": "DISPLAY"}, "fieldError.IMMUTABLE_FIELD"),
        ("primaryStatus", {}, "fieldError.IMMUTABLE_FIELD"),
        ("status", {"status": "REMOVED"}, "enumError.ENUM_VALUE_NOT_PERMITTED"),
        ("name", {"name": "Competitors"}, "campaignError.DUPLICATE_CAMPAIGN_NAME"),
        (
            "startDateTime",
            {"startDateTime": "2026-12-01 00:00:00"},
            "campaignError.CANNOT_MODIFY_START_DATE_IF_ALREADY_STARTED",
        ),
        (
            "targetImpressionShare.location",
            {"targetImpressionShare": {"location": "ANYWHERE_ON_PAGE"}},
            "biddingError.INVALID_BIDDING_STRATEGY_TYPE",
        ),
    ],
)
def test_an_update_that_breaks_a_rule_is_refused(ads: AdsClient, mask: str, fields: dict[str, Any], code: str) -> None:
    display = ads.named("Display | Remarketing")

    assert ads.mutate_refused(US, "campaigns", update(display, mask, **fields)) == [code]


def test_removed_is_for_good(ads: AdsClient) -> None:
    campaign = ads.create()
    ads.mutate(US, "campaigns", {"remove": campaign})

    refusal = ["contextError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"]
    assert ads.mutate_refused(US, "campaigns", update(campaign, "status", status="PAUSED")) == refusal
    assert ads.mutate_refused(US, "campaigns", update(campaign, "name", name="Again")) == refusal
    assert ads.mutate_refused(US, "campaigns", {"remove": campaign}) == refusal
    row = ads.read(campaign, "campaign.status", "campaign_budget.status", "campaign_budget.reference_count")
    assert row["campaign"]["status"] == "REMOVED"
    assert row["campaignBudget"]["status"] == "REMOVED"
    assert "referenceCount" not in row["campaignBudget"]


def test_a_removed_campaigns_name_is_free_again(ads: AdsClient) -> None:
    ads.create(name="Clearance | Last season")

    assert len(ads.select(US, "campaign.id", "campaign", "campaign.name = 'Clearance | Last season'")) == 2


def test_a_campaign_delivers_between_its_dates(ads: AdsClient, clock: Clock) -> None:
    created = ads.create(
        OUTLET, status="ENABLED", startDateTime="2026-11-24 00:00:00", endDateTime="2026-11-25 23:59:59"
    )
    assert ads.read(created, "campaign.serving_status")["campaign"]["servingStatus"] == "PENDING"
    clock.pass_by(days=5)
    ads.sign_in()

    named = f"campaign.resource_name = '{created}' AND segments.date DURING LAST_7_DAYS"
    rows = ads.select(OUTLET, "segments.date, metrics.clicks, campaign.primary_status", "campaign", named)
    assert [row["segments"]["date"] for row in rows] == ["2026-11-24", "2026-11-25"]
    assert rows[0]["campaign"]["primaryStatus"] == "ENDED"
