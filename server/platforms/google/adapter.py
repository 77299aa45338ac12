"""Google Ads as an AdsPlatform: each method of the port as the calls that it takes."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import httpx2

from server.platforms.exchange import Outcome, Sleep
from server.platforms.google.accounts import reachable
from server.platforms.google.answers import part, text
from server.platforms.google.campaigns import (
    CREATE,
    campaign_changes,
    campaign_state,
    matches_creation,
    mutate_operations,
)
from server.platforms.google.client import GoogleAdsClient, customer_of
from server.platforms.google.insights import metrics_query, report
from server.platforms.google.reading import CampaignReader
from server.platforms.google.receipts import receipts, written
from server.platforms.google.wire import Customer, Row
from server.platforms.history import check_range
from server.platforms.readback import observed, same_name
from tools.errors import CapabilityError, NotFound
from tools.fields import Platform, Status
from tools.plan import Operation
from tools.ports import (
    Account,
    Applied,
    CampaignPage,
    CampaignState,
    Credential,
    InsightsQuery,
    InsightsReport,
    Observation,
    Observed,
    Probe,
)
from tools.secret import Secret

MOST = 50
"""Writes of one apply_each."""
_CLOCK_SKEW = dt.timedelta(seconds=60)


class GoogleAdapter:
    """One for the process: any number of connections may call at once, each call with its own credential."""

    platform = Platform.GOOGLE

    def __init__(
        self,
        ads_url: str,
        api_version: str,
        token_url: str,
        client_id: str | None,
        client_secret: Secret | None,
        clock: Callable[[], dt.datetime],
        timeout: float = 60,
        *,
        developer_token: Secret | None = None,
        sleep: Sleep = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._ads = GoogleAdsClient(
            ads_url,
            api_version,
            token_url,
            client_id,
            client_secret,
            developer_token,
            clock,
            timeout=timeout,
            sleep=sleep,
            transport=transport,
        )
        self._campaigns, self._clock = CampaignReader(self._ads), clock

    async def aclose(self) -> None:
        await self._ads.aclose()

    async def probe(self, credential: Credential) -> Probe:
        """Every account that can be worked with; managers are only the way to theirs."""
        accounts = await reachable(self._ads, credential)
        return Probe(accounts, await self._ads.scopes(credential), None)

    async def campaigns(
        self, credential: Credential, account: Account, *, status: Status | None, cursor: str | None, limit: int
    ) -> CampaignPage:
        """One page in the order of ids; the cursor is the last id, so that what is created meanwhile moves nothing."""
        return await self._campaigns.page(credential, account, status, cursor, limit)

    async def campaign(self, credential: Credential, campaign_id: str) -> CampaignState:
        account, row = await self._campaigns.find(credential, campaign_id)
        return await self._campaigns.whole(credential, account, row)

    async def insights(self, credential: Credential, account: Account, query: InsightsQuery) -> InsightsReport:
        """All rows of all pages."""
        check_range(query, self._clock().date())
        found = await self._ads.search(credential, customer_of(credential, account), metrics_query(query))
        return report(found, self._clock())

    async def validate(self, credential: Credential, operation: Operation) -> None:
        """The same call with Google's validateOnly."""
        customer, sent = await self._prepared(credential, operation)
        body = {"mutateOperations": sent}
        await self._ads.mutate(credential, customer, "googleAds:mutate", body, dry_run=True)

    async def apply(self, credential: Credential, operation: Operation) -> str:
        """One request for campaign and budget: both take effect, or neither."""
        customer, sent = await self._prepared(credential, operation)
        answer = await self._ads.mutate(credential, customer, "googleAds:mutate", {"mutateOperations": sent})
        return written(operation, sent, answer)

    async def apply_each(self, credential: Credential, operations: Sequence[Operation]) -> tuple[Applied, ...]:
        """One request for all that changes campaigns only. Budgets have a request each: in one that may fail in part,
        a campaign could keep its old budget under its new name.
        """
        if len(operations) > MOST or len({operation.account_id for operation in operations}) > 1:
            raise ValueError(f"at most {MOST} writes at once, and of one account")
        found: dict[int, Applied] = {}
        alone: list[int] = []
        together: dict[int, Row] = {}
        for index, operation in enumerate(operations):  # before anything is sent
            try:
                changes = campaign_changes(operation, _account(credential, operation).account_id)
            except CapabilityError as error:
                found[index] = Applied(operation.campaign_id, _unsent(error))
                continue
            if changes is None or operation.fields.get("daily_budget") is not None:
                alone.append(index)
            else:
                together[index] = changes
        for index in alone:
            found[index] = await self._applied(credential, operations[index])
        if together:
            said = await self._together(credential, [operations[index] for index in together], [*together.values()])
            found |= dict(zip(together, said, strict=True))
        return tuple(found[index] for index in range(len(operations)))

    async def _applied(self, credential: Credential, operation: Operation) -> Applied:
        try:
            return Applied(await self.apply(credential, operation))
        except CapabilityError as error:
            return Applied(operation.campaign_id, error)

    async def _together(
        self, credential: Credential, operations: Sequence[Operation], changes: Sequence[Row]
    ) -> list[Applied]:
        try:
            customer = customer_of(credential, _account(credential, operations[0]))
            body = {"operations": changes, "partialFailure": True}
            answer = await self._ads.mutate(credential, customer, "campaigns:mutate", body)
            return receipts(operations, answer, credential.connection_id)
        except CapabilityError as error:
            return [Applied(operation.campaign_id, _unsent(error)) for operation in operations]

    async def _prepared(self, credential: Credential, operation: Operation) -> tuple[Customer, list[Row]]:
        """What goes wrong before the one call that writes has the outcome not_sent."""
        try:
            account, budget = _account(credential, operation), None
            if operation.kind != CREATE and operation.fields.get("daily_budget") is not None:
                _, row = await self._campaigns.find(credential, operation.campaign_id or "", account.account_id)
                budget = text(part(row, "campaign"), "campaignBudget")
            return customer_of(credential, account), mutate_operations(operation, account.account_id, budget)
        except CapabilityError as error:
            error.details["outcome"] = Outcome.NOT_SENT.value
            raise

    async def observe(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        if operation.kind == CREATE:
            return await self._observe_created(credential, operation, sent_at)
        try:
            account = _account(credential, operation)
            _, row = await self._campaigns.find(credential, operation.campaign_id or "", account.account_id)
        except NotFound:
            return Observed(Observation.UNCLEAR)
        return observed(campaign_state(row, account), operation)

    async def _observe_created(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        """Google keeps no time of creation, but lets only one live campaign of an account have a name: one of that
        name that starts no earlier than the day of the call and is in all else what was sent is the one created.
        """
        account = _account(credential, operation)
        since = (sent_at - _CLOCK_SKEW).astimezone(ZoneInfo(account.time_zone)).date()
        rows = await self._campaigns.rows(credential, account)
        named = [(row, campaign_state(row, account)) for row in rows]
        named = [(row, state) for row, state in named if same_name(state.name, operation.fields.get("name"))]
        recent = [(row, state) for row, state in named if state.start_date is None or state.start_date >= since]
        match recent:
            case []:
                return Observed(Observation.NOT_APPLIED)
            case [(row, state)] if state.status is not Status.ARCHIVED and matches_creation(row, state, operation):
                return Observed(Observation.APPLIED, state.campaign_id)
        return Observed(Observation.UNCLEAR)


def _unsent(error: CapabilityError) -> CapabilityError:
    """What says nothing of an outcome came before the call that writes."""
    error.details.setdefault("outcome", Outcome.NOT_SENT.value)
    return error


def _account(credential: Credential, operation: Operation) -> Account:
    found = next((each for each in credential.accounts if each.account_id == operation.account_id), None)
    if found is None:
        raise NotFound(
            f"This connection has no Google Ads account {str(operation.account_id)[:64]}.",
            fix="Take the account_id from list_connections; test_connection reads them anew.",
            connection_id=credential.connection_id,
        )
    return found
