"""How the panel reads: to axe and at any width, to who wants no motion, on paper, and in the system's colours."""

import pytest
from playwright.sync_api import expect

from tests.agent.talk import text
from tests.chromium import IN_CHROMIUM
from tests.server.web.browser import LINES, MOTION, PAPER, SHEET
from tests.server.web.panel.product import Demo, Window, Windows, proposing

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

WORDS = "The campaign runs as it should, and nothing of it needs a hand. " * 10
WIDE = """Here is **all** of it:

| Campaign | Spend | What it says | What it means | What comes next |
|---|---|---|---|---|
| Generic hiking boots | $1,000.00 | words that need some room | more words of the same kind | and a few more |

```python
print("a line that is longer than a sheet is wide") # WIDE
```
""".replace("WIDE", "and longer " * 20)


def test_the_panel_reads_well_in_every_state(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo), text("Then not."), {**text(""), "fault": {"kind": "expired_token"}})
    window.opened("/usage")
    assert window.violations() == [], "empty"

    window.ask("Rename it.")
    expect(window.card).to_have_attribute("data-status", "pending")
    window.turn.locator(".tool-call > summary").first.click()
    assert window.violations() == [], "with a tool's call and a card that waits"

    window.card.get_by_role("button", name="Deny").click()
    window.says("Then not.")
    window.ask("And now?")
    expect(window.panel.locator(".problem")).to_be_visible()
    assert window.violations() == [], "decided, and with a problem"

    window.panel.get_by_role("button", name="Conversations").click()
    expect(window.panel.locator(".conversations li").first).to_be_visible()
    assert window.violations() == [], "the conversations"


def test_nothing_moves_for_who_wants_no_motion(demo: Demo, windows: Windows) -> None:
    demo.says({**text(WORDS), "fault": {"kind": "slow", "seconds": 20}})
    window = windows(reduced_motion="no-preference").opened("/usage")
    window.ask("How is it?")
    window.says("The campaign")
    assert window.page.evaluate(MOTION) != []

    window.page.emulate_media(reduced_motion="reduce")

    assert window.page.evaluate(MOTION) == []
    window.panel.get_by_role("button", name="Stop").click()
    window.is_("idle")


def test_a_conversation_on_paper_and_in_the_colours_of_the_system(demo: Demo, windows: Windows) -> None:
    demo.says(text(WIDE), *proposing(demo))
    window = windows(color_scheme="dark").opened("/usage")
    window.page.emulate_media(forced_colors="active")
    assert window.page.evaluate(LINES) == []
    window.ask("Tell me all.")
    window.says("Here is all")
    window.is_("idle")
    window.ask("Rename it.")
    expect(window.card).to_have_attribute("data-status", "pending")
    window.go(f"/chat/{demo.newest()}")
    expect(window.card).to_have_attribute("data-status", "pending")
    for each in window.turn.locator(".tool-call > summary").all():
        each.click()
    assert window.page.evaluate(LINES) == []

    window.page.emulate_media(media="print", forced_colors="none")
    window.page.set_viewport_size(SHEET)

    assert window.page.evaluate(PAPER) == []
    for said in (window.panel.get_by_text("and a few more"), window.panel.locator("pre").first, window.card):
        expect(said).to_be_visible()
