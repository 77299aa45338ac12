"""A title that a small model writes beside the answer shows by itself, wherever the conversation stands, and is looked
for a few times only."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.agent.talk import text
from tests.chromium import IN_CHROMIUM
from tests.server.web.panel.product import Demo, Window, proposing

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

SMALL = "claude-haiku-5-5"
LATE = {"kind": "slow", "seconds": 6}
LAST = 'fetch(location.origin + "/api/v1/chat?limit=1").then((answer) => answer.text())'


def heading(window: Window) -> Locator:
    return window.panel.locator(".chat-head h2")


def looks(window: Window, conversation: str) -> int:
    return sum(url.endswith(f"/api/v1/chat/{conversation}") for url in window.requested)


def test_a_title_that_comes_after_the_answer_replaces_the_first_words(demo: Demo, window: Window) -> None:
    demo.says(text("All is well."), {**text("State of the campaigns"), "model": SMALL, "fault": LATE})
    window.opened()
    window.ask("How do they do, all in all?")

    window.says("All is well.")
    window.is_("idle")
    expect(heading(window)).to_have_text("How do they do, all in all?")
    expect(heading(window)).to_have_text("State of the campaigns")


def test_in_the_list_of_conversations_it_comes_without_moving_whoever_is_there(demo: Demo, window: Window) -> None:
    demo.says(text("Nobody knows."), {**text("Habits of gnus"), "model": SMALL, "fault": LATE})
    window.go("/chat")
    window.ask("What do gnus do all day?")
    window.says("Nobody knows.")
    row = window.panel.locator(".conversations li").first.get_by_role("link")
    expect(row).to_contain_text("What do gnus do all day?")
    row.focus()

    expect(row).to_contain_text("Habits of gnus")

    expect(row).to_be_focused()
    expect(window.page).to_have_title(re.compile(r"^(\(\d+\) )?Habits of gnus"))


def test_a_page_that_is_loaded_anew_before_the_title_comes_shows_it_too(demo: Demo, window: Window) -> None:
    demo.says(text("Nobody knows."), {**text("Habits of okapis"), "model": SMALL, "fault": LATE})
    window.opened()
    window.ask("What do okapis do all day?")
    window.says("Nobody knows.")

    window.page.reload()

    expect(heading(window)).to_have_text("What do okapis do all day?")
    expect(heading(window)).to_have_text("Habits of okapis")


def test_a_tab_with_a_conversation_keeps_its_name_whatever_is_counted(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo))
    window.go("/chat")
    expect(heading(window)).to_have_text("New conversation")  # the page says already whom one talks to
    window.ask("Rename one of them.")
    expect(window.card).to_have_attribute("data-status", "pending")
    expect(heading(window)).to_have_text(re.compile("^Rename one of them"))

    window.page.evaluate("document.dispatchEvent(new Event('adwright:approvals'))")
    window.page.evaluate(LAST)

    assert re.match(r"\(\d+\) Rename one of them", window.page.title())
    window.panel.get_by_role("button", name="New conversation").click()
    expect(window.page).to_have_title(re.compile(r"^\(\d+\) Assistant · Adwright$"))


def test_where_no_title_comes_the_panel_stops_looking(demo: Demo, window: Window) -> None:
    broken = {**text("x"), "model": SMALL, "fault": {"kind": "server_error"}}
    demo.says(text("Nobody knows."), *[broken] * 9)
    window.page.clock.install()
    window.opened()
    window.ask("What do tapirs do all day?")
    window.says("Nobody knows.")
    window.is_("idle")
    conversation = demo.newest()

    for _ in range(12):
        window.page.clock.run_for(40_000)
        window.page.evaluate(LAST)  # what was asked before it is answered, too

    assert 1 < looks(window, conversation) <= 6
    expect(heading(window)).to_have_text("What do tapirs do all day?")
