"""The page of connections: what it says of them, and what its forms do with tokens and plans."""

import logging
import re

import httpx2
import pytest

from tests.server.web.site import Site, text_of
from tests.world import OWNER
from tools.store.sealing import KeyRing, generate_key

REFUSED = "EAAB" + "Cznry" * 12
UNSHAPED = "nothing-tells-that-this-is-a-token-8d1f"


async def token(site: Site) -> str:
    return str((await site.world.sandbox.get("/")).json()["meta"]["access_token"])


async def connection_ids(site: Site) -> list[str]:
    return [row["id"] for row in (await site.world.call(OWNER, "list_connections"))["items"]]


async def connected(site: Site) -> str:
    (only,) = await connection_ids(site)
    return only


async def paste(browser: httpx2.AsyncClient, access_token: str, name: str = "") -> httpx2.Response:
    return await browser.post("/integrations", data={"platform": "meta", "access_token": access_token, "name": name})


async def plan_shown(browser: httpx2.AsyncClient, connection_id: str) -> tuple[httpx2.Response, str]:
    """The confirmation, and the digest its form holds."""
    page = await browser.post(f"/integrations/{connection_id}/delete", data={"digest": ""})
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return page, found[1]


# Looking


async def test_a_connection_is_told_with_its_accounts_and_times(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/integrations")

    shown = text_of(page)
    for said in (
        "Northwind", f"Meta · {await connected(site)}", "Connected", "Stored encrypted", "Northwind US",
        "act_702114450310001 · USD · America/New_York", "JPY · Asia/Tokyo", "Expires 19 Jan 2027, 00:00 UTC",
        "Last used 20 Nov 2026, 12:00 UTC",
    ):  # fmt: skip
        assert said in shown
    assert '<a href="/integrations" aria-current="page">' in page.text
    assert '<a href="/approvals">' in page.text


async def test_an_empty_workspace_is_told_what_to_do(site: Site) -> None:
    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as owner:
        assert "No ad platform is connected. Paste a token below" in text_of(await owner.get("/integrations"))
    async with site.browser(await site.cookie("usr_south_viewer", "wsp_south")) as viewer:
        assert "Once an owner or admin connects one" in text_of(await viewer.get("/integrations"))


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_whoever_may_not_connect_sees_the_list_and_whom_to_ask_but_no_forms(site: Site, role: str) -> None:
    async with site.browser(await site.cookie(f"usr_{role}")) as browser:
        page = await browser.get("/integrations")

    assert "Northwind US" in text_of(page)
    assert f"needs connections:write , which your role ({role}) does not have" in text_of(page)
    assert 'action="/integrations' not in page.text
    assert "access_token" not in page.text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("expired_token", "Needs a new token"),
        ("html", "Not reachable"),
    ],
)
async def test_a_connection_that_does_not_work_says_so_and_what_to_do(site: Site, kind: str, said: str) -> None:
    await site.world.break_next(kind, times=9)
    await site.world.call(OWNER, "test_connection", connectionId=await connected(site))

    async with site.browser(await site.cookie()) as browser:
        shown = text_of(await browser.get("/integrations"))

    assert said in shown
    assert ("Connect it again with a new token" in shown) is (kind == "expired_token")


async def test_a_token_whose_time_is_over_is_not_called_connected(site: Site) -> None:
    site.world.clock.pass_by(days=63)

    async with site.browser(await site.cookie()) as browser:
        assert "Token expired" in text_of(await browser.get("/integrations"))


async def test_credentials_that_cannot_be_opened_are_told_with_the_way_out(site: Site) -> None:
    object.__setattr__(site.world.door._services, "keyring", KeyRing.parse(generate_key("k2")))

    async with site.browser(await site.cookie()) as browser:
        listed = text_of(await browser.get("/integrations"))
        tested = await browser.post(f"/integrations/{await connected(site)}/test", data={"": ""})

    assert "cannot be decrypted" in listed
    assert "Connect it again with a new token, then disconnect this one" in listed
    assert tested.status_code == 422
    assert "Reconnect it at /integrations" in text_of(tested)


