"""How access tokens are come by, how seldom, and what is said when there is none."""

import asyncio
import datetime as dt

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from server.platforms.google.adapter import GoogleAdapter
from tests.promises import promise
from tests.server.platforms.google.standin import (
    ACCESS_TOKEN,
    ACCOUNT,
    CLIENT_SECRET,
    NOW,
    REFRESH_TOKEN,
    RENAME,
    RENAMED,
    StandIn,
    Upstream,
    campaign_row,
    failing,
    front_door,
    granted,
    listed,
    refused,
)
from tests.server.platforms.meta.standin import Sleeps
from tools.errors import CapabilityError, PlatformFailure, RateLimited, ReauthRequired
from tools.ports import Credential
from tools.secret import Secret


async def test_a_refresh_token_becomes_an_access_token_that_travels_in_a_header(upstream: Upstream) -> None:
    upstream.ads.say(listed(campaign_row()))
    await upstream.adapter.campaign(upstream.credential, "7")
    (asked,) = upstream.google.tokens.received
    assert asked.body == {
        "grant_type": "refresh_token",
        "client_id": "client-1",
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
    }
    assert [each.headers["authorization"] for each in upstream.ads.received] == [f"Bearer {ACCESS_TOKEN}"]


async def test_a_connections_own_client_goes_before_the_servers(upstream: Upstream) -> None:
    upstream.ads.say(listed(campaign_row()))
    own = {"client_id": Secret("own"), "client_secret": Secret("own secret")}
    await upstream.adapter.campaign(Credential("con_1", {**upstream.credential.values, **own}, (ACCOUNT,)), "7")
    (asked,) = upstream.google.tokens.received
    assert (asked.body["client_id"], asked.body["client_secret"]) == ("own", "own secret")


async def test_calls_at_the_same_time_share_one_request_for_a_token(upstream: Upstream) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_request: Request) -> Response:
        asked.set()
        await answer.wait()
        return granted()

    upstream.google.tokens.say(slowly)
    upstream.ads.say(listed(campaign_row()))
    calls = [asyncio.create_task(upstream.adapter.campaign(upstream.credential, "7")) for _ in range(20)]
    await asyncio.wait_for(asked.wait(), 30)
    answer.set()
    found = await asyncio.gather(*calls)
    assert {each.campaign_id for each in found} == {"7"}
    assert len(upstream.google.tokens.received) == 1


