"""The stand-in takes writes as strictly as Graph does, and a refused or validated one changes nothing."""

import json
from typing import Any

import pytest

from tests.server.sandbox.conftest import Clock
from tests.server.sandbox.graph_client import GraphClient

WHOLE: dict[str, Any] = {
    "name": "Spring",
    "objective": "OUTCOME_SALES",
    "status": "PAUSED",
    "special_ad_categories": [],
    "daily_budget": "5000",
}


def without(*names: str, **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names} | changed


def test_a_created_campaign_is_there(graph: GraphClient) -> None:
    campaign = graph.post(f"{graph.us}/campaigns", **WHOLE)["id"]

    shown = graph.get(campaign, fields="name,objective,status,daily_budget,bid_strategy")

    assert shown == {
        "id": campaign,
        "name": "Spring",
        "objective": "OUTCOME_SALES",
        "status": "PAUSED",
        "daily_budget": "5000",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
    }


def test_validating_a_create_creates_nothing(graph: GraphClient) -> None:
    before = graph.get(f"{graph.us}/campaigns", limit="100")["data"]

    answer = graph.post(f"{graph.us}/campaigns", **WHOLE, execution_options=["validate_only"])

    assert answer == {"success": True}
    assert graph.get(f"{graph.us}/campaigns", limit="100")["data"] == before


def test_validating_refuses_what_creating_would(graph: GraphClient) -> None:
    error = graph.error("POST", f"{graph.us}/campaigns", **without("name"), execution_options=["validate_only"])

    assert error["message"] == "(#100) The parameter name is required."


@pytest.mark.parametrize(
    ("parameters", "field", "subcode"),
    [
        (without("name"), "name", None),
        (without(name="   "), "name", None),
        (without("objective"), "objective", None),
        (without(objective="CONVERSIONS"), "objective", None),
        (without(status="ARCHIVED"), "status", None),
        (without(status="RUNNING"), "status", None),
        (without("special_ad_categories"), "special_ad_categories", 4834003),
        (without(special_ad_categories=["PETS"]), "special_ad_categories[0]", None),
        (without("daily_budget"), "is_adset_budget_sharing_enabled", 4834011),
        (without(lifetime_budget="90000", stop_time="2026-12-31T00:00:00+0000"), "daily_budget", None),
        (without("daily_budget", lifetime_budget="90000"), "stop_time", None),
        (without(daily_budget="99"), "daily_budget", 1885272),
        (without(daily_budget="50.5"), "daily_budget", None),
        (without(daily_budget="-5000"), "daily_budget", None),
        (without(daily_budget="1e9"), "daily_budget", None),
        (without(daily_budget="NaN"), "daily_budget", None),
        (without(bid_strategy="CHEAP"), "bid_strategy", None),
        (without(start_time="soon"), "start_time", None),
        (without(execution_options=["dry_run"]), "execution_options[0]", None),
        (without(colour="red"), "colour", None),
    ],
)
def test_a_create_the_platform_would_refuse_is_refused_by_field(
    graph: GraphClient, parameters: dict[str, Any], field: str, subcode: int | None
) -> None:
    error = graph.error("POST", f"{graph.us}/campaigns", **parameters)

    assert (error["code"], error.get("error_subcode")) == (100, subcode)
    assert error["error_data"] == {"blame_field_specs": [[field]]}
    assert graph.writes() == []


def test_the_least_budget_is_said_in_the_accounts_currency(graph: GraphClient) -> None:
    dollars = graph.error("POST", f"{graph.us}/campaigns", **without(daily_budget="1"))
    yen = graph.error("POST", f"{graph.jp}/campaigns", **without(daily_budget="1"))

    assert "1.00 USD" in dollars["error_user_msg"]
    assert "150 JPY" in yen["error_user_msg"]


def test_a_campaign_may_leave_budgets_to_its_ad_sets(graph: GraphClient) -> None:
    created = without("daily_budget", is_adset_budget_sharing_enabled="false")
    campaign = graph.post(f"{graph.us}/campaigns", **created)["id"]

    shown = graph.get(campaign, fields="daily_budget,is_adset_budget_sharing_enabled")
    assert shown == {"id": campaign, "is_adset_budget_sharing_enabled": False}


def test_an_update_changes_what_it_names_and_nothing_else(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")

    assert graph.post(campaign, daily_budget="6600", name="Retargeting 30d") == {"success": True}

    assert graph.get(campaign, fields="name,daily_budget,status") == {
        "id": campaign,
        "name": "Retargeting 30d",
        "daily_budget": "6600",
        "status": "ACTIVE",
    }


def test_validating_an_update_changes_nothing(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")

    assert graph.post(campaign, status="PAUSED", execution_options=["validate_only"]) == {"success": True}

    assert graph.get(campaign, fields="status")["status"] == "ACTIVE"


def test_archived_is_one_way(graph: GraphClient) -> None:
    campaign = graph.create(graph.us)
    graph.post(campaign, status="ARCHIVED")

    assert graph.error("POST", campaign, status="ACTIVE")["code"] == 100
    assert graph.error("POST", campaign, daily_budget="6000")["code"] == 100
    graph.post(campaign, name="Old spring")
    graph.post(campaign, status="DELETED")
    assert graph.get(campaign, fields="name,status") == {"id": campaign, "name": "Old spring", "status": "DELETED"}


def test_a_deleted_campaign_can_be_read_but_not_changed(graph: GraphClient) -> None:
    campaign = graph.create(graph.us)

    assert graph.delete(campaign) == {"success": True}

    assert graph.get(campaign, fields="status")["status"] == "DELETED"
    assert graph.error("POST", campaign, name="Back")["code"] == 100
    assert graph.error("DELETE", campaign)["code"] == 100


def test_a_fifth_budget_change_within_an_hour_is_refused(graph: GraphClient, clock: Clock) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")
    for budget in (6100, 6200, 6300, 6400):
        graph.post(campaign, daily_budget=str(budget))
    graph.post(campaign, daily_budget="6400")

    refused = graph.send("POST", campaign, daily_budget="6500")
    graph.post(campaign, name="Still editable")
    clock.pass_by(hours=1, seconds=1)
    graph.post(campaign, daily_budget="6500")

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == 17
    (usage,) = json.loads(refused.headers["X-Business-Use-Case-Usage"]).values()
    assert usage[0]["estimated_time_to_regain_access"] == 60


def test_a_campaign_without_a_budget_of_its_own_gets_none(graph: GraphClient) -> None:
    error = graph.error("POST", graph.campaign_named(graph.us, "Awareness"), daily_budget="6000")

    assert error["error_subcode"] == 1885621


def test_a_lifetime_budget_does_not_become_a_daily_one(graph: GraphClient) -> None:
    error = graph.error("POST", graph.campaign_named(graph.eu, "Launch"), daily_budget="6000")

    assert "lifetime_budget" in error["error_user_msg"]


def test_the_objective_of_a_campaign_is_fixed(graph: GraphClient) -> None:
    error = graph.error("POST", graph.campaign_named(graph.us, "Retargeting"), objective="OUTCOME_LEADS")

    assert error["error_data"] == {"blame_field_specs": [["objective"]]}