async def test_an_errors_link_puts_its_connection_first(site: Site) -> None:
    await site.world.call(OWNER, "create_connection", platform="meta", access_token=await token(site), name="Second")
    first, second = await connection_ids(site)

    async with site.browser(await site.cookie()) as browser:
        plain = (await browser.get("/integrations")).text
        sent = (await browser.get("/integrations", params={"connection": second})).text

    assert plain.index(f'id="{first}"') < plain.index(f'id="{second}"')
    assert sent.index(f'id="{second}"') < sent.index(f'id="{first}"')
    assert re.search(rf'<article id="{second}" class="[^"]*marked" aria-current="true"', sent)
    assert sent.count("marked") == 1


@pytest.mark.parametrize("unknown", ["con_none", '"><script>alert(1)</script>'])
async def test_a_link_to_a_connection_that_is_gone_says_so(site: Site, unknown: str) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/integrations", params={"connection": unknown})

    assert "is not in this workspace (any more)" in text_of(page)
    assert "<script>alert" not in page.text


# Connecting


async def test_a_pasted_token_connects_and_the_connection_is_shown(site: Site) -> None:
    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as browser:
        sent = await paste(browser, f"  {await token(site)}\r\n", "Southwind")
        page = await browser.get(sent.headers["location"])

    assert sent.status_code == 303
    assert re.fullmatch(r"/integrations\?connection=con_\w+&did=connected#main", sent.headers["location"])
    assert "Southwind" in text_of(page)
    assert "The token works and is stored encrypted" in text_of(page)
    assert await token(site) not in page.text + str(sent.headers)


async def test_a_link_cannot_claim_that_a_broken_connection_was_connected(site: Site) -> None:
    await site.world.break_next("expired_token", times=9)
    await site.world.call(OWNER, "test_connection", connectionId=await connected(site))

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/integrations", params={"connection": await connected(site), "did": "connected"})

    assert "The token works" not in text_of(page)


@pytest.mark.parametrize("refused", [REFUSED, UNSHAPED, ""])
async def test_a_refused_token_is_explained_at_the_form_and_not_stored(site: Site, refused: str) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await paste(browser, refused, "My shop")

    form = page.text[page.text.index('id="connect"') :]
    assert page.status_code == (424 if refused else 422)
    assert 'role="alert"' in form
    assert ("Meta no longer accepts" if refused else "access_token") in text_of(page)
    assert len(await connection_ids(site)) == 1


