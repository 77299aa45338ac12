"""What reading back says about a change whose answer was lost."""

import datetime as dt
from decimal import Decimal

import pytest

from server.platforms.google.adapter import GoogleAdapter
from tests.server.platforms.google.standin import CREATE, NOW, RENAME, Upstream, campaign_row, listed
from tests.server.platforms.google.steps import JP, Accounts, archive, create
from tests.server.platforms.meta.sandbox import Sandbox
from tools.errors import PlatformFailure
from tools.ports import Credential, Observation, Observed

BUDGET = {"id": "222", "amountMicros": "10000000", "period": "DAILY", "referenceCount": "1"}


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
