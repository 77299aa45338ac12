"""What goes over the wire, how often, and what never leaves it."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from server.platforms.google.adapter import GoogleAdapter
from server.platforms.google.client import MOST_BYTES
from tests.server.platforms.google.standin import (
    ACCESS_TOKEN,
    ACCOUNT,
    CLIENT_SECRET,
    DEVELOPER_TOKEN,
    NOW,
    REFRESH_TOKEN,
    RENAME,
    RENAMED,
    Reply,
    StandIn,
    Upstream,
    campaign_row,
    failing,
    granted,
    listed,
    refused,
)
from tests.server.platforms.meta.standin import Sleeps
from tests.server.platforms.meta.test_client import frames
from tools.errors import CapabilityError, NotFound, PlatformFailure, RateLimited
from tools.ports import Account, Credential, InsightsQuery
from tools.secret import Secret

DAY = InsightsQuery(since=NOW.date(), until=NOW.date(), by_day=True)


def adapter_of(stand_in: StandIn, **more: object) -> GoogleAdapter:
    return GoogleAdapter(
        "https://ads.test/",
        "v26",
        "https://oauth.test/token",
        "client-1",
        Secret(CLIENT_SECRET),
        lambda: NOW,
        transport=httpx2.ASGITransport(stand_in.app),
        **more,  # type: ignore[arg-type]  # of several types
    )


@pytest.fixture
async def nowhere(sleeps: Sleeps) -> AsyncIterator[GoogleAdapter]:
    """An adapter whose Google Ads does not listen; its tokens are there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = httpx2.AsyncHTTPTransport()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    stand_in = httpx2.ASGITransport(StandIn().app)

    class Split(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            way = stand_in if request.url.host == "oauth.test" else closed
            return await way.handle_async_request(request)

        async def aclose(self) -> None:
            await closed.aclose()

    adapter = GoogleAdapter(
        url, "v26", "https://oauth.test/token", "c", Secret(CLIENT_SECRET), lambda: NOW, sleep=sleeps, transport=Split()
    )
    yield adapter
    await adapter.aclose()


async def test_a_call_names_version_account_and_the_manager_it_goes_through(upstream: Upstream) -> None:
    upstream.ads.say(listed(campaign_row()), RENAMED)
    await upstream.adapter.campaign(upstream.credential, "7")
    await upstream.adapter.apply(upstream.credential, RENAME)
    read, written = upstream.ads.received
    assert read.path == "/v26/customers/1234567890/googleAds:search"
    assert written.path == "/v26/customers/1234567890/googleAds:mutate"
    for each in (read, written):
        assert each.method == "POST"
        assert each.headers["login-customer-id"] == "9999999999"
        assert each.headers["developer-token"] == DEVELOPER_TOKEN
        assert each.headers["content-type"] == "application/json"


async def test_a_manager_given_with_the_connection_goes_before_the_one_that_was_found(upstream: Upstream) -> None:
    upstream.ads.say(listed(campaign_row()))
    values = {**upstream.credential.values, "login_customer_id": Secret(" 111-222-3333 ")}
    await upstream.adapter.campaign(Credential("con_1", values, (ACCOUNT,)), "7")
    assert upstream.ads.received[0].headers["login-customer-id"] == "1112223333"


async def test_an_account_reached_directly_needs_no_manager_and_a_call_no_developer_token(upstream: Upstream) -> None:
    upstream.ads.say(listed(campaign_row()))
    own = Account("1234567890", "One", "USD", "America/New_York")
    await upstream.adapter.campaign(Credential("con_1", {"refresh_token": Secret(REFRESH_TOKEN)}, (own,)), "7")
    assert not {"login-customer-id", "developer-token"} & upstream.ads.received[0].headers.keys()


async def test_the_servers_developer_token_is_sent_where_a_connection_has_none() -> None:
    stand_in = StandIn()
    stand_in.ads.say(listed(campaign_row()))
    adapter = adapter_of(stand_in, developer_token=Secret("of-the-server"))
    await adapter.campaign(Credential("con_1", {"refresh_token": Secret(REFRESH_TOKEN)}, (ACCOUNT,)), "7")
    await adapter.aclose()
    assert stand_in.ads.received[0].headers["developer-token"] == "of-the-server"


@pytest.mark.parametrize("account_id", ["act_1", "", "1/../2", "12 3", "123-456-7890"])
async def test_what_is_no_account_id_never_becomes_a_path(upstream: Upstream, account_id: str) -> None:
    strange = Account(account_id, "?", "USD", "UTC")
    with pytest.raises(NotFound):
        await upstream.adapter.campaigns(upstream.credential, strange, status=None, cursor=None, limit=1)
    assert upstream.ads.received == []


async def test_no_cookie_of_one_person_is_sent_for_another(upstream: Upstream) -> None:
    async def with_cookie(request: Request) -> Response:
        answer = JSONResponse(listed(campaign_row(name=request.headers.get("cookie", "none"))))
        answer.set_cookie("session", "mine")
        return answer

    upstream.ads.say(with_cookie)
    for _ in range(2):
        assert (await upstream.adapter.campaign(upstream.credential, "7")).name == "none"


async def test_a_read_gets_through_a_passing_failure(upstream: Upstream, sleeps: Sleeps) -> None:
    upstream.ads.say(
        failing("internalError.TRANSIENT_ERROR", 503),
        HTMLResponse("<h1>502</h1>", 502),
        JSONResponse(listed(campaign_row())),
    )
    assert (await upstream.adapter.campaign(upstream.credential, "7")).name == "C"
    first, second = sleeps
    assert 0.25 <= first <= 0.5 <= second <= 1, "exponential, with jitter"


async def test_a_page_that_is_not_json_is_a_clear_failure(upstream: Upstream) -> None:
    upstream.ads.say(HTMLResponse("<h1>Not Found</h1>", 404))
    with pytest.raises(PlatformFailure, match="answered HTTP 404 with text/html instead of its JSON") as failed:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert "GOOGLE_ADS_API_VERSION" in failed.value.fix
    assert len(upstream.ads.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        HTMLResponse("<h1>502</h1>", 502),
        HTMLResponse("ok"),
        Response(b""),
        JSONResponse([1, 2]),
        JSONResponse({}, 500),
        JSONResponse({}),
        JSONResponse({"mutateOperationResponses": []}),
        JSONResponse({"mutateOperationResponses": [{}]}),
        JSONResponse({"mutateOperationResponses": [{"campaignResult": None}]}),
    ],
)
async def test_a_write_whose_answer_cannot_be_read_is_unknown_and_not_repeated(
    upstream: Upstream, reply: Response
) -> None:
    upstream.ads.say(reply)
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert failed.value.details["outcome"] == "unknown"
    assert len(upstream.ads.received) == 1


