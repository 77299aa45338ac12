"""Figures with what has to be known of them; what a pipe does not know is told, and nobody chooses the workspace."""

from typing import Any

import pytest

from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import AGENT, KEY, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Scope, Via
from tools.errors import InvalidArguments, PlatformFailure, RateLimited, Unavailable
from tools.pipes import PIPE_ALLOWLIST

PAGES = [{"path": f"/{n}", "visitors": 100 - n, "pageviews": 200 - n, "bounce_rate": 0.5} for n in range(7)]
REVENUE = [
    {"channel": "ai", "payments": 2, "revenue": 198.0, "share": 0.9, "currency": "USD", "other_currency_payments": 3},
    {
        "channel": "direct",
        "payments": 1,
        "revenue": 22.0,
        "share": 0.1,
        "currency": "USD",
        "other_currency_payments": 0,
    },
]


async def query(world: World, pipe: str = "p_top_pages", **sent: Any) -> dict[str, Any]:
    return await world.call(AGENT, "query_metrics", pipe=pipe, **sent)


async def refused(world: World, pipe: str = "p_top_pages", **sent: Any) -> dict[str, str]:
    error = await world.refusal(AGENT, "query_metrics", pipe=pipe, **sent)
    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert world.pipes.asked == []
    return {each["field"]: each["problem"] for each in error.details["problems"]}


async def test_a_strangers_website_is_not_found(world: World) -> None:
    await add_site(world, THEIRS, "wsp_south")

    error = await world.refusal(VIEWER, "query_metrics", pipe="p_top_pages", websiteId=THEIRS)

    assert (error.code, error.status, world.pipes.asked) == ("not_found", 404, [])


async def test_every_query_is_about_the_callers_workspace(world: World) -> None:
    await world.call(STRANGER, "query_metrics", pipe="p_top_pages")
    await query(world)

    assert [asked["workspace_id"] for _, asked in world.pipes.asked] == ["wsp_south", "wsp_north"]
    assert await refused_field(world, workspace_id="wsp_south") == "workspace_id"


async def refused_field(world: World, **sent: Any) -> str:
    error = await world.refusal(AGENT, "query_metrics", pipe="p_top_pages", **sent)
    return str(error.details["problems"][0]["field"])


async def test_reading_takes_its_scope(world: World) -> None:
    reader = principal(via=Via.KEY, scopes=frozenset(Scope) - {Scope.ANALYTICS_READ})

    error = await world.refusal(reader, "query_metrics", pipe="p_top_pages")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "analytics:read")


async def test_rows_come_with_their_columns_days_and_what_to_know(world: World) -> None:
    await add_site(world, time_zone="America/New_York")
    world.pipes.rows["p_top_pages"] = PAGES

    answer = await query(world, since="2026-11-01", until="2026-11-10", path="/pricing")

    assert answer["rows"] == PAGES
    assert answer["columns"][0] == {"name": "path", "type": "String"}
    assert (answer["pipe"], answer["websiteId"], answer["tz"]) == ("p_top_pages", SITE, "America/New_York")
    assert (answer["since"], answer["until"], answer["as_of"]) == ("2026-11-01", "2026-11-10", "2026-11-20T12:00:00Z")
    assert answer["elapsed"] == 0.004
    assert answer["caveats"] == ["Bots are left out.", "Days are those of America/New_York."]
    ((pipe, asked),) = world.pipes.asked
    assert (pipe, asked) == (
        "p_top_pages",
        {
            "workspace_id": "wsp_north", "website_id": SITE, "from": "2026-11-01", "to": "2026-11-10",
            "tz": "America/New_York", "path": "/pricing", "limit": "101", "offset": "0",
        },
    )  # fmt: skip


async def test_left_out_days_are_the_last_thirty_of_the_websites_zone(world: World) -> None:
    await add_site(world, time_zone="Pacific/Kiritimati")  # there it is tomorrow already

    answer = await query(world)

    assert (answer["since"], answer["until"]) == ("2026-10-23", "2026-11-21")
    assert "2026-11-21 is not over: its figures still grow." in answer["caveats"]


async def test_of_several_websites_all_are_counted_together_unless_one_is_named(world: World) -> None:
    await add_site(world)
    await add_site(world, "admx_2")

    together = await query(world)
    one = await query(world, websiteId=SITE)

    assert "websiteId" not in together
    assert "All websites of the workspace together." in together["caveats"]
    assert one["websiteId"] == SITE
    assert [asked.get("website_id") for _, asked in world.pipes.asked] == [None, SITE]


async def test_payments_that_were_not_added_up_are_told(world: World) -> None:
    world.pipes.rows["p_attributed_revenue"] = REVENUE

    answer = await query(world, "p_attributed_revenue", model="linear", by="source")

    assert any(
        caveat.startswith("Payments in other currencies, not in the revenue: 3;") for caveat in answer["caveats"]
    )
    ((_, asked),) = world.pipes.asked
    assert (asked["model"], asked["by"]) == ("linear", "source")


async def test_payments_that_rows_of_a_period_repeat_are_told_once(world: World) -> None:
    counts = (("2026-11-16", 3), ("2026-11-16", 3), ("2026-11-23", 1))
    world.pipes.rows["p_mmm_input"] = [{"t": t, "other_currency_payments": n} for t, n in counts]

    answer = await query(world, "p_mmm_input")

    assert any(
        caveat.startswith("Payments in other currencies, not in the revenue: 4;") for caveat in answer["caveats"]
    )


