"""Where the panel stands: beside the page, which keeps all it shows, or over one that is dim and out of reach."""

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import BESIDE, DARK, LIGHT
from tests.server.web.panel.product import Demo, Window, Windows, proposing

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

WIDTHS = (1280, LIGHT), (1240, DARK), (1100, LIGHT), (1024, DARK)
PAGES = "/approvals", "/campaigns", "/websites", "/integrations", "/usage", "/developers"
BRAND = FloatRect(x=0, y=0, width=200, height=60)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_function("(wanted) => innerWidth === wanted", arg=width)


def middle(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_page_beside_the_panel_is_covered_nowhere_and_scrolled_nowhere(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo))
    window.opened()
    window.ask("Rename it.")
    expect(window.card).to_have_attribute("data-status", "pending")
    found: dict[tuple[str, int], list[str]] = {}

    for path in PAGES:
        resize(window.page, 1280)
        window.go(path)
        for width, colour in WIDTHS:
            window.page.emulate_media(color_scheme=colour)
            resize(window.page, width)
            expect(window.panel).to_be_visible()
            found[path, width] = window.page.evaluate(BESIDE)
        expect(window.page.locator("main")).to_have_js_property("inert", False)

    assert {at: faults for at, faults in found.items() if faults} == {}


@pytest.mark.parametrize(("width", "covered"), [(1000, 392), (900, 900), (390, 390)])
def test_where_both_have_no_room_the_panel_lies_over_a_page_out_of_reach(
    windows: Windows, width: int, covered: int
) -> None:
    window = windows(viewport={"width": width, "height": 800}).go()
    page, ask = window.page, window.page.locator("[aria-controls=assistant]")
    bright = page.screenshot(clip=BRAND)

    def opens() -> None:
        ask.click()
        expect(window.field).to_be_focused()
        expect(page.locator("main")).to_have_js_property("inert", True)

    def escape() -> None:
        page.keyboard.press("Escape")

    def escape_from_nowhere() -> None:
        window.panel.get_by_role("heading").first.click()
        expect(page.locator("body")).to_be_focused()
        escape()

    opens()
    at = window.panel.bounding_box()
    assert at and (at["width"], at["x"] + at["width"]) == (covered, width)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.screenshot(clip=BRAND) != bright

    for leave in (escape, escape_from_nowhere, window.panel.get_by_role("button", name="Close the assistant").click):
        leave()
        expect(window.panel).to_be_hidden()
        expect(ask).to_be_focused()
        expect(page.locator("main")).to_have_js_property("inert", False)
        opens()

    page.reload()
    expect(window.panel).to_be_hidden()


def test_a_click_on_the_dim_page_leads_back_to_it_and_the_palette_opens_above(windows: Windows) -> None:
    window = windows(viewport={"width": 1000, "height": 800}).go("/usage")
    page, palette = window.page, window.page.get_by_role("combobox")
    page.keyboard.press("Control+k")
    expect(palette).to_be_focused()
    page.keyboard.press("Control+j")  # from the palette, which is no place to come back to once it is closed
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(window.panel).to_be_visible()

    page.keyboard.press("Control+k")
    expect(palette).to_be_focused()
    page.keyboard.press("Escape")
    window.field.hover()
    page.mouse.down()
    page.mouse.move(300, 600)
    page.mouse.up()  # who marks text and lets go beside the panel is no visitor of the page
    expect(window.field).to_be_focused()
    expect(window.panel).to_be_visible()

    page.mouse.click(*middle(window.page.get_by_role("link", name="Integrations", include_hidden=True)))

    expect(window.panel).to_be_hidden()
    expect(page.get_by_role("button", name="Ask")).to_be_focused()
    assert page.url.endswith("/usage")


def test_a_window_that_gets_narrow_and_wide_again_keeps_the_panel(window: Window) -> None:
    window.opened("/usage")
    main = window.page.locator("main")

    for width, inert in ((1000, True), (1240, False)):
        resize(window.page, width)
        expect(main).to_have_js_property("inert", inert)
        expect(window.panel).to_be_visible()