@pytest.mark.parametrize(
    ("pasted", "name"), [(REFUSED, "Shop"), (UNSHAPED, "Shop"), (REFUSED, REFUSED)], ids=["shaped", "unshaped", "twice"]
)
async def test_a_token_comes_out_nowhere_whichever_field_it_is_pasted_into(
    site: Site, caplog: pytest.LogCaptureFixture, pasted: str, name: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with site.browser(await site.cookie()) as browser:
            page = await paste(browser, pasted, name)
            broken = await browser.post(
                "/integrations",
                content=f"access_token={pasted}\xff".encode("latin-1"),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )

    assert (page.status_code, broken.status_code) == (422 if name == pasted else 424, 400)
    rows = str(await site.world.audit_rows())
    assert "create_connection" in rows
    for out in (page.text, str(page.headers), broken.text, caplog.text, rows, repr(site.world.reported)):
        assert pasted not in out


async def test_a_pasted_refresh_token_connects_google(site: Site) -> None:
    secret = (await site.world.sandbox.get("/")).json()["google"]["refresh_token"]
    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as browser:
        form = {"platform": "google", "refresh_token": secret, "client_id": "", "login_customer_id": "421-000-7001"}
        sent = await browser.post("/integrations", data=form | {"developer_token": "", "client_secret": "", "name": ""})
        page = await browser.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "Google Ads" in text_of(page)
    assert "4210007011 · USD · America/New_York" in text_of(page)
    assert secret not in page.text


async def test_what_google_refuses_is_told_at_its_own_form(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.post("/integrations", data={"platform": "google", "refresh_token": "1//0-refused-token"})

    meta, google = page.text.split('id="connect-google"')
    assert page.status_code == 424
    assert 'role="alert"' in google
    assert 'role="alert"' not in meta
    assert "refused-token" not in page.text


async def test_what_was_pasted_into_the_wrong_field_is_not_shown_again(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await paste(browser, "", UNSHAPED)

    assert page.status_code == 422
    assert UNSHAPED not in page.text + str(await site.world.audit_rows())


async def test_the_token_field_keeps_the_token_to_itself(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/integrations")

    (field,) = re.findall(r'<input id="access_token"[^>]*>', page.text)
    assert 'type="password"' in field
    assert 'autocomplete="off"' in field
    assert "value=" not in field
    assert re.findall(r'<form method="(\w+)" action="/integrations#connect"', page.text) == ["post"]


# Testing


async def test_a_test_says_what_it_found(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        works = await browser.post(f"/integrations/{await connected(site)}/test", data={"": ""})
        await site.world.break_next("expired_token", times=9)
        fails = await browser.post(f"/integrations/{await connected(site)}/test", data={"": ""})

    assert (works.status_code, fails.status_code) == (200, 200)
    assert "The token works: it reaches 3 ad accounts with ads_" in text_of(works)
    assert "The test failed. Meta no longer accepts" in text_of(fails)
    assert "Needs a new token" in text_of(fails)


@pytest.mark.parametrize("act", ["test", "delete"])
@pytest.mark.parametrize("unknown", ["con_none", "not-an-id"])
async def test_what_does_not_exist_is_told_on_the_page(site: Site, act: str, unknown: str) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.post(f"/integrations/{unknown}/{act}", data={"digest": "0" * 64})

    assert page.status_code in {404, 422}
    assert 'role="alert"' in page.text
    assert "Northwind" in text_of(page)


async def test_another_workspaces_connection_is_neither_tested_nor_disconnected(site: Site) -> None:
    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as stranger:
        tested = await stranger.post(f"/integrations/{await connected(site)}/test", data={"": ""})
        deleted = await stranger.post(f"/integrations/{await connected(site)}/delete", data={"digest": "0" * 64})

    assert (tested.status_code, deleted.status_code) == (404, 404)
    assert await connected(site)


# Disconnecting


async def test_disconnecting_shows_the_plan_first_and_does_exactly_that(site: Site) -> None:
    connection_id = await connected(site)

    async with site.browser(await site.cookie()) as browser:
        page, digest = await plan_shown(browser, connection_id)
        assert await connection_ids(site) == [connection_id]
        done = await browser.post(f"/integrations/{connection_id}/delete", data={"digest": digest})
        after = await browser.get(done.headers["location"])

    for said in ("Disconnect Northwind?", "cannot be undone", "credentials are erased", "Northwind US", "Deleted"):
        assert said in text_of(page)
    assert done.status_code == 303
    assert "Disconnected. The stored credentials are erased." in text_of(after)
    assert "No ad platform is connected" in text_of(after)
    assert await connection_ids(site) == []


async def test_a_plan_that_is_no_longer_true_is_shown_afresh_and_only_then_done(site: Site) -> None:
    connection_id = await connected(site)

    async with site.browser(await site.cookie()) as browser:
        _, seen = await plan_shown(browser, connection_id)
        await site.world.break_next("expired_token", times=9)
        await site.world.call(OWNER, "test_connection", connectionId=connection_id)
        stale = await browser.post(f"/integrations/{connection_id}/delete", data={"digest": seen})
        assert await connection_ids(site) == [connection_id]
        _, fresh = await plan_shown(browser, connection_id)
        done = await browser.post(f"/integrations/{connection_id}/delete", data={"digest": fresh})

    assert stale.status_code == 409
    assert "nothing was done" in text_of(stale)
    assert "Reauth required" in text_of(stale)
    assert f'value="{fresh}"' in stale.text
    assert fresh != seen
    assert done.status_code == 303


# Who may


@pytest.mark.parametrize("path", ["", "/{id}/test", "/{id}/delete"])
@pytest.mark.parametrize(
    ("user", "sent", "status"),
    [
        ("usr_viewer", {}, 403),
        ("usr_member", {}, 403),
        ("usr_owner", {"sec-fetch-site": "cross-site"}, 403),
        (None, {"authorization": "Bearer adw_local_" + "t" * 43}, 303),
    ],
)
async def test_a_form_of_whoever_may_not_does_nothing(
    site: Site, path: str, user: str | None, sent: dict[str, str], status: int
) -> None:
    connection_id = await connected(site)
    data = {"platform": "meta", "access_token": await token(site)} if not path else {"digest": "0" * 64}

    async with site.browser(await site.cookie(user) if user else "", **sent) as browser:
        answer = await browser.post("/integrations" + path.format(id=connection_id), data=data)

    assert answer.status_code == status
    assert await connection_ids(site) == [connection_id]
