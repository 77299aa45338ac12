"""The port's methods against the sandbox, and against answers that the sandbox does not give."""

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.platforms.google.adapter import GoogleAdapter
from server.sandbox.google import oauth
from tests.server.platforms.google.standin import (
    ACCOUNT,
    CREATE,
    NOW,
    RENAME,
    Upstream,
    campaign_row,
    failing,
    listed,
)
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
from tools.fields import Objective, Platform, Status
from tools.plan import Operation
from tools.ports import Account, AdsPlatform, CampaignState, Credential, InsightsQuery, Observation, Observed
from tools.secret import Secret

Accounts = dict[str, Account]
US, EU, JP, OUTLET = "Northwind US", "Northwind EU", "Northwind Japan", "Northwind Outlet"


def create(account: Account, name: str, **fields: JsonValue) -> Operation:
    given = {"name": name, "objective": "leads", "daily_budget": 10, "eu_political_ads": False, **fields}
    return Operation(kind="create_campaign", platform=Platform.GOOGLE, account_id=account.account_id, fields=given)


def update(campaign: CampaignState, before: dict[str, JsonValue] | None = None, **fields: JsonValue) -> Operation:
    return Operation(
        kind="update_campaign",
        platform=Platform.GOOGLE,
        account_id=campaign.account_id,
        campaign_id=campaign.campaign_id,
        fields=fields,
        before=before or {},
    )


def archive(campaign: CampaignState) -> Operation:
    return update(campaign, {"status": campaign.status}, status="ARCHIVED").model_copy(
        update={"kind": "archive_campaign"}
    )


async def made(
    google: GoogleAdapter, credential: Credential, account: Account, name: str, **fields: JsonValue
) -> CampaignState:
    campaign_id = await google.apply(credential, create(account, name, **fields))
    return await google.campaign(credential, campaign_id)


async def all_campaigns(
    google: GoogleAdapter, credential: Credential, account: Account, status: Status | None, limit: int
) -> list[CampaignState]:
    found: list[CampaignState] = []
    cursor = None
    for _ in range(1000):
        page = await google.campaigns(credential, account, status=status, cursor=cursor, limit=limit)
        assert len(page.campaigns) <= limit
        found += page.campaigns
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("pages without end")


async def named(google: GoogleAdapter, credential: Credential, account: Account, name: str) -> CampaignState:
    (found,) = [each for each in await all_campaigns(google, credential, account, None, 500) if each.name == name]
    return found


def test_the_adapter_is_an_ads_platform(google: GoogleAdapter) -> None:
    port: AdsPlatform = google
    assert port.platform is Platform.GOOGLE


async def test_pages_join_to_the_whole_list(google: GoogleAdapter, credential: Credential, accounts: Accounts) -> None:
    in_ones = await all_campaigns(google, credential, accounts[EU], None, 1)
    at_once = await all_campaigns(google, credential, accounts[EU], None, 500)
    assert in_ones == at_once
    assert len({each.campaign_id for each in at_once}) == len(at_once) >= 7
    exactly = await google.campaigns(credential, accounts[EU], status=None, cursor=None, limit=len(at_once))
    assert exactly.next_cursor is None, "a page that is just full has no next one"


