"""Getting in and out: sign-in links, sessions, and coming back to where one wanted to go."""

from typing import Any

import pytest

from tests.server.web.site import NOBODY, Site, text_of


async def login_url(site: Site, next_path: str | None = None) -> str:
    return (await site.sessions.mint_link("usr_owner", "wsp_north", next_path)).url


@pytest.mark.parametrize("path", ["/approvals", "/approvals/apr_x", "/integrations"])
async def test_a_stranger_is_sent_to_sign_in_and_told_why(site: Site, path: str) -> None:
    async with site.browser() as browser:
        sent = await browser.get(path)
        page = await browser.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "signed in" in text_of(page)
    assert "adwright login-link" in text_of(page)


async def test_an_ended_session_says_so(site: Site) -> None:
    cookie = await site.cookie()
    site.world.clock.pass_by(days=31)

    async with site.browser(cookie) as browser:
        sent = await browser.get("/approvals")
        page = await browser.get(sent.headers["location"])

    assert "Your session has ended" in text_of(page)


async def test_a_login_link_opens_a_session_and_its_page_once(site: Site) -> None:
    url = await login_url(site, "/approvals?cursor=x")

    async with site.browser() as browser:
        first, second = await browser.get(url), await browser.get(url)

    assert (first.status_code, first.headers["location"]) == (303, "/approvals?cursor=x")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert first.headers["cache-control"] == "no-store"
    assert second.status_code == 410
    assert "no longer works" in text_of(second)
    assert "adwright_session" not in second.headers.get("set-cookie", "")


async def test_a_used_link_answers_a_program_in_json(site: Site) -> None:
    async with site.browser(accept="application/json") as program:
        answer = await program.get("/login?token=used")

    assert (answer.status_code, answer.json()["code"]) == (410, "not_found")
    assert "adwright login-link" in answer.json()["fix"]


@pytest.mark.parametrize("ahead", [{"method": "HEAD"}, {"headers": {"sec-purpose": "prefetch;prerender"}}])
async def test_looking_ahead_does_not_use_a_link_up(site: Site, ahead: dict[str, Any]) -> None:
    url = await login_url(site)

    async with site.browser() as browser:
        looked = await browser.request(**({"method": "GET", "url": url} | ahead))
        opened = await browser.get(url)

    assert looked.status_code == 204
    assert "set-cookie" not in looked.headers
    assert opened.status_code == 303


@pytest.mark.parametrize("wanted", ["/approvals/apr_wanted", "/integrations?connection=con_1"])
async def test_after_signing_in_one_is_where_one_wanted_to_go(site: Site, wanted: str) -> None:
    async with site.browser() as browser:
        sent = await browser.get(wanted)
        await browser.get(sent.headers["location"])
        back = await browser.get(await login_url(site))

    assert back.headers["location"] == wanted


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_no_other_site(site: Site, target: str) -> None:
    async with site.browser() as browser:
        await browser.get("/sign-in", params={"next": target})
        planted = await browser.get(await login_url(site), headers={"cookie": f"adwright_next={target}"})

    assert planted.headers["location"] == "/campaigns"


async def test_signing_out_ends_the_session(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        left = await browser.post("/sign-out")
        after = await browser.get("/approvals")

    assert (left.status_code, left.headers["location"]) == (303, "/sign-in?why=left")
    assert after.headers["location"].startswith("/sign-in?why=ended")


async def test_the_root_leads_to_the_campaigns(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.get("/")).headers["location"] == "/campaigns"


async def test_whoever_is_signed_in_needs_no_sign_in_page(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        assert (await browser.get("/sign-in?next=/approvals/apr_1")).headers["location"] == "/approvals/apr_1"


async def test_a_session_is_only_for_whom_the_link_was_made(site: Site) -> None:
    link = await site.sessions.mint_link("usr_viewer", "wsp_north")
    await site.sessions.sign_in(NOBODY, link.url.partition("token=")[2])

    async with site.browser(await site.cookie("usr_viewer")) as browser:
        assert "viewer" in text_of(await browser.get("/approvals"))
