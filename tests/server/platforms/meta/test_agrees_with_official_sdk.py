"""Meta's own SDK and our adapter look at the same sandbox: what one writes the other reads, to the cent."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from server.platforms.meta.adapter import MetaAdapter
from server.platforms.meta.money import OFFSETS
from server.sandbox.meta import world
from tests.server.platforms.meta.sandbox import Sandbox
from tools.errors import PlatformFailure
from tools.fields import Status
from tools.plan import Operation
from tools.ports import Account, InsightsQuery

SINCE, UNTIL = dt.date(2026, 10, 20), dt.date(2026, 11, 21)
CAMPAIGN_FIELDS = ["name", "status", "effective_status", "objective", "daily_budget", "account_id", "created_time"]


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[FacebookAdsApi]:
    monkeypatch.setattr(FacebookSession, "GRAPH", f"{sandbox.url}/meta")
    api = FacebookAdsApi(FacebookSession(world.APP_ID, world.APP_SECRET, world.ACCESS_TOKEN), api_version="v26.0")
    yield api
    api._session.requests.close()


def insights(account: Account, api: FacebookAdsApi, **params: object) -> list[dict[str, Any]]:
    asked = {
        "time_range": {"since": SINCE.isoformat(), "until": UNTIL.isoformat()},
        "action_attribution_windows": ["7d_click", "1d_view"],
        "limit": 50,
    }
    fields = ["spend", "impressions", "clicks", "actions", "action_values", "campaign_id"]
    return [dict(row) for row in AdAccount(account.account_id, api=api).get_insights(fields, asked | params)]


def counted(row: dict[str, Any], name: str) -> Decimal:
    return next(
        (Decimal(each["value"]) for each in row.get(name, ()) if each["action_type"] == "omni_purchase"), Decimal(0)
    )


async def test_accounts_are_the_same(sdk: FacebookAdsApi, accounts: dict[str, Account]) -> None:
    def read() -> list[tuple[str, ...]]:
        found = User("me", api=sdk).get_ad_accounts(["name", "currency", "timezone_name"], {"limit": 2})
        return [(each["id"], each["name"], each["currency"], each["timezone_name"]) for each in found]

    ours = [(each.account_id, each.name, each.currency, each.time_zone) for each in accounts.values()]
    assert await asyncio.to_thread(read) == ours


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
async def test_campaigns_and_budgets_are_the_same(
    sdk: FacebookAdsApi, meta: MetaAdapter, accounts: dict[str, Account], sandbox: Sandbox, currency: str
) -> None:
    account = accounts[currency]

    def read() -> list[dict[str, Any]]:
        statuses = {"effective_status": ["ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"], "limit": 3}
        return [dict(each) for each in AdAccount(account.account_id, api=sdk).get_campaigns(CAMPAIGN_FIELDS, statuses)]

    theirs = await asyncio.to_thread(read)
    ours = (await meta.campaigns(sandbox.credential, account, status=None, cursor=None, limit=500)).campaigns
    assert len(ours) == len(theirs) > 3
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.campaign_id, mine.name, mine.status.value) == (other["id"], other["name"], other["status"])
        assert (mine.platform_status, mine.platform_objective) == (other["effective_status"], other["objective"])
        assert mine.account_id == f"act_{other['account_id']}"
        assert mine.created_at == dt.datetime.fromisoformat(other["created_time"])
        minor = None if mine.daily_budget is None else mine.daily_budget * OFFSETS[currency]
        assert minor == (Decimal(other["daily_budget"]) if "daily_budget" in other else None)


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
async def test_spend_and_conversions_are_the_same_to_the_cent(
    sdk: FacebookAdsApi, meta: MetaAdapter, accounts: dict[str, Account], sandbox: Sandbox, currency: str
) -> None:
    account = accounts[currency]
    theirs = await asyncio.to_thread(insights, account, sdk, level="campaign", time_increment=1)
    query = InsightsQuery(since=SINCE, until=UNTIL, by_day=True, by_campaign=True)
    ours = (await meta.insights(sandbox.credential, account, query)).rows
    assert len(ours) == len(theirs) > 50
    assert {
        (row.day, row.campaign_id): (row.spend, row.impressions, row.clicks, row.conversions, row.conversion_value)
        for row in ours
    } == {
        (dt.date.fromisoformat(row["date_start"]), row["campaign_id"]): (
            Decimal(row["spend"]),
            int(row["impressions"]),
            int(row["clicks"]),
            counted(row, "actions"),
            counted(row, "action_values"),
        )
        for row in theirs
    }


@pytest.mark.parametrize(("currency", "budget", "minor"), [("USD", 123.45, "12345"), ("JPY", 12345, "12345")])
async def test_what_we_write_the_sdk_reads(
    sdk: FacebookAdsApi,
    meta: MetaAdapter,
    accounts: dict[str, Account],
    sandbox: Sandbox,
    currency: str,
    budget: float,
    minor: str,
) -> None:
    created = Operation(
        kind="create_campaign",
        account_id=accounts[currency].account_id,
        fields={"name": "Ours", "objective": "traffic", "daily_budget": budget, "special_ad_categories": ["HOUSING"]},
    )
    campaign_id = await meta.apply(sandbox.credential, created)
    fields = [*CAMPAIGN_FIELDS, "special_ad_categories"]
    seen = await asyncio.to_thread(lambda: dict(Campaign(campaign_id, api=sdk).api_get(fields)))
    assert (seen["name"], seen["objective"], seen["status"]) == ("Ours", "OUTCOME_TRAFFIC", "PAUSED")
    assert (seen["daily_budget"], seen["special_ad_categories"]) == (minor, ["HOUSING"])


@pytest.mark.parametrize(("currency", "minor", "budget"), [("EUR", 7001, "70.01"), ("JPY", 7001, "7001")])
async def test_what_the_sdk_writes_we_read(
    sdk: FacebookAdsApi,
    meta: MetaAdapter,
    accounts: dict[str, Account],
    sandbox: Sandbox,
    currency: str,
    minor: int,
    budget: str,
) -> None:
    def write() -> str:
        params = {"name": "Theirs", "objective": "OUTCOME_LEADS", "status": "PAUSED", "special_ad_categories": []}
        made = AdAccount(accounts[currency].account_id, api=sdk).create_campaign([], params | {"daily_budget": 5000})
        Campaign(made["id"], api=sdk).api_update(params={"status": "ACTIVE", "daily_budget": minor})
        return str(made["id"])

    campaign = await meta.campaign(sandbox.credential, await asyncio.to_thread(write))
    assert (campaign.name, campaign.status, campaign.daily_budget) == ("Theirs", Status.ACTIVE, Decimal(budget))


async def test_a_refusal_has_the_same_code_for_both(
    sdk: FacebookAdsApi, meta: MetaAdapter, accounts: dict[str, Account], sandbox: Sandbox
) -> None:
    account = accounts["USD"]
    archived = await meta.campaigns(sandbox.credential, account, status=Status.ARCHIVED, cursor=None, limit=1)
    campaign_id = archived.campaigns[0].campaign_id
    with pytest.raises(FacebookRequestError) as theirs:
        await asyncio.to_thread(Campaign(campaign_id, api=sdk).api_update, params={"status": "ACTIVE"})
    started = Operation(
        kind="update_campaign", account_id=account.account_id, campaign_id=campaign_id, fields={"status": "ACTIVE"}
    )
    with pytest.raises(PlatformFailure) as ours:
        await meta.apply(sandbox.credential, started)
    assert ours.value.details["platformCode"] == theirs.value.api_error_code()
    assert ours.value.details.get("platformSubcode") == theirs.value.api_error_subcode()
