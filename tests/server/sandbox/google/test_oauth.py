"""Tokens: who gets one, and how long it lasts."""

import pytest

from server.sandbox.google import oauth
from tests.server.sandbox.ads_client import US, AdsClient, codes
from tests.server.sandbox.conftest import Clock

QUERY = {"query": "SELECT customer.id FROM customer"}


def test_a_refresh_token_becomes_an_access_token(ads: AdsClient) -> None:
    granted = ads.grant()

    assert granted.status_code == 200
    assert granted.headers["request-id"]
    assert {**granted.json(), "access_token": ""} == {
        "access_token": "",
        "expires_in": 3599,
        "scope": "https://www.googleapis.com/auth/adwords",
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_id": "someone"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"refresh_token": "1//old"}, 400, "invalid_grant"),
    ],
)
def test_a_refusal_is_oauths_own(ads: AdsClient, changed: dict[str, str], status: int, error: str) -> None:
    refused = ads.grant(**changed)

    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert refused.json().keys() == {"error", "error_description"}


def test_a_token_lasts_an_hour_less_a_second(ads: AdsClient, clock: Clock) -> None:
    ads.sign_in()
    clock.pass_by(seconds=3598)
    assert ads.send(f"customers/{US}/googleAds:search", QUERY).status_code == 200

    clock.pass_by(seconds=1)
    expired = ads.send(f"customers/{US}/googleAds:search", QUERY)

    assert expired.status_code == 401
    assert codes(expired) == ["authenticationError.OAUTH_TOKEN_EXPIRED"]


@pytest.mark.parametrize("token", ["", "x", "ya29.a0", "ya29.a0MTc5NTMzODIzNw==.forged", "ya29.a0é"])
def test_a_token_that_was_never_given_out_has_no_age(token: str) -> None:
    assert oauth.issued_at(token) is None


def test_a_revoked_consent_is_invalid_grant(ads: AdsClient) -> None:
    ads.fault(target="google:token", kind="expired_token")

    revoked = ads.grant()

    assert (revoked.status_code, revoked.json()["error"]) == (400, "invalid_grant")
    assert ads.grant().status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("throttled", 429), ("server_error", 500), ("html", 502)])
def test_the_token_endpoint_has_bad_days_of_its_own(ads: AdsClient, kind: str, status: int) -> None:
    ads.fault(target="google:token", kind=kind)

    assert ads.grant().status_code == status
    assert ads.grant().status_code == 200


def test_a_fault_of_the_api_leaves_tokens_alone(ads: AdsClient) -> None:
    ads.fault(target="google", kind="server_error")

    assert ads.grant().status_code == 200
    assert ads.send(f"customers/{US}/googleAds:search", QUERY).status_code == 500
