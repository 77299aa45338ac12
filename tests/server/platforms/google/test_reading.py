"""Campaigns read page by page, or one by one wherever they are."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.platforms.google.adapter import GoogleAdapter
from tests.server.platforms.google.standin import Upstream, campaign_row, failing, listed
from tests.server.platforms.google.steps import EU, JP, US, Accounts, all_campaigns, archive, made, named
from tools.errors import InvalidArguments, NotFound, RateLimited
from tools.fields import Status
from tools.ports import Account, CampaignState, Credential


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
