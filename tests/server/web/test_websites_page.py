"""The forms of websites: what is typed, the plan that is shown, what is made of a yes."""

import re

import httpx2
import pytest

from tests.server.web.site import Site, text_of
from tests.world import OWNER

TYPED = {"domain": "shop.example", "time_zone": "Europe/Berlin", "currency": "EUR"}


async def listed(site: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await site.world.call(OWNER, "list_websites"))["items"]
    return found


async def made(site: Site, domain: str = "shop.example") -> str:
    return str((await site.world.call(OWNER, "create_website", domain=domain))["id"])


def hidden(page: httpx2.Response) -> dict[str, str]:
    """What the yes of a confirmation sends again."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


# Who


@pytest.mark.parametrize("path", ["/websites/new", "/websites/admx_1/edit"])
async def test_whoever_is_not_signed_in_is_sent_to_sign_in(site: Site, path: str) -> None:
    async with site.browser() as browser:
        answers = [await browser.get(path), await browser.post(path, data=TYPED)]

    assert [answer.headers["location"].partition("?")[0] for answer in answers] == ["/sign-in", "/sign-in"]
    assert await listed(site) == []


async def test_a_form_of_another_site_does_nothing(site: Site) -> None:
    async with site.browser(
        await site.cookie(), origin="https://evil.example", **{"sec-fetch-site": "cross-site"}
    ) as b:
        answer = await b.post("/websites/new", data=TYPED)

    assert answer.status_code == 403
    assert await listed(site) == []


async def test_a_strangers_website_is_neither_changed_nor_removed(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as browser:
        edit = await browser.get(f"/websites/{website}/edit")
        change = await browser.post(f"/websites/{website}/edit", data={"name": "Mine"})
        removal = await browser.post(f"/websites/{website}/delete", data={"": ""})

    assert (edit.status_code, change.status_code, removal.status_code) == (404, 404, 404)
    assert (await listed(site))[0]["name"] == "shop.example"


async def test_a_viewer_gets_no_form_and_is_told_whom_to_ask(site: Site) -> None:
    await made(site)

    async with site.browser(await site.cookie("usr_viewer")) as browser:
        page, new = await browser.get("/websites"), await browser.get("/websites/new")
        refused = await browser.post("/websites/new", data={"domain": "other.example"})

    assert "/edit" not in page.text
    assert "/delete" not in page.text
    assert 'name="domain"' not in new.text
    assert "which your role (viewer) does not have" in text_of(new)
    assert refused.status_code == 403
    assert len(await listed(site)) == 1


# Adding


async def test_a_website_is_shown_as_a_plan_and_made_exactly_so(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        plan = await browser.post("/websites/new", data=TYPED | {"name": "", "allow_localhost": "true"})
        before = await listed(site)
        done = await browser.post("/websites/new", data=hidden(plan))
        page = await browser.get(done.headers["location"])

    assert "Count the visitors of shop.example?" in text_of(plan)
    assert "Allow localhost none yes" in text_of(plan)
    assert before == []
    (website,) = await listed(site)
    assert done.status_code == 303
    assert TYPED.items() <= website.items()
    assert "Added. Paste the snippet below" in text_of(page)
    assert "data-awaits" in page.text
    assert "<details open><summary>Install snippet" in page.text


async def test_what_is_made_is_what_was_shown_or_nothing(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        plan = await browser.post("/websites/new", data=TYPED)
        other = await browser.post("/websites/new", data=hidden(plan) | {"domain": "other.example"})

    assert other.status_code == 409
    assert "Things changed since this was shown" in text_of(other)
    assert "Count the visitors of other.example?" in text_of(other)
    assert await listed(site) == []


async def test_an_address_that_was_pasted_whole_stands_for_its_host(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        plan = await browser.post("/websites/new", data={"domain": "https://www.Shop.example:8443/a?b#c"})

    assert "Count the visitors of shop.example?" in text_of(plan)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"domain": "localhost"}, "This needs a public name such as example.com"),
        ({"domain": "shop.example/path"}, "Send the host alone"),
        ({"time_zone": "Mars/Olympus"}, "This is no time zone"),
        ({"currency": "XYZ"}, "This is no currency"),
    ],
)
async def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    site: Site, wrong: dict[str, str], said: str
) -> None:
    (field,) = wrong
    async with site.browser(await site.cookie()) as browser:
        page = await browser.post("/websites/new", data={"domain": "a.example", "name": "My shop"} | wrong)

    assert page.status_code == 422
    told = re.search(rf'<p id="{field}-wrong" class="wrong">(.*?)</p>', page.text)
    assert told is not None
    assert said in told[1]
    assert re.search(rf'id="{field}"[^>]*aria-describedby="{field}-hint {field}-wrong" aria-invalid="true"', page.text)
    assert 'value="My shop"' in page.text


async def test_a_domain_that_is_counted_already_leads_to_its_website(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie()) as browser:
        page = await browser.post("/websites/new", data=TYPED)

    assert page.status_code == 409
    assert "This domain is counted already. Look at that website" in text_of(page)
    assert f'href="/websites?website={website}#{website}"' in page.text


async def test_days_and_money_are_proposed_as_the_ad_accounts_have_them_then_as_the_last_website(site: Site) -> None:
    async with site.browser(await site.cookie()) as browser:
        first = await browser.get("/websites/new")
        await site.world.call(OWNER, "create_website", **TYPED)
        second = await browser.get("/websites/new")

    def chosen(page: httpx2.Response) -> list[str]:
        return re.findall(r"<option selected>([^<]+)</option>", page.text)

    assert chosen(first) == ["America/New_York", "USD"]
    assert chosen(second) == ["Europe/Berlin", "EUR"]


async def test_the_snippet_is_told_for_where_it_goes(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie()) as browser:
        shopify = await browser.get("/websites", params={"website": website, "framework": "shopify"})
        unknown = await browser.get("/websites", params={"website": website, "framework": "fax"})

    assert "layout/theme.liquid" in shopify.text
    assert '<option value="shopify" selected>' in shopify.text
    assert "every page, as it is" in text_of(unknown)


async def test_whoever_checks_is_told_what_to_do_next(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/websites", params={"website": website, "did": "checked"})

    assert "Waiting for the first event. No event yet. Open a page of shop.example" in text_of(page)


async def test_where_events_arrive_a_person_is_told_to_ask_and_of_no_tool(site: Site) -> None:
    website, now = await made(site), f"{site.world.clock():%Y-%m-%d %H:%M:%S}"
    row = {"website_id": website, "last_event_at": now, "events_24h": 7}
    site.world.pipes.rows["p_pixel_healthcheck"] = [row]

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get("/websites", params={"website": website, "did": "checked"})

    assert "Receiving. Events arrive: ask the assistant" in text_of(page)
    assert "query_metrics" not in page.text


# Changing, removing


async def test_a_change_is_shown_with_what_it_does_and_made_after_a_yes(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie()) as browser:
        form = await browser.get(f"/websites/{website}/edit")
        sent = {"domain": "shop.example", "name": "Outfitters", "time_zone": "UTC", "currency": "EUR"}
        plan = await browser.post(f"/websites/{website}/edit", data=sent)
        before = (await listed(site))[0]["name"]
        done = await browser.post(f"/websites/{website}/edit", data=hidden(plan))

    assert 'value="shop.example"' in form.text
    assert "Name shop.example Outfitters" in text_of(plan)
    assert "nothing is converted" in text_of(plan)
    assert before == "shop.example"
    assert done.headers["location"] == f"/websites?website={website}&did=changed#{website}"
    assert {"name": "Outfitters", "currency": "EUR"}.items() <= (await listed(site))[0].items()


async def test_a_form_without_a_change_says_so_at_the_form(site: Site) -> None:
    website = await made(site)

    async with site.browser(await site.cookie()) as browser:
        page = await browser.post(f"/websites/{website}/edit", data={"name": "shop.example"})

    assert page.status_code == 409
    assert "there is nothing to change" in text_of(page)
    assert 'value="shop.example"' in page.text


async def test_a_website_goes_after_what_goes_with_it_was_shown(site: Site) -> None:
    website = await made(site)
    await site.world.call(OWNER, "create_goal", websiteId=website, name="Signup", selector="event:signup")

    async with site.browser(await site.cookie()) as browser:
        plan = await browser.post(f"/websites/{website}/delete", data={"": ""})
        before = len(await listed(site))
        done = await browser.post(f"/websites/{website}/delete", data=hidden(plan))
        page = await browser.get(done.headers["location"])

    for said in ("Stop counting the visitors of shop.example?", "cannot be undone", "Goals 1"):
        assert said in text_of(plan)
    assert before == 1
    assert await listed(site) == []
    assert "Removed. Its events are dropped from now on" in text_of(page)


async def test_a_website_that_is_gone_is_not_removed_twice(site: Site) -> None:
    website = await made(site)
    await site.world.call(OWNER, "delete_website", websiteId=website)

    async with site.browser(await site.cookie()) as browser:
        page = await browser.post(f"/websites/{website}/delete", data={"": ""})

    assert page.status_code == 404
