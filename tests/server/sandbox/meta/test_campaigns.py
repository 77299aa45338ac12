"""The stand-in reads campaigns as Graph does: filters, pages, cursors and the spelling of values."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.server.sandbox.graph_client import GraphClient


def test_a_list_leaves_out_what_is_archived_or_deleted_unless_asked(graph: GraphClient) -> None:
    gone = graph.create(graph.us)
    graph.delete(gone)

    def statuses(**asked: object) -> set[str]:
        listed = graph.get(f"{graph.us}/campaigns", fields="status", limit="100", **asked)
        return {each["status"] for each in listed["data"]}

    assert statuses() == {"ACTIVE", "PAUSED"}
    assert statuses(effective_status=["ARCHIVED"]) == {"ARCHIVED"}
    assert statuses(effective_status=["DELETED", "ACTIVE"]) == {"ACTIVE", "DELETED"}
    archived = [{"field": "effective_status", "operator": "IN", "value": ["ARCHIVED"]}]
    assert statuses(filtering=archived) == {"ARCHIVED"}


def test_a_page_has_25_and_says_how_to_go_on(graph: GraphClient) -> None:
    created = {graph.create(graph.us, name=f"Number {number}") for number in range(30)}
    seen: list[str] = []
    page = graph.get(f"{graph.us}/campaigns", fields="name")
    assert len(page["data"]) == 25
    while True:
        seen += [each["id"] for each in page["data"]]
        if "next" not in page["paging"]:
            break
        query = dict(parse_qsl(urlsplit(page["paging"]["next"]).query))
        assert query["after"] == page["paging"]["cursors"]["after"]
        assert "appsecret_proof" not in query
        page = graph.get(f"{graph.us}/campaigns", fields="name", after=query["after"])

    assert len(seen) == len(set(seen)) == 30 + 7
    assert created <= set(seen)
    back = graph.get(f"{graph.us}/campaigns", limit="5", before=page["paging"]["cursors"]["before"])
    assert [each["id"] for each in back["data"]] == seen[20:25]


def test_a_cursor_survives_newcomers(graph: GraphClient) -> None:
    first = graph.get(f"{graph.us}/campaigns", limit="3")
    graph.create(graph.us)
    second = graph.get(f"{graph.us}/campaigns", limit="3", after=first["paging"]["cursors"]["after"])

    assert not {each["id"] for each in first["data"]} & {each["id"] for each in second["data"]}


def test_a_campaign_shows_minor_units_as_strings(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")
    fields = "name,status,effective_status,objective,daily_budget,lifetime_budget,special_ad_categories,account_id"

    assert graph.get(campaign, fields=fields) == {
        "id": campaign,
        "name": "Retargeting | Cart abandoners 14d",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "objective": "OUTCOME_SALES",
        "daily_budget": "6000",
        "special_ad_categories": [],
        "account_id": graph.us.removeprefix("act_"),
    }


def test_what_remains_of_a_budget_is_never_more_than_it(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.eu, "Launch")
    shown = graph.get(campaign, fields="lifetime_budget,budget_remaining,stop_time")

    assert 0 < int(shown["budget_remaining"]) < int(shown["lifetime_budget"])
    assert shown["stop_time"] > "2026-11-22"


@pytest.mark.parametrize(
    ("filtering", "found"),
    [
        ([{"field": "campaign.name", "operator": "CONTAIN", "value": "retargeting"}], 1),
        ([{"field": "name", "operator": "NOT_CONTAIN", "value": "retargeting"}], 6),
        ([{"field": "objective", "operator": "EQUAL", "value": "OUTCOME_SALES"}], 4),
        ([{"field": "objective", "operator": "NOT_IN", "value": ["OUTCOME_SALES"]}], 3),
        ([{"field": "daily_budget", "operator": "GREATER_THAN", "value": 15000}], 2),
        ([{"field": "daily_budget", "operator": "LESS_THAN", "value": 5000}], 2),
    ],
)
def test_lists_are_filtered(graph: GraphClient, filtering: list[object], found: int) -> None:
    assert len(graph.get(f"{graph.us}/campaigns", filtering=filtering)["data"]) == found


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "many"},
        {"after": "nowhere"},
        {"effective_status": ["SLEEPING"]},
        {"effective_status": "[1"},
        {"fields": "name,colour"},
        {"colour": "red"},
        {"filtering": "{}"},
        {"filtering": [{"field": "colour", "operator": "EQUAL", "value": "red"}]},
        {"filtering": [{"field": "name", "operator": "LIKE", "value": "red"}]},
        {"filtering": [{"field": "name", "operator": "IN", "value": "red"}]},
        {"filtering": [{"field": "daily_budget", "operator": "GREATER_THAN", "value": "red"}]},
        {"filtering": ["red"]},
    ],
)
def test_a_bad_question_is_code_100(graph: GraphClient, parameters: dict[str, object]) -> None:
    assert graph.error("GET", f"{graph.us}/campaigns", **parameters)["code"] == 100


def test_an_unknown_field_and_an_unknown_parameter_are_named(graph: GraphClient) -> None:
    field = graph.error("GET", f"{graph.us}/campaigns", fields="name,colour")
    parameter = graph.error("GET", f"{graph.us}/campaigns", colour="red")

    assert field["message"] == "(#100) Tried accessing nonexisting field (colour) on node type (Campaign)"
    assert parameter["message"] == "Invalid parameter"
    assert "colour" in parameter["error_user_msg"]


def test_only_japan_has_the_campaign_whose_name_gives_orders(graph: GraphClient) -> None:
    named = {
        account: [each["name"] for each in graph.get(f"{account}/campaigns", fields="name", limit="100")["data"]]
        for account in (graph.us, graph.eu, graph.jp)
    }

    assert [account for account, names in named.items() if "<img" in json.dumps(names)] == [graph.jp]
