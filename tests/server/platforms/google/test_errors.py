"""Each row of Google's error table, as a person or a model gets to see it."""

import pytest
from starlette.responses import JSONResponse

from server.platforms.google.adapter import GoogleAdapter
from server.platforms.google.errors import DEFAULT_WAIT
from tests.server.platforms.google.standin import ACCESS_TOKEN, FAILURE, RENAME, Upstream, failing, front_door
from tests.server.platforms.meta.sandbox import Sandbox
from tools.errors import (
    AccountBlocked,
    CapabilityError,
    NotFound,
    PlatformFailure,
    RateLimited,
    ReauthRequired,
    VersionSunset,
)
from tools.ports import Credential

AUTHENTICATION, AUTHORIZATION = "authenticationError", "authorizationError"
TABLE: list[tuple[str, int, type[CapabilityError]]] = [
    *((f"{AUTHENTICATION}.{word}", 401, ReauthRequired) for word in (
        "OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED", "GOOGLE_ACCOUNT_DELETED", "NOT_ADS_USER",
        "GOOGLE_ACCOUNT_COOKIE_INVALID",
    )),
    *((f"{AUTHENTICATION}.{word}", 401, AccountBlocked) for word in (
        "TWO_STEP_VERIFICATION_NOT_ENROLLED", "ADVANCED_PROTECTION_NOT_ENROLLED",
    )),
    (f"{AUTHENTICATION}.CUSTOMER_NOT_FOUND", 401, NotFound),
    (f"{AUTHENTICATION}.DEVELOPER_TOKEN_INVALID", 401, PlatformFailure),
    *((f"{AUTHORIZATION}.{word}", 403, AccountBlocked) for word in (
        "CUSTOMER_NOT_ENABLED", "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT", "INCOMPLETE_SIGNUP",
    )),
    *((f"{AUTHORIZATION}.{word}", 403, PlatformFailure) for word in (
        "USER_PERMISSION_DENIED", "ACTION_NOT_PERMITTED", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
        "PROJECT_DISABLED", "MISSING_TOS", "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
    )),
    ("headerError.INVALID_LOGIN_CUSTOMER_ID", 400, PlatformFailure),
    *((f"quotaError.{word}", 429, RateLimited) for word in (
        "RESOURCE_EXHAUSTED", "RESOURCE_TEMPORARILY_EXHAUSTED", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
        "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION",
    )),
    ("quotaError.ACCESS_PROHIBITED", 403, PlatformFailure),
    ("requestError.UNSUPPORTED_VERSION", 400, VersionSunset),
    ("requestError.RESOURCE_NOT_FOUND", 400, NotFound),
    ("requestError.INVALID_CUSTOMER_ID", 400, NotFound),
    ("requestError.PAGE_SIZE_NOT_SUPPORTED", 400, PlatformFailure),
    ("requestError.TOO_MANY_MUTATE_OPERATIONS", 400, PlatformFailure),
    ("mutateError.RESOURCE_NOT_FOUND", 400, NotFound),
    ("mutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED", 400, PlatformFailure),
    ("idError.NOT_FOUND", 400, NotFound),
    ("queryError.UNRECOGNIZED_FIELD", 400, PlatformFailure),
    ("fieldError.REQUIRED", 400, PlatformFailure),
    ("databaseError.CONCURRENT_MODIFICATION", 409, PlatformFailure),
    ("operationAccessDeniedError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", 400, PlatformFailure),
    *((f"campaignBudgetError.{word}", 400, PlatformFailure) for word in (
        "BUDGET_BELOW_PER_DAY_MINIMUM", "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", "MONEY_AMOUNT_TOO_LARGE",
        "CAMPAIGN_BUDGET_IN_USE", "DUPLICATE_NAME",
    )),
    ("campaignError.DUPLICATE_CAMPAIGN_NAME", 400, PlatformFailure),
    ("aFamilyOfTomorrow.UNHEARD_OF", 400, PlatformFailure),
]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "expected"), TABLE)
async def test_a_refusal_is_our_error_with_googles_code_and_a_fix(
    upstream: Upstream, code: str, status: int, expected: type[CapabilityError]
) -> None:
    upstream.ads.say(failing(code, status))
    with pytest.raises(CapabilityError) as read:
        await upstream.adapter.probe(upstream.credential)
    with pytest.raises(CapabilityError) as written:
        await upstream.adapter.apply(upstream.credential, RENAME)

    assert type(read.value) is type(written.value) is expected
    assert "outcome" not in read.value.details
    for error in (read.value, written.value):
        assert error.fix
        assert {"platform": "google", "platformCode": code, "requestId": "Request1"}.items() <= error.details.items()
    assert written.value.details["outcome"] == "refused"
    assert len(upstream.ads.received) == 2, "what Google refuses is not asked again"


