"""Mutates: all or none, each for itself with partialFailure, and nothing at all with validateOnly."""

from itertools import product
from typing import Any

import pytest

from server.sandbox.google import mutate, schema
from tests.server.sandbox.ads_client import MANAGER, US, AdsClient, Json, new_budget, new_campaign

NOBODY = f"customers/{US}/campaigns/99"


def pause(campaign: str) -> Json:
    return {"updateMask": "status", "update": {"resourceName": campaign, "status": "PAUSED"}}


def test_an_atomic_create_resolves_temporary_ids(ads: AdsClient) -> None:
    created = ads.create()

    row = ads.read(created, "campaign.name", "campaign.status", "campaign_budget.amount_micros", "campaign_budget.name")
    assert row["campaign"]["name"] == "Spring"
    assert row["campaign"]["status"] == "PAUSED"
    assert row["campaignBudget"]["amountMicros"] == "50000000"
    assert row["campaignBudget"]["name"] == "Spring"


def test_an_atomic_create_that_fails_leaves_nothing(ads: AdsClient) -> None:
    before = ads.rows(US, "SELECT campaign_budget.id FROM campaign_budget")

    refused = ads.mutate_refused(US, "googleAds", *new_campaign(containsEuPoliticalAdvertising=None))

    assert refused == ["fieldError.REQUIRED"]
    assert ads.rows(US, "SELECT campaign_budget.id FROM campaign_budget") == before
    assert ads.writes() == []


def test_an_error_says_where_it_is(ads: AdsClient) -> None:
    budget, campaign = new_campaign(containsEuPoliticalAdvertising=None)
    path = f"customers/{US}/googleAds:mutate"

    error = ads.send(path, {"mutateOperations": [budget, campaign]}).json()["error"]

    assert error["details"][0]["errors"][0]["location"]["fieldPathElements"] == [
        {"fieldName": "mutate_operations", "index": 1},
        {"fieldName": "campaign_operation"},
        {"fieldName": "create"},
        {"fieldName": "contains_eu_political_advertising"},
    ]


def test_all_that_is_wrong_is_said_at_once(ads: AdsClient) -> None:
    _, campaign = new_campaign(name=None, manualCpc=None, campaignBudget="nonsense", resourceName=None)

    assert ads.mutate_refused(US, "googleAds", campaign) == [
        "fieldError.REQUIRED",
        "fieldError.REQUIRED",
        "requestError.RESOURCE_NAME_MALFORMED",
    ]


def test_one_bad_operation_stops_the_others(ads: AdsClient) -> None:
    campaign = ads.named("Hiking boots")

    assert ads.mutate_refused(US, "campaigns", pause(campaign), {"remove": NOBODY}) == [
        "mutateError.RESOURCE_NOT_FOUND"
    ]
    assert ads.read(campaign, "campaign.status")["campaign"]["status"] == "ENABLED"


def test_partial_failure_does_the_good_ones_and_answers_in_order(ads: AdsClient) -> None:
    first, third = ads.named("Hiking boots"), ads.named("Rain jackets")

    done = ads.mutate(US, "campaigns", pause(first), {"remove": NOBODY}, pause(third), partialFailure=True)

    assert done["results"] == [{"resourceName": first}, {}, {"resourceName": third}]
    assert done["partialFailureError"]["code"] == 3
    (error,) = done["partialFailureError"]["details"][0]["errors"]
    assert error["errorCode"] == {"mutateError": "RESOURCE_NOT_FOUND"}
    assert error["location"]["fieldPathElements"][0] == {"fieldName": "operations", "index": 1}
    assert ads.read(third, "campaign.status")["campaign"]["status"] == "PAUSED"
    assert len(ads.writes()) == 1


def test_partial_failure_of_everything_is_no_write(ads: AdsClient) -> None:
    done = ads.mutate(US, "campaigns", {"remove": NOBODY}, {"remove": NOBODY}, partialFailure=True)

    assert done["results"] == [{}, {}]
    assert done["partialFailureError"]["message"].startswith("Multiple errors in 'details'.")
    assert ads.writes() == []


def test_partial_failure_tells_what_hung_on_a_failed_create(ads: AdsClient) -> None:
    done = ads.mutate(US, "googleAds", *new_campaign(micros="1"), partialFailure=True)

    errors = done["partialFailureError"]["details"][0]["errors"]
    assert done["mutateOperationResponses"] == [{}, {}]
    assert [each["errorCode"] for each in errors] == [
        {"campaignBudgetError": "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"},
        {"newResourceCreationError": "TEMP_ID_RESOURCE_HAD_ERRORS"},
    ]


def test_validate_only_judges_and_changes_nothing(ads: AdsClient) -> None:
    campaign = ads.named("Hiking boots")

    assert ads.mutate(US, "campaigns", pause(campaign), validateOnly=True) == {}
    assert ads.mutate(US, "googleAds", *new_campaign(), validateOnly=True) == {}
    assert ads.mutate_refused(US, "campaigns", {"remove": NOBODY}, validateOnly=True)
    partial = ads.mutate(US, "campaigns", {"remove": NOBODY}, validateOnly=True, partialFailure=True)

    assert partial.keys() == {"partialFailureError"}
    assert ads.read(campaign, "campaign.status")["campaign"]["status"] == "ENABLED"
    assert ads.writes() == []


