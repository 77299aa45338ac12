"""Pages for those who print them or whose system decides on colours; the panel has tests of its own."""

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import DESK, LINES, PAPER, SHEET, Open
from tests.server.web.site import Site
from tests.world import OWNER

pytestmark = IN_CHROMIUM

DISPLAY = "(row) => getComputedStyle(row).display"


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
