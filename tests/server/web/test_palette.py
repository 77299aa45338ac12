"""The palette, the badge and the card as an element, in a real browser and by keyboard."""

import json
from typing import Any

from playwright.async_api import Page, expect

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import APPROVE, PHONE, Open, press_until
from tests.server.web.site import Site
from tests.world import OWNER

pytestmark = IN_CHROMIUM


async def heard(page: Page, event: str) -> None:
    """Notes what is dispatched on the document from now on."""
    await page.evaluate(
        "name => { window.heard = []; document.addEventListener(name, (event) => window.heard.push(event.detail)); }",
        event,
    )


async def what_was_heard(page: Page) -> Any:
    return await page.evaluate("window.heard")


async def test_the_palette_finds_pages_campaigns_and_websites_by_a_few_letters(live: Site, visit: Open) -> None:
    await live.world.call(OWNER, "create_website", domain="shop.example", name="Outfitters")
    visitor = await visit()
    page, input_, chosen = visitor.page, "#palette input", "#palette [aria-selected=true]"
    await visitor.go("/integrations")

    await page.keyboard.press("Control+k")
    await expect(page.locator(input_)).to_be_focused()
    await expect(page.locator(chosen)).to_contain_text("Ask the assistant")
    assert await visitor.violations() == []
    await page.keyboard.type("awbrand")  # letters in their order are enough
    await expect(page.locator(chosen)).to_contain_text("Awareness | Brand film")
    assert await visitor.violations() == []
    await page.keyboard.press("Enter")
    await expect(page.locator("table.grid tbody tr")).to_have_count(1)
    await page.wait_for_load_state()

    await page.keyboard.press("Control+k")
    await page.keyboard.type("outfitters")
    await expect(page.locator(chosen)).to_contain_text("Outfitters")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Websites")
    await page.wait_for_load_state()

    await page.keyboard.press("Control+k")
    await page.keyboard.press("ArrowUp")  # round to the last
    await expect(page.locator(chosen)).to_contain_text("Usage")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Usage")
    assert visitor.strays() == []
    assert visitor.complaints == []


async def test_what_is_not_found_can_be_asked(visit: Open) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.go("/usage")
    await heard(page, "adwright:ask")

    await page.keyboard.press("Control+k")
    await page.keyboard.type("Which campaigns waste budget?")
    await expect(page.locator("#palette [role=status]")).to_have_text("Nothing is called that.")
    await page.keyboard.press("Enter")

    await expect(page.locator("#palette")).to_be_hidden()
    assert await what_was_heard(page) == [{"surface": "ads", "message": "Which campaigns waste budget?", "send": True}]


async def test_escape_leaves_the_palette_and_focus_goes_back(visit: Open) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.go("/usage")

    await page.locator("[data-palette]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#palette input")).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(page.locator("[data-palette]")).to_be_focused()
    await expect(page.locator("#palette")).to_be_hidden()


async def test_a_source_that_fails_is_told_and_tried_again(visit: Open) -> None:
    visitor = await visit()
    page, said = visitor.page, visitor.page.locator("#palette [role=status]")
    body = json.dumps({"code": "unavailable", "message": "The platform is away.", "meta": {}})
    await page.route("**/api/v1/ads/campaigns*", lambda route: route.fulfill(status=503, body=body))
    await visitor.go("/usage")

    await page.keyboard.press("Control+k")
    await page.keyboard.type("brand film")
    await expect(said).to_have_text("Campaigns cannot be loaded now: The platform is away.")
    await page.unroute("**/api/v1/ads/campaigns*")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("brand film")

    await expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Brand film")


async def test_the_badge_follows_what_waits(live: Site, visit: Open) -> None:
    visitor = await visit()
    page, badge = visitor.page, visitor.page.locator("#sidebar [data-waiting]")
    await visitor.go("/usage")
    await expect(badge).to_be_hidden()

    await live.proposal(daily_budget=140)
    await page.evaluate("document.dispatchEvent(new CustomEvent('adwright:approvals'))")

    await expect(badge).to_be_visible()
    await expect(page).to_have_title("(1) Usage · Adwright")
    await expect(page.locator("[data-announce]")).to_have_text("1 approval waits for you.")


async def test_a_card_decides_wherever_it_stands_and_a_second_shows_it(live: Site, visit: Open) -> None:
    one, two = await live.proposal(daily_budget=240), await live.proposal(daily_budget=90)
    visitor = await visit()
    page = visitor.page
    await visitor.go("/usage")
    await heard(page, "approval-settled")
    await page.evaluate(
        """ids => document.getElementById("main").append(...ids.map((id) => {
          const made = document.createElement("approval-card");
          made.setAttribute("approval", id);
          return made;
        }))""",
        [one["id"], two["id"], two["id"]],
    )
    cards = page.locator("approval-card")
    await expect(cards.locator("article")).to_have_count(3)
    assert await page.locator(":focus").count() == 0

    await page.locator("h1").click()
    await page.keyboard.press("Enter")  # decides nothing
    await press_until(page, "Tab", f"#{one['id']} [name=amount]", most=60)
    await page.keyboard.type("240")
    await press_until(page, "Tab", APPROVE)
    await page.keyboard.press("Enter")
    await expect(cards.nth(0).locator("article")).to_have_attribute("data-status", "done")
    await cards.nth(1).get_by_role("button", name="Deny").click()

    for card in (cards.nth(1), cards.nth(2)):  # the other card of the same approval finds out by itself
        await expect(card.locator("article")).to_have_attribute("data-status", "denied", timeout=15_000)
    told = await what_was_heard(page)
    assert {(each["id"], each["status"]) for each in told} == {(one["id"], "done"), (two["id"], "denied")}
    await expect(page.locator("#sidebar [data-waiting]")).to_be_hidden()


async def test_a_card_that_cannot_be_shown_says_why(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=140)
    visitor = await visit()
    page = visitor.page
    await visitor.go(f"/approvals/{approval['id']}")
    await page.context.clear_cookies()

    await page.locator(APPROVE).click()

    await expect(page.locator("approval-card [role=alert]")).to_contain_text("You are signed out.")
    await expect(page.locator("approval-card [role=alert] a")).to_have_attribute(
        "href", f"/sign-in?next=%2Fapprovals%2F{approval['id']}"
    )
    assert (await live.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


async def test_a_phone_has_the_sidebar_behind_a_button(visit: Open) -> None:
    visitor = await visit(viewport=PHONE)
    page = visitor.page
    await visitor.go("/usage")
    await expect(page.locator("#sidebar")).to_be_hidden()

    await page.get_by_role("button", name="Menu").click()
    await expect(page.locator("#sidebar")).to_be_visible()
    assert await visitor.violations() == []
    await page.locator("#sidebar").get_by_role("link", name="Integrations").click()

    await expect(page.locator("h1")).to_have_text("Integrations")


async def test_what_needs_scripts_is_not_offered_without_them(visit: Open) -> None:
    visitor = await visit(java_script_enabled=False)
    await visitor.go("/campaigns?status=ACTIVE")

    await expect(visitor.page.locator("table.grid tbody tr").first).to_be_visible()
    for needing in ("[data-palette]", "[data-theme-switch]", "[data-ask]"):
        assert not await visitor.page.locator(needing).first.is_visible()