async def test_a_proxys_429_is_a_rate_limit(upstream: Upstream) -> None:
    upstream.ads.say(HTMLResponse("slow down", 429))
    with pytest.raises(RateLimited) as limited:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert limited.value.details == {"source": "upstream", "platform": "google", "outcome": "refused"}
    assert limited.value.retry_after


async def test_an_endless_answer_is_cut_off(upstream: Upstream) -> None:
    async def endless(_request: Request) -> Response:
        return StreamingResponse(b" " * 1024 * 1024 for _ in range(MOST_BYTES // 1024 // 1024 + 1))

    upstream.ads.say(endless)
    with pytest.raises(PlatformFailure, match="cannot be read"):
        await upstream.adapter.campaign(upstream.credential, "7")


async def test_a_write_that_certainly_reached_nobody_may_be_repeated_and_was_not_sent(
    nowhere: GoogleAdapter, sleeps: Sleeps, upstream: Upstream
) -> None:
    with pytest.raises(PlatformFailure, match="nothing was sent") as failed:
        await nowhere.apply(upstream.credential, RENAME)
    assert failed.value.details["outcome"] == "not_sent"
    assert len(sleeps) == 2


async def test_a_write_without_an_answer_in_time_is_unknown_and_sent_once() -> None:
    async def silent(_request: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    stand_in = StandIn()
    adapter = adapter_of(stand_in, timeout=5)
    credential = Credential("con_1", {"refresh_token": Secret(REFRESH_TOKEN)}, (ACCOUNT,))
    stand_in.ads.say(RENAMED)
    await adapter.apply(credential, RENAME)  # the token is there: what follows times out in Google Ads alone
    stand_in.ads.say(silent)
    adapter._ads._timeout = 0.05
    with pytest.raises(PlatformFailure, match="did not answer in time") as failed:
        await adapter.apply(credential, RENAME)
    await adapter.aclose()
    assert failed.value.details["outcome"] == "unknown"
    assert len(stand_in.ads.received) == 2


async def test_a_cancelled_call_ends_at_once_and_leaves_the_client_usable(upstream: Upstream) -> None:
    asked = asyncio.Event()

    async def silent(_request: Request) -> Response:
        asked.set()
        await asyncio.Event().wait()
        return Response()

    upstream.ads.say(silent)
    call = asyncio.create_task(upstream.adapter.campaign(upstream.credential, "7"))
    await asyncio.wait_for(asked.wait(), 5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    upstream.ads.say(listed(campaign_row()))
    assert (await upstream.adapter.campaign(upstream.credential, "7")).campaign_id == "7"


async def test_pages_are_followed_to_the_end(upstream: Upstream, account: Account) -> None:
    def day(number: int, **more: object) -> dict[str, object]:
        return listed({"segments": {"date": f"2026-11-{number:02}"}, "metrics": {"impressions": "1"}}, **more)

    upstream.ads.say(day(1, nextPageToken="t1"), day(2, nextPageToken="t2"), day(3))
    found = await upstream.adapter.insights(upstream.credential, account, DAY)
    assert [row.day.day for row in found.rows if row.day] == [1, 2, 3]
    assert [each.body.get("pageToken") for each in upstream.ads.received] == [None, "t1", "t2"]
    assert len({each.body["query"] for each in upstream.ads.received}) == 1
    assert all("pageSize" not in each.body for each in upstream.ads.received), "Google fixes it"


async def test_a_page_token_that_leads_nowhere_new_does_not_loop(upstream: Upstream, account: Account) -> None:
    upstream.ads.say(listed(nextPageToken="same"))
    with pytest.raises(PlatformFailure, match="the same page again"):
        await upstream.adapter.insights(upstream.credential, account, DAY)
    assert len(upstream.ads.received) == 2


@pytest.mark.parametrize("page", [{"results": 1}, {"results": [1]}, {"results": [{"campaign": 1}]}, {"results": [{}]}])
async def test_a_list_that_cannot_be_read_is_a_failure(upstream: Upstream, page: dict[str, object]) -> None:
    upstream.ads.say(page)
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.campaigns(upstream.credential, ACCOUNT, status=None, cursor=None, limit=1)
    assert failed.value.fix


async def quoted(request: Request) -> str:
    """All that a request carried, as a careless upstream would repeat it."""
    return f"{request.url} {dict(request.headers)} {(await request.body()).decode()}"


async def refusing(request: Request) -> Response:
    return failing("authenticationError.OAUTH_TOKEN_REVOKED", 401, message=await quoted(request))


async def ailing(request: Request) -> Response:
    return failing("internalError.INTERNAL_ERROR", 500, message=await quoted(request))


async def a_page(request: Request) -> Response:
    return HTMLResponse(f"<p>{await quoted(request)}", 502)


async def no_token(request: Request) -> Response:
    return refused("invalid_grant", description=await quoted(request))


async def no_client(request: Request) -> Response:
    return refused("invalid_client", 401, description=await quoted(request))


@pytest.mark.parametrize(
    ("of_ads", "of_tokens"),
    [
        (refusing, granted()),
        (ailing, granted()),
        (a_page, granted()),
        (a_page, no_token),
        (a_page, no_client),
        (a_page, a_page),
    ],
)
async def test_secrets_are_in_no_exception_log_or_repr(
    upstream: Upstream, caplog: pytest.LogCaptureFixture, of_ads: Reply, of_tokens: Reply
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.ads.say(of_ads)
    upstream.google.tokens.say(of_tokens)
    shown = [repr(upstream.adapter), repr(upstream.credential)]
    for attempt in (
        upstream.adapter.probe(upstream.credential),
        upstream.adapter.campaign(upstream.credential, "7"),
        upstream.adapter.apply(upstream.credential, RENAME),
    ):
        with pytest.raises(CapabilityError) as failed:
            await attempt
        shown += [repr(failed.value), str(failed.value.body("req_1")), *frames(failed.value)]
    shown.append(caplog.text)
    assert "HTTP Request" in caplog.text, "the client's own log of URLs is what this is about"
    everything = "\n".join(shown)
    for secret in (ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, DEVELOPER_TOKEN):
        assert secret not in everything


async def test_secrets_are_in_no_exception_of_a_broken_connection(
    nowhere: GoogleAdapter, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PlatformFailure) as failed:
        await nowhere.probe(upstream.credential)
    assert failed.value.__cause__ is failed.value.__context__ is None
    shown = "".join(frames(failed.value))
    for secret in (ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, DEVELOPER_TOKEN):
        assert secret not in shown + caplog.text
