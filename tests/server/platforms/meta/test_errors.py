"""Each row of Meta's error table, as a person or a model gets to see it."""

import pytest

from server.platforms.meta.errors import DEFAULT_WAIT
from tests.server.platforms.meta.standin import RENAME, TOKEN, Upstream, failing
from tools.errors import (
    AccountBlocked,
    CapabilityError,
    NotFound,
    PlatformFailure,
    RateLimited,
    ReauthRequired,
    VersionSunset,
)

THROTTLES = [(4, None), (4, 1504022), (17, 2446079), (32, None), (613, 1487742)] + [
    (code, None) for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
]
TABLE: list[tuple[int, int | None, type[CapabilityError]]] = [
    *((190, subcode, ReauthRequired) for subcode in (None, 458, 460, 463, 464, 467, 492)),
    (190, 459, AccountBlocked),
    (368, None, AccountBlocked),
    *((code, None, PlatformFailure) for code in (10, 102, 200, 273, 299)),
    *((code, subcode, RateLimited) for code, subcode in THROTTLES),
    (100, 33, NotFound),
    (100, None, PlatformFailure),
    (100, 1885621, PlatformFailure),
    (2635, None, VersionSunset),
    (506, None, PlatformFailure),
    (2650, None, PlatformFailure),
]


@pytest.mark.parametrize(("code", "subcode", "expected"), TABLE)
async def test_a_refusal_is_our_error_with_metas_code_and_a_fix(
    upstream: Upstream, code: int, subcode: int | None, expected: type[CapabilityError]
) -> None:
    upstream.graph.fail(code, subcode)
    with pytest.raises(CapabilityError) as read:
        await upstream.adapter.campaign(upstream.credential, "7")
    with pytest.raises(CapabilityError) as written:
        await upstream.adapter.apply(upstream.credential, RENAME)

    assert type(read.value) is type(written.value) is expected
    assert "outcome" not in read.value.details
    for error in (read.value, written.value):
        assert error.fix
        assert {"platform": "meta", "platformCode": code, "traceId": "Trace1"}.items() <= error.details.items()
        assert error.details.get("platformSubcode") == subcode
    assert written.value.details["outcome"] == "refused"
    assert len(upstream.graph.received) == 2, "what Meta refuses is not asked again"


@pytest.mark.parametrize(
    ("code", "status", "transient"),
    [
        (1, 400, False),
        (2, 400, False),
        (104, 400, False),
        (960, 400, False),
        (0, 500, False),
        (0, 503, False),
        (9, 400, True),
    ],
)
async def test_a_passing_failure_is_retried_on_reads_and_unknown_on_writes(
    upstream: Upstream, code: int, status: int, transient: bool
) -> None:
    upstream.graph.fail(code, status=status, is_transient=transient)
    with pytest.raises(PlatformFailure) as read:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert len(upstream.graph.received) == 3
    assert read.value.retry_after
    upstream.graph.received.clear()

    with pytest.raises(PlatformFailure) as written:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert len(upstream.graph.received) == 1
    assert written.value.details["outcome"] == "unknown"
    upstream.graph.received.clear()

    with pytest.raises(PlatformFailure) as validated:
        await upstream.adapter.validate(upstream.credential, RENAME)
    assert validated.value.details["outcome"] == "not_sent", "a dry run changes nothing, whatever became of it"


async def test_a_dead_token_names_the_connection_and_says_why(upstream: Upstream) -> None:
    upstream.graph.fail(190, 460)
    with pytest.raises(ReauthRequired, match="changed their password") as dead:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert dead.value.connection_id == "con_1"
    assert "/integrations" in dead.value.fix


@pytest.mark.parametrize(("code", "subcode"), [(190, 459), (368, None)])
async def test_a_blocked_account_is_told_that_its_connection_is_still_valid(
    upstream: Upstream, code: int, subcode: int | None
) -> None:
    upstream.graph.fail(code, subcode)
    with pytest.raises(AccountBlocked) as blocked:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert "still valid" in blocked.value.fix


@pytest.mark.parametrize(
    ("message", "missing"),
    [("(#200) Requires business_management permission", "business_management"), ("(#200) No.", "ads_management")],
)
async def test_a_missing_permission_is_named(upstream: Upstream, message: str, missing: str) -> None:
    upstream.graph.fail(200, message=message)
    with pytest.raises(PlatformFailure, match=missing) as denied:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert denied.value.details["missingPermission"] == missing


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-Business-Use-Case-Usage": {"1": [{"estimated_time_to_regain_access": 7}]}}, 420),
        ({"X-Ad-Account-Usage": {"acc_id_util_pct": 100, "reset_time_duration": 42}}, 42),
        ({}, DEFAULT_WAIT),
    ],
)
async def test_a_throttled_call_says_how_long_to_wait(
    upstream: Upstream, headers: dict[str, object], wait: int
) -> None:
    upstream.graph.say(failing(17, 2446079, headers=headers))
    with pytest.raises(RateLimited) as limited:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert limited.value.retry_after == wait
    assert limited.value.details["source"] == "upstream"


async def test_the_words_meta_means_for_people_are_shown(upstream: Upstream) -> None:
    upstream.graph.fail(100, 1885621, error_user_title="Budget on ad sets", error_user_msg="Change the ad sets.")
    with pytest.raises(PlatformFailure, match="Budget on ad sets: Change the ad sets") as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert "ad sets" in refused.value.fix
    assert refused.value.details["platformMessage"] == "Change the ad sets."


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"blame_field_specs": [["daily_budget"]]}, "daily_budget"),
        ('{"blame_field_specs": [["name", "x"]]}', "name"),
        ({"blame_field_specs": []}, None),
        ("not json", None),
        ([1], None),
    ],
)
async def test_the_parameter_that_meta_blames_is_named(upstream: Upstream, data: object, field: str | None) -> None:
    upstream.graph.say(failing(100, more={"error_data": data}))
    with pytest.raises(PlatformFailure) as refused:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused.value.details.get("field") == field


async def test_secrets_that_meta_quotes_are_masked(upstream: Upstream) -> None:
    upstream.graph.fail(190, message=f"Malformed access token {TOKEN}, not EAA{'x' * 40}")
    with pytest.raises(ReauthRequired) as dead:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert dead.value.details["platformMessage"] == "Malformed access token ***, not ***"
