"""The script in a real browser, across origins: what it sends, when, and what it leaves alone."""

import uuid

import pytest

from tests.chromium import IN_CHROMIUM, NEEDS_BROWSER
from tests.server.analytics.script.conftest import Open, Receiver

pytestmark = [*IN_CHROMIUM, pytest.mark.asyncio(loop_scope="package")]


async def test_a_view_says_where_whence_and_who_without_a_preflight(visit: Open, receiver: Receiver) -> None:
    window = await visit("/landing?utm_source=news#top")
    (view,) = await receiver.wait("pageview")

    assert view["w"] == "admx_1"
    assert view["u"] == f"{window.url}/landing?utm_source=news"
    assert (view["h"], view["r"], view["type"]) == ("Page /landing", "", "text/plain;charset=UTF-8")
    assert uuid.UUID(view["i"]).version == uuid.UUID(view["v"]).version == uuid.UUID(view["s"]).version == 7
    assert abs(int(uuid.UUID(view["i"]).hex[:12], 16) - view["t"]) < 1000
    assert view["x"] == await window.page.evaluate("screen.width")
    assert "OPTIONS" not in receiver.methods


async def test_the_visitor_and_the_session_stay_and_a_session_ends_after_half_an_hour(
    visit: Open, receiver: Receiver
) -> None:
    window = await visit("/one")
    await window.page.click("#next")
    one, two = await receiver.wait("pageview", 2)
    assert (one["v"], one["s"], two["r"]) == (two["v"], two["s"], f"{window.url}/one")

    await window.page.evaluate("document.cookie = document.cookie.replace(/\\.\\d+$/, '.' + (Date.now() - 18e5))")
    await window.go("/later")
    later = (await receiver.wait("pageview", 3))[-1]
    assert later["v"] == one["v"]
    assert later["s"] != one["s"]


async def test_an_app_that_changes_its_address_is_viewed_once_an_address(visit: Open, receiver: Receiver) -> None:
    window = await visit("/app")
    await receiver.wait("pageview")
    await window.page.evaluate("history.pushState({}, '', '/app/two'); document.title = 'Two'")
    await receiver.wait("pageview", 2)
    await window.page.evaluate(
        "history.replaceState({}, '', '/app/two#part'); history.replaceState({}, '', '/app/two')"
    )
    await window.page.go_back()
    views = await receiver.wait("pageview", 3)

    assert [view["u"].removeprefix(window.url) for view in views] == ["/app", "/app/two", "/app"]
    assert (views[1]["h"], views[1]["r"]) == ("Two", f"{window.url}/app")
    assert len({view["i"] for view in views}) == 3


async def test_what_follows_the_hash_is_a_page_where_the_site_says_so(visit: Open, receiver: Receiver) -> None:
    window = await visit("/app#/one", attributes="data-hash")
    await receiver.wait("pageview")
    await window.page.evaluate("location.hash = '#/two'")
    views = await receiver.wait("pageview", 2)
    assert [view["u"].removeprefix(window.url) for view in views] == ["/app#/one", "/app#/two"]


@NEEDS_BROWSER
async def test_a_page_that_comes_back_from_the_cache_is_viewed_again_once(
    visit_whole: Open, receiver: Receiver
) -> None:
    window = await visit_whole("/first")
    await receiver.wait("pageview")
    await window.page.evaluate("window.kept = true")
    await window.go("/second")
    await receiver.wait("pageview", 2)
    await window.page.go_back(wait_until="commit")  # a page from the cache loads nothing
    views = await receiver.wait("pageview", 3)

    assert await window.page.evaluate("window.kept"), "the browser kept no page, so that this shows nothing"
    assert [view["u"].removeprefix(window.url) for view in views] == ["/first", "/second", "/first"]


async def test_a_page_rendered_ahead_counts_when_it_is_shown(visit: Open, receiver: Receiver) -> None:
    ahead = "let ahead = true; Object.defineProperty(document, 'prerendering', { get: () => ahead });"
    window = await visit("/ahead", prepare=f"{ahead} window.shown = () => {{ ahead = false }}")
    await window.page.wait_for_load_state("load")
    assert receiver.events == []

    await window.page.evaluate("shown(); document.dispatchEvent(new Event('prerenderingchange'))")
    assert len(await receiver.wait("pageview")) == 1


async def test_leaving_tells_how_long_and_how_deep_a_page_was_seen(visit: Open, receiver: Receiver) -> None:
    clock = (
        "const real = Date.now; let later = 0; Date.now = () => real() + later; window.wait = (ms) => { later += ms }"
    )
    window = await visit("/long", prepare=clock)
    (view,) = await receiver.wait("pageview")
    await window.page.evaluate("scrollTo(0, 1600); wait(5000)")
    await window.page.wait_for_function("scrollY > 1500")
    await window.page.evaluate("history.pushState({}, '', '/next')")
    (seen,) = await receiver.wait("engagement")

    assert (seen["g"], seen["u"]) == (view["i"], f"{window.url}/long")
    assert 5000 <= seen["e"] < 5000 + 60_000
    assert 40 < seen["d"] < 80

    await window.page.evaluate("wait(3000)")
    await window.go("/away")
    assert (await receiver.wait("engagement", 2))[-1]["u"] == f"{window.url}/next"


