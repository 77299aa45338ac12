"""Pages for those who print them, whose system decides on colours or whose window is narrow; the panel has tests of its
own."""

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import DESK, LINES, PAPER, PHONE, SHEET, Open
from tests.server.web.site import Site
from tests.world import AGENT, OWNER

pytestmark = IN_CHROMIUM

DISPLAY = "(row) => getComputedStyle(row).display"
LAST_LINE = """(form) => {
    const all = [...form.querySelectorAll("input, select, button, a")].map((each) => each.getBoundingClientRect());
    const lowest = Math.max(...all.map((each) => each.top));
    return all.filter((each) => each.bottom > lowest).length;
}"""
COVERED = """(marked) => {
    const bar = document.querySelector(".phone").getBoundingClientRect();
    return bar.bottom - document.querySelector(marked).getBoundingClientRect().top;
}"""


async def pages(live: Site) -> list[str]:
    approval = await live.proposal(daily_budget=240)
    await live.world.call(OWNER, "create_website", domain="shop.example")
    listed = ("campaigns", "websites", "websites/new", "approvals", "integrations", "usage", "developers")
    return [f"/approvals/{approval['id']}", *(f"/{each}" for each in listed)]


async def test_every_page_suits_paper_and_the_colours_of_the_system(live: Site, visit: Open) -> None:
    """On paper it is black on white, whole and without what is clicked; in forced colours every control has an edge, a
    ring and its state."""
    paths, visitor = await pages(live), await visit(color_scheme="dark", viewport=SHEET)
    page, found = visitor.page, {}
    await visitor.go(paths[0])
    on_screen = await page.evaluate(PAPER)

    for path in paths:
        await visitor.go(path)
        await page.emulate_media(media="print", color_scheme="dark", forced_colors="none")
        await page.set_viewport_size(SHEET)
        on_paper = await page.evaluate(PAPER)
        await page.emulate_media(media="screen", color_scheme="light", forced_colors="active")
        await page.set_viewport_size(DESK)
        found[path] = on_paper, await page.evaluate(LINES)

    assert found == dict.fromkeys(paths, ([], []))
    assert {fault.partition(":")[0] for fault in on_screen} >= {"to be clicked", "not on white", "pale"}


async def test_a_table_is_one_on_paper_where_a_window_as_wide_has_a_list(visit: Open) -> None:
    visitor = await visit(viewport=SHEET)
    await visitor.go("/campaigns")
    row = visitor.page.locator(".grid tbody tr").first
    on_screen = await row.evaluate(DISPLAY)

    await visitor.page.emulate_media(media="print")

    assert (on_screen, await row.evaluate(DISPLAY)) == ("grid", "table-row")


async def test_no_control_of_a_filter_stands_alone_below_the_others(visit: Open) -> None:
    visitor, found = await visit(), {}
    for path in ("/campaigns", "/campaigns?q=brand", "/approvals", "/approvals?via=mcp"):
        await visitor.go(path)
        for width in range(390, 1200, 30):
            await visitor.page.set_viewport_size({"width": width, "height": 800})
            found[path, width] = await visitor.page.locator("form.filters").evaluate(LAST_LINE)

    assert {at for at, controls in found.items() if controls < 2} == set()


async def test_what_a_link_leads_to_on_a_phone_is_not_below_the_bar(live: Site, visit: Open) -> None:
    site = await live.world.call(OWNER, "create_website", domain="shop.example")
    visitor = await visit(viewport=PHONE)
    for path, marked in (("/websites", site["id"]), ("/integrations", "connect-google"), ("/developers", "rest")):
        await visitor.go(f"{path}#{marked}")
        assert await visitor.page.evaluate("scrollY") > 0, path

        assert await visitor.page.evaluate(COVERED, f"#{marked}") <= 0, path


async def test_what_speaks_for_a_bulk_change_is_seen_whole_on_a_phone(live: Site, visit: Open) -> None:
    rule = {"since": "2026-11-01", "until": "2026-11-15", "roas_below": 1.5, "min_spend": 100}
    approval = await live.world.propose(AGENT, "pause_low_roas_campaigns", **rule)
    visitor = await visit(viewport=PHONE)

    await visitor.go(f"/approvals/{approval['id']}")

    table = visitor.page.get_by_role("table", name="Chosen")
    assert await table.locator("..").evaluate("(each) => each.scrollWidth - each.clientWidth") == 0
    assert await visitor.page.get_by_role("columnheader", name="Reason").count()
    assert "ROAS" in await table.locator("td[data-label=Reason]").first.inner_text()
