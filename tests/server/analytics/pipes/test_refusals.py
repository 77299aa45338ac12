"""What pipes refuse, what they keep to themselves, and that text stays text."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import pytest

from server.analytics.deployment import Appended, Deployed
from server.analytics.engine import Format, QueryRefused
from server.analytics.template.errors import TemplateError, TemplateRefusal
from tests.server.analytics.pipes.conftest import Answer
from tests.server.analytics.pipes.test_agreement import ALL, NEEDED, PIPES, SHOP

Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
EVERY = [*(pipe for pipe, *_ in PIPES), "p_visitor_profile", "p_visitor_timeline"]
OF_A_RANGE = sorted({*EVERY} - {"p_realtime_visitors", "p_events_catalog", "p_pixel_healthcheck", "p_visitor_profile"})
PAGED = sorted(
    {*EVERY} - {"p_realtime_visitors", "p_visitor_profile", "p_visitors_summary", "p_new_vs_returning", "p_funnel"}
)
HOSTILE = (
    *(
        "'",
        "\\",
        "\\'",
        "' OR 1=1 --",
        "'; DROP TABLE pageviews; --",
        "%",
        "\\%",
        "{{workspace_id}}",
        "{% raw %}",
        '`"`',
    ),
    *("\x00\t\n", "😀\u202eevil", "<script>alert(1)</script>", "ws_c", ") UNION ALL SELECT * FROM system.one --"),
)


def needed(pipe: str) -> dict[str, str]:
    return {**NEEDED.get(pipe, {}), **({"visitor_id": "v001"} if "visitor_p" in pipe or "timeline" in pipe else {})}


@pytest.mark.parametrize("pipe", EVERY)
async def test_no_pipe_answers_without_a_workspace(site: Deployed, pipe: str) -> None:
    with pytest.raises(TemplateError, match="workspace_id"):
        await site.query(pipe, {"website_id": "shop", **ALL, **needed(pipe)}, output=Format.JSON)


@pytest.mark.parametrize("pipe", OF_A_RANGE)
async def test_a_range_that_ends_before_it_begins_is_refused(site: Deployed, pipe: str) -> None:
    backwards = {**SHOP, "from": "2026-03-02", "to": "2026-03-01", **needed(pipe)}
    with pytest.raises(TemplateRefusal, match="from is after to"):
        await site.query(pipe, backwards, output=Format.JSON)


@pytest.mark.parametrize("pipe", ["p_top_pages", "p_devices", "p_visitors_summary", "p_retention_cohort"])
async def test_days_that_no_table_holds_are_refused(site: Deployed, pipe: str) -> None:
    for days in ({"from": "1969-12-31", "to": "2026-01-01"}, {"from": "2026-01-01", "to": "2106-01-01"}):
        with pytest.raises(TemplateRefusal, match="between 1970-01-01 and 2105-12-31"):
            await site.query(pipe, {**SHOP, **days}, output=Format.JSON)


@pytest.mark.parametrize("pipe", PAGED)
async def test_more_than_a_thousand_rows_are_refused(site: Deployed, pipe: str) -> None:
    with pytest.raises(TemplateRefusal, match="limit is at most 1000"):
        await site.query(pipe, {**SHOP, **ALL, **needed(pipe), "limit": "1001"}, output=Format.JSON)
    with pytest.raises(TemplateError):
        await site.query(pipe, {**SHOP, **ALL, **needed(pipe), "limit": "-1"}, output=Format.JSON)


@pytest.mark.parametrize(
    ("pipe", "values"),
    [
        ("p_geo", {"level": "street"}),
        ("p_devices", {"dim": "visitor_id"}),
        ("p_traffic_sources", {"by": "1; --"}),
        ("p_retention_cohort", {"period": "year"}),
        ("p_retention_cohort", {"n": "367"}),
        ("p_realtime_visitors", {"minutes": "31"}),
        ("p_realtime_visitors", {"minutes": "0"}),
        ("p_funnel", {"steps": "/"}),
        ("p_funnel", {"steps": ",".join("abcdefghijk")}),
        ("p_funnel", {"steps": "/,/pricing", "window_s": "0"}),
        ("p_funnel_v2", {"steps": "[]"}),
        ("p_funnel_v2", {"steps": '[{"type":"sql","value":"1"},{"type":"payment"}]'}),
        ("p_funnel_v2", {"steps": '[{"type":"path","op":"regex","value":"1"},{"type":"payment"}]'}),
        ("p_funnel_v2", {"mode": "any"}),
        ("p_funnel_v2", {"breakdown": "visitor_id"}),
    ],
)
async def test_what_a_pipe_does_not_know_is_refused_by_name(site: Deployed, pipe: str, values: dict[str, str]) -> None:
    with pytest.raises(TemplateRefusal, match=f"{list(values)[-1]}|a step has"):
        await site.query(pipe, {**SHOP, **ALL, **needed(pipe), **values}, output=Format.JSON)


@pytest.mark.parametrize(
    "steps", ["[1,2]", '{"type":"path"}', '["path","goal"]', "[", "null", "", "5", '"ab"', "[null,null]", "nonsense"]
)
async def test_steps_that_are_none_are_refused_by_name(site: Deployed, steps: str) -> None:
    with pytest.raises(TemplateRefusal, match="steps is a JSON list"):
        await site.query("p_funnel_v2", {**SHOP, **ALL, "steps": steps}, output=Format.JSON)


async def test_a_zone_that_does_not_exist_is_refused(site: Deployed) -> None:
    with pytest.raises(QueryRefused, match="time zone"):
        await site.query("p_top_pages", {**SHOP, **ALL, "tz": "Mars/Olympus'"}, output=Format.JSON)


@pytest.mark.parametrize("pipe", ["p_top_pages", "p_visitors_summary", "p_retention_cohort"])
async def test_a_hundred_years_are_as_good_as_all_there_is(answer: Answer, pipe: str) -> None:
    everything = {**SHOP, "period": "month", "n": "3"}

    century = await answer(pipe, {**everything, "from": "1980-01-01", "to": "2080-01-01"})

    decade = await answer(pipe, {**everything, "from": "2020-01-01", "to": "2029-12-31"})
    assert century
    assert century == decade


async def test_rows_are_paged_in_one_order(answer: Answer) -> None:
    whole = await answer("p_sessions_list", {**SHOP, **ALL, "limit": "60"})

    pages = [await answer("p_sessions_list", {**SHOP, **ALL, "limit": "20", "offset": f"{n}"}) for n in (0, 20, 40)]

    assert len(whole) == 60
    assert [row for page in pages for row in page] == whole


async def test_sessions_that_begin_in_one_moment_are_paged_in_one_order(
    deployed: Deployed, append: Append, rows: Any
) -> None:
    shop, visitors = {"workspace_id": "tied", "website_id": "shop"}, [f"v{number:02}" for number in range(40)]
    begun = {**shop, "session_id": "s", "ts": "2026-03-01 12:00:00.000", "path": "/"}
    await append(deployed, "pageviews", [{**begun, "event_id": who, "visitor_id": who} for who in visitors])

    asked = {**shop, "from": "2026-03-01", "to": "2026-03-01", "limit": "1"}
    pages = [await rows(deployed, "p_sessions_list", **asked, offset=str(number)) for number in range(0, 40, 8)]

    assert [row["visitor_id"] for page in pages for row in page] == visitors[::8]


@pytest.mark.parametrize("parameter", ["workspace_id", "website_id", "event"])
async def test_hostile_text_in_a_parameter_is_only_text(answer: Answer, parameter: str) -> None:
    assert not await answer("p_languages", {**SHOP, **ALL, parameter: "".join(HOSTILE)})
    assert not await answer("p_languages", {**SHOP, **ALL, parameter: "ws_c' OR '1'='1"})


async def test_hostile_text_in_an_event_is_found_again_as_it_is(deployed: Deployed, append: Append, rows: Any) -> None:
    where = {"workspace_id": "w", "website_id": "s", "ts": "2026-03-01 12:00:00.000"}
    every = "".join(reversed(HOSTILE))
    views = [
        {**where, "event_id": f"e{n}", "visitor_id": text, "session_id": text, "path": text, "utm_campaign": text}
        for n, text in enumerate((*HOSTILE, every))
    ]
    await append(deployed, "pageviews", views)
    await append(deployed, "custom_goals", [{**view, "name": view["path"]} for view in views])
    asked = {"workspace_id": "w", "website_id": "s", "from": "2026-03-01", "to": "2026-03-01"}

    pages = await rows(deployed, "p_top_pages", **asked)
    assert sorted(page["path"] for page in pages) == sorted((*HOSTILE, every))
    chosen = await rows(deployed, "p_languages", **asked, path=every)
    assert [row["sessions"] for row in chosen] == [1]
    timeline = await rows(deployed, "p_visitor_timeline", **asked, visitor_id=every)
    assert {event["label"] for event in timeline} == {every}
    sessions = await rows(deployed, "p_sessions_list", **asked, utm_campaign=every, event=every)
    assert [session["visitor_id"] for session in sessions] == [every]
    reached = await rows(deployed, "p_funnel", **asked, steps=f"{every},/never")
    assert [(row["label"], row["visitors"]) for row in reached] == [(every, 1), ("/never", 0)]


@pytest.mark.parametrize("pipe", EVERY)
async def test_a_stranger_sees_nothing(answer: Answer, pipe: str) -> None:
    asked = {"workspace_id": "ws_c", **ALL, **needed(pipe), "at": "2026-03-14 12:00:00"}

    rows = await answer(pipe, asked)

    figures = [x for row in rows for name, x in row.items() if name not in {"step", "t"} and isinstance(x, int | float)]
    assert not any(figures), rows


async def test_every_pipe_says_what_it_is_and_what_it_takes(site: Deployed) -> None:
    pipes = {pipe.name: pipe for pipe in site.pipes()}

    for name in EVERY:
        assert pipes[name].description.endswith(".")
        parameters = {parameter.name: parameter for parameter in pipes[name].parameters}
        assert parameters["workspace_id"].required
        assert [p.name for p in parameters.values() if not p.description] == [], name
        assert {"website_id"} <= parameters.keys()
        assert ({"from", "to", "tz"} <= parameters.keys()) == (name in OF_A_RANGE)
