"""The tag that a page carries, and whether events arrive from it."""

from html.parser import HTMLParser
from typing import Any

import pytest

from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import AGENT, KEY, OWNER, VIEWER, World, principal
from tools.authority import Scope, Via
from tools.pixel.install import Framework

BOTH = pytest.mark.parametrize("name", ["get_install_snippet", "check_installation"])


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def healthy(world: World, **row: Any) -> dict[str, Any]:
    usual = {
        "website_id": SITE, "last_event_at": "2026-11-20 11:59:30.000", "events_5m": 4, "events_24h": 90, "bots_24h": 7,
        "quarantined_24h": 0, "max_lag_s": 0.4, "status": "ok",
    }  # fmt: skip
    world.pipes.rows["p_pixel_healthcheck"] = [usual | row]
    return await world.call(KEY, "check_installation", websiteId=SITE)


@BOTH
async def test_a_strangers_website_is_not_found(world: World, name: str) -> None:
    await add_site(world, THEIRS, "wsp_south")

    assert (await world.refusal(VIEWER, name, websiteId=THEIRS)).code == "not_found"
    assert world.pipes.asked == []


@BOTH
async def test_both_take_their_scope(world: World, name: str) -> None:
    reader = principal(via=Via.KEY, scopes=frozenset(Scope) - {Scope.PIXEL_READ})

    error = await world.refusal(reader, name, websiteId=SITE)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "pixel:read")


async def test_the_tag_names_the_website_and_where_the_script_is(world: World) -> None:
    await add_site(world)

    answer = await world.call(AGENT, "get_install_snippet", websiteId=SITE)

    ((tag, attributes),) = Tags(answer["snippet"]).found
    assert tag == "script"
    assert attributes == {"defer": None, "data-website-id": SITE, "src": "http://adwright.test/js/p.js"}
    assert answer["csp"] == "script-src http://adwright.test; connect-src http://adwright.test"


async def test_every_option_is_an_attribute(world: World) -> None:
    await add_site(world, domain="shop.example.com")

    answer = await world.call(
        AGENT, "get_install_snippet", websiteId=SITE, cookieless=True, consent=True, hash_routes=True,
        across_subdomains=True, proxy="t.shop.example.com",
    )  # fmt: skip

    ((_, attributes),) = Tags(answer["snippet"]).found
    assert {name: attributes[f"data-{name}"] for name in ("cookieless", "consent", "hash", "domain")} == {
        "cookieless": None, "consent": None, "hash": None, "domain": "shop.example.com",
    }  # fmt: skip
    assert attributes["src"] == "https://t.shop.example.com/js/p.js"
    assert answer["csp"].endswith("connect-src https://t.shop.example.com")


@pytest.mark.parametrize("framework", list(Framework))
async def test_each_framework_is_told_where_it_goes(world: World, framework: Framework) -> None:
    await add_site(world)

    answer = await world.call(AGENT, "get_install_snippet", websiteId=SITE, framework=framework.value)

    assert len(answer["where"]) > 20
    assert SITE in answer["snippet"]
    assert "/js/p.js" in answer["snippet"]


@pytest.mark.parametrize(
    "sent", [{"framework": "cobol"}, {"proxy": 'x"><script>'}, {"proxy": "https://t.example.com/"}, {"consent": "yes"}]
)
async def test_what_no_tag_can_have_is_refused(world: World, sent: dict[str, Any]) -> None:
    await add_site(world)

    assert (await world.refusal(OWNER, "get_install_snippet", websiteId=SITE, **sent)).code == "invalid_arguments"


async def test_events_that_arrive_are_counted(world: World) -> None:
    await add_site(world)

    answer = await healthy(world)

    assert (answer["status"], answer["last_event_at"]) == ("receiving", "2026-11-20T11:59:30Z")
    assert (answer["events_5m"], answer["events_24h"], answer["bots_24h"]) == (4, 90, 7)
    assert world.pipes.asked[-1] == ("p_pixel_healthcheck", {"workspace_id": "wsp_north", "website_id": SITE})


@pytest.mark.parametrize("row", [{"last_event_at": None}, {"last_event_at": "1970-01-01 00:00:00.000"}])
async def test_before_the_first_event_it_waits_and_says_what_to_do(world: World, row: dict[str, Any]) -> None:
    await add_site(world)

    answer = await healthy(world, **row, events_5m=0, events_24h=0, bots_24h=0)
    world.pipes.rows.clear()
    nothing = await world.call(KEY, "check_installation", websiteId=SITE)

    for found in (answer, nothing):
        assert found["status"] == "waiting"
        assert "123.example.com" in found["next"]
        assert "last_event_at" not in found


async def test_after_a_day_without_any_it_is_stale(world: World) -> None:
    await add_site(world)
    world.clock.pass_by(hours=24)

    assert (await healthy(world))["status"] == "stale"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"events_24h": 0, "bots_24h": 7}, "Only bots"),
        ({"drops_24h": [{"reason": "too_fast", "events": 3}, ["quarantined", 2]]}, "5 were dropped"),
        ({"events_24h": 0, "drops_24h": [{"reason": "wrong_domain", "events": 3}]}, "no page of 123.example.com"),
        ({}, "query_metrics"),
    ],
)
async def test_what_is_odd_about_what_arrives_is_said(world: World, row: dict[str, Any], said: str) -> None:
    await add_site(world)

    assert said in (await healthy(world, **row))["next"]
