"""Meta's words for a campaign and ours."""

import pytest
from pydantic import JsonValue

from server.platforms.meta.campaigns import EFFECTIVE, campaign_state, write_form
from tools.errors import InvalidArguments, PlatformFailure
from tools.fields import Objective, Status
from tools.plan import Operation

ROW = {"id": "7", "account_id": "1", "name": "C", "status": "PAUSED", "effective_status": "PAUSED"}
CREATE: dict[str, JsonValue] = {"name": "C", "objective": "sales", "special_ad_categories": []}


@pytest.mark.parametrize(
    ("configured", "effective", "status"),
    [
        ("ACTIVE", "ACTIVE", Status.ACTIVE),
        ("ACTIVE", "WITH_ISSUES", Status.ACTIVE),
        ("PAUSED", "IN_PROCESS", Status.PAUSED),
        ("ARCHIVED", "ARCHIVED", Status.ARCHIVED),
        ("DELETED", "DELETED", Status.UNKNOWN),
        ("SOMETHING_NEW", "SOMETHING_NEW", Status.UNKNOWN),
    ],
)
def test_status_is_what_was_set_with_metas_view_beside_it(configured: str, effective: str, status: Status) -> None:
    campaign = campaign_state(ROW | {"status": configured, "effective_status": effective}, "USD")
    assert (campaign.status, campaign.platform_status) == (status, effective)


def test_every_status_is_found_by_the_effective_statuses_it_can_have() -> None:
    assert EFFECTIVE.keys() == {None, *Status}
    assert {"IN_PROCESS", "WITH_ISSUES"} <= set(EFFECTIVE[Status.ACTIVE]) & set(EFFECTIVE[Status.PAUSED])
    assert "ARCHIVED" in EFFECTIVE[None]


@pytest.mark.parametrize("objective", Objective)
def test_every_objective_goes_out_and_comes_back(objective: Objective) -> None:
    form = write_form(Operation(kind="create_campaign", fields=CREATE | {"objective": objective.value}), "USD")
    campaign = campaign_state(ROW | {"objective": form["objective"]}, "USD")
    assert form["objective"].startswith("OUTCOME_")
    assert campaign.objective is objective


@pytest.mark.parametrize("word", ["CONVERSIONS", "LINK_CLICKS", "OUTCOME_SOMETHING", ""])
def test_a_legacy_objective_is_shown_in_metas_words_only(word: str) -> None:
    campaign = campaign_state(ROW | {"objective": word}, "USD")
    assert (campaign.objective, campaign.platform_objective) == (None, word)


@pytest.mark.parametrize("budget", [{}, {"daily_budget": "0"}, {"daily_budget": ""}, {"lifetime_budget": "5000"}])
def test_without_a_daily_budget_of_its_own_a_campaign_has_none(budget: dict[str, str]) -> None:
    assert campaign_state(ROW | budget, "USD").daily_budget is None


@pytest.mark.parametrize("missing", ["id", "account_id"])
def test_an_answer_without_what_was_asked_for_is_a_clear_failure(missing: str) -> None:
    with pytest.raises(PlatformFailure, match=f"lacks {missing}"):
        campaign_state({name: value for name, value in ROW.items() if name != missing}, "USD")


def test_without_a_budget_meta_is_told_that_ad_sets_do_not_share_theirs() -> None:
    without = write_form(Operation(kind="create_campaign", fields=CREATE | {"daily_budget": None}), None)
    with_budget = write_form(Operation(kind="create_campaign", fields=CREATE | {"daily_budget": 5}), "USD")
    assert without["is_adset_budget_sharing_enabled"] == "false"
    assert "daily_budget" not in without
    assert "is_adset_budget_sharing_enabled" not in with_budget


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"objective": "sales", "special_ad_categories": []}, "name"),
        ({"name": "C", "special_ad_categories": []}, "objective"),
        ({"name": "C", "objective": "sales"}, "special_ad_categories"),
        (CREATE | {"objective": "world_peace"}, "objective"),
        (CREATE | {"status": "UNKNOWN"}, "status"),
        (CREATE | {"status": "DELETED"}, "status"),
        (CREATE | {"daily_budget": "5"}, "daily_budget"),
        (CREATE | {"daily_budget": True}, "daily_budget"),
        (CREATE | {"daily_budget": -5}, "daily_budget"),
    ],
)
def test_a_field_that_meta_could_not_take_is_named(fields: dict[str, JsonValue], field: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        write_form(Operation(kind="create_campaign", fields=fields), "USD")
    assert [problem["field"] for problem in refused.value.details["problems"]] == [field]


def test_an_update_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="nothing to change"):
        write_form(Operation(kind="update_campaign", campaign_id="7"), "USD")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("update_campaign", {"bid": 1}), ("delete_connection", {}), ("archive_campaign", {"name": "C"})],
)
def test_what_this_adapter_does_not_know_is_never_left_out_in_silence(kind: str, fields: dict[str, JsonValue]) -> None:
    with pytest.raises(ValueError, match="not an operation on Meta"):
        write_form(Operation(kind=kind, fields=fields), "USD")