async def test_each_row_of_the_table_is_told_alike_by_the_sandbox(
    google: GoogleAdapter, credential: Credential, sandbox: Sandbox
) -> None:
    account = credential.accounts[0]
    rename = RENAME.model_copy(update={"account_id": account.account_id})
    for code, _, expected in TABLE[:-1]:  # the sandbox knows v26, not tomorrow
        sandbox.fault("error", "google:search", code=code)
        with pytest.raises(CapabilityError) as read:
            await google.campaigns(credential, account, status=None, cursor=None, limit=1)
        sandbox.fault("error", "google:mutate", code=code)
        with pytest.raises(CapabilityError) as written:
            await google.apply(credential, rename)
        assert (type(read.value), type(written.value)) == (expected, expected), code
        assert read.value.details["platformCode"] == written.value.details["platformCode"] == code
        assert written.value.details["outcome"] == "refused"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("internalError.TRANSIENT_ERROR", 503),
        ("internalError.INTERNAL_ERROR", 500),
        ("internalError.DEADLINE_EXCEEDED", 504),
        ("requestError.RPC_DEADLINE_TOO_SHORT", 400),
        ("aFamilyOfTomorrow.UNHEARD_OF", 500),
    ],
)
async def test_a_passing_failure_is_retried_on_reads_and_unknown_on_writes(
    upstream: Upstream, code: str, status: int
) -> None:
    upstream.ads.say(failing(code, status))
    with pytest.raises(PlatformFailure) as read:
        await upstream.adapter.probe(upstream.credential)
    assert len(upstream.ads.received) == 3
    assert read.value.retry_after
    upstream.ads.received.clear()

    with pytest.raises(PlatformFailure) as written:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert len(upstream.ads.received) == 1
    assert written.value.details["outcome"] == "unknown"
    upstream.ads.received.clear()

    with pytest.raises(PlatformFailure) as validated:
        await upstream.adapter.validate(upstream.credential, RENAME)
    assert validated.value.details["outcome"] == "not_sent", "a dry run changes nothing, whatever became of it"
    assert len(upstream.ads.received) == 3, "so it may be repeated"


@pytest.mark.parametrize(
    ("status", "reason", "expected", "said"),
    [
        (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", ReauthRequired, "/integrations"),
        (403, "SERVICE_DISABLED", PlatformFailure, "Enable the Google Ads API"),
        (429, "RATE_LIMIT_EXCEEDED", RateLimited, "Wait"),
        (429, None, RateLimited, "Wait"),
        (403, None, PlatformFailure, "login_customer_id"),
        (404, None, NotFound, "list_campaigns"),
        (400, None, PlatformFailure, "Adjust"),
    ],
)
async def test_what_stands_before_google_ads_is_understood_too(
    upstream: Upstream, status: int, reason: str | None, expected: type[CapabilityError], said: str
) -> None:
    upstream.ads.say(front_door(status, reason))
    with pytest.raises(CapabilityError) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert type(refused.value) is expected
    assert said in refused.value.fix
    assert refused.value.details["outcome"] == "refused"
    assert refused.value.details["requestId"] == "Request2", "the header's, where the body has none"
    assert refused.value.details["platformMessage"] == "general words"


async def test_a_streams_error_comes_in_an_array_of_one(upstream: Upstream) -> None:
    error = {"code": 400, "message": "m", "details": [{"@type": FAILURE, "errors": [
        {"errorCode": {"queryError": "UNRECOGNIZED_FIELD"}, "message": "Unrecognized field 'campaign.x'."}
    ]}]}  # fmt: skip
    upstream.ads.say(JSONResponse([{"error": error}], 400))
    with pytest.raises(PlatformFailure, match=r"Unrecognized field 'campaign\.x'") as refused:
        await upstream.adapter.probe(upstream.credential)
    assert refused.value.details["platformCode"] == "queryError.UNRECOGNIZED_FIELD"


@pytest.mark.parametrize(
    ("code", "delay", "wait"),
    [
        ("RESOURCE_EXHAUSTED", "24130s", 24130),
        ("RESOURCE_EXHAUSTED", None, 3600),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", "1.2s", 2),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", None, DEFAULT_WAIT),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", "soon", DEFAULT_WAIT),
    ],
)
async def test_a_throttled_call_says_how_long_to_wait(
    upstream: Upstream, code: str, delay: str | None, wait: int
) -> None:
    details = {"rateScope": "DEVELOPER", "rateName": "Number of operations for basic access", "retryDelay": delay}
    upstream.ads.say(failing(f"quotaError.{code}", 429, details={"quotaErrorDetails": details}))
    with pytest.raises(RateLimited) as limited:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert limited.value.retry_after == wait
    assert limited.value.details["source"] == "upstream"
    assert limited.value.connection_id == "con_1"


