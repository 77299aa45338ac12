"""The API as a whole: its paths and versions, its bad days on demand, and what the log keeps of them."""

from typing import Any

import pytest

from tests.server.sandbox.ads_client import US, AdsClient, codes, new_budget

QUERY = {"query": "SELECT customer.id FROM customer"}
SEARCH = f"customers/{US}/googleAds:search"

ERRORS = [
    ("authenticationError.OAUTH_TOKEN_EXPIRED", 401),
    ("authenticationError.OAUTH_TOKEN_REVOKED", 401),
    ("authorizationError.USER_PERMISSION_DENIED", 403),
    ("authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", 403),
    ("authorizationError.CUSTOMER_NOT_ENABLED", 403),
    ("queryError.UNRECOGNIZED_FIELD", 400),
    ("fieldError.REQUIRED", 400),
    ("requestError.UNSUPPORTED_VERSION", 400),
    ("requestError.PAGE_SIZE_NOT_SUPPORTED", 400),
    ("quotaError.RESOURCE_EXHAUSTED", 429),
    ("quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 429),
    ("quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", 429),
    ("internalError.TRANSIENT_ERROR", 500),
    ("internalError.INTERNAL_ERROR", 500),
    ("campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM", 400),
    ("campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", 400),
    ("campaignError.DUPLICATE_CAMPAIGN_NAME", 400),
    ("mutateError.RESOURCE_NOT_FOUND", 400),
    ("mutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED", 400),
    ("databaseError.CONCURRENT_MODIFICATION", 400),
]
"""Each code of the error table, and the status it comes with."""


@pytest.mark.parametrize(("code", "status"), ERRORS)
def test_every_error_of_the_table_can_be_had(ads: AdsClient, code: str, status: int) -> None:
    ads.fault(target="google:search", kind="error", code=code)

    answer = ads.send(SEARCH, QUERY)

    assert (answer.status_code, codes(answer)) == (status, [code])
    assert answer.headers["request-id"]
    assert ads.send(SEARCH, QUERY).status_code == 200


def test_an_error_may_be_given_a_status_and_words(ads: AdsClient) -> None:
    ads.fault(target="google", kind="error", code="internalError.TRANSIENT_ERROR", status=503, message="Later.")

    answer = ads.send(SEARCH, QUERY)

    assert (answer.status_code, answer.json()["error"]["status"]) == (503, "UNAVAILABLE")
    assert answer.json()["error"]["details"][0]["errors"][0]["message"] == "Later."


def test_a_quota_error_says_when_to_come_back(ads: AdsClient) -> None:
    ads.fault(target="google", kind="throttled")

    error = ads.send(SEARCH, QUERY).json()["error"]["details"][0]["errors"][0]

    assert error["details"]["quotaErrorDetails"]["retryDelay"] == "300s"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("expired_token", 401, "authenticationError.OAUTH_TOKEN_EXPIRED"),
        ("throttled", 429, "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED"),
        ("server_error", 500, "internalError.TRANSIENT_ERROR"),
    ],
)
def test_common_faults_are_in_the_platforms_words(ads: AdsClient, kind: str, status: int, code: str) -> None:
    ads.fault(target="google", kind=kind)

    answer = ads.send(SEARCH, QUERY)

    assert (answer.status_code, codes(answer)) == (status, [code])


def test_a_stream_wraps_its_errors_in_an_array(ads: AdsClient) -> None:
    path = f"customers/{US}/googleAds:searchStream"
    ads.fault(target="google:searchStream", kind="server_error")
    ads.fault(target="google:search", kind="server_error")

    for answer in (ads.send(path, QUERY), ads.send(path, QUERY), ads.send(path, {"query": "SELECT"})):
        assert answer.status_code >= 400
        assert isinstance(answer.json(), list)


@pytest.mark.parametrize(
    ("target", "fires"),
    [
        ("google", True),
        ("google:mutate", True),
        ("google:write", True),
        ("google:campaignBudgets", True),
        (f"google:{US}:mutate", True),
        ("google:POST", True),
        ("google:search", False),
        ("google:campaigns", False),
        ("google:read", False),
        ("google:token", False),
        ("meta", False),
    ],
)
def test_a_target_names_parts_of_a_call(ads: AdsClient, target: str, fires: bool) -> None:
    ads.sign_in()
    ads.fault(target=target, kind="server_error")

    answer = ads.send(f"customers/{US}/campaignBudgets:mutate", {"operations": [{"create": new_budget()}]})

    assert (answer.status_code == 500) is fires


def test_validating_is_a_read(ads: AdsClient) -> None:
    ads.fault(target="google:write", kind="server_error")

    assert ads.mutate(US, "campaignBudgets", {"create": new_budget()}, validateOnly=True) == {}


@pytest.mark.parametrize(
    "wanted",
    [
        {"target": "google", "kind": "error", "code": 17},
        {"target": "google", "kind": "error", "code": "RESOURCE_EXHAUSTED"},
        {"target": "google:token", "kind": "error", "code": "quotaError.RESOURCE_EXHAUSTED"},
    ],
)
def test_an_error_needs_a_code_in_the_platforms_form(ads: AdsClient, wanted: dict[str, Any]) -> None:
    refused = ads.http.post("/faults", json=wanted)

    assert refused.status_code == 400
    assert "quotaError.RESOURCE_EXHAUSTED" in refused.json()["error"]


@pytest.mark.parametrize(("version", "reason"), [("v22", "Version v22 is deprecated."), ("v25", "speaks v26 only")])
def test_another_version_is_named_as_such(ads: AdsClient, version: str, reason: str) -> None:
    answer = ads.send(SEARCH, QUERY, version=version)

    assert codes(answer) == ["requestError.UNSUPPORTED_VERSION"]
    assert reason in answer.text


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("v27", SEARCH),
        ("latest", SEARCH),
        ("v26", f"customers/{US}/campaigns:search"),
        ("v26", f"customers/{US}/adGroups:mutate"),
        ("v26", f"customers/{US}/googleAds"),
        ("v26", "customers:listAccessibleCustomers"),
        ("v26", "nowhere"),
    ],
)
def test_a_path_that_does_not_exist_is_a_page_of_html(ads: AdsClient, version: str, path: str) -> None:
    answer = ads.send(path, QUERY, version=version)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["request-id"]


def test_the_log_shows_accepted_writes_and_no_secret(ads: AdsClient) -> None:
    budget = {"create": new_budget()}
    ads.mutate(US, "campaignBudgets", budget)
    ads.mutate_refused(US, "campaignBudgets", {"create": new_budget(amountMicros="1")})
    ads.rows(US, QUERY["query"])

    (write,) = ads.writes()
    assert (write["platform"], write["method"]) == ("google", "POST")
    assert write["path"] == f"/v26/customers/{US}/campaignBudgets:mutate"
    assert write["params"] == {"operations": [budget]}
    everything = ads.http.get("/log?kind=all")
    assert [each["status"] for each in everything.json()] == [200, 200, 400, 200]
    for secret in (ads.token, ads.index["client_secret"], ads.index["refresh_token"]):
        assert secret not in everything.text