async def test_spend_that_was_not_added_up_is_told(world: World) -> None:
    world.pipes.rows["p_mer"] = [{"t": "2026-11-20", "spend": 5, "other_currency_spend_rows": rows} for rows in (2, 0)]

    answer = await query(world, "p_mer")

    told = "Days of campaigns paid in other currencies, not in the spend: 2; ask for them with currency."
    assert told in answer["caveats"]


@pytest.mark.parametrize(
    "sent", [{"until": "0001-01-05"}, {"since": "9999-12-31", "until": "9999-12-31"}, {"until": "9999-12-31"}]
)
async def test_days_out_of_all_time_are_refused(world: World, sent: dict[str, str]) -> None:
    with pytest.raises(InvalidArguments, match="is not between 1970-01-01 and 2105-12-31"):
        await query(world, **sent)
    assert world.pipes.asked == []


async def test_days_to_come_are_not_said_to_be_unfinished(world: World) -> None:
    answer = await query(world, since="2030-01-01", until="2030-01-02")

    assert not any("is not over" in caveat for caveat in answer["caveats"])


async def test_pages_of_a_few_rows_make_up_the_whole(world: World) -> None:
    world.pipes.rows["p_top_pages"] = PAGES
    rows: list[dict[str, Any]] = []
    page = await query(world, limit=3)
    while "next_cursor" in page:
        rows += page["rows"]
        page = await query(world, limit=3, cursor=page["next_cursor"])

    assert rows + page["rows"] == PAGES
    assert [(asked["limit"], asked["offset"]) for _, asked in world.pipes.asked] == [("4", "0"), ("4", "3"), ("4", "6")]


async def test_a_pipe_that_knows_no_pages_is_paged_all_the_same(world: World) -> None:
    series = [{"t": f"2026-11-{day:02}", "value": day} for day in range(1, 8)]
    world.pipes.rows["p_metric_series"] = series

    first = await query(world, "p_metric_series", metric="visitors", limit=5)
    second = await query(world, "p_metric_series", metric="visitors", limit=5, cursor=first["next_cursor"])

    assert first["rows"] + second["rows"] == series
    assert "next_cursor" not in second
    assert all("limit" not in asked for _, asked in world.pipes.asked)


async def test_a_cursor_of_another_query_is_refused(world: World) -> None:
    world.pipes.rows["p_top_pages"] = PAGES
    page = await query(world, limit=3)

    error = await world.refusal(AGENT, "query_metrics", pipe="p_top_pages", path="/x", cursor=page["next_cursor"])

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "cursor")


async def test_what_a_pipe_does_not_know_is_told_with_what_it_takes(world: World) -> None:
    problems = await refused(world, model="linear", steps="/a,/b")

    assert problems.keys() == {"model", "steps"}
    assert problems["model"] == (
        "is not for p_top_pages, which takes websiteId, since, until, tz, path, channel, currency"
    )


async def test_what_a_pipe_needs_and_what_it_offers_is_told(world: World) -> None:
    assert await refused(world, "p_funnel") == {"steps": "is required by p_funnel"}
    assert await refused(world, "p_attributed_revenue", model="magic") == {
        "model": "must be one of first_touch, last_touch, linear"
    }


@pytest.mark.parametrize("pipe", ["p_internal", "pageviews", "p_nothing; DROP TABLE x"])
async def test_another_pipe_is_refused_with_those_there_are(world: World, pipe: str) -> None:
    error = await world.refusal(AGENT, "query_metrics", pipe=pipe)

    assert (error.code, error.status, error.details["allowed"]) == ("invalid_pipe", 400, list(PIPE_ALLOWLIST))
    assert world.pipes.asked == []


async def test_a_pipe_that_was_not_deployed_is_told(world: World) -> None:
    world.pipes.described = ()

    error = await world.refusal(AGENT, "query_metrics", pipe="p_top_pages")

    assert error.code == "invalid_pipe"
    assert "push" in error.fix


@pytest.mark.parametrize(
    "sent",
    [
        {"since": "2026-11-10", "until": "2026-11-01"}, {"since": "1926-11-22", "until": "2026-11-20"},
        {"since": "1926-11-22"}, {"since": "yesterday"}, {"tz": "Mars/Olympus"}, {"tz": "../etc/passwd"},
        {"limit": 0}, {"limit": 501}, {"cursor": "nonsense"}, {"path": "x" * 501}, {"path": 7}, {"compare": "yes"},
    ],
)  # fmt: skip
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    error = await world.refusal(OWNER, "query_metrics", pipe="p_top_pages", **sent)

    assert (error.code, world.pipes.asked) == ("invalid_arguments", [])
    assert error.fix


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\\", "{{ 7*7 }}", "%20", "\u202e", "🦊"])
async def test_hostile_words_reach_the_store_as_they_are(world: World, text: str) -> None:
    await query(world, path=text)

    assert world.pipes.asked[0][1]["path"] == text


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Unavailable("The store does not answer.", fix="Try again.", retry_after=5), "unavailable"),
        (PlatformFailure("p_top_pages took too long.", fix="Ask for less.", platform="analytics"), "platform_error"),
        (RateLimited("Too many.", fix="Wait.", retry_after=1, source="upstream"), "rate_limited"),
        (InvalidArguments("p_top_pages refuses this.", fix="Look.", problems=[]), "invalid_arguments"),
    ],
)
async def test_a_failure_of_the_store_is_an_error_as_any_other(world: World, failure: Any, code: str) -> None:
    world.pipes.failure = failure

    error = await world.refusal(KEY, "query_metrics", pipe="p_top_pages")

    assert error.code == code
    assert error.fix