async def test_what_is_created_while_paging_neither_repeats_nor_hides_a_campaign(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    before = await all_campaigns(google, credential, accounts[JP], None, 500)
    first = await google.campaigns(credential, accounts[JP], status=None, cursor=None, limit=2)
    await made(google, credential, accounts[JP], "途中で作成", daily_budget=500)
    await google.apply(credential, archive(first.campaigns[0]))
    rest: list[CampaignState] = []
    cursor = first.next_cursor
    while cursor:
        page = await google.campaigns(credential, accounts[JP], status=None, cursor=cursor, limit=2)
        rest, cursor = [*rest, *page.campaigns], page.next_cursor
    seen = [each.campaign_id for each in (*first.campaigns, *rest)]
    assert len(set(seen)) == len(seen)
    assert {each.campaign_id for each in before} < set(seen)


async def test_archived_campaigns_are_listed_unless_another_status_is_asked_for(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    everything = await all_campaigns(google, credential, accounts[EU], None, 100)
    assert {Status.ACTIVE, Status.PAUSED, Status.ARCHIVED} <= {each.status for each in everything}
    for status in (Status.ACTIVE, Status.PAUSED, Status.ARCHIVED):
        listed_ = await all_campaigns(google, credential, accounts[EU], status, 3)
        assert listed_ == [each for each in everything if each.status is status]
    assert await all_campaigns(google, credential, accounts[EU], Status.UNKNOWN, 3) == []


@pytest.mark.parametrize("cursor", ["", "x", "7 OR 1=1", "-1"])
async def test_what_is_no_cursor_of_the_list_is_refused(upstream: Upstream, account: Account, cursor: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        await upstream.adapter.campaigns(upstream.credential, account, status=None, cursor=cursor, limit=1)
    assert refused.value.details["problems"][0]["field"] == "cursor"
    assert upstream.ads.received == []


async def test_a_campaign_is_found_by_its_bare_id_in_whichever_account_it_is(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    for account in accounts.values():
        (first, *_) = (await google.campaigns(credential, account, status=None, cursor=None, limit=1)).campaigns
        found = await google.campaign(credential, first.campaign_id)
        assert (found.account_id, found.name, found.currency) == (account.account_id, first.name, account.currency)


async def test_a_campaign_that_was_never_listed_costs_one_question_per_account_and_then_one(
    upstream: Upstream,
) -> None:
    three = tuple(Account(number, number, "USD", "UTC") for number in ("1", "2", "3"))
    credential = Credential("con_1", upstream.credential.values, three)

    async def in_the_second(request: Request) -> Response:
        return JSONResponse(listed(campaign_row()) if "/customers/2/" in request.url.path else {})

    upstream.ads.say(in_the_second)
    assert (await upstream.adapter.campaign(credential, "7")).account_id == "2"
    assert len(upstream.ads.received) == 3
    assert (await upstream.adapter.campaign(credential, "7")).account_id == "2"
    assert len(upstream.ads.received) == 4


async def test_no_more_than_eight_accounts_are_asked_at_the_same_time(upstream: Upstream) -> None:
    accounts = tuple(Account(str(number), "A", "USD", "UTC") for number in range(1, 31))
    asking = most = 0

    async def counted(_request: Request) -> Response:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        for _ in range(20):
            await asyncio.sleep(0)  # let the others ask
        asking -= 1
        return JSONResponse({})

    upstream.ads.say(counted)
    with pytest.raises(NotFound):
        await upstream.adapter.campaign(Credential("con_1", upstream.credential.values, accounts), "7")
    assert 1 < most <= 8
    assert len(upstream.ads.received) == 30


@pytest.mark.parametrize("campaign_id", ["999", "act_1", "", "7 OR 1=1"])
async def test_a_campaign_that_is_nowhere_is_not_found(
    google: GoogleAdapter, credential: Credential, campaign_id: str
) -> None:
    with pytest.raises(NotFound) as missing:
        await google.campaign(credential, campaign_id)
    assert missing.value.connection_id == "con_1"


async def test_an_account_that_cannot_be_read_hides_nothing(upstream: Upstream) -> None:
    """Blocked, it has no campaign to show; failing for the moment, it might have had the one asked for."""
    two = (Account("1", "1", "USD", "UTC"), Account("2", "2", "USD", "UTC"))
    credential = Credential("con_1", upstream.credential.values, two)

    def answers(first: Response, second: Response) -> None:
        async def by_account(request: Request) -> Response:
            return first if "/customers/1/" in request.url.path else second

        upstream.ads.say(by_account)

    blocked = failing("authorizationError.CUSTOMER_NOT_ENABLED", 403)
    throttled = failing("quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 429)
    answers(throttled, JSONResponse(listed(campaign_row("7"))))
    assert (await upstream.adapter.campaign(credential, "7")).account_id == "2"
    answers(blocked, JSONResponse({}))
    with pytest.raises(NotFound):
        await upstream.adapter.campaign(credential, "8")
    answers(throttled, JSONResponse({}))
    with pytest.raises(RateLimited):
        await upstream.adapter.campaign(credential, "9")


async def test_a_shared_budget_names_the_others_that_spend_from_it(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    in_list = await named(google, credential, accounts[US], "Brand | Exact")
    assert (in_list.budget_shared, in_list.shared_with) == (True, None)
    whole = await google.campaign(credential, in_list.campaign_id)
    assert whole.budget_shared
    assert whole.shared_with is not None
    assert [each.name for each in whole.shared_with] == ["Brand | Phrase", "Competitors"]
    alone = await named(google, credential, accounts[US], "Performance Max | Full catalog")
    assert not alone.budget_shared
    assert (await google.campaign(credential, alone.campaign_id)).shared_with == ()


async def test_a_name_full_of_instructions_is_only_a_name(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    (odd,) = [each for each in await all_campaigns(google, credential, accounts[OUTLET], None, 500) if "<" in each.name]
    await google.apply(credential, update(odd, name=odd.name + " again"))
    assert (await google.campaign(credential, odd.campaign_id)).name == odd.name + " again"


@pytest.mark.parametrize(
    ("account", "budget", "micros"), [(US, 12.5, "12500000"), (EU, 0.1 + 20, "20100000"), (JP, 5000, "5000000000")]
)
async def test_a_campaign_is_created_paused_with_a_budget_of_its_own_in_one_request(
    google: GoogleAdapter,
    credential: Credential,
    accounts: Accounts,
    sandbox: Sandbox,
    account: str,
    budget: float,
    micros: str,
) -> None:
    writes = len(sandbox.writes())
    campaign = await made(google, credential, accounts[account], f"Spring – {account}", daily_budget=budget)
    assert (campaign.name, campaign.status) == (f"Spring – {account}", Status.PAUSED)
    assert (campaign.objective, campaign.platform_objective) == (Objective.LEADS, "SEARCH MAXIMIZE_CONVERSIONS")
    assert (campaign.account_id, campaign.currency) == (accounts[account].account_id, accounts[account].currency)
    assert campaign.daily_budget == Decimal(repr(budget))
    assert (campaign.budget_shared, campaign.shared_with) == (False, ())
    (sent,) = sandbox.writes()[writes:]
    assert str(sent["path"]).endswith("googleAds:mutate")
    assert micros in str(sent["params"])


@pytest.mark.parametrize("objective", ["sales", "leads", "traffic", "awareness"])
async def test_each_objective_that_google_has_is_created_and_read_back(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, objective: str
) -> None:
    campaign = await made(google, credential, accounts[OUTLET], f"For {objective}", objective=objective)
    assert campaign.objective == objective


async def test_a_campaign_starts_on_the_day_agreed(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    campaign = await made(google, credential, accounts[JP], "12月", start_date="2026-12-01", daily_budget=500)
    assert campaign.start_date == dt.date(2026, 12, 1)


async def test_what_google_refuses_on_creation_names_our_field(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    with pytest.raises(PlatformFailure) as refused:
        await google.validate(credential, create(accounts[US], "Low", daily_budget=0.5))
    assert refused.value.fix == "Set daily_budget to at least 1 USD."
    with pytest.raises(PlatformFailure) as refused:
        await google.validate(credential, create(accounts[JP], "Half a yen", daily_budget=500.5))
    assert "JPY" in refused.value.fix
    with pytest.raises(PlatformFailure) as refused:
        await google.validate(credential, create(accounts[US], "Late", start_date="2026-11-01"))
    assert refused.value.details["field"] == "start_date"


async def test_a_dry_run_changes_nothing_and_raises_what_the_call_would(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox
) -> None:
    campaign = await made(google, credential, accounts[US], "Dry")
    writes = len(sandbox.writes())
    await google.validate(credential, create(accounts[US], "Never"))
    await google.validate(credential, update(campaign, name="Never", daily_budget=11))
    await google.validate(credential, archive(campaign))
    with pytest.raises(PlatformFailure) as refused:
        await google.validate(credential, create(accounts[US], "Dry"))
    assert refused.value.details["outcome"] == "refused"
    assert refused.value.details["platformCode"] == "campaignError.DUPLICATE_CAMPAIGN_NAME"
    assert len(sandbox.writes()) == writes
    assert await google.campaign(credential, campaign.campaign_id) == campaign


async def test_an_update_sends_what_was_agreed_and_nothing_else(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox
) -> None:
    campaign = await made(google, credential, accounts[US], "Before")
    assert await google.apply(credential, update(campaign, daily_budget=11.01)) == campaign.campaign_id
    sent = str(sandbox.writes()[-1]["params"])
    assert "amountMicros" in sent
    assert "campaignOperation" not in sent
    after = await google.campaign(credential, campaign.campaign_id)
    assert (after.name, after.status, after.daily_budget) == ("Before", Status.PAUSED, Decimal("11.01"))


async def test_name_and_budget_change_together_or_not_at_all(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    campaign = await made(google, credential, accounts[US], "Together")
    await google.apply(credential, update(campaign, name="Renamed together", daily_budget=12))
    after = await google.campaign(credential, campaign.campaign_id)
    assert (after.name, after.daily_budget) == ("Renamed together", Decimal(12))
    with pytest.raises(PlatformFailure):
        await google.apply(credential, update(campaign, name="Half", daily_budget=0.01))
    assert await google.campaign(credential, campaign.campaign_id) == after


async def test_archiving_is_one_way(google: GoogleAdapter, credential: Credential, accounts: Accounts) -> None:
    campaign = await made(google, credential, accounts[US], "Old")
    await google.apply(credential, archive(campaign))
    assert (await google.campaign(credential, campaign.campaign_id)).status is Status.ARCHIVED
    with pytest.raises(PlatformFailure, match="refused the change") as refused:
        await google.apply(credential, update(campaign, status="ACTIVE"))
    assert "stays removed" in refused.value.fix


async def test_several_changes_of_campaigns_travel_in_one_request_with_a_receipt_each(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox
) -> None:
    made_ = [await made(google, credential, accounts[US], f"Each {number}", status="ACTIVE") for number in range(3)]
    gone = await made(google, credential, accounts[US], "Each gone")
    await google.apply(credential, archive(gone))
    writes = len(sandbox.writes())
    operations = [update(each, status="PAUSED") for each in (made_[0], gone, made_[1], made_[2])]
    receipts = await google.apply_each(credential, operations)
    assert [each.campaign_id for each in receipts] == [operation.campaign_id for operation in operations]
    assert [each.error is None for each in receipts] == [True, False, True, True]
    assert isinstance(receipts[1].error, PlatformFailure)
    assert receipts[1].error.details["outcome"] == "refused"
    assert len(sandbox.writes()) == writes + 1
    for each in made_:
        assert (await google.campaign(credential, each.campaign_id)).status is Status.PAUSED


async def test_budgets_among_several_changes_are_sent_one_by_one(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    one, two = [await made(google, credential, accounts[US], f"Mixed {number}") for number in range(2)]
    receipts = await google.apply_each(
        credential, [update(one, daily_budget=20), update(two, name="Mixed two"), update(one, daily_budget=0.01)]
    )
    assert [each.error is None for each in receipts] == [True, True, False]
    assert (await google.campaign(credential, one.campaign_id)).daily_budget == 20
    assert (await google.campaign(credential, two.campaign_id)).name == "Mixed two"


async def test_an_item_that_cannot_be_prepared_is_not_sent_and_the_others_are(
    google: GoogleAdapter, credential: Credential, accounts: Accounts
) -> None:
    campaign = await made(google, credential, accounts[US], "Prepared")
    elsewhere = update(campaign, status="PAUSED").model_copy(update={"account_id": "1111111111"})
    receipts = await google.apply_each(
        credential, [update(campaign, status="UNKNOWN"), update(campaign, name="Sent"), elsewhere]
    )
    outcomes = [each.error and each.error.details["outcome"] for each in receipts]
    assert outcomes == ["not_sent", None, "not_sent"]


@pytest.mark.parametrize(
    ("kind", "outcome"), [("lost_answer", "unknown"), ("cut", "unknown"), ("html", "unknown"), ("throttled", "refused")]
)
async def test_several_changes_without_an_answer_are_unknown_each_and_never_raised(
    google: GoogleAdapter,
    credential: Credential,
    accounts: Accounts,
    sandbox: Sandbox,
    kind: str,
    outcome: str,
) -> None:
    two = [await made(google, credential, accounts[US], f"{kind} {number}") for number in range(2)]
    sandbox.fault(kind, "google:write")
    receipts = await google.apply_each(credential, [update(each, status="ACTIVE") for each in two])
    assert [each.error and each.error.details["outcome"] for each in receipts] == [outcome, outcome]


async def test_too_many_changes_at_once_are_a_defect_of_ours(google: GoogleAdapter, credential: Credential) -> None:
    with pytest.raises(ValueError, match="at most 50"):
        await google.apply_each(credential, [RENAME] * 51)
    assert await google.apply_each(credential, []) == ()


async def test_failing_to_prepare_a_write_is_not_having_sent_it(upstream: Upstream) -> None:
    """The budget's resource is read before it is changed; what happens there has not changed anything."""
    raise_it = RENAME.model_copy(update={"fields": {"daily_budget": 5}})
    upstream.ads.say(failing("internalError.INTERNAL_ERROR", 500))
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.apply(upstream.credential, raise_it)
    assert failed.value.details["outcome"] == "not_sent"
    upstream.ads.say({})
    with pytest.raises(NotFound) as missing:
        await upstream.adapter.apply(upstream.credential, raise_it)
    assert missing.value.details["outcome"] == "not_sent"
    assert all(each.path.endswith("search") for each in upstream.ads.received)


async def test_an_account_that_is_not_the_connections_gets_no_write(upstream: Upstream) -> None:
    elsewhere = RENAME.model_copy(update={"account_id": "1111111111"})
    with pytest.raises(NotFound) as refused:
        await upstream.adapter.apply(upstream.credential, elsewhere)
    assert refused.value.details["outcome"] == "not_sent"
    assert upstream.ads.received == []


@pytest.mark.parametrize("kind", ["lost_answer", "cut", "html", "server_error"])
async def test_a_write_whose_answer_is_lost_is_unknown_and_made_once_at_most(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox, kind: str
) -> None:
    campaign = await made(google, credential, accounts[EU], f"Lost by {kind}")
    writes = len(sandbox.writes())
    sandbox.fault(kind, "google:write")
    with pytest.raises(PlatformFailure) as failed:
        await google.apply(credential, update(campaign, name=f"New by {kind}"))
    assert failed.value.details["outcome"] == "unknown"
    assert len(sandbox.writes()) == writes + (kind == "lost_answer")
    seen = await google.observe(
        credential, update(campaign, {"name": campaign.name}, name=f"New by {kind}"), NOW - dt.timedelta(seconds=5)
    )
    expected = Observation.APPLIED if kind == "lost_answer" else Observation.NOT_APPLIED
    assert seen == Observed(expected, campaign.campaign_id)


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


def adapter_of(sandbox: Sandbox, version: str) -> GoogleAdapter:
    url, secret = f"{sandbox.url}/google", Secret(oauth.CLIENT_SECRET)
    return GoogleAdapter(url, version, f"{url}/token", oauth.CLIENT_ID, secret, lambda: NOW)


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


async def test_a_campaign_that_cannot_be_read_back_leaves_a_change_unclear(upstream: Upstream) -> None:
    upstream.ads.say({})
    assert await upstream.adapter.observe(upstream.credential, RENAME, NOW) == Observed(Observation.UNCLEAR)


async def test_a_lost_create_is_found_by_what_was_sent(
    google: GoogleAdapter, credential: Credential, accounts: Accounts, sandbox: Sandbox
) -> None:
    operation = create(accounts[JP], "失われた回答", daily_budget=700)
    assert await google.observe(credential, operation, NOW) == Observed(Observation.NOT_APPLIED)
    sandbox.fault("lost_answer", "google:write")
    with pytest.raises(PlatformFailure) as lost:
        await google.apply(credential, operation)
    assert lost.value.details["outcome"] == "unknown"
    seen = await google.observe(credential, operation, NOW)
    assert seen.observation is Observation.APPLIED
    campaign = await google.campaign(credential, seen.campaign_id or "")
    assert (campaign.name, campaign.daily_budget) == ("失われた回答", Decimal(700))
    await google.apply(credential, archive(campaign))
    assert (await google.observe(credential, operation, NOW)).observation is Observation.UNCLEAR


BUDGET = {"id": "222", "amountMicros": "10000000", "period": "DAILY", "referenceCount": "1"}


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([], Observation.NOT_APPLIED),
        ([campaign_row()], Observation.APPLIED),
        ([campaign_row(name=" C ")], Observation.APPLIED),
        ([campaign_row(name="c")], Observation.NOT_APPLIED),
        ([campaign_row(startDateTime="2026-11-21 00:00:00")], Observation.NOT_APPLIED),
        ([campaign_row(startDateTime=None)], Observation.UNCLEAR),
        ([campaign_row(biddingStrategyType="TARGET_SPEND")], Observation.UNCLEAR),
        ([campaign_row(advertisingChannelType="DISPLAY")], Observation.UNCLEAR),
        ([campaign_row(status="REMOVED")], Observation.UNCLEAR),
        ([campaign_row() | {"campaignBudget": BUDGET | {"amountMicros": "11000000"}}], Observation.UNCLEAR),
        ([campaign_row() | {"campaignBudget": BUDGET | {"explicitlyShared": True}}], Observation.UNCLEAR),
        ([campaign_row("7"), campaign_row("8", status="REMOVED")], Observation.UNCLEAR),
        ([campaign_row("6", startDateTime="2025-01-01 00:00:00", status="REMOVED"), campaign_row()],
         Observation.APPLIED),
    ],
)  # fmt: skip
async def test_a_created_campaign_is_the_one_that_is_new_and_all_that_was_sent(
    upstream: Upstream, rows: list[dict[str, object]], seen: Observation
) -> None:
    upstream.ads.say(listed(*rows))
    observed = await upstream.adapter.observe(upstream.credential, CREATE, NOW)
    assert observed.observation is seen
    assert observed.campaign_id == ("7" if seen is Observation.APPLIED else None)


async def test_the_day_of_a_lost_create_is_the_accounts(upstream: Upstream) -> None:
    """At 03:00 UTC it is still the day before in New York."""
    upstream.ads.say(listed(campaign_row(startDateTime="2026-11-21 00:00:00")))
    at_night = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
    observed = await upstream.adapter.observe(upstream.credential, CREATE, at_night)
    assert observed.observation is Observation.APPLIED


async def test_a_lost_create_for_a_later_day_is_known_by_that_day(upstream: Upstream) -> None:
    later = CREATE.model_copy(update={"fields": {**CREATE.fields, "start_date": "2026-12-24"}})
    upstream.ads.say(listed(campaign_row(startDateTime="2026-12-24 00:00:00")))
    assert (await upstream.adapter.observe(upstream.credential, later, NOW)).observation is Observation.APPLIED
    upstream.ads.say(listed(campaign_row(startDateTime="2026-12-25 00:00:00")))
    assert (await upstream.adapter.observe(upstream.credential, later, NOW)).observation is Observation.UNCLEAR
