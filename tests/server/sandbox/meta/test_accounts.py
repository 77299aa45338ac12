"""The stand-in lists ad accounts as Graph does: fields on request, minor units, pages."""

import pytest

from tests.server.sandbox.graph_client import GraphClient


def test_accounts_come_with_currency_zone_and_minor_units(graph: GraphClient) -> None:
    fields = "name,currency,timezone_name,timezone_offset_hours_utc,account_status,disable_reason,min_daily_budget"
    listed = graph.get("me/adaccounts", fields=fields, summary="true")

    assert listed["data"][2] == {
        "id": graph.jp,
        "name": "Northwind Japan",
        "currency": "JPY",
        "timezone_name": "Asia/Tokyo",
        "timezone_offset_hours_utc": 9.0,
        "account_status": 1,
        "disable_reason": 0,
        "min_daily_budget": 150,
    }
    assert listed["summary"] == {"total_count": 3}


def test_accounts_are_paged(graph: GraphClient) -> None:
    first = graph.get("me/adaccounts", limit="2")
    second = graph.get("me/adaccounts", limit="2", after=first["paging"]["cursors"]["after"])

    assert [each["id"] for each in first["data"] + second["data"]] == [graph.us, graph.eu, graph.jp]
    assert "next" not in second["paging"]


def test_only_the_fields_asked_for_are_given(graph: GraphClient) -> None:
    assert graph.get(graph.us) == {"id": graph.us, "account_id": graph.us.removeprefix("act_")}
    assert graph.get(graph.us, fields=["currency"]) == {"id": graph.us, "currency": "USD"}


@pytest.mark.parametrize(("node", "node_type"), [("me", "User"), ("us", "AdAccount")])
def test_an_unknown_field_is_refused_by_name(graph: GraphClient, node: str, node_type: str) -> None:
    error = graph.error("GET", graph.us if node == "us" else node, fields="id,favourite_colour")

    assert error["message"] == (
        f"(#100) Tried accessing nonexisting field (favourite_colour) on node type ({node_type})"
    )


def test_debug_token_tells_scopes_and_expiry(graph: GraphClient) -> None:
    data = graph.get("debug_token", input_token=graph.token)["data"]

    assert data["is_valid"] is True
    assert {"ads_read", "ads_management"} <= set(data["scopes"])
    assert data["expires_at"] > data["issued_at"]
    assert data["app_id"] == graph.app_id


def test_debug_token_says_that_a_stranger_is_not_valid(graph: GraphClient) -> None:
    data = graph.get("debug_token", input_token="stranger")["data"]

    assert (data["is_valid"], data["scopes"], data["error"]["code"]) == (False, [], 190)


def test_a_token_is_exchanged_for_a_long_lived_one_that_works(graph: GraphClient) -> None:
    exchange = {
        "grant_type": "fb_exchange_token",
        "client_id": graph.app_id,
        "client_secret": graph.app_secret,
        "fb_exchange_token": graph.token,
    }
    fresh = graph.http.get("/meta/v26.0/oauth/access_token", params=exchange).json()

    assert (fresh["token_type"], fresh["expires_in"]) == ("bearer", 5_184_000)
    assert fresh["access_token"] != graph.token
    graph.token = fresh["access_token"]
    assert graph.get("me")["name"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_id": "1"}, 101),
        ({"client_secret": "wrong"}, 1),
        ({"fb_exchange_token": "stranger"}, 190),
        ({"grant_type": "password"}, 100),
        ({"fb_exchange_token": ""}, 100),
    ],
)
def test_an_exchange_needs_app_and_token(graph: GraphClient, changed: dict[str, str], code: int) -> None:
    exchange = {
        "grant_type": "fb_exchange_token",
        "client_id": graph.app_id,
        "client_secret": graph.app_secret,
        "fb_exchange_token": graph.token,
    }
    answer = graph.http.get("/meta/v26.0/oauth/access_token", params=exchange | changed)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
