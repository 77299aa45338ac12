"""The port as a whole: reports, and what goes wrong upstream."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from server.platforms.google.adapter import GoogleAdapter
from server.sandbox.google import oauth
from tests.server.platforms.google.standin import ACCOUNT, NOW, Upstream
from tests.server.platforms.google.steps import EU, US, Accounts, create, made, update
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import Sleeps
from tools.errors import (
    AccountBlocked,
    CapabilityError,
    InvalidArguments,
    NotFound,
    PlatformFailure,
    RateLimited,
    ReauthRequired,
    VersionSunset,
)
from tools.fields import Platform, Status
from tools.ports import AdsPlatform, Credential, InsightsQuery
from tools.secret import Secret


def adapter_of(sandbox: Sandbox, version: str) -> GoogleAdapter:
    url, secret = f"{sandbox.url}/google", Secret(oauth.CLIENT_SECRET)
    return GoogleAdapter(url, version, f"{url}/token", oauth.CLIENT_ID, secret, lambda: NOW)


def test_the_adapter_is_an_ads_platform(google: GoogleAdapter) -> None:
    port: AdsPlatform = google
    assert port.platform is Platform.GOOGLE


@pytest.mark.parametrize("kind", ["cut", "html", "server_error"])
async def test_reads_survive_what_the_sandbox_does_to_a_connection(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox, sleeps: Sleeps, kind: str
) -> None:
    sandbox.fault(kind, "google", times=2)
    assert (await google.campaigns(credential, accounts[US], status=None, cursor=None, limit=1)).campaigns
    assert len(sleeps) == 2


async def test_an_access_token_that_google_calls_expired_is_renewed_within_the_call(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox
) -> None:
    sandbox.fault("expired_token", "google")
    campaign = await made(google, credential, accounts[EU], "Over an expired token")
    assert campaign.status is Status.PAUSED


async def test_an_access_taken_back_names_the_connection(google: GoogleAdapter, sandbox: Sandbox) -> None:
    sandbox.fault("expired_token", "google:token")
    with pytest.raises(ReauthRequired) as dead:
        await google.probe(sandbox.credential)
    assert dead.value.connection_id == "con_1"


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("error", {"code": "invalid_client", "status": 401}, PlatformFailure),
        ("throttled", {}, RateLimited),
        ("server_error", {"times": 3}, PlatformFailure),
        ("html", {"times": 3}, PlatformFailure),
        ("cut", {"times": 3}, PlatformFailure),
    ],
)
async def test_a_token_endpoint_in_trouble_leaves_nothing_sent(
    google: GoogleAdapter,
    credential: Credential,
    accounts: Accounts,
    sandbox: Sandbox,
    kind: str,
    more: dict[str, object],
    expected: type[CapabilityError],
) -> None:
    writes = len(sandbox.writes())
    sandbox.fault(kind, "google:token", **more)
    with pytest.raises(CapabilityError) as failed:
        await google.apply(credential, create(accounts[US], "Never"))
    assert type(failed.value) is expected
    assert failed.value.details["outcome"] == "not_sent"
    assert len(sandbox.writes()) == writes


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("authorizationError.USER_PERMISSION_DENIED", PlatformFailure),
        ("authorizationError.CUSTOMER_NOT_ENABLED", AccountBlocked),
        ("quotaError.RESOURCE_EXHAUSTED", RateLimited),
        ("campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM", PlatformFailure),
        ("mutateError.RESOURCE_NOT_FOUND", NotFound),
    ],
)
async def test_what_the_sandbox_refuses_by_a_code_is_the_error_of_that_code(
    google: GoogleAdapter,
    credential: Credential,
    accounts: Accounts,
    sandbox: Sandbox,
    code: str,
    expected: type[CapabilityError],
) -> None:
    campaign = await made(google, credential, accounts[EU], f"Refused by {code}")
    sandbox.fault("error", "google:mutate", code=code)
    with pytest.raises(CapabilityError) as refused:
        await google.apply(credential, update(campaign, name="Never"))
    assert type(refused.value) is expected
    assert refused.value.details["platformCode"] == code
    assert refused.value.details["requestId"]


async def test_the_wrong_manager_is_told_about_the_header(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    direct = replace(accounts[US], login_customer_id=None)
    with pytest.raises(PlatformFailure) as denied:
        await google.campaigns(credential, direct, status=None, cursor=None, limit=1)
    assert denied.value.details["platformCode"] == "authorizationError.USER_PERMISSION_DENIED"
    assert "login_customer_id" in denied.value.fix


async def test_a_version_that_is_switched_off_says_which_setting_to_change(sandbox: Sandbox) -> None:
    adapter = adapter_of(sandbox, "v25")
    with pytest.raises(VersionSunset) as sunset:
        await adapter.probe(sandbox.credential)
    assert "GOOGLE_ADS_API_VERSION" in sunset.value.fix
    await adapter.aclose()


async def test_a_version_that_never_was_is_told_too_though_google_answers_with_a_page(sandbox: Sandbox) -> None:
    adapter = adapter_of(sandbox, "v99")
    with pytest.raises(PlatformFailure, match="404") as failed:
        await adapter.probe(sandbox.credential)
    assert "GOOGLE_ADS_API_VERSION" in failed.value.fix
    await adapter.aclose()


async def test_insights_by_day_by_campaign_and_in_total_agree(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    since, until = NOW.date() - dt.timedelta(days=40), NOW.date() - dt.timedelta(days=1)
    for account in accounts.values():
        total, by_day, by_campaign, by_both = [
            await google.insights(
                credential, account, InsightsQuery(since=since, until=until, by_day=day, by_campaign=campaign)
            )
            for day, campaign in ((False, False), (True, False), (False, True), (True, True))
        ]
        (sum_,) = total.rows
        assert sum_.spend > 0
        assert sum_.conversions > 0
        for report in (by_day, by_campaign, by_both):
            assert sum(row.spend for row in report.rows) == sum_.spend
            assert sum(row.impressions for row in report.rows) == sum_.impressions
            assert sum(row.clicks for row in report.rows) == sum_.clicks
            assert abs(sum(row.conversions for row in report.rows) - sum_.conversions) < Decimal("0.01")
        assert {row.day for row in by_day.rows} == {since + dt.timedelta(days=n) for n in range(40)}
        assert all(row.campaign_id and row.campaign_name and row.day is None for row in by_campaign.rows)
        assert total.attribution
        assert total.conversion_action
        assert total.as_of == NOW


async def test_insights_of_one_campaign_are_its_part_of_the_accounts(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    whole = InsightsQuery(since=NOW.date() - dt.timedelta(days=7), until=NOW.date(), by_campaign=True)
    for row in (await google.insights(credential, accounts[US], whole)).rows:
        part = replace(whole, by_campaign=False, campaign_id=row.campaign_id)
        assert (await google.insights(credential, accounts[US], part)).rows == (row,)


async def test_what_a_removed_campaign_spent_still_counts(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    query = InsightsQuery(since=NOW.date() - dt.timedelta(days=115), until=NOW.date(), by_campaign=True)
    report = await google.insights(credential, accounts[US], query)
    assert "Clearance | Last season" in {row.campaign_name for row in report.rows}


async def test_days_that_no_platform_keeps_are_refused_before_anything_is_sent(upstream: Upstream) -> None:
    with pytest.raises(InvalidArguments):
        await upstream.adapter.insights(
            upstream.credential, ACCOUNT, InsightsQuery(since=dt.date(2020, 1, 1), until=NOW.date())
        )
    assert upstream.ads.received == []
