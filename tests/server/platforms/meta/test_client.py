"""What goes over the wire, how often, and what never leaves it."""

import asyncio
import hashlib
import hmac
import logging
import socket
import traceback
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from server.platforms.meta.adapter import MetaAdapter
from server.platforms.meta.client import MOST_BYTES
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import APP_SECRET, NOW, RENAME, TOKEN, Reply, Sleeps, Upstream, failing
from tools.errors import CapabilityError, PlatformFailure, RateLimited, ReauthRequired
from tools.ports import Account, Credential
from tools.secret import Secret

PROOF = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
CAMPAIGN = {"id": "7", "account_id": "1", "name": "C", "status": "PAUSED", "objective": "OUTCOME_SALES"}
CURRENCY = {"id": "act_1", "currency": "USD"}


def frames(error: BaseException) -> list[str]:
    """The traceback with every local variable, as error trackers send it, without the test's own frame."""
    assert error.__traceback__
    below = error.__traceback__.tb_next
    return list(traceback.TracebackException(type(error), error, below, capture_locals=True).format())


@pytest.fixture
async def nowhere(sleeps: Sleeps) -> AsyncIterator[MetaAdapter]:
    """An adapter whose Meta does not listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    adapter = MetaAdapter(f"http://127.0.0.1:{port}", "v26.0", "42", Secret(APP_SECRET), lambda: NOW, sleep=sleeps)
    yield adapter
    await adapter.aclose()


async def test_token_travels_in_a_header_and_the_proof_beside_it(upstream: Upstream) -> None:
    upstream.graph.say(CAMPAIGN, CURRENCY, {"success": True})
    await upstream.adapter.campaign(upstream.credential, "7")
    await upstream.adapter.apply(upstream.credential, RENAME)
    read, _, written = upstream.graph.received
    assert read.path == written.path == "/v26.0/7"
    assert read.authorization == written.authorization == f"Bearer {TOKEN}"
    assert "access_token" not in {*read.query, *written.query, *written.form}
    assert read.query["appsecret_proof"] == written.form["appsecret_proof"] == PROOF
    assert written.query == {}
    assert written.form["name"] == "New"


async def test_without_an_app_secret_there_is_no_proof(upstream: Upstream) -> None:
    upstream.graph.say(CAMPAIGN, CURRENCY)
    adapter = MetaAdapter(
        "https://graph.test/", "v26.0", None, None, lambda: NOW, transport=httpx2.ASGITransport(upstream.graph.app)
    )
    await adapter.campaign(upstream.credential, "7")
    await adapter.aclose()
    assert [each.query.keys() for each in upstream.graph.received] == [{"fields"}, {"fields"}]


async def test_calls_at_the_same_time_keep_their_tokens_apart(upstream: Upstream) -> None:
    async def whose(request: Request) -> Response:
        await asyncio.sleep(0)
        return JSONResponse(CAMPAIGN | CURRENCY | {"name": request.headers["authorization"]})

    upstream.graph.say(whose)
    tokens = [f"EAAtoken{number}" for number in range(20)]
    found = await asyncio.gather(
        *(
            upstream.adapter.campaign(Credential(f"con_{token}", {"access_token": Secret(token)}), "7")
            for token in tokens
        )
    )
    assert [campaign.name for campaign in found] == ["Bearer ***"] * 20, "an answer never repeats a token"
    asked = [each.authorization for each in upstream.graph.received]
    assert sorted(asked) == sorted([f"Bearer {token}" for token in tokens] * 2)


async def test_no_cookie_of_one_person_is_sent_for_another(upstream: Upstream) -> None:
    async def with_cookie(request: Request) -> Response:
        answer = JSONResponse(CAMPAIGN | CURRENCY | {"name": request.headers.get("cookie", "none")})
        answer.set_cookie("session", "mine")
        return answer

    upstream.graph.say(with_cookie)
    for _ in range(2):
        assert (await upstream.adapter.campaign(upstream.credential, "7")).name == "none"


async def test_a_read_gets_through_a_passing_failure(upstream: Upstream, sleeps: Sleeps) -> None:
    upstream.graph.say(
        failing(2, status=500), HTMLResponse("<h1>502</h1>", 502), JSONResponse(CAMPAIGN), JSONResponse(CURRENCY)
    )
    campaign = await upstream.adapter.campaign(upstream.credential, "7")
    assert campaign.name == "C"
    first, second = sleeps
    assert 0.25 <= first <= 0.5 <= second <= 1, "exponential, with jitter"


async def test_a_page_that_is_not_json_is_a_clear_failure(upstream: Upstream) -> None:
    upstream.graph.say(HTMLResponse("<h1>Not Found</h1>", 404))
    with pytest.raises(PlatformFailure, match="answered HTTP 404 with text/html instead of its JSON") as failed:
        await upstream.adapter.campaign(upstream.credential, "7")
    assert "META_API_VERSION" in failed.value.fix
    assert len(upstream.graph.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        HTMLResponse("<h1>502</h1>", 502),
        HTMLResponse("ok"),
        Response(b""),
        JSONResponse([1]),
        JSONResponse({}, 500),
        JSONResponse({}),
    ],
)
async def test_a_write_whose_answer_cannot_be_read_is_unknown_and_not_repeated(
    upstream: Upstream, reply: Response
) -> None:
    upstream.graph.say(reply)
    with pytest.raises(PlatformFailure) as failed:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert failed.value.details["outcome"] == "unknown"
    assert len(upstream.graph.received) == 1


async def test_a_proxys_429_is_a_rate_limit(upstream: Upstream) -> None:
    upstream.graph.say(HTMLResponse("slow down", 429))
    with pytest.raises(RateLimited) as limited:
        await upstream.adapter.apply(upstream.credential, RENAME)
    assert limited.value.details == {"source": "upstream", "platform": "meta", "outcome": "refused"}
    assert limited.value.retry_after


async def test_an_endless_answer_is_cut_off(upstream: Upstream) -> None:
    async def endless(_request: Request) -> Response:
        return StreamingResponse(b" " * 1024 * 1024 for _ in range(MOST_BYTES // 1024 // 1024 + 1))

    upstream.graph.say(endless)
    with pytest.raises(PlatformFailure, match="cannot be read"):
        await upstream.adapter.campaign(upstream.credential, "7")


async def test_a_write_that_reaches_nobody_was_not_sent(
    nowhere: MetaAdapter, sleeps: Sleeps, upstream: Upstream
) -> None:
    with pytest.raises(PlatformFailure, match="nothing was sent") as failed:
        await nowhere.apply(upstream.credential, RENAME)
    assert failed.value.details["outcome"] == "not_sent"
    assert sleeps == []


async def test_a_read_that_reaches_nobody_is_tried_three_times(
    nowhere: MetaAdapter, sleeps: Sleeps, upstream: Upstream
) -> None:
    with pytest.raises(PlatformFailure, match="could not be reached"):
        await nowhere.campaign(upstream.credential, "7")
    assert len(sleeps) == 2


async def test_a_write_without_an_answer_in_time_is_unknown(upstream: Upstream) -> None:
    never = asyncio.Event()

    async def silent(_request: Request) -> Response:
        await never.wait()
        return Response()

    upstream.graph.say(silent)
    adapter = MetaAdapter(
        "https://graph.test", "v26.0", None, None, lambda: NOW, 0.05, transport=httpx2.ASGITransport(upstream.graph.app)
    )
    with pytest.raises(PlatformFailure, match="did not answer in time") as failed:
        await adapter.apply(upstream.credential, RENAME)
    with pytest.raises(PlatformFailure, match="did not answer in time"):
        await adapter.campaign(upstream.credential, "7")
    await adapter.aclose()
    assert failed.value.details["outcome"] == "unknown"
    assert len(upstream.graph.received) == 2, "a slow answer is not waited for three times"


async def test_a_cancelled_call_ends_at_once_and_leaves_the_client_usable(upstream: Upstream) -> None:
    asked = asyncio.Event()

    async def silent(_request: Request) -> Response:
        asked.set()
        await asyncio.Event().wait()
        return Response()

    upstream.graph.say(silent)
    call = asyncio.create_task(upstream.adapter.campaign(upstream.credential, "7"))
    await asyncio.wait_for(asked.wait(), 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    upstream.graph.say(CAMPAIGN, CURRENCY)
    assert (await upstream.adapter.campaign(upstream.credential, "7")).campaign_id == "7"


async def test_a_write_whose_connection_is_cut_after_it_was_made_is_unknown_and_made_once(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    page = await meta.campaigns(sandbox.credential, accounts["EUR"], status=None, cursor=None, limit=1)
    campaign = page.campaigns[0]
    rename = RENAME.model_copy(
        update={
            "campaign_id": campaign.campaign_id,
            "account_id": campaign.account_id,
            "fields": {"name": campaign.name},
        }
    )
    before = len(sandbox.writes(campaign.campaign_id))
    sandbox.fault("lost_answer", "meta:write")
    with pytest.raises(PlatformFailure, match="cut the connection") as failed:
        await meta.apply(sandbox.credential, rename)
    assert failed.value.details["outcome"] == "unknown"
    assert len(sandbox.writes(campaign.campaign_id)) == before + 1


@pytest.mark.parametrize("kind", ["cut", "html", "server_error"])
async def test_reads_survive_what_the_sandbox_does_to_a_connection(
    meta: MetaAdapter, sandbox: Sandbox, sleeps: Sleeps, kind: str
) -> None:
    sandbox.fault(kind, times=2)
    assert (await meta.probe(sandbox.credential)).accounts
    assert len(sleeps) == 2


@pytest.mark.parametrize("token", [None, "", "with space", "ünïcode", "line\nbreak"])
async def test_a_token_that_cannot_be_one_is_refused_before_anything_is_sent(
    upstream: Upstream, token: str | None
) -> None:
    credential = Credential("con_1", {} if token is None else {"access_token": Secret(token)})
    with pytest.raises(ReauthRequired) as refused:
        await upstream.adapter.apply(credential, RENAME)
    assert refused.value.details["outcome"] == "not_sent"
    with pytest.raises(ReauthRequired):
        await upstream.adapter.probe(credential)
    assert upstream.graph.received == []


async def quoted(request: Request) -> str:
    """All that a request carried, as a careless upstream would repeat it."""
    return f"{request.url} {request.headers['authorization']} {(await request.body()).decode()}"


async def refusing(request: Request) -> Response:
    return failing(190, 463, more={"message": await quoted(request)})


async def explaining(request: Request) -> Response:
    said = await quoted(request)
    return failing(100, more={"error_user_title": said[:400], "error_user_msg": said[-400:]})


async def ailing(request: Request) -> Response:
    return failing(2, status=500, more={"message": await quoted(request)})


async def a_page(request: Request) -> Response:
    return HTMLResponse(f"<p>{await quoted(request)}", 502)


async def an_inspection(request: Request) -> Response:
    error = {"code": 190, "message": await quoted(request)}
    return JSONResponse({"data": {"is_valid": False, "error": error}})


@pytest.mark.parametrize("reply", [refusing, explaining, ailing, a_page, an_inspection])
async def test_secrets_are_in_no_exception_log_or_repr(
    upstream: Upstream, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.graph.say(reply)
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
    for secret in (TOKEN, PROOF, APP_SECRET):
        assert secret not in everything


async def test_secrets_are_in_no_exception_of_a_broken_connection(
    nowhere: MetaAdapter, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PlatformFailure) as failed:
        await nowhere.probe(upstream.credential)
    assert failed.value.__cause__ is failed.value.__context__ is None
    shown = "".join(frames(failed.value))
    for secret in (TOKEN, PROOF, APP_SECRET):
        assert secret not in shown + caplog.text


async def test_reading_pauses_between_pages_when_the_quota_is_nearly_used(upstream: Upstream, sleeps: Sleeps) -> None:
    def page(number: int) -> Response:
        more = {"paging": {"cursors": {"after": f"c{number}"}, "next": "https://graph.test/x"}} if number < 9 else {}
        usage = '{"acc_id_util_pct": 99, "reset_time_duration": 9}'
        return JSONResponse({"data": []} | more, headers={"X-Ad-Account-Usage": usage})

    upstream.graph.say(*(page(number) for number in range(10)))
    create = RENAME.model_copy(update={"kind": "create_campaign"})
    await upstream.adapter.observe(upstream.credential, create, NOW)
    assert sleeps == [5, 5, 5, 5], "twenty seconds in all, however many pages follow"
    assert upstream.adapter.usage("act_1").percent == 99
    assert [each.query.get("after") for each in upstream.graph.received] == [None, *(f"c{n}" for n in range(9))]


async def test_a_cursor_that_leads_nowhere_new_does_not_loop(upstream: Upstream) -> None:
    upstream.graph.say({"data": [], "paging": {"cursors": {"after": "same"}, "next": "https://graph.test/x"}})
    create = RENAME.model_copy(update={"kind": "create_campaign"})
    with pytest.raises(PlatformFailure, match="the same page again"):
        await upstream.adapter.observe(upstream.credential, create, NOW)
    assert len(upstream.graph.received) == 2
