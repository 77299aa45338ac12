"""What is found out about a token before it is kept."""

import datetime as dt

import httpx2
import pytest
from starlette.responses import JSONResponse, Response

from server.platforms.meta.adapter import MetaAdapter
from server.sandbox.meta import world
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import APP_SECRET, NOW, TOKEN, Upstream, failing
from tools.errors import AccountBlocked, PlatformFailure, ReauthRequired
from tools.ports import Account, Credential
from tools.secret import Secret

NO_ACCOUNTS = JSONResponse({"data": []})


def inspection(**about: object) -> JSONResponse:
    return JSONResponse({"data": {"app_id": "42", "is_valid": True, "expires_at": 0, "scopes": ["ads_read"]} | about})


async def test_a_token_opens_its_accounts_with_currency_and_zone(meta: MetaAdapter, sandbox: Sandbox) -> None:
    probe = await meta.probe(sandbox.credential)
    assert [(each.currency, each.time_zone, each.active) for each in probe.accounts] == [
        ("USD", "America/New_York", True),
        ("EUR", "Europe/Berlin", True),
        ("JPY", "Asia/Tokyo", True),
    ]
    assert all(each.account_id.startswith("act_") for each in probe.accounts)
    assert {"ads_management", "ads_read"} <= set(probe.scopes)
    assert probe.expires_at is not None and NOW < probe.expires_at < NOW + dt.timedelta(days=61)


async def test_the_app_inspects_the_token_and_its_secret_stays_out_of_the_url(upstream: Upstream) -> None:
    upstream.graph.say(inspection(), NO_ACCOUNTS)
    probe = await upstream.adapter.probe(upstream.credential)
    assert (probe.accounts, probe.scopes, probe.expires_at) == ((), ("ads_read",), None)
    asked, listed = upstream.graph.received
    assert (asked.path, asked.query["input_token"]) == ("/v26.0/debug_token", TOKEN)
    assert asked.authorization == f"Bearer 42|{APP_SECRET}"
    assert APP_SECRET not in str(asked.query)
    assert listed.authorization == f"Bearer {TOKEN}"


async def test_every_page_of_accounts_is_read(upstream: Upstream) -> None:
    def page(*numbers: int, after: str | None = None) -> JSONResponse:
        rows = [
            {
                "id": f"act_{n}",
                "name": f"A{n}",
                "currency": "EUR",
                "timezone_name": "Europe/Berlin",
                "account_status": n,
            }
            for n in numbers
        ]
        paging = {"cursors": {"after": after or "end"}} | ({"next": "https://graph.test/next"} if after else {})
        return JSONResponse({"data": rows, "paging": paging})

    upstream.graph.say(inspection(), page(1, 2, after="b"), page(3, 9))
    probe = await upstream.adapter.probe(upstream.credential)
    assert [(each.account_id, each.active) for each in probe.accounts] == [
        ("act_1", True), ("act_2", False), ("act_3", False), ("act_9", True),
    ]  # fmt: skip
    assert probe.accounts[0] == Account("act_1", "A1", "EUR", "Europe/Berlin")
    assert upstream.graph.received[-1].query["after"] == "b"


async def test_an_expired_token_is_to_be_renewed(meta: MetaAdapter, sandbox: Sandbox) -> None:
    sandbox.fault("expired_token", "meta:debug_token")
    with pytest.raises(ReauthRequired, match="it has expired") as dead:
        await meta.probe(sandbox.credential)
    assert dead.value.connection_id == "con_1"


async def test_a_made_up_token_is_to_be_replaced(meta: MetaAdapter) -> None:
    with pytest.raises(ReauthRequired, match="not accepted"):
        await meta.probe(Credential("con_2", {"access_token": Secret("EAAmadeup")}))


async def test_a_checkpoint_is_told_as_one(upstream: Upstream) -> None:
    upstream.graph.say(inspection(is_valid=False, error={"code": 190, "subcode": 459, "message": "checkpointed"}))
    with pytest.raises(AccountBlocked):
        await upstream.adapter.probe(upstream.credential)


async def test_a_token_of_another_app_is_explained(upstream: Upstream) -> None:
    upstream.graph.say(inspection(app_id="43"))
    with pytest.raises(PlatformFailure, match="another Meta app") as foreign:
        await upstream.adapter.probe(upstream.credential)
    assert "META_APP_ID" in foreign.value.fix
    assert len(upstream.graph.received) == 1, "asking on would only yield a riddle about appsecret_proof"


async def test_a_wrong_app_secret_is_not_blamed_on_the_person(sandbox: Sandbox) -> None:
    adapter = MetaAdapter(f"{sandbox.url}/meta", "v26.0", world.APP_ID, Secret("0" * 32), lambda: NOW)
    with pytest.raises(PlatformFailure, match="app id and secret") as failed:
        await adapter.probe(sandbox.credential)
    await adapter.aclose()
    assert not isinstance(failed.value, ReauthRequired)
    assert "META_APP_SECRET" in failed.value.fix


@pytest.mark.parametrize("refusal", [failing(100), failing(100, 33), failing(190)])
async def test_without_an_app_a_refused_inspection_leaves_scopes_unknown(upstream: Upstream, refusal: Response) -> None:
    upstream.graph.say(refusal, NO_ACCOUNTS)
    adapter = MetaAdapter(
        "https://graph.test", "v26.0", None, None, lambda: NOW, transport=httpx2.ASGITransport(upstream.graph.app)
    )
    probe = await adapter.probe(upstream.credential)
    await adapter.aclose()
    assert (probe.scopes, probe.expires_at) == ((), None)


async def test_an_account_without_a_currency_is_a_clear_failure(upstream: Upstream) -> None:
    upstream.graph.say(inspection(), {"data": [{"id": "act_1", "name": "A", "timezone_name": "UTC"}]})
    with pytest.raises(PlatformFailure, match="lacks currency"):
        await upstream.adapter.probe(upstream.credential)


async def test_a_version_that_meta_has_switched_off_is_named(sandbox: Sandbox) -> None:
    adapter = MetaAdapter(f"{sandbox.url}/meta", "v19.0", world.APP_ID, Secret(world.APP_SECRET), lambda: NOW)
    with pytest.raises(PlatformFailure, match="switched off the API version") as sunset:
        await adapter.probe(sandbox.credential)
    await adapter.aclose()
    assert sunset.value.code == "version_sunset"
