"""Reading campaigns: a page of an account's, or one of them wherever in a connection's accounts it is."""

import asyncio
import re
from dataclasses import replace

from server.platforms.google.accounts import AT_ONCE
from server.platforms.google.answers import part, text
from server.platforms.google.campaigns import FIELDS, LIVE, WORDS, campaign_state, is_shared
from server.platforms.google.client import GoogleAdsClient, customer_of
from server.platforms.google.gaql import Condition, Query, above_id, is_id, one_of
from server.platforms.google.wire import GOOGLE, Row
from server.platforms.readback import problem
from tools.errors import AccountBlocked, CapabilityError, NotFound
from tools.fields import Status
from tools.ports import Account, CampaignPage, CampaignRef, CampaignState, Credential

_CAMPAIGN_ID = re.compile(r"\d{1,20}", re.ASCII)
_MOST_KNOWN = 50_000


class CampaignReader:
    """Remembers which account a campaign was seen in, which never changes: its bare id then costs one call."""

    def __init__(self, ads: GoogleAdsClient) -> None:
        self._ads = ads
        self._account_of: dict[tuple[str, str], str] = {}  # by connection and campaign

    async def page(
        self, credential: Credential, account: Account, status: Status | None, cursor: str | None, limit: int
    ) -> CampaignPage:
        if status is Status.UNKNOWN:  # of which Google has none
            return CampaignPage((), None)
        where: list[Condition] = []
        if cursor is not None:
            if not _CAMPAIGN_ID.fullmatch(cursor):
                raise problem("cursor", "is not one of this list", "Leave the cursor out to start over.")
            where.append(above_id("campaign.id", cursor))
        if status:
            where.append(one_of("campaign.status", (WORDS[status],)))
        rows = await self.rows(credential, account, *where, limit=limit + 1)
        found = tuple(campaign_state(row, account) for row in rows)
        for state in found:
            self._remember(credential, account, state.campaign_id)
        return CampaignPage(found[:limit], found[limit - 1].campaign_id if len(found) > limit else None)

    async def rows(
        self, credential: Credential, account: Account, *where: Condition, limit: int | None = None
    ) -> list[Row]:
        query = Query(select=FIELDS, resource="campaign", where=where, order_by="campaign.id", limit=limit)
        return await self._ads.search(credential, customer_of(credential, account), query)

    async def find(
        self, credential: Credential, campaign_id: str, account_id: str | None = None
    ) -> tuple[Account, Row]:
        """In the named account, else where it was seen before, else in all of them at once."""
        if not _CAMPAIGN_ID.fullmatch(campaign_id):
            raise _no_such(credential, campaign_id)
        known = account_id or self._account_of.get((credential.connection_id, campaign_id))
        room = asyncio.Semaphore(AT_ONCE)

        async def look(account: Account) -> tuple[Account, Row] | CapabilityError | None:
            async with room:
                try:
                    rows = await self.rows(credential, account, is_id("campaign.id", campaign_id))
                except (AccountBlocked, NotFound):  # what cannot be read at all has no campaign to show
                    return None
                except CapabilityError as error:
                    return error
                return (account, rows[0]) if rows else None

        asked = [account for account in credential.accounts if known in (None, account.account_id)]
        answers = await asyncio.gather(*(look(account) for account in asked))
        for answer in answers:
            if isinstance(answer, tuple):
                self._remember(credential, answer[0], campaign_id)
                return answer
        for answer in answers:
            if isinstance(answer, CapabilityError):  # it may be in the account that could not be asked
                raise answer
        raise _no_such(credential, campaign_id)

    async def whole(self, credential: Credential, account: Account, row: Row) -> CampaignState:
        """With the others that spend from the same budget: changing it changes what they may spend."""
        state, budget = campaign_state(row, account), part(row, "campaignBudget")
        if not is_shared(budget):
            return replace(state, shared_with=())
        query = Query(
            select=("campaign.id", "campaign.name"),
            resource="campaign",
            where=(is_id("campaign_budget.id", text(budget, "id")), one_of("campaign.status", LIVE)),
            order_by="campaign.id",
        )
        found = await self._ads.search(credential, customer_of(credential, account), query)
        sharing = [part(each, "campaign") for each in found]
        others = (CampaignRef(text(each, "id"), str(each.get("name", ""))) for each in sharing)
        return replace(state, shared_with=tuple(ref for ref in others if ref.campaign_id != state.campaign_id))

    def _remember(self, credential: Credential, account: Account, campaign_id: str) -> None:
        if len(self._account_of) >= _MOST_KNOWN:
            self._account_of.clear()
        self._account_of[credential.connection_id, campaign_id] = account.account_id


def _no_such(credential: Credential, campaign_id: str) -> NotFound:
    return NotFound(
        f"None of this connection's Google Ads accounts has a campaign {campaign_id[:64]}.",
        fix="Take the campaign_id from list_campaigns.",
        connection_id=credential.connection_id,
        platform=GOOGLE,
    )
