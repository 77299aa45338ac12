"""Budgets: amounts that can be billed, names, sharing, and what hangs on a shared one."""

from typing import Any

import pytest

from tests.server.sandbox.ads_client import JP, US, AdsClient, new_budget
from tests.server.sandbox.conftest import Clock


def update(budget: str, mask: str, **fields: Any) -> dict[str, Any]:
    return {"updateMask": mask, "update": {"resourceName": budget} | fields}


def test_a_budget_is_shared_unless_told_otherwise(ads: AdsClient) -> None:
    ads.mutate(US, "campaignBudgets", {"create": new_budget(name="For all", explicitlyShared=None)})

    (row,) = ads.select(
        US, "campaign_budget.explicitly_shared, campaign_budget.delivery_method, campaign_budget.reference_count",
        "campaign_budget", "campaign_budget.name = 'For all'",
    )  # fmt: skip
    assert row["campaignBudget"]["explicitlyShared"] is True
    assert row["campaignBudget"]["deliveryMethod"] == "STANDARD"
    assert "referenceCount" not in row["campaignBudget"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amountMicros": None}, "fieldError.REQUIRED"),
        ({"amountMicros": "-10000"}, "campaignBudgetError.NEGATIVE_MONEY_AMOUNT"),
        ({"amountMicros": "50005000"}, "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
        ({"amountMicros": "990000"}, "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM"),
        ({"amountMicros": "0"}, "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM"),
        ({"amountMicros": "2000000000000000"}, "campaignBudgetError.MONEY_AMOUNT_TOO_LARGE"),
        ({"explicitlyShared": True, "name": None}, "fieldError.REQUIRED"),
        ({"explicitlyShared": True, "name": "x" * 256}, "stringLengthError.TOO_LONG"),
        ({"explicitlyShared": True, "name": "Shared | Brand and competitors"}, "campaignBudgetError.DUPLICATE_NAME"),
        ({"deliveryMethod": "ACCELERATED"}, "campaignBudgetError.CANNOT_USE_ACCELERATED_DELIVERY_MODE"),
        (
            {"totalAmountMicros": "100000000"},
            "campaignBudgetError.TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY",
        ),
        ({"period": "CUSTOM_PERIOD"}, "campaignBudgetError.CAMPAIGN_BUDGET_PERIOD_NOT_AVAILABLE"),
        ({"status": "ENABLED"}, "fieldError.VALUE_MUST_BE_UNSET"),
    ],
)
def test_a_create_that_breaks_a_rule_is_refused(ads: AdsClient, fields: dict[str, Any], code: str) -> None:
    assert ads.mutate_refused(US, "campaignBudgets", {"create": new_budget(**fields)}) == [code]


def test_a_minimum_comes_with_its_figures(ads: AdsClient) -> None:
    path = f"customers/{JP}/campaignBudgets:mutate"
    budget = new_budget(amountMicros="50000000")

    error = ads.send(path, {"operations": [{"create": budget}]}).json()["error"]["details"][0]["errors"][0]

    assert error["details"]["budgetPerDayMinimumErrorDetails"] == {
        "currencyCode": "JPY",
        "budgetPerDayMinimumMicros": "100000000",
    }
    assert error["location"]["fieldPathElements"][-1] == {"fieldName": "amount_micros"}


def test_yen_have_no_cents(ads: AdsClient) -> None:
    assert ads.mutate_refused(JP, "campaignBudgets", {"create": new_budget(amountMicros="1500500000")}) == [
        "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"
    ]


def test_a_shared_budget_moves_all_its_campaigns(ads: AdsClient, clock: Clock) -> None:
    shared = ads.budget_of(ads.named("Brand | Exact"))
    ads.mutate(US, "campaignBudgets", update(shared, "amountMicros", amountMicros="300000000"))

    members = ads.select(
        US, "campaign.name, campaign_budget.amount_micros, campaign_budget.reference_count", "campaign",
        f"campaign.campaign_budget = '{shared}'",
    )  # fmt: skip
    assert [row["campaign"]["name"] for row in members] == ["Brand | Exact", "Brand | Phrase", "Competitors"]
    assert {row["campaignBudget"]["amountMicros"] for row in members} == {"300000000"}
    assert {row["campaignBudget"]["referenceCount"] for row in members} == {"3"}

    clock.pass_by(days=2)
    ads.sign_in()
    wanted = "campaign.name, segments.date, metrics.cost_micros"
    days = "segments.date BETWEEN '2026-11-21' AND '2026-11-23' AND campaign_budget.explicitly_shared = TRUE"
    costs = {
        (row["campaign"]["name"], row["segments"]["date"]): int(row["metrics"]["costMicros"])
        for row in ads.select(US, wanted, "campaign", days)
    }
    for name in ("Brand | Exact", "Brand | Phrase", "Competitors"):
        assert costs[name, "2026-11-23"] > 1.7 * costs[name, "2026-11-21"]


