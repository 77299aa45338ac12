"""Pages for those who print them or whose system decides on colours; the panel has tests of its own."""

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import LINES, PAPER, SHEET, Open, Visitor
from tests.server.web.site import Site
from tests.world import OWNER

pytestmark = IN_CHROMIUM


async def pages(live: Site) -> list[str]:
    approval = await live.proposal(daily_budget=240)
    await live.world.call(OWNER, "create_website", domain="shop.example")
    listed = ("campaigns", "websites", "websites/new", "approvals", "integrations", "usage", "developers")
    return [f"/approvals/{approval['id']}", *(f"/{each}" for each in listed)]


async def faults(visitor: Visitor, paths: list[str], judge: str) -> dict[str, list[str]]:
    found = {}
    for path in paths:
        await visitor.go(path)
        found[path] = await visitor.page.evaluate(judge)
    return {path: each for path, each in found.items() if each}


async def test_on_paper_a_page_is_black_on_white_whole_and_without_what_is_clicked(live: Site, visit: Open) -> None:
    visitor = await visit(color_scheme="dark", viewport=SHEET)
    paths = await pages(live)
    await visitor.go(paths[0])
    on_screen = await visitor.page.evaluate(PAPER)
    await visitor.page.emulate_media(media="print")

    assert await faults(visitor, paths, PAPER) == {}
    assert {fault.partition(":")[0] for fault in on_screen} >= {"to be clicked", "not on white", "pale"}


async def test_in_forced_colours_every_control_has_an_edge_a_ring_and_its_state(live: Site, visit: Open) -> None:
    visitor = await visit(forced_colors="active")

    assert await faults(visitor, await pages(live), LINES) == {}