async def test_goals_come_from_marks_forms_links_and_calls(visit: Open, receiver: Receiver) -> None:
    window = await visit("/shop")
    await window.page.click("#inner")
    await window.page.click("#sign-up")
    await window.page.click("#out")
    await window.page.click("#file")
    await window.page.evaluate("adwright('goal', 'called', { deep: { a: [1] } }, 3)")
    goals = {goal["n"]: goal for goal in await receiver.wait("custom", 5)}

    assert goals.keys() == {"buy", "letters", "outbound", "download", "called"}
    assert (goals["buy"]["p"], goals["buy"]["a"]) == ({"plan": "pro"}, 9.5)
    assert goals["letters"]["p"] == {}
    assert goals["outbound"]["p"] == {"url": "https://elsewhere.test/x"}
    assert goals["download"]["p"]["url"].endswith("/price-list.pdf")
    assert (goals["called"]["p"], goals["called"]["a"]) == ({"deep": {"a": [1]}}, 3)


async def test_what_was_called_before_it_loaded_comes_after_the_first_view(visit: Open, receiver: Receiver) -> None:
    early = (
        "adwright('payment', { amount: 99, currency: 'USD', transaction_id: 't1', kind: 'refund' });"
        "adwright('identify', 'jane@example.com', { plan: 'pro' }); adwright('no such thing');"
    )
    await visit("/early", early=early)
    (payment,), (identified,) = await receiver.wait("payment"), await receiver.wait("identify")

    assert (payment["a"], payment["c"], payment["o"], payment["y"]) == (99, "USD", "t1", "refund")
    assert (identified["m"], identified["q"]) == ("jane@example.com", {"plan": "pro"})
    assert payment["t"] >= receiver.of("pageview")[0]["t"]
    assert payment["v"] == receiver.of("pageview")[0]["v"]


async def test_an_opt_out_ends_everything_until_it_is_taken_back(visit: Open, receiver: Receiver) -> None:
    window = await visit("/private")
    await receiver.wait("pageview")
    await window.page.evaluate("adwright('optOut'); adwright('goal', 'unseen')")
    assert await window.page.evaluate("document.cookie") == ""
    await window.go("/still-private")
    await window.page.evaluate("adwright('optIn'); adwright('goal', 'seen')")
    assert [goal["n"] for goal in await receiver.wait("custom")] == ["seen"]
    assert len(receiver.of("pageview")) == 1


async def test_without_consent_nothing_is_stored_or_sent_and_fifty_events_wait(visit: Open, receiver: Receiver) -> None:
    window = await visit("/ask", attributes="data-consent")
    await window.page.evaluate("for (let at = 0; at < 80; at++) adwright('goal', 'waiting')")
    assert (receiver.events, await window.page.evaluate("document.cookie + adwright.visitor()")) == ([], "")

    await window.page.evaluate("adwright('consent', true); adwright('goal', 'then')")
    goals = await receiver.wait("custom", 50)
    assert [goal["n"] for goal in goals].count("waiting") == 49  # and the view
    assert await window.page.evaluate("adwright.visitor()") == receiver.of("pageview")[0]["v"]

    await window.page.evaluate("adwright('consent', false)")
    assert await window.page.evaluate("document.cookie") == ""


async def test_without_cookies_the_visitor_is_left_to_the_server(visit: Open, receiver: Receiver) -> None:
    window = await visit("/bare", attributes="data-cookieless")
    (view,) = await receiver.wait("pageview")
    assert (view["v"], view["s"]) == ("", "")
    assert await window.page.evaluate("[document.cookie, localStorage.length, sessionStorage.length].join()") == ",0,0"


async def test_what_could_not_be_taken_is_sent_again_as_the_same_event(visit: Open, receiver: Receiver) -> None:
    receiver.fail = 1
    await visit("/again")
    (view,) = await receiver.wait("pageview")
    assert len(receiver.methods) == 2
    assert view["u"].endswith("/again")


async def test_a_website_that_includes_it_twice_is_counted_once(visit: Open, receiver: Receiver) -> None:
    window = await visit("/twice")
    await receiver.wait("pageview")
    await window.page.add_script_tag(url=f"http://127.0.0.1:{receiver.port}/js/p.js")
    await window.page.evaluate("adwright('goal', 'once')")
    await receiver.wait("custom")
    assert [event["k"] for event in receiver.events] == ["pageview", "custom"]