def test_those_that_share_take_over_what_one_leaves(ads: AdsClient, clock: Clock) -> None:
    stopped = {"updateMask": "status", "update": {"resourceName": ads.named("Brand | Exact"), "status": "PAUSED"}}
    ads.mutate(US, "campaigns", stopped)
    clock.pass_by(days=2)
    ads.sign_in()

    named = "campaign.name = 'Brand | Phrase' AND segments.date BETWEEN '2026-11-21' AND '2026-11-23'"
    rows = ads.select(US, "segments.date, metrics.cost_micros", "campaign", named)
    costs = {row["segments"]["date"]: int(row["metrics"]["costMicros"]) for row in rows}
    assert costs["2026-11-23"] > 1.3 * costs["2026-11-21"]


def test_a_budget_in_use_stays(ads: AdsClient) -> None:
    campaign = ads.create()
    budget = ads.budget_of(campaign)

    assert ads.mutate_refused(US, "campaignBudgets", {"remove": budget}) == [
        "campaignBudgetError.CAMPAIGN_BUDGET_IN_USE"
    ]


def test_a_budget_that_nothing_uses_can_be_removed_for_good(ads: AdsClient) -> None:
    created = ads.mutate(US, "campaignBudgets", {"create": new_budget()})["results"][0]["resourceName"]
    ads.mutate(US, "campaignBudgets", {"remove": created})

    gone = ["campaignBudgetError.CAMPAIGN_BUDGET_REMOVED"]
    assert ads.mutate_refused(US, "campaignBudgets", {"remove": created}) == gone
    assert ads.mutate_refused(US, "campaignBudgets", update(created, "amountMicros", amountMicros="60000000")) == gone


@pytest.mark.parametrize(
    ("mask", "fields", "code"),
    [
        ("", {}, "fieldMaskError.FIELD_MASK_MISSING"),
        ("amount", {}, "fieldMaskError.FIELD_NOT_FOUND"),
        ("amountMicros", {}, "fieldError.FIELD_CANNOT_BE_CLEARED"),
        ("referenceCount", {"referenceCount": "1"}, "fieldError.IMMUTABLE_FIELD"),
        ("amountMicros", {"amountMicros": "10000"}, "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM"),
        (
            "explicitlyShared",
            {"explicitlyShared": True},
            "campaignBudgetError.CANNOT_UPDATE_CAMPAIGN_BUDGET_TO_EXPLICITLY_SHARED_WITHOUT_NAME",
        ),
        (
            "name",
            {"name": "Mine"},
            "campaignBudgetError.CANNOT_MODIFY_FIELD_OF_IMPLICITLY_SHARED_CAMPAIGN_BUDGET",
        ),
    ],
)
def test_an_update_that_breaks_a_rule_is_refused(ads: AdsClient, mask: str, fields: dict[str, Any], code: str) -> None:
    own = ads.budget_of(ads.named("Hiking boots"))

    assert ads.mutate_refused(US, "campaignBudgets", update(own, mask, **fields)) == [code]


def test_a_budget_can_become_shared_but_not_the_reverse(ads: AdsClient) -> None:
    budget = ads.budget_of(ads.create())
    ads.mutate(US, "campaignBudgets", update(budget, "name,explicitlyShared", name="Ours", explicitlyShared=True))

    assert ads.mutate_refused(US, "campaignBudgets", update(budget, "explicitlyShared", explicitlyShared=False)) == [
        "campaignBudgetError.CANNOT_UPDATE_CAMPAIGN_BUDGET_TO_IMPLICITLY_SHARED"
    ]
