"""Campaigns between Google's words and ours."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import JsonValue

from server.platforms.google.campaigns import campaign_changes, campaign_state, mutate_operations
from tests.server.platforms.google.standin import ACCOUNT, CREATE, campaign_row
from tools.errors import InvalidArguments
from tools.fields import Objective, Status
from tools.plan import Operation

BUDGET = "customers/1/campaignBudgets/222"


def update(**fields: JsonValue) -> Operation:
    return Operation(kind="update_campaign", account_id="1", campaign_id="7", fields=fields)


def create(**fields: JsonValue) -> Operation:
    return CREATE.model_copy(update={"fields": {**CREATE.fields, **fields}})


def created(**fields: JsonValue) -> dict[str, Any]:
    (_, campaign) = mutate_operations(create(**fields), "1")
    made: dict[str, Any] = campaign["campaignOperation"]["create"]
    return made


def test_a_campaign_is_read_with_its_budget_and_start() -> None:
    state = campaign_state(campaign_row(status="ENABLED", primaryStatus="LIMITED"), ACCOUNT)
    assert (state.account_id, state.campaign_id, state.name, state.currency) == ("1234567890", "7", "C", "USD")
    assert (state.status, state.platform_status) == (Status.ACTIVE, "LIMITED")
    assert (state.objective, state.platform_objective) == (Objective.LEADS, "SEARCH MAXIMIZE_CONVERSIONS")
    assert (state.daily_budget, state.budget_shared, state.shared_with) == (Decimal(10), False, None)
    assert state.start_date == dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("word", "status"), [("ENABLED", "ACTIVE"), ("PAUSED", "PAUSED"), ("REMOVED", "ARCHIVED"), ("NEW", "UNKNOWN")]
)
def test_googles_statuses_are_ours(word: str, status: str) -> None:
    assert campaign_state(campaign_row(status=word), ACCOUNT).status == status


@pytest.mark.parametrize(
    ("channel", "bidding", "objective"),
    [
        ("SEARCH", "MAXIMIZE_CONVERSION_VALUE", Objective.SALES),
        ("PERFORMANCE_MAX", "TARGET_ROAS", Objective.SALES),
        ("SHOPPING", "MANUAL_CPC", Objective.SALES),
        ("SEARCH", "TARGET_CPA", Objective.LEADS),
        ("SEARCH", "MANUAL_CPC", Objective.TRAFFIC),
        ("DISPLAY", "MANUAL_CPM", Objective.AWARENESS),
        ("VIDEO", "TARGET_CPV", Objective.ENGAGEMENT),
        ("MULTI_CHANNEL", "TARGET_CPA", Objective.APP_PROMOTION),
        ("HOTEL", "COMMISSION", None),
    ],
)
def test_the_objective_is_what_google_bids_for(channel: str, bidding: str, objective: Objective | None) -> None:
    state = campaign_state(campaign_row(advertisingChannelType=channel, biddingStrategyType=bidding), ACCOUNT)
    assert (state.objective, state.platform_objective) == (objective, f"{channel} {bidding}")


def test_a_budget_for_a_period_is_no_daily_budget() -> None:
    row = campaign_row()
    row["campaignBudget"] = {"id": "222", "period": "CUSTOM_PERIOD", "totalAmountMicros": "900000000"}
    assert campaign_state(row, ACCOUNT).daily_budget is None


def test_a_budget_that_several_campaigns_spend_from_is_shared() -> None:
    row = campaign_row()
    row["campaignBudget"] = {"id": "222", "amountMicros": "10000000", "explicitlyShared": True, "referenceCount": "3"}
    assert campaign_state(row, ACCOUNT).budget_shared


def test_a_create_is_a_budget_of_its_own_and_a_paused_campaign_in_one_request() -> None:
    assert mutate_operations(create(start_date="2026-12-01", special_ad_categories=[]), "1") == [
        {
            "campaignBudgetOperation": {
                "create": {
                    "resourceName": "customers/1/campaignBudgets/-1",
                    "amountMicros": "10000000",
                    "deliveryMethod": "STANDARD",
                    "explicitlyShared": False,
                }
            }
        },
        {
            "campaignOperation": {
                "create": {
                    "resourceName": "customers/1/campaigns/-2",
                    "name": "C",
                    "status": "PAUSED",
                    "advertisingChannelType": "SEARCH",
                    "campaignBudget": "customers/1/campaignBudgets/-1",
                    "maximizeConversions": {},
                    "networkSettings": {
                        "targetGoogleSearch": True,
                        "targetContentNetwork": False,
                        "targetSearchNetwork": False,
                        "targetPartnerSearchNetwork": False,
                    },
                    "containsEuPoliticalAdvertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
                    "startDateTime": "2026-12-01 00:00:00",
                }
            }
        },
    ]


@pytest.mark.parametrize("objective", ["sales", "leads", "traffic", "awareness"])
def test_what_is_created_reads_back_as_the_same_objective(objective: str) -> None:
    made = created(objective=objective)
    words = {
        "maximizeConversionValue": "MAXIMIZE_CONVERSION_VALUE",
        "maximizeConversions": "MAXIMIZE_CONVERSIONS",
        "targetSpend": "TARGET_SPEND",
        "manualCpm": "MANUAL_CPM",
    }
    (bidding,) = made.keys() & words.keys()
    row = campaign_row(advertisingChannelType=made["advertisingChannelType"], biddingStrategyType=words[bidding])
    assert campaign_state(row, ACCOUNT).objective == objective


def test_a_campaign_runs_at_once_only_where_that_was_agreed() -> None:
    assert created(status="ACTIVE")["status"] == "ENABLED"
    assert created(status=None)["status"] == "PAUSED"


def test_the_statement_on_eu_political_ads_is_sent_as_it_was_made() -> None:
    assert created(eu_political_ads=True)["containsEuPoliticalAdvertising"] == "CONTAINS_EU_POLITICAL_ADVERTISING"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("objective", None),
        ("objective", "engagement"),
        ("objective", "app_promotion"),
        ("objective", "fame"),
        ("daily_budget", None),
        ("daily_budget", "ten"),
        ("daily_budget", 0.001),
        ("eu_political_ads", None),
        ("eu_political_ads", "no"),
        ("status", "ARCHIVED"),
        ("start_date", "soon"),
        ("special_ad_categories", ["HOUSING"]),
    ],
)
def test_a_create_that_cannot_be_names_the_field(field: str, value: JsonValue) -> None:
    with pytest.raises(InvalidArguments) as refused:
        mutate_operations(create(**{field: value}), "1")
    assert refused.value.details["problems"][0]["field"] == field
    assert refused.value.fix


def test_an_update_names_what_it_changes_and_nothing_else() -> None:
    name = "customers/1/campaigns/7"
    assert mutate_operations(update(name="N", status="ACTIVE"), "1") == [
        {
            "campaignOperation": {
                "updateMask": "name,status",
                "update": {"resourceName": name, "name": "N", "status": "ENABLED"},
            }
        }
    ]
    budget = {"updateMask": "amountMicros", "update": {"resourceName": BUDGET, "amountMicros": "12500000"}}
    assert mutate_operations(update(daily_budget=12.5), "1", BUDGET) == [{"campaignBudgetOperation": budget}]
    both = mutate_operations(update(status="PAUSED", daily_budget=12.5), "1", BUDGET)
    assert [next(iter(each)) for each in both] == ["campaignOperation", "campaignBudgetOperation"]


def test_archiving_removes() -> None:
    archive = Operation(kind="archive_campaign", campaign_id="7", fields={"status": "ARCHIVED"})
    assert campaign_changes(archive, "1") == {"remove": "customers/1/campaigns/7"}
    assert mutate_operations(archive, "1") == [{"campaignOperation": {"remove": "customers/1/campaigns/7"}}]


@pytest.mark.parametrize("fields", [{}, {"name": None}, {"status": "ARCHIVED"}, {"status": "UNKNOWN"}])
def test_an_update_that_cannot_be_is_refused(fields: dict[str, JsonValue]) -> None:
    with pytest.raises(InvalidArguments):
        mutate_operations(update(**fields), "1")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("update_campaign", {"bid": 1}), ("delete_connection", {}), ("archive_campaign", {"name": "C"})],
)
def test_what_this_adapter_does_not_know_is_never_left_out_in_silence(kind: str, fields: dict[str, JsonValue]) -> None:
    with pytest.raises(ValueError, match="not an operation on Google"):
        mutate_operations(Operation(kind=kind, campaign_id="7", fields=fields), "1")


def test_a_budget_without_its_resource_is_never_sent() -> None:
    with pytest.raises(ValueError, match="by its resource"):
        mutate_operations(update(daily_budget=5), "1")
