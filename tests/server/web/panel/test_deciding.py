"""From the question to the yes in a real browser, on the product as people run it, however it is disturbed."""

import pytest
from playwright.sync_api import expect

from tests.agent.talk import text
from tests.chromium import IN_CHROMIUM
from tests.server.web.panel.product import Demo, Window, Windows, proposing

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

SLOW = {"kind": "slow", "seconds": 8}
WORDS = "The campaign runs as it should, and nothing of it needs a hand. " * 10


def test_a_question_becomes_a_proposal_which_survives_a_reload_and_is_carried_out(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo, name="Renamed by the panel"), text("It is renamed."))
    before = len(demo.written())
    window.opened()
    window.ask("Rename the first campaign.")

    expect(window.turn.locator(".tool-call").first).to_contain_text("List campaigns")
    expect(window.card.get_by_text("Renamed by the panel").first).to_be_visible()
    window.is_("waiting")
    window.page.reload()
    expect(window.card).to_have_attribute("data-status", "pending")
    expect(window.panel.locator("section.turn")).to_have_count(1)
    assert len(demo.written()) == before

    window.approve()

    window.says("It is renamed.")
    window.is_("idle")
    expect(window.card).to_have_attribute("data-status", "done")
    assert len(demo.written()) == before + 1
    assert "Renamed by the panel" in {campaign["name"] for campaign in demo.campaigns()}


def test_a_no_is_told_with_its_reason_and_changes_nothing(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo), text("Then it stays as it is."))
    before = len(demo.written())
    window.opened()
    window.ask("Rename it.")

    window.card.get_by_text("Say why, if you deny").click()
    window.card.get_by_placeholder("Whoever asked is told").fill("Not before Monday.")
    window.card.get_by_role("button", name="Deny").click()

    window.says("Then it stays as it is.")
    expect(window.card).to_contain_text("Not before Monday.")
    assert len(demo.written()) == before


def test_an_approval_that_nobody_gives_expires_and_the_turn_goes_on_without_it(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo), text("Nobody decided in time."))
    before = len(demo.written())
    window.opened()
    window.ask("Rename it.")
    expect(window.card).to_have_attribute("data-status", "pending")

    demo.lapse()

    window.says("Nobody decided in time.")
    expect(window.card).to_have_attribute("data-status", "expired")
    assert len(demo.written()) == before


def test_of_two_tabs_with_the_same_card_one_decides_and_both_tell_it(demo: Demo, windows: Windows) -> None:
    demo.says(*proposing(demo), text("It is renamed."))
    before = len(demo.written())
    one = windows().opened()
    one.ask("Rename it.")
    expect(one.card).to_have_attribute("data-status", "pending")
    other = windows.beside(one).go(f"/chat/{demo.newest()}")
    expect(other.card).to_have_attribute("data-status", "pending")

    other.approve()

    for each in (one, other):
        expect(each.card).to_have_attribute("data-status", "done")
        each.says("It is renamed.")
        each.is_("idle")
    assert len(demo.written()) == before + 1


def test_two_who_agree_at_the_same_moment_have_it_done_once(demo: Demo, windows: Windows) -> None:
    demo.says(*proposing(demo), text("It is renamed."))
    before = len(demo.written())
    one = windows().opened()
    one.ask("Rename it.")
    expect(one.card).to_have_attribute("data-status", "pending")
    other = windows.beside(one).go(f"/chat/{demo.newest()}")
    expect(other.card).to_have_attribute("data-status", "pending")

    for each in (one, other):  # without a look at what the other has done by now
        each.card.get_by_role("button", name="Approve").evaluate_all("(found) => found.forEach((one) => one.click())")

    for each in (one, other):
        each.says("It is renamed.")
        expect(each.card).to_have_attribute("data-status", "done")
        each.forgive("409 (Conflict)")
    assert len(demo.written()) == before + 1


def test_a_server_killed_while_one_decides_and_another_reads_is_waited_for_by_both(
    demo: Demo, windows: Windows
) -> None:
    demo.says(*proposing(demo), {**text(WORDS), "fault": SLOW}, text("Here is all of it."), text("It is renamed."))
    before = len(demo.written())
    one, other = windows().opened(), windows().opened()
    one.ask("Rename it.")
    expect(one.card).to_have_attribute("data-status", "pending")
    other.ask("How is it?")
    other.says("The campaign")

    demo.kill()
    for each in (one, other):
        expect(each.panel.locator(".link")).to_contain_text("Reconnecting")
    demo.start()

    other.says("Here is all of it.")
    other.is_("idle")
    expect(other.panel.locator("section.turn")).to_have_count(1)
    assert len(demo.requests("How is it?")) == 2
    expect(one.panel.locator(".link")).to_be_hidden()
    one.approve()
    one.says("It is renamed.")
    one.is_("idle")
    assert len(demo.written()) == before + 1


def test_everything_can_be_done_by_keyboard_alone(demo: Demo, window: Window) -> None:
    demo.says(*proposing(demo), text("It is renamed."))
    page = window.go().page
    page.keyboard.press("Control+j")
    page.keyboard.type("Rename it.")
    page.keyboard.press("Enter")
    expect(window.card).to_have_attribute("data-status", "pending")

    window.until_focused("Shift+Tab", window.card.get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")

    expect(window.card).to_have_attribute("data-status", "done")
    window.says("It is renamed.")
    expect(window.field).to_be_focused()
    page.keyboard.press("Control+j")
    expect(window.panel).to_be_hidden()
    expect(page.locator(":focus")).not_to_have_count(0)