async def test_a_budget_below_the_minimum_is_told_the_minimum(upstream: Upstream) -> None:
    minimum = {"currencyCode": "USD", "budgetPerDayMinimumMicros": "1500000"}
    upstream.ads.say(
        failing(
            "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM",
            details={"budgetPerDayMinimumErrorDetails": minimum},
        )
    )
    with pytest.raises(PlatformFailure) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused.value.fix == "Set daily_budget to at least 1.5 USD."
    assert refused.value.details["minimum"] == "1.5 USD"


async def test_what_google_blames_is_named_as_we_name_it_with_its_place(upstream: Upstream) -> None:
    path = [
        {"fieldName": "mutate_operations", "index": 1},
        {"fieldName": "campaign_operation"},
        {"fieldName": "create"},
        {"fieldName": "contains_eu_political_advertising"},
    ]
    upstream.ads.say(failing("fieldError.REQUIRED", location={"fieldPathElements": path}))
    with pytest.raises(PlatformFailure) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused.value.details["field"] == "eu_political_ads"
    location = "mutate_operations[1].campaign_operation.create.contains_eu_political_advertising"
    assert refused.value.details["location"] == location
    assert refused.value.fix == "Send eu_political_ads and try again."


async def test_every_error_of_a_refusal_is_told_and_the_first_decides(upstream: Upstream) -> None:
    errors = [
        {"errorCode": {"mutateError": "RESOURCE_NOT_FOUND"}, "message": "One."},
        {"errorCode": {"fieldError": "REQUIRED"}, "message": "Two."},
    ]
    error = {"code": 400, "message": "m", "details": [{"@type": FAILURE, "errors": errors, "requestId": "R"}]}
    upstream.ads.say(JSONResponse({"error": error}, 400))
    with pytest.raises(NotFound) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused.value.details["platformMessage"] == "One. Two."


async def test_an_account_out_of_reach_is_told_about_its_manager(upstream: Upstream) -> None:
    upstream.ads.say(failing("authorizationError.USER_PERMISSION_DENIED", 403))
    with pytest.raises(PlatformFailure) as denied:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert "login_customer_id" in denied.value.fix
    assert denied.value.connection_id == "con_1"


async def test_a_blocked_account_is_told_that_its_connection_is_still_valid(upstream: Upstream) -> None:
    upstream.ads.say(failing("authorizationError.CUSTOMER_NOT_ENABLED", 403))
    with pytest.raises(AccountBlocked) as blocked:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert "still valid" in blocked.value.fix


async def test_secrets_that_google_quotes_are_masked(upstream: Upstream) -> None:
    said = f"Bad token {ACCESS_TOKEN}, not ya29.{'x' * 40}"
    upstream.ads.say(failing("authenticationError.OAUTH_TOKEN_REVOKED", 401, message=said))
    with pytest.raises(ReauthRequired) as dead:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert dead.value.details["platformMessage"] == "Bad token ***, not ***"


@pytest.mark.parametrize(
    "error",
    [
        {"code": 400, "details": "none"},
        {"code": 400, "details": [None, 1, {"@type": FAILURE}, {"@type": FAILURE, "errors": [None]}]},
        {"code": 400, "details": [{"@type": FAILURE, "errors": [{"errorCode": "x", "location": []}]}]},
        {"code": 400, "details": [{"@type": FAILURE, "errors": [
            {"errorCode": {}, "message": None, "location": {"fieldPathElements": [1, {}]}, "details": 7},
        ]}]},
    ],
)  # fmt: skip
async def test_an_error_of_an_unheard_of_shape_is_still_a_refusal(upstream: Upstream, error: dict[str, object]) -> None:
    upstream.ads.say(JSONResponse({"error": error}, 400))
    with pytest.raises(PlatformFailure) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused.value.details["outcome"] == "refused"
