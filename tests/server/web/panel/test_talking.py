"""What people do with conversations in a real browser: stop, edit, find, rename, delete, lose the network."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server import web
from tests.agent.talk import calls, text
from tests.chromium import IN_CHROMIUM
from tests.server.web.panel.product import Demo, Window

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

SHIPPED = 60_000
WORDS = "Nothing of it needs a hand. " * 40
SLOW = {"kind": "slow", "seconds": 10}
HOSTILE = """A picture ![of nothing](https://evil.example/pixel.png) and <img src=x onerror="window.hit=1">
[a script](javascript:window.hit=1) [some data](data:text/html,hit) [home](/sign-out) [away](https://adwright.dev/docs)
<script>window.hit=1</script> <a href="https://evil.example">raw</a>

| ![c](//evil.example/c.png) | **bold** |
|---|---|
| <iframe src="https://evil.example"></iframe> | `code` |
"""


def test_a_stop_keeps_what_was_said(demo: Demo, window: Window) -> None:
    demo.says({**text(WORDS), "fault": SLOW}, text("As you wish."))
    window.opened()
    window.ask("How is it?")
    window.says("Nothing of it")

    window.panel.get_by_role("button", name="Stop").click()

    expect(window.turn).to_contain_text("You stopped this answer.")
    said = window.turn.locator(".prose").inner_text()
    assert 0 < len(said) < len(WORDS)
    window.page.reload()
    window.says(said)
    window.ask("Go on.")
    window.says("As you wish.")


def test_an_edited_message_begins_a_branch_and_leaves_the_first_as_it_was(demo: Demo, window: Window) -> None:
    demo.says(text("Hello yourself."), text("Three of them."), text("Two of them."))
    window.opened()
    window.ask("Hello?")
    window.says("Hello yourself.")
    window.ask("How many are running?")
    window.says("Three of them.")

    window.turn.hover()
    window.turn.get_by_role("button", name="Edit this message").click()
    expect(window.field).to_have_value("How many are running?")
    window.field.fill("How many are paused?")
    window.field.press("Enter")

    window.says("Two of them.")
    expect(window.panel.locator("section.turn")).to_have_count(2)
    expect(window.panel.locator("section.turn").first).to_contain_text("Hello yourself.")
    expect(window.panel).not_to_contain_text("Three of them.")
    window.panel.get_by_role("link", name="an earlier conversation").click()
    window.says("Three of them.")


def test_a_conversation_is_found_renamed_and_deleted(demo: Demo, window: Window) -> None:
    demo.says(text("Of zebras, nothing is known."), text("Nor of okapis."))
    window.opened()
    window.ask("What of zebras?")
    window.says("Of zebras")
    window.panel.get_by_role("button", name="New conversation").click()
    window.ask("What of okapis?")
    window.says("Nor of okapis.")

    window.panel.get_by_role("button", name="Conversations").click()
    rows = window.panel.locator(".conversations li")
    window.panel.get_by_label("Search conversations").fill("zebras")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name=re.compile("^Rename")).click()
    window.panel.get_by_label("Title").fill("Striped animals")
    window.panel.get_by_label("Title").press("Enter")
    expect(rows.get_by_role("link")).to_contain_text("Striped animals")
    rows.get_by_role("button", name="Delete Striped animals").click()
    window.page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(rows).to_have_count(0)
    window.panel.get_by_label("Search conversations").fill("")
    expect(rows.first).to_be_visible()
    assert "Striped animals" not in {row["title"] for row in demo.api("/chat")}
    rows.first.get_by_role("link").click()
    window.says("Nor of okapis.")


def test_who_goes_offline_is_told_so_and_gets_the_rest_afterwards(demo: Demo, window: Window) -> None:
    demo.says({**text(WORDS), "fault": {"kind": "slow", "seconds": 3}})
    window.opened()
    window.ask("How is it?")
    window.says("Nothing of it")

    window.page.context.set_offline(True)
    expect(window.panel.locator(".link")).to_contain_text("You are offline")
    expect(window.panel.get_by_role("button", name="Send")).to_have_count(0)
    window.page.context.set_offline(False)

    expect(window.panel.locator(".link")).to_be_hidden()
    window.is_("idle")
    window.says(WORDS.strip())


def test_nothing_in_an_answer_is_drawn_but_text_and_links_to_the_web(demo: Demo, window: Window) -> None:
    demo.says(text(HOSTILE))
    window.opened()
    window.ask("Say something hostile.")
    window.is_("idle")

    answer = window.turn.locator(".answer")
    expect(answer).to_contain_text("of nothing")
    expect(answer.locator("img, script, iframe, object, embed, [onerror], style, form")).to_have_count(0)
    links = answer.locator("a").evaluate_all("found => found.map((link) => link.getAttribute('href'))")
    assert set(links) == {
        "https://adwright.dev/docs",
        "https://evil.example/",
    }  # in full
    assert window.page.evaluate("window.hit") is None


def test_nothing_in_the_name_of_a_campaign_is_drawn_but_text(demo: Demo, window: Window) -> None:
    name = '<img src=x onerror="window.hit=1"> ![p](https://evil.example/p.png) [x](javascript:1)'
    demo.says(
        calls(("update_campaign", {"campaign_id": demo.campaign()["campaign_id"], "name": name})),
        text("It is renamed."),
    )
    window.opened()
    window.ask("Name it so.")
    expect(window.card).to_contain_text("onerror")
    window.approve()
    window.says("It is renamed.")
    demo.says(calls(("list_campaigns", {"limit": 50})), text("There they are."))
    window.ask("List them.")
    window.says("There they are.")
    window.turn.locator(".tool-call > summary").first.click()

    expect(window.turn.locator(".tool-call").first).to_contain_text("onerror")
    expect(window.panel.locator(".thread img, .thread a[href^=javascript]")).to_have_count(0)
    assert window.page.evaluate("window.hit") is None
    window.go("/campaigns")
    expect(window.page.get_by_text(re.compile("onerror")).first).to_be_visible()
    expect(window.page.locator("main img")).to_have_count(0)


def test_the_palette_asks_the_assistant_and_opens_a_conversation_of_before(demo: Demo, window: Window) -> None:
    demo.says(text("Quaggas are gone."))
    window.opened()
    window.ask("What of quaggas?")
    window.says("Quaggas are gone.")
    page = window.go("/usage").page

    page.keyboard.press("Control+k")
    page.keyboard.type("quaggas")
    page.get_by_role("option").filter(has_text="quaggas").first.click()

    window.says("Quaggas are gone.")
    page.keyboard.press("Control+k")
    page.keyboard.type("New conversation")
    page.keyboard.press("Enter")
    expect(window.field).to_be_focused()
    expect(window.panel.locator("section.turn")).to_have_count(0)


def test_the_script_that_all_pages_ship_is_small() -> None:
    """But for the shop's, which is a customer's page of the demo."""
    shipped = [path for path in (Path(web.__path__[0]) / "static").glob("*.js") if not path.name.startswith("shop")]
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in shipped}

    assert sum(sizes.values()) <= SHIPPED, sizes
