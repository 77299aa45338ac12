"""The page for whoever builds on Adwright: who sees keys, what is made, and what is shown of it."""

import pytest

from tests.server.web.site import Site, text_of
from tests.world import OWNER


async def keys(site: Site) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await site.world.call(OWNER, "list_api_keys"))["items"]
    return found


async def test_whoever_is_not_signed_in_makes_no_key(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.post("/developers", data={"name": "Mine", "scopes": "ads:read"})

    assert answer.headers["location"].startswith("/sign-in")
    assert await keys(site) == []


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_whoever_may_not_see_keys_finds_where_the_faces_begin_and_whom_to_ask(site: Site, role: str) -> None:
    async with site.browser(await site.cookie(f"usr_{role}")) as browser:
        page = await browser.get("/developers")
        refused = await browser.post("/developers", data={"name": "Mine", "scopes": "ads:read"})

    assert f"Keys need workspace:admin , which your role ({role}) does not have" in text_of(page)
    assert "http://adwright.test/mcp" in page.text
    assert 'href="/api/v1/openapi.json"' in page.text
    assert 'name="scopes"' not in page.text
    assert refused.status_code == 403
    assert await keys(site) == []


async def test_a_stranger_neither_sees_nor_revokes_our_key(site: Site) -> None:
    key = await site.world.call(OWNER, "create_api_key", name="Our own", scopes=["ads:read"])

    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as browser:
        page = await browser.get("/developers")
        refused = await browser.post(f"/developers/keys/{key['id']}/revoke", data={"": ""})

    assert "Our own" not in page.text
    assert refused.status_code == 404
    assert "revokedAt" not in (await keys(site))[0]


async def test_a_key_has_what_was_chosen_and_its_text_stands_in_the_one_answer(site: Site) -> None:
    sent = {"name": "Nightly", "scopes": ["ads:read", "ads:write"], "expires_days": "30", "policy": "direct"}
    async with site.browser(await site.cookie()) as browser:
        made = await browser.post("/developers", data=sent)
        again = await browser.get("/developers")

    (key,) = await keys(site)
    assert (key["scopes"], key["policy"]) == (["ads:read", "ads:write"], "direct")
    assert made.status_code == 201
    assert f"{key['prefix']}_" in made.text
    assert f"{key['prefix']}_" not in again.text
    assert "ads:read, ads:write · acts without asking" in text_of(again)
    assert "not used yet · expires 20 Dec 2026" in text_of(again)


async def test_a_key_that_may_do_nothing_is_refused_and_what_was_typed_stays(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        page = await browser.post("/developers", data={"name": "Nightly"})

    assert page.status_code == 422
    assert "scopes" in text_of(page)
    assert 'value="Nightly"' in page.text
    assert await keys(site) == []


async def test_a_revoked_key_is_told_so_and_cannot_be_revoked_again(site: Site) -> None:
    key = await site.world.call(OWNER, "create_api_key", name="Nightly", scopes=["ads:read"])

    async with site.browser(await site.cookie()) as browser:
        done = await browser.post(f"/developers/keys/{key['id']}/revoke", data={"": ""})
        page = await browser.get(done.headers["location"])

    assert "revokedAt" in (await keys(site))[0]
    assert "Revoked. Whatever uses that key is refused from now on." in text_of(page)
    assert f"/keys/{key['id']}/revoke" not in page.text
