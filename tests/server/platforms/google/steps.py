"""What the tests do with campaigns at the simulated Google."""

from pydantic import JsonValue

from server.platforms.google.adapter import GoogleAdapter
from tools.fields import Platform, Status
from tools.plan import Operation
from tools.ports import Account, CampaignState, Credential

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