async def test_a_caller_that_goes_away_leaves_the_others_their_token(upstream: Upstream) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_request: Request) -> Response:
        asked.set()
        await answer.wait()
        return granted()

    upstream.google.tokens.say(slowly)
    upstream.ads.say(listed(campaign_row()))
    first = asyncio.create_task(upstream.adapter.campaign(upstream.credential, "7"))
    await asyncio.wait_for(asked.wait(), 30)
    second = asyncio.create_task(upstream.adapter.campaign(upstream.credential, "7"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    answer.set()
    assert (await asyncio.wait_for(second, 30)).campaign_id == "7"
    assert len(upstream.google.tokens.received) == 1


@promise("dev.caching.google-token")
async def test_a_token_is_kept_for_fifty_minutes_and_its_stated_life_at_most(sleeps: Sleeps) -> None:
    now, stand_in = [NOW], StandIn()
    stand_in.ads.say(listed(campaign_row()))
    adapter = GoogleAdapter(
        "https://ads.test",
        "v26",
        "https://oauth.test/token",
        "client-1",
        Secret(CLIENT_SECRET),
        lambda: now[0],
        sleep=sleeps,
        transport=httpx2.ASGITransport(stand_in.app),
    )
    credential = Credential("con_1", {"refresh_token": Secret(REFRESH_TOKEN)}, (ACCOUNT,))

    async def fetched_after(minutes: float) -> int:
        now[0] += dt.timedelta(minutes=minutes)
        await adapter.campaign(credential, "7")
        return len(stand_in.tokens.received)

    assert [await fetched_after(0), await fetched_after(49), await fetched_after(2)] == [1, 1, 2]
    stand_in.tokens.say(granted(expires_in=600))
    assert [await fetched_after(51), await fetched_after(8), await fetched_after(2)] == [3, 3, 4]
    await adapter.aclose()


async def test_connections_keep_their_tokens_apart(upstream: Upstream) -> None:
    async def for_its_grant(request: Request) -> Response:
        form = (await request.body()).decode()
        return granted(f"access-{form[-1]}")

    async def whose(request: Request) -> Response:
        await asyncio.sleep(0)
        return JSONResponse(listed(campaign_row(name=request.headers["authorization"][-8:])))

    upstream.google.tokens.say(for_its_grant)
    upstream.ads.say(whose)
    found = await asyncio.gather(
        *(
            upstream.adapter.campaign(
                Credential(f"con_{number}", {"refresh_token": Secret(f"refresh-token-{number}")}, (ACCOUNT,)), "7"
            )
            for number in range(10)
        )
    )
    assert [campaign.name for campaign in found] == ["***"] * 10, "an answer never repeats a token"
    asked = sorted(each.headers["authorization"] for each in upstream.ads.received)
    assert asked == [f"Bearer access-{number}" for number in range(10)]


@pytest.mark.parametrize("reply", [failing("authenticationError.OAUTH_TOKEN_EXPIRED", 401), front_door(401)])
async def test_a_token_google_no_longer_takes_is_renewed_once_even_for_a_write(
    upstream: Upstream, reply: Response
) -> None:
    upstream.google.tokens.say(granted("stale-token"), granted("fresh-token"))
    upstream.ads.say(reply, JSONResponse(RENAMED))
    assert await upstream.adapter.apply(upstream.credential, RENAME) == "7"
    tokens = [each.headers["authorization"] for each in upstream.ads.received]
    assert tokens == ["Bearer stale-token", "Bearer fresh-token"]


async def test_a_fresh_token_that_is_refused_too_means_connecting_again(upstream: Upstream) -> None:
    upstream.ads.say(failing("authenticationError.OAUTH_TOKEN_EXPIRED", 401))
    with pytest.raises(ReauthRequired) as refused_again:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert refused_again.value.connection_id == "con_1"
    assert refused_again.value.details["outcome"] == "refused"
    assert len(upstream.ads.received) == len(upstream.google.tokens.received) == 2


async def test_a_refresh_token_that_is_no_longer_good_names_each_waiting_connection(upstream: Upstream) -> None:
    upstream.google.tokens.say(refused("invalid_grant"))
    same = [Credential(f"con_{number}", upstream.credential.values, (ACCOUNT,)) for number in (1, 2)]
    errors = await asyncio.gather(
        *(upstream.adapter.campaign(credential, "7") for credential in same), return_exceptions=True
    )
    assert [type(error) for error in errors] == [ReauthRequired, ReauthRequired]
    named = [error.connection_id for error in errors if isinstance(error, CapabilityError)]
    assert named == ["con_1", "con_2"]
    assert all("/integrations" in error.fix for error in errors if isinstance(error, CapabilityError))
    assert upstream.ads.received == []


@pytest.mark.parametrize(
    ("reply", "expected", "said"),
    [
        (refused("invalid_client", 401), PlatformFailure, "GOOGLE_CLIENT_ID"),
        (refused("unauthorized_client", 401), PlatformFailure, "GOOGLE_CLIENT_ID"),
        (refused("invalid_scope"), PlatformFailure, "OAuth client"),
        (JSONResponse({}, 429), RateLimited, "Wait 60 seconds"),
        (HTMLResponse("<h1>Not Found</h1>", 404), PlatformFailure, "GOOGLE_TOKEN_URL"),
        (HTMLResponse("<h1>ok</h1>"), PlatformFailure, "GOOGLE_TOKEN_URL"),
        (JSONResponse({"token_type": "Bearer"}), PlatformFailure, "GOOGLE_TOKEN_URL"),
        (granted("no header\nvalue"), PlatformFailure, "GOOGLE_TOKEN_URL"),
    ],
)
async def test_without_a_token_nothing_is_sent_and_the_fix_says_where_to_look(
    upstream: Upstream, reply: Response, expected: type[CapabilityError], said: str
) -> None:
    upstream.google.tokens.say(reply)
    with pytest.raises(CapabilityError) as failed:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert type(failed.value) is expected
    assert said in failed.value.fix
    assert failed.value.details["outcome"] == "not_sent"
    assert upstream.ads.received == []
    assert len(upstream.google.tokens.received) == 1


async def test_a_token_endpoint_that_fails_for_the_moment_is_asked_again(upstream: Upstream, sleeps: Sleeps) -> None:
    upstream.google.tokens.say(HTMLResponse("<h1>502</h1>", 502), JSONResponse({"error": "backend"}, 503), granted())
    upstream.ads.say(RENAMED)
    assert await upstream.adapter.apply(upstream.credential, RENAME) == "7"
    assert len(sleeps) == 2


async def test_a_token_endpoint_that_stays_down_is_a_failure_in_which_nothing_was_sent(upstream: Upstream) -> None:
    upstream.google.tokens.say(HTMLResponse("<h1>502</h1>", 502))
    with pytest.raises(PlatformFailure, match="HTTP 502 with text/html") as failed:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert failed.value.details["outcome"] == "not_sent"
    assert len(upstream.google.tokens.received) == 3


@pytest.mark.parametrize("values", [{}, {"refresh_token": ""}, {"refresh_token": "r", "developer_token": "new\nline"}])
async def test_a_credential_that_cannot_be_one_is_refused_before_anything_is_sent(
    upstream: Upstream, values: dict[str, str]
) -> None:
    credential = Credential("con_1", {name: Secret(value) for name, value in values.items()}, (ACCOUNT,))
    with pytest.raises(ReauthRequired) as refused_here:
        await upstream.adapter.apply(credential, RENAME)
    assert refused_here.value.details["outcome"] == "not_sent"
    assert upstream.google.tokens.received == upstream.ads.received == []


async def test_a_server_without_an_oauth_client_says_so(upstream: Upstream) -> None:
    adapter = GoogleAdapter("https://ads.test", "v26", "https://oauth.test/token", None, None, lambda: NOW)
    with pytest.raises(PlatformFailure, match="OAuth client") as failed:
        await adapter.probe(upstream.credential)
    assert "GOOGLE_CLIENT_ID" in failed.value.fix
    await adapter.aclose()
