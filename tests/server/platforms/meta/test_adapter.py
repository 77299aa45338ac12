"""The port's methods against the sandbox, and against answers that the sandbox does not give."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import JsonValue
from starlette.responses import Response

from server.platforms.meta.adapter import MetaAdapter
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import NOW, RENAME, Upstream, failing
from tools.errors import CapabilityError, InvalidArguments, NotFound, PlatformFailure, RateLimited, ReauthRequired
from tools.fields import Objective, Platform, Status
from tools.plan import Operation
from tools.ports import Account, AdsPlatform, CampaignState, Credential, Observation, Observed

LATER = NOW + dt.timedelta(hours=2)


def create(account: Account, name: str, **fields: JsonValue) -> Operation:
    return Operation(
        kind="create_campaign",
        platform=Platform.META,
        account_id=account.account_id,
        fields={"name": name, "objective": "sales", "special_ad_categories": [], **fields},
    )


def update(campaign: CampaignState, before: dict[str, JsonValue] | None = None, **fields: JsonValue) -> Operation:
    return Operation(
        kind="update_campaign",
        platform=Platform.META,
        account_id=campaign.account_id,
        campaign_id=campaign.campaign_id,
        fields=fields,
        before=before or {},
    )


def archive(campaign: CampaignState) -> Operation:
    return update(campaign, {"status": campaign.status}, status="ARCHIVED").model_copy(
        update={"kind": "archive_campaign"}
    )


async def made(meta: MetaAdapter, sandbox: Sandbox, account: Account, name: str, **fields: JsonValue) -> CampaignState:
    campaign_id = await meta.apply(sandbox.credential, create(account, name, **fields))
    return await meta.campaign(sandbox.credential, campaign_id)


async def all_campaigns(
    meta: MetaAdapter, sandbox: Sandbox, account: Account, status: Status | None, limit: int
) -> list[CampaignState]:
    found: list[CampaignState] = []
    cursor = None
    for _ in range(1000):
        page = await meta.campaigns(sandbox.credential, account, status=status, cursor=cursor, limit=limit)
        assert len(page.campaigns) <= limit
        found += page.campaigns
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("pages without end")


def test_the_adapter_is_an_ads_platform(meta: MetaAdapter) -> None:
    port: AdsPlatform = meta
    assert port.platform is Platform.META


async def test_pages_join_to_the_whole_list(meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]) -> None:
    in_ones = await all_campaigns(meta, sandbox, accounts["USD"], None, 1)
    at_once = await all_campaigns(meta, sandbox, accounts["USD"], None, 500)
    assert in_ones == at_once
    assert len({each.campaign_id for each in at_once}) == len(at_once) > 5


async def test_archived_campaigns_are_listed_unless_another_status_is_asked_for(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    everything = await all_campaigns(meta, sandbox, accounts["USD"], None, 100)
    assert {Status.ACTIVE, Status.PAUSED, Status.ARCHIVED} <= {each.status for each in everything}
    for status in (Status.ACTIVE, Status.PAUSED, Status.ARCHIVED):
        listed = await all_campaigns(meta, sandbox, accounts["USD"], status, 3)
        assert listed == [each for each in everything if each.status is status]


@pytest.mark.parametrize(
    ("currency", "budget", "minor"), [("USD", 12.5, "1250"), ("EUR", 0.1 + 20, "2010"), ("JPY", 5000, "5000")]
)
async def test_a_campaign_is_created_paused_with_its_budget_to_the_cent(
    meta: MetaAdapter,
    sandbox: Sandbox,
    accounts: dict[str, Account],
    currency: str,
    budget: float,
    minor: str,
) -> None:
    account = accounts[currency]
    campaign = await made(meta, sandbox, account, f"Spring – {currency}", daily_budget=budget)
    assert (campaign.name, campaign.status, campaign.platform_status) == (
        f"Spring – {currency}",
        Status.PAUSED,
        "PAUSED",
    )
    assert (campaign.objective, campaign.platform_objective) == (Objective.SALES, "OUTCOME_SALES")
    assert (campaign.account_id, campaign.currency) == (account.account_id, currency)
    assert campaign.daily_budget == Decimal(repr(budget))
    assert campaign.created_at == NOW
    sent = sandbox.writes(f"{account.account_id}/campaigns")[-1]["params"]
    assert isinstance(sent, dict)
    assert (sent["daily_budget"], sent["special_ad_categories"], sent["status"]) == (minor, "[]", "PAUSED")


async def test_a_campaign_may_leave_its_budget_to_the_ad_sets(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    campaign = await made(meta, sandbox, accounts["USD"], "Budgets below", status="ACTIVE", objective="leads")
    assert (campaign.daily_budget, campaign.status, campaign.objective) == (None, Status.ACTIVE, Objective.LEADS)


async def test_a_dry_run_changes_nothing_and_raises_what_the_call_would(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    campaign = await made(meta, sandbox, accounts["USD"], "Dry", daily_budget=10)
    writes = len(sandbox.writes())
    await meta.validate(sandbox.credential, create(accounts["USD"], "Never", daily_budget=10))
    await meta.validate(sandbox.credential, update(campaign, name="Never"))
    with pytest.raises(PlatformFailure, match=r"at least 1\.00 USD") as refused:
        await meta.validate(sandbox.credential, update(campaign, daily_budget=0.5))
    assert refused.value.details["outcome"] == "refused"
    assert len(sandbox.writes()) == writes
    assert await meta.campaign(sandbox.credential, campaign.campaign_id) == campaign


async def test_an_update_sends_what_was_agreed_and_nothing_else(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    campaign = await made(meta, sandbox, accounts["USD"], "Before", daily_budget=10)
    assert await meta.apply(sandbox.credential, update(campaign, daily_budget=11.01)) == campaign.campaign_id
    sent = sandbox.writes(campaign.campaign_id)[-1]["params"]
    assert sent == {"daily_budget": "1101"}
    after = await meta.campaign(sandbox.credential, campaign.campaign_id)
    assert (after.name, after.status, after.daily_budget) == ("Before", Status.PAUSED, Decimal("11.01"))


async def test_a_start_is_the_first_moment_of_the_day_where_the_account_is(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    for account, start in (
        (accounts["JPY"], "2026-12-01T00:00:00+0900"),
        (accounts["USD"], "2026-12-01T00:00:00-0500"),
    ):
        for credential in (sandbox.credential, replace(sandbox.credential, accounts=(account,))):
            campaign_id = await meta.apply(credential, create(account, "Advent", start_date="2026-12-01"))

            assert (await meta.campaign(credential, campaign_id)).start_date == dt.date(2026, 12, 1)
            sent = sandbox.writes(f"{account.account_id}/campaigns")[-1]["params"]
            assert isinstance(sent, dict)
            assert sent["start_time"] == start


async def test_several_changes_go_in_one_request_and_each_has_its_receipt(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    one, two, three = [await made(meta, sandbox, accounts["USD"], f"Batch {n}", status="ACTIVE") for n in range(3)]
    gone = update(two, status="PAUSED").model_copy(update={"campaign_id": "120200000000000000"})
    nowhere = update(two, status="PAUSED").model_copy(update={"campaign_id": "no id"})

    receipts = await meta.apply_each(
        sandbox.credential, [update(one, status="PAUSED"), gone, nowhere, update(three, status="PAUSED")]
    )

    assert [receipt.campaign_id for receipt in receipts] == [
        one.campaign_id,
        gone.campaign_id,
        "no id",
        three.campaign_id,
    ]
    outcomes = [receipt.error and (receipt.error.code, receipt.error.details["outcome"]) for receipt in receipts]
    assert outcomes == [None, ("not_found", "refused"), ("not_found", "not_sent"), None]
    assert (await meta.campaign(sandbox.credential, three.campaign_id)).status is Status.PAUSED
    assert await meta.apply_each(sandbox.credential, []) == ()


@pytest.mark.parametrize(
    ("kind", "outcome"), [("throttled", "refused"), ("cut", "unknown"), ("html", "unknown"), ("lost_answer", "unknown")]
)
async def test_a_batch_that_fails_as_a_whole_says_so_of_each(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account], kind: str, outcome: str
) -> None:
    campaigns = [await made(meta, sandbox, accounts["USD"], f"Whole {n}", status="ACTIVE") for n in range(2)]
    sandbox.fault(kind, "meta:write", times=2 if kind == "throttled" else 1)

    receipts = await meta.apply_each(sandbox.credential, [update(each, status="PAUSED") for each in campaigns])

    assert [receipt.error and receipt.error.details["outcome"] for receipt in receipts] == [outcome] * 2


async def test_a_part_of_a_batch_that_meta_is_silent_about_is_unknown(upstream: Upstream) -> None:
    for answer in ([{"code": 200, "body": '{"success":true}'}, None], [], {"odd": 1}):
        upstream.graph.say(Response(json.dumps(answer), media_type="application/json"))
        two = [RENAME, RENAME.model_copy(update={"campaign_id": "8"})]

        receipts = await upstream.adapter.apply_each(upstream.credential, two)

        last = receipts[-1].error
        assert last is not None
        assert last.details["outcome"] == "unknown"
    assert [receipt.error for receipt in receipts].count(None) == 0


async def test_archiving_is_one_way(meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]) -> None:
    campaign = await made(meta, sandbox, accounts["USD"], "Old", daily_budget=10)
    await meta.apply(sandbox.credential, archive(campaign))
    assert (await meta.campaign(sandbox.credential, campaign.campaign_id)).status is Status.ARCHIVED
    with pytest.raises(PlatformFailure, match="can only become DELETED"):
        await meta.apply(sandbox.credential, update(campaign, status="ACTIVE"))


async def test_an_amount_finer_than_the_currency_is_refused_before_anything_is_sent(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    writes = len(sandbox.writes())
    with pytest.raises(InvalidArguments) as refused:
        await meta.apply(sandbox.credential, create(accounts["JPY"], "Half a yen", daily_budget=500.5))
    assert refused.value.details["problems"][0]["field"] == "daily_budget"
    assert len(sandbox.writes()) == writes


async def test_failing_to_prepare_a_write_is_not_having_sent_it(upstream: Upstream, account: Account) -> None:
    """The currency is read before a budget is sent; what happens there has not changed anything."""
    upstream.graph.say(failing(2, status=500))
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.apply(upstream.credential, create(account, "N", daily_budget=5))
    assert failed.value.details["outcome"] == "not_sent"
    upstream.graph.fail(17)
    with pytest.raises(RateLimited) as limited:
        await upstream.adapter.apply(upstream.credential, create(account, "N", daily_budget=5))
    assert limited.value.details["outcome"] == "not_sent"
    assert {each.method for each in upstream.graph.received} == {"GET"}


async def test_the_currency_is_read_once_per_connection_and_account(upstream: Upstream, account: Account) -> None:
    upstream.graph.say({"id": "act_1", "currency": "USD"}, {"id": "8"}, {"id": "9"})
    first = await upstream.adapter.apply(upstream.credential, create(account, "A", daily_budget=5))
    second = await upstream.adapter.apply(upstream.credential, create(account, "B", daily_budget=5))
    assert (first, second) == ("8", "9")
    assert [each.method for each in upstream.graph.received] == ["GET", "POST", "POST"]

    upstream.graph.fail(200)
    stranger = Credential("con_2", upstream.credential.values)
    with pytest.raises(PlatformFailure):
        await upstream.adapter.apply(stranger, create(account, "C", daily_budget=5))
    assert upstream.graph.received[-1].method == "GET", "another connection has to be allowed to read it itself"


@pytest.mark.parametrize("kind", ["update_campaign", "create_campaign"])
async def test_an_answer_that_does_not_say_the_change_was_made_is_unknown(
    upstream: Upstream, account: Account, kind: str
) -> None:
    upstream.graph.say({"success": False})
    operation = create(account, "N").model_copy(update={"kind": kind, "campaign_id": "7"})
    if kind == "update_campaign":
        operation = operation.model_copy(update={"fields": {"name": "N"}})
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.apply(upstream.credential, operation)
    assert failed.value.details["outcome"] == "unknown"


@pytest.mark.parametrize("campaign_id", ["..", "me", "act_1", "7/insights", "７", ""])
async def test_an_id_that_cannot_be_a_campaigns_becomes_no_path(upstream: Upstream, campaign_id: str) -> None:
    with pytest.raises(NotFound):
        await upstream.adapter.campaign(upstream.credential, campaign_id)
    assert upstream.graph.received == []


async def test_an_unknown_campaign_is_not_found(meta: MetaAdapter, sandbox: Sandbox) -> None:
    with pytest.raises(NotFound) as missing:
        await meta.campaign(sandbox.credential, "999")
    assert "list_campaigns" in missing.value.fix


@pytest.mark.parametrize(("kind", "expected"), [("expired_token", ReauthRequired), ("throttled", RateLimited)])
async def test_faults_of_the_sandbox_are_our_errors(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account], kind: str, expected: type[CapabilityError]
) -> None:
    sandbox.fault(kind)
    with pytest.raises(expected) as failed:
        await meta.campaigns(sandbox.credential, accounts["USD"], status=None, cursor=None, limit=1)
    assert failed.value.connection_id == "con_1"
    if kind == "throttled":
        assert failed.value.retry_after == 300


async def test_an_update_is_read_back(meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]) -> None:
    campaign = await made(meta, sandbox, accounts["EUR"], "Watched", daily_budget=10)
    before: dict[str, JsonValue] = {"daily_budget": 10, "status": "PAUSED", "name": "Watched"}
    planned = update(campaign, before, daily_budget=12, status="ACTIVE", name="Seen")

    async def observed(operation: Operation) -> Observation:
        return (await meta.observe(sandbox.credential, operation, NOW)).observation

    assert await observed(planned) is Observation.NOT_APPLIED
    await meta.apply(sandbox.credential, update(campaign, daily_budget=12))
    assert await observed(planned) is Observation.UNCLEAR, "someone else changed it too"
    await meta.apply(sandbox.credential, planned)
    assert await observed(planned) is Observation.APPLIED
    assert await observed(archive(campaign)) is Observation.NOT_APPLIED
    await meta.apply(sandbox.credential, archive(campaign))
    assert await observed(archive(campaign)) is Observation.APPLIED
    assert await observed(planned.model_copy(update={"campaign_id": "999"})) is Observation.UNCLEAR


async def test_a_created_campaign_is_known_by_name_and_age(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    operation = create(accounts["EUR"], "Only one", daily_budget=10)
    credential = sandbox.credential
    assert await meta.observe(credential, operation, NOW) == Observed(Observation.NOT_APPLIED)
    campaign_id = await meta.apply(credential, operation)
    assert await meta.observe(credential, operation, NOW) == Observed(Observation.APPLIED, campaign_id)
    in_a_minute = NOW + dt.timedelta(seconds=60, milliseconds=1)
    assert await meta.observe(credential, operation, in_a_minute) == Observed(Observation.APPLIED, campaign_id)
    assert await meta.observe(credential, operation, LATER) == Observed(Observation.NOT_APPLIED), "that one is older"
    await meta.apply(credential, operation)
    assert await meta.observe(credential, operation, NOW) == Observed(Observation.UNCLEAR)


async def test_a_create_whose_answer_was_lost_is_found_again(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    operation = create(accounts["JPY"], "Lost and found", daily_budget=1000)
    sandbox.fault("lost_answer", "meta:write")
    with pytest.raises(PlatformFailure) as lost:
        await meta.apply(sandbox.credential, operation)
    assert lost.value.details["outcome"] == "unknown"
    found = await meta.observe(sandbox.credential, operation, NOW)
    assert found.observation is Observation.APPLIED
    assert (await meta.campaign(sandbox.credential, found.campaign_id or "")).name == "Lost and found"
