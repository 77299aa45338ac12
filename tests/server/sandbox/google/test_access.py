"""Who may call for whom."""

import pytest

from tests.server.sandbox.ads_client import APAC, EU, JP, MANAGER, OUTLET, US, AdsClient, codes

QUERY = {"query": "SELECT customer.id FROM customer"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AUTHENTICATION_ERROR"),
        ("Basic abc", "OAUTH_TOKEN_HEADER_INVALID"),
        ("Bearer", "OAUTH_TOKEN_HEADER_INVALID"),
        ("Bearer ya29.stolen", "OAUTH_TOKEN_INVALID"),
    ],
)
def test_a_call_without_a_good_token_is_401(ads: AdsClient, header: str | None, code: str) -> None:
    headers = {"authorization": header} if header else {}

    answer = ads.http.post(f"/google/v26/customers/{OUTLET}/googleAds:search", json=QUERY, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    assert codes(answer) == [f"authenticationError.{code}"]


@pytest.mark.parametrize(
    ("customer", "login"),
    [
        (US, MANAGER),
        (JP, MANAGER),
        (APAC, MANAGER),
        (MANAGER, None),
        (MANAGER, MANAGER),
        (OUTLET, None),
        (OUTLET, OUTLET),
    ],
)
def test_a_customer_is_reached_by_itself_or_through_its_manager(
    ads: AdsClient, customer: str, login: str | None
) -> None:
    answer = ads.send(f"customers/{customer}/googleAds:search", QUERY, login=login)

    assert answer.json()["results"][0]["customer"]["id"] == customer


@pytest.mark.parametrize(
    ("customer", "login"), [(US, None), (JP, None), (US, US), (US, OUTLET), (EU, APAC), (JP, APAC), (OUTLET, MANAGER)]
)
def test_any_other_way_is_denied(ads: AdsClient, customer: str, login: str | None) -> None:
    answer = ads.send(f"customers/{customer}/googleAds:search", QUERY, login=login)

    assert answer.status_code == 403
    assert codes(answer) == ["authorizationError.USER_PERMISSION_DENIED"]
    assert "login-customer-id" in answer.text


def test_ids_are_digits_only(ads: AdsClient) -> None:
    dashed = ads.send(f"customers/{US}/googleAds:search", QUERY, login="421-000-7001")
    short = ads.send("customers/421-000-7011/googleAds:search", QUERY)
    nobody = ads.send("customers/1111111111/googleAds:search", QUERY)

    assert codes(dashed) == ["headerError.INVALID_LOGIN_CUSTOMER_ID"]
    assert codes(short) == ["requestError.INVALID_CUSTOMER_ID"]
    assert codes(nobody) == ["authenticationError.CUSTOMER_NOT_FOUND"]


def test_only_granted_customers_are_listed_as_accessible(ads: AdsClient) -> None:
    listed = ads.call("customers:listAccessibleCustomers")

    assert listed == {"resourceNames": [f"customers/{MANAGER}", f"customers/{OUTLET}"]}


def test_the_index_tells_a_client_all_it_needs(ads: AdsClient) -> None:
    assert ads.index.keys() == {"url", "token_url", "client_id", "client_secret", "refresh_token", "customers"}
    assert ads.index["customers"] == [MANAGER, APAC, US, EU, JP, OUTLET]
