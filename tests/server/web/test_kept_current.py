"""Pages that stay open: the inbox and a website's first event come by themselves, and nobody loses their place."""

from playwright.async_api import Page, expect

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import Open, press_until
from tests.server.web.site import Site
from tests.world import OWNER

pytestmark = IN_CHROMIUM

LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when one comes back to the tab: the page asks at once rather than when its time comes."""
AGREED = "document.dispatchEvent(new CustomEvent('approval-settled', { detail: { status: 'done' } }))"
"""As when somebody agrees to a proposal in the panel."""
FOCUSED = "document.activeElement.getAttribute('href')"


async def proposed(site: Site, budget: int) -> str:
    site.world.clock.pass_by(seconds=1)  # the newest stands first
    return str((await site.proposal(daily_budget=budget))["id"])


async def waiting(page: Page) -> list[str]:
    rows = page.locator("section[aria-labelledby=waiting] li")
    found: list[str] = await rows.evaluate_all("rows => rows.map((row) => row.id)")
    return found


async def test_the_inbox_shows_what_comes_and_goes_and_leaves_the_focus_where_it_is(live: Site, visit: Open) -> None:
    first, second = await proposed(live, 140), await proposed(live, 141)
    visitor = await visit()
    page = visitor.page
    await visitor.go("/approvals")
    assert await waiting(page) == [second, first]
    await press_until(page, "Tab", f"a[href='/approvals/{first}']")
    await page.evaluate("document.activeElement.same = true")

    await live.world.call(OWNER, "deny", approval_id=second)
    third = await proposed(live, 142)
    await page.evaluate(LOOK_AGAIN)

    await expect(page.locator(f"section[aria-labelledby=recent] li[id={second}]")).to_be_visible()
    assert await waiting(page) == [third, first]
    assert await page.evaluate("document.activeElement.same") is True
    await expect(page.locator("[data-count]").first).to_have_text("2")
    assert await visitor.violations() == []
    assert visitor.complaints + visitor.strays() == []


async def test_who_stands_on_an_approval_that_others_decide_goes_with_it(live: Site, visit: Open) -> None:
    approval = await proposed(live, 140)
    visitor = await visit()
    await visitor.go("/approvals")
    await press_until(visitor.page, "Tab", f"a[href='/approvals/{approval}']")

    await live.world.call(OWNER, "approve", approval_id=approval)
    await visitor.page.evaluate(LOOK_AGAIN)

    await expect(visitor.page.locator("section[aria-labelledby=waiting]")).to_contain_text("Nothing waits for you.")
    assert await visitor.page.evaluate(FOCUSED) == f"/approvals/{approval}"


async def test_a_website_is_added_by_keyboard_and_its_first_event_is_told(live: Site, visit: Open) -> None:
    visitor = await visit(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.page
    await visitor.go("/websites")
    await press_until(page, "Tab", "a[href='/websites/new']")
    await page.keyboard.press("Enter")
    await press_until(page, "Tab", "#domain")
    await page.keyboard.type("shop.example")
    assert await visitor.violations() == []
    await page.keyboard.press("Enter")
    await expect(page.locator("main h2")).to_have_text("Count the visitors of shop.example?")
    assert await visitor.violations() == []
    await press_until(page, "Tab", ".actions .primary")
    await page.keyboard.press("Enter")

    card = page.locator("article.marked")
    await expect(card).to_contain_text("Waiting for the first event")
    assert await visitor.violations() == []
    await press_until(page, "Tab", "[data-copy]")
    await page.keyboard.press("Enter")
    await expect(card.locator("[data-copy]")).to_contain_text("Copied")
    (website,) = (await live.world.call(OWNER, "list_websites"))["items"]
    assert f'data-website-id="{website["id"]}"' in await page.evaluate("navigator.clipboard.readText()")
    row = {"website_id": website["id"], "last_event_at": f"{live.world.clock():%Y-%m-%d %H:%M:%S}", "events_24h": 1}
    live.world.pipes.rows["p_pixel_healthcheck"] = [row]
    await page.evaluate(LOOK_AGAIN)

    await expect(card.locator(".badge")).to_have_text("Receiving")
    await expect(card.locator("details")).to_have_attribute("open", "")  # somebody may be reading it
    assert await page.evaluate("document.activeElement.dataset.copy") == f"{website['id']}-snippet"
    assert visitor.complaints + visitor.strays() == []


async def test_a_key_is_shown_once_and_revoked(visit: Open) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.go("/developers")
    assert await visitor.violations() == []
    await page.get_by_label("Name", exact=True).fill("Nightly report")
    await page.get_by_role("button", name="Create a key").click()

    key = await page.locator("#key").inner_text()
    assert key.startswith("adw_live_")
    assert await visitor.violations() == []
    await visitor.go("/developers")
    assert key not in await page.content()
    row = page.locator("li.key", has_text="Nightly report")
    await row.get_by_text("Revoke", exact=False).first.click()
    await row.get_by_role("button", name="Revoke it").click()

    await expect(row.locator(".badge")).to_have_text("Revoked")
    assert await visitor.violations() == []
    assert visitor.complaints + visitor.strays() == []


async def test_what_a_form_answered_stays_whatever_is_agreed_to_beside_it(visit: Open) -> None:
    visitor = await visit()
    await visitor.go("/websites/new")
    await visitor.page.get_by_label("Domain", exact=True).fill("shop.example")
    await visitor.page.get_by_role("button", name="Continue").click()
    await expect(visitor.page.locator("main h2")).to_have_text("Count the visitors of shop.example?")
    before = len(visitor.requested)

    await visitor.page.evaluate(AGREED)
    await visitor.page.evaluate("fetch('/livez')")

    assert not [url for url in visitor.requested[before:] if url.endswith("/websites/new")]
    await expect(visitor.page.locator("main h2")).to_have_text("Count the visitors of shop.example?")
