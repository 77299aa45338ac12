"""Changes at the sandbox: alone, several at once, and with their answer lost."""

import datetime as dt
from decimal import Decimal

import pytest

from server.platforms.google.adapter import GoogleAdapter
from tests.server.platforms.google.standin import ACCOUNT, CREATE, NOW, RENAME, Upstream, failing
from tests.server.platforms.google.steps import (
    EU,
    JP,
    OUTLET,
    US,
    Accounts,
    all_campaigns,
    archive,
    create,
    made,
    update,
)
from tests.server.platforms.meta.sandbox import Sandbox
from tools.errors import InvalidArguments, NotFound, PlatformFailure
from tools.fields import Objective, Status
from tools.plan import Operation
from tools.ports import Credential, Observation, Observed
from tools.secret import Secret


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
    nowhere = update(campaign, daily_budget=20).model_copy(update={"campaign_id": "999"})
    receipts = await google.apply_each(
        credential, [update(campaign, status="UNKNOWN"), update(campaign, name="Sent"), nowhere]
    )
    outcomes = [each.error and each.error.details["outcome"] for each in receipts]
    assert outcomes == ["not_sent", None, "not_sent"]


async def test_changes_of_an_account_that_is_not_the_connections_are_not_sent(upstream: Upstream) -> None:
    elsewhere = RENAME.model_copy(update={"account_id": "1111111111"})
    (receipt,) = await upstream.adapter.apply_each(upstream.credential, [elsewhere])
    assert receipt.error is not None
    assert receipt.error.details["outcome"] == "not_sent"
    assert upstream.ads.received == []


async def test_changes_through_what_is_no_manager_are_not_sent(upstream: Upstream) -> None:
    values = {**upstream.credential.values, "login_customer_id": Secret("mine")}
    credential = Credential("con_1", values, (ACCOUNT,))
    (receipt,) = await upstream.adapter.apply_each(credential, [RENAME])
    assert receipt.error is not None
    assert receipt.error.details["outcome"] == "not_sent"
    with pytest.raises(InvalidArguments) as refused:
        await upstream.adapter.apply(credential, RENAME)
    assert refused.value.details["outcome"] == "not_sent"
    assert upstream.ads.received == []


async def test_an_answer_to_several_changes_that_cannot_be_read_leaves_each_unknown(upstream: Upstream) -> None:
    upstream.ads.say({"results": "odd"})
    receipts = await upstream.adapter.apply_each(upstream.credential, [RENAME, RENAME])
    assert [each.error and each.error.details["outcome"] for each in receipts] == ["unknown", "unknown"]


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


@pytest.mark.parametrize(
    "operations",
    [[RENAME] * 51, [RENAME, RENAME.model_copy(update={"account_id": "2"})], [RENAME, CREATE]],
)
async def test_what_apply_each_is_not_for_is_a_defect_of_ours_and_sends_nothing(
    upstream: Upstream, operations: list[Operation]
) -> None:
    with pytest.raises(ValueError, match=r"at most 50|no change"):
        await upstream.adapter.apply_each(upstream.credential, operations)
    assert upstream.ads.received == []
    assert await upstream.adapter.apply_each(upstream.credential, []) == ()


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
