"""The pages in a real browser: by keyboard, in both themes, on a phone, and with nothing leaving the machine."""

import pytest
from playwright.async_api import expect

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import APPROVE, DENY, PHONE, Open, press_until
from tests.server.web.site import Site
from tests.world import AGENT, OWNER

pytestmark = IN_CHROMIUM


async def test_every_page_reads_well_and_stays_at_home(live: Site, visit: Open) -> None:
    amount = await live.proposal(daily_budget=240)
    denied = await live.proposal(name="A name that is quite long, longer than a phone is wide | Video | Sales | 2026")
    await live.world.call(OWNER, "deny", approval_id=denied["id"], reason="No.")
    done = await live.proposal(daily_budget=140)
    await live.world.call(OWNER, "approve", approval_id=done["id"])
    rule = {"since": "2026-11-01", "until": "2026-11-15", "roas_below": 1.5, "min_spend": 100}
    many = await live.world.propose(AGENT, "pause_low_roas_campaigns", **rule)
    signed_in, stranger = await visit(), await visit(None)

    for visitor, path in (
        (signed_in, "/approvals"),
        (signed_in, f"/approvals/{amount['id']}"),
        (signed_in, f"/approvals/{denied['id']}"),
        (signed_in, f"/approvals/{done['id']}"),
        (signed_in, f"/approvals/{many['id']}"),
        (signed_in, "/integrations"),
        (signed_in, "/campaigns"),
        (signed_in, "/campaigns?q=nothing+has+this+name"),
        (signed_in, "/websites"),
        (signed_in, "/usage"),
        (signed_in, "/chat"),
        (stranger, "/approvals"),
    ):
        await visitor.go(path)
        assert await visitor.violations() == [], path
    assert signed_in.complaints + stranger.complaints == []
    assert signed_in.strays() + stranger.strays() == []


async def test_connecting_testing_and_disconnecting_reads_well_at_every_step(live: Site, visit: Open) -> None:
    token = (await live.world.sandbox.get("/")).json()["meta"]["access_token"]
    visitor = await visit(viewport=PHONE)
    page = visitor.page

    async def connect(pasted: str) -> None:
        await page.get_by_label("Access token").fill(pasted)
        await page.get_by_role("button", name="Connect Meta").click()

    async def reads_well(said: str, marked: str = "") -> None:
        await expect(page.locator("main")).to_contain_text(said)
        if marked:
            await expect(page.locator(marked)).to_be_in_viewport()
        assert await visitor.violations() == [], said
        assert token not in page.url + await page.content()

    await visitor.go("/integrations")
    await connect("not-a-token")
    await reads_well("Meta no longer accepts", "#connect [role=alert]")
    await connect(token)
    await reads_well("stored encrypted; it is never shown again", "article.marked")
    await page.locator("article.marked").get_by_role("button", name="Test").click()
    await reads_well("The token works")
    await live.world.break_next("expired_token", times=9)
    await page.locator("article.marked").get_by_role("button", name="Test").click()
    await reads_well("The test failed")
    await page.locator("article.marked").get_by_role("button", name="Disconnect").click()
    await reads_well("cannot be undone")
    await page.get_by_role("button", name="Disconnect").click()
    await reads_well("The stored credentials are erased.")
    assert len((await live.world.call(OWNER, "list_connections"))["items"]) == 1
    assert visitor.strays() == []


@pytest.mark.parametrize(("user", "workspace"), [("usr_viewer", "wsp_north"), ("usr_south_owner", "wsp_south")])
async def test_a_page_without_forms_or_without_connections_reads_well_too(
    visit: Open, user: str, workspace: str
) -> None:
    visitor = await visit(user, workspace)
    await visitor.go("/integrations?connection=con_gone")

    assert await visitor.violations() == []
    assert visitor.complaints + visitor.strays() == []


async def test_what_went_wrong_reads_well_too(visit: Open) -> None:
    visitor = await visit(None)
    for path in ("/nothing/here", "/login?token=used", "/sign-in?why=ended"):
        await visitor.go(path)
        assert await visitor.violations() == [], path

    assert visitor.strays() == []


async def test_a_person_approves_by_keyboard_alone_without_a_reload(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=240)
    visitor = await visit()
    page = visitor.page
    await visitor.go(f"/approvals/{approval['id']}")
    await page.evaluate("window.untouched = true")
    assert await page.locator(":focus").count() == 0  # nothing is focused for the reader, least of all Approve

    await press_until(page, "Tab", "[name=amount]")
    await page.keyboard.type("240")
    await press_until(page, "Tab", APPROVE)
    await page.keyboard.press("Enter")

    await expect(page.locator("article.approval")).to_have_attribute("data-status", "done")
    await expect(page.locator("approval-card > [role=status]")).to_contain_text("Done")
    await expect(page.locator("article.approval h2")).to_be_focused()
    assert await page.evaluate("window.untouched") is True
    assert (await live.world.campaign(campaign_id=approval["arguments"]["campaign_id"]))["daily_budget"] == 240
    assert visitor.complaints == []
    assert visitor.strays() == []


async def test_a_wrong_amount_is_told_where_it_was_typed(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=240)
    visitor = await visit()
    await visitor.go(f"/approvals/{approval['id']}")

    await visitor.page.fill("[name=amount]", "24")
    await visitor.page.click(APPROVE)

    await expect(visitor.page.locator("[data-problem]")).to_contain_text("has to be typed: 240")
    await expect(visitor.page.locator("[name=amount]")).to_be_focused()
    assert (await live.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


async def test_a_reason_goes_with_a_no(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=240)
    visitor = await visit()
    await visitor.go(f"/approvals/{approval['id']}")

    await visitor.page.click("text=Say why, if you deny")
    await visitor.page.fill("[name=reason]", "Not before Monday.")
    await visitor.page.click(DENY)

    await expect(visitor.page.locator("article.approval")).to_have_attribute("data-status", "denied")
    await expect(visitor.page.locator(".outcome")).to_contain_text("“Not before Monday.”")


async def test_what_another_person_decided_shows_without_a_reload(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=140)
    visitor = await visit()
    await visitor.go(f"/approvals/{approval['id']}")

    await live.world.call(OWNER, "deny", approval_id=approval["id"])

    await expect(visitor.page.locator("article.approval")).to_have_attribute("data-status", "denied", timeout=15_000)


async def test_the_forms_work_without_scripts(live: Site, visit: Open) -> None:
    approval = await live.proposal(daily_budget=240)
    visitor = await visit(java_script_enabled=False)
    await visitor.go(f"/approvals/{approval['id']}")

    await visitor.page.fill("[name=amount]", "240.00")
    await visitor.page.click(APPROVE)

    await expect(visitor.page.locator("article.approval")).to_have_attribute("data-status", "done")


async def test_a_token_is_pasted_without_scripts(live: Site, visit: Open) -> None:
    visitor = await visit(java_script_enabled=False)
    await visitor.go("/integrations")

    await visitor.page.fill("#access_token", (await live.world.sandbox.get("/")).json()["meta"]["access_token"])
    await visitor.page.get_by_role("button", name="Connect Meta").click()

    await expect(visitor.page.locator("article.marked")).to_contain_text("stored encrypted; it is never shown again")


async def test_a_chosen_theme_is_remembered(visit: Open) -> None:
    visitor = await visit(color_scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    await visitor.go("/approvals")
    light = await visitor.page.evaluate(background)

    await visitor.page.click("[data-theme-switch]")
    await visitor.page.reload()

    assert await visitor.page.evaluate(background) != light
    assert visitor.complaints == []