def test_the_resource_is_shown_where_asked_for(ads: AdsClient) -> None:
    wanted = new_campaign(networkSettings={"targetGoogleSearch": True, "targetContentNetwork": False})

    done = ads.mutate(US, "googleAds", *wanted, responseContentType="MUTABLE_RESOURCE")
    budget, campaign = (next(iter(each.values())) for each in done["mutateOperationResponses"])

    assert budget["campaignBudget"]["amountMicros"] == "50000000"
    assert "explicitlyShared" not in budget["campaignBudget"]
    assert campaign["campaign"]["manualCpc"] == {}
    assert campaign["campaign"]["networkSettings"] == {"targetGoogleSearch": True}
    assert campaign["campaign"]["campaignBudget"] == budget["resourceName"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({}, "requestError.OPERATION_REQUIRED"),
        ({"updateMask": "name", "remove": NOBODY}, "fieldMaskError.FIELD_MASK_NOT_ALLOWED"),
        ({"update": {"resourceName": NOBODY}, "updateMask": "name"}, "mutateError.RESOURCE_NOT_FOUND"),
        ({"update": {"name": "x"}, "updateMask": "name"}, "fieldError.REQUIRED"),
        ({"remove": "campaigns/1"}, "requestError.RESOURCE_NAME_MALFORMED"),
        ({"remove": "customers/4210007012/campaigns/1"}, "mutateError.RESOURCE_NOT_FOUND"),
        ({"remove": f"customers/{US}/campaignBudgets/1"}, "requestError.RESOURCE_NAME_MALFORMED"),
        ({"remove": f"customers/{US}/campaigns/-1"}, "mutateError.RESOURCE_NOT_FOUND"),
    ],
)
def test_an_operation_must_name_what_it_is_about(ads: AdsClient, operation: Json, code: str) -> None:
    assert ads.mutate_refused(US, "campaigns", operation) == [code]


def test_ids_are_the_platforms_to_give(ads: AdsClient) -> None:
    chosen = {"create": new_budget(resourceName=f"customers/{US}/campaignBudgets/7")}
    twice = {"create": new_budget(resourceName=f"customers/{US}/campaignBudgets/-1")}

    assert ads.mutate_refused(US, "campaignBudgets", chosen) == ["newResourceCreationError.CANNOT_SET_ID_FOR_CREATE"]
    assert ads.mutate_refused(US, "campaignBudgets", {"create": new_budget(id="7")}) == [
        "newResourceCreationError.CANNOT_SET_ID_FOR_CREATE"
    ]
    assert ads.mutate_refused(US, "campaignBudgets", twice, twice) == ["newResourceCreationError.DUPLICATE_TEMP_IDS"]
    same_for_both = new_campaign(resourceName=f"customers/{US}/campaigns/-1")
    assert ads.mutate_refused(US, "googleAds", *same_for_both) == ["newResourceCreationError.DUPLICATE_TEMP_IDS"]


def test_nothing_is_changed_twice_in_one_request(ads: AdsClient) -> None:
    campaign = ads.named("Hiking boots")

    assert ads.mutate_refused(US, "campaigns", pause(campaign), {"remove": campaign}) == [
        "mutateError.ID_EXISTS_IN_MULTIPLE_MUTATES"
    ]


def test_a_manager_owns_no_campaigns(ads: AdsClient) -> None:
    assert ads.mutate_refused(MANAGER, "campaignBudgets", {"create": new_budget()}) == [
        "requestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT"
    ]


@pytest.mark.parametrize(
    ("number", "code"), [(0, "REQUIRED_FIELD_MISSING"), (mutate.MOST_OPERATIONS + 1, "TOO_MANY_MUTATE_OPERATIONS")]
)
def test_a_request_holds_some_operations_but_not_too_many(ads: AdsClient, number: int, code: str) -> None:
    operations: list[Any] = [{"remove": NOBODY}] * number

    assert ads.mutate_refused(US, "campaigns", *operations) == [f"requestError.{code}"]


def test_changes_count_in_figures_from_tomorrow_on(ads: AdsClient, clock: Any) -> None:
    campaign = ads.named("Hiking boots")
    cost = (
        "SELECT segments.date, metrics.cost_micros FROM campaign WHERE campaign.resource_name = '{}' AND segments.date"
    )
    query = cost.format(campaign) + " BETWEEN '2026-11-22' AND '2026-11-24'"
    today = ads.rows(US, query)
    ads.mutate(US, "campaigns", pause(campaign))

    assert ads.rows(US, query) == today != []
    clock.pass_by(days=2)
    ads.sign_in()
    assert [row["segments"]["date"] for row in ads.rows(US, query)] == ["2026-11-22"]


ODD: tuple[Any, ...] = (None, True, -1, 1.5, "x", "7", [7], {}, NOBODY)


@pytest.mark.parametrize(("service", "message"), [("campaigns", schema.CAMPAIGN), ("campaignBudgets", schema.BUDGET)])
def test_any_field_with_any_value_is_taken_or_refused(ads: AdsClient, service: str, message: schema.Message) -> None:
    path, statuses = f"customers/{US}/{service}:mutate", set()
    own = ads.named("Hiking boots") if service == "campaigns" else ads.budget_of(ads.named("Hiking boots"))
    for name, value in product(message.fields, ODD):
        create = new_budget() if service == "campaignBudgets" else new_campaign()[1]["campaignOperation"]["create"]
        operations = [
            {"create": create | {name: value}},
            {"updateMask": name, "update": {"resourceName": own, name: value}},
        ]
        for operation in operations:
            body = {"operations": [operation], "validateOnly": True, "partialFailure": True}
            statuses.add(ads.send(path, body).status_code)

    assert statuses == {200, 400}
