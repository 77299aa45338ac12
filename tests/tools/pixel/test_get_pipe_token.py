"""A token of two minutes that reads one pipe of one workspace, and what no caller can make of it."""

import datetime as dt
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import AGENT, KEY, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Scope, Via
from tools.errors import Unavailable
from tools.pipes import PIPE_ALLOWLIST

PUBLISHED = """
    p_realtime_visitors, p_top_pages, p_referrers, p_geo, p_devices, p_tech, p_languages, p_traffic_sources, p_funnel,
    p_funnel_v2, p_goal_conversions, p_attributed_revenue, p_retention_cohort, p_sessions_list, p_visitor_profile,
    p_visitor_timeline, p_llm_traffic, p_events_catalog, p_pixel_healthcheck, p_metric_series
"""
"""As the document lists them."""


async def test_a_strangers_website_is_not_found_and_nothing_is_minted(world: World) -> None:
    await add_site(world, THEIRS, "wsp_south")
    await add_site(world, "admx_gone", deleted_at=1)

    for website in (THEIRS, "admx_gone", "nonsense"):
        error = await world.refusal(VIEWER, "get_pipe_token", pipe="p_top_pages", websiteId=website)
        assert (error.code, error.status) == ("not_found", 404)
    assert world.pipes.minted == []


async def test_without_a_website_it_is_the_workspaces_own_and_no_others(world: World) -> None:
    await world.call(STRANGER, "get_pipe_token", pipe="p_top_pages")
    await world.call(VIEWER, "get_pipe_token", pipe="p_top_pages")

    assert [each["fixed"] for each in world.pipes.minted] == [
        {"workspace_id": "wsp_south"},
        {"workspace_id": "wsp_north"},
    ]
    assert len({each["name"] for each in world.pipes.minted}) == 2  # each counted for itself


@promise("pixel.metrics.scope")
async def test_minting_takes_its_scope(world: World) -> None:
    reader = principal(via=Via.KEY, scopes=frozenset(Scope) - {Scope.PIXEL_READ})

    error = await world.refusal(reader, "get_pipe_token", pipe="p_top_pages")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "pixel:read")


@promise("pixel.metrics.mint", "pixel.metrics.website-fixed")
async def test_it_lasts_120_seconds_and_holds_workspace_and_website_fixed(world: World) -> None:
    await add_site(world)

    answer = await world.call(KEY, "get_pipe_token", pipe="p_top_pages", websiteId=SITE)

    assert answer == {
        "token": "token-1", "pipe": "p_top_pages", "url": "https://analytics.test/v0/pipes/p_top_pages.json",
        "expires_at": "2026-11-20T12:02:00Z",
    }  # fmt: skip
    (minted,) = world.pipes.minted
    assert minted["fixed"] == {"workspace_id": "wsp_north", "website_id": SITE}
    assert minted["expires_at"] - world.clock() == dt.timedelta(seconds=120)


@promise("pixel.metrics.range")
async def test_days_are_checked_and_become_part_of_the_url(world: World) -> None:
    answer = await world.call(KEY, "get_pipe_token", pipe="p_top_pages", since="2026-04-01", until="2026-04-17")
    half = await world.call(KEY, "get_pipe_token", pipe="p_top_pages", since="2026-04-01")

    assert answer["url"].endswith("/p_top_pages.json?from=2026-04-01&to=2026-04-17")
    assert half["url"].endswith("/p_top_pages.json?from=2026-04-01")


@promise("pixel.metrics.pipes")
async def test_all_that_are_published_are_allowed_and_ours_beside_them(world: World) -> None:
    published = [name.strip() for name in PUBLISHED.split(",")]
    assert len(published) == 20
    assert set(published) < set(PIPE_ALLOWLIST)

    for pipe in PIPE_ALLOWLIST:
        assert (await world.call(AGENT, "get_pipe_token", pipe=pipe))["pipe"] == pipe


@promise("pixel.metrics.pipes")
@pytest.mark.parametrize(
    "pipe", ["p_internal", "pageviews", "P_TOP_PAGES", "../sql", "p_top_pages.json?x=1", "x" * 5000]
)
async def test_another_pipe_is_refused_with_those_there_are(world: World, pipe: str) -> None:
    error = await world.refusal(OWNER, "get_pipe_token", pipe=pipe)

    assert (error.code, error.status) == ("invalid_pipe", 400)
    assert error.details["allowed"] == list(PIPE_ALLOWLIST)
    assert world.pipes.minted == []


@pytest.mark.parametrize(
    "sent",
    [
        {"since": "2026-04-17", "until": "2026-04-01"}, {"since": "2026-02-30"}, {"until": "tomorrow"},
        {"since": "1926-01-01", "until": "2026-01-01"}, {"workspace_id": "wsp_south"}, {"websiteId": ""},
        {"since": "2026-04-01' OR 1=1"},
    ],
)  # fmt: skip
async def test_what_is_no_day_and_what_is_not_theirs_to_choose_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(OWNER, "get_pipe_token", pipe="p_top_pages", **sent)).code == "invalid_arguments"


async def test_where_there_is_no_store_that_is_the_answer(world: World) -> None:
    world.pipes.failure = Unavailable("There is no analytics store here.", fix="Install it.")

    assert (await world.refusal(OWNER, "get_pipe_token", pipe="p_top_pages")).status == 503


async def test_the_log_tells_what_was_asked_for_and_never_the_token(world: World) -> None:
    await world.call(OWNER, "get_pipe_token", pipe="p_top_pages")

    (row,) = [row for row in await world.audit_rows() if row["action"] == "get_pipe_token"]
    assert row["payload"] == '{"pipe":"p_top_pages"}'
