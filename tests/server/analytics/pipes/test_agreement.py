"""Every pipe agrees with pandas about the same raw events, whatever the zone, the range and the filters."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.server.analytics.pipes import expected_behaviour as behaviour
from tests.server.analytics.pipes import expected_people as people
from tests.server.analytics.pipes import expected_traffic as traffic
from tests.server.analytics.pipes.asked import Asked
from tests.server.analytics.pipes.conftest import Answer, Ask

Values = Mapping[str, str]
SHOP = {"workspace_id": "ws_a", "website_id": "shop"}
UNPAID = {"workspace_id": "ws_b", "website_id": "forum"}
ALL = {"from": "2026-01-05", "to": "2026-03-31"}
AT = {"at": "2026-03-14 12:00:00"}
# One of each: a website's month, a whole workspace by a half-hour zone, another's over a change of the clocks.
RANGES: tuple[Values, ...] = (
    {**SHOP, "from": "2026-02-01", "to": "2026-02-28"},
    {"workspace_id": "ws_a", **ALL, "tz": "Asia/Kolkata", "currency": "eur"},
    {"workspace_id": "ws_b", "website_id": "shop", "to": "2026-03-15", "tz": "America/New_York"},
)
FILTERS: tuple[Values, ...] = ({"workspace_id": "ws_a", **ALL, "path": "/", "event": "signup", "channel": "direct"},)
EACH_FILTER: tuple[Values, ...] = (
    {"path": "/a%20b", "device": "desktop"},
    {"utm_campaign": "märz'26", "utm_source": "newsletter", "browser": "Chrome"},
    {"os": "iOS", "referrer_host": "chatgpt.com"},
    {"event": 'a "näme"', "country": "DE"},
)
STEPS = '[{"type":"path","value":"/"},{"type":"path","op":"contains","value":"n"},{"type":"goal","value":"signup"}]'
BOUGHT = (
    '[{"type":"path","op":"starts_with","value":"/"},{"type":"goal","op":"ends_with","value":"\\"","label":"nämed"},'
    '{"type":"payment"}]'
)
Expected = Callable[[Asked], list[dict[str, Any]]]
# The pipe, what pandas says, whether filters mean something to it, and further parameters to ask it with.
PIPES: tuple[tuple[str, Expected, bool, tuple[Values, ...]], ...] = (
    ("p_top_pages", traffic.top_pages, True, ()),
    ("p_entry_exit", traffic.entry_exit, True, ()),
    ("p_content", traffic.content, True, ()),
    ("p_referrers", traffic.referrers, True, ()),
    ("p_geo", traffic.geo, True, ({"level": "region"}, {"level": "city"})),
    ("p_devices", traffic.devices, True, ({"dim": "screen"}, {"dim": "os"})),
    ("p_tech", traffic.tech, True, ({"dim": "device"},)),
    ("p_languages", traffic.languages, True, EACH_FILTER),
    ("p_traffic_sources", traffic.traffic_sources, True, ({"by": "source"}, {"by": "campaign"})),
    ("p_llm_traffic", traffic.llm_traffic, True, ()),
    ("p_campaigns", traffic.campaigns, True, ()),
    ("p_realtime_visitors", people.realtime_visitors, False, ({"minutes": "30"},)),
    (
        "p_goal_conversions",
        people.goal_conversions,
        True,
        ({"goal": 'a "näme"'}, {"currency": "usd"}, UNPAID, {**UNPAID, "currency": "JPY"}),
    ),
    ("p_retention_cohort", behaviour.retention_cohort, True, ({"period": "day", "n": "20"}, {"period": "month"})),
    ("p_sessions_list", people.sessions_list, True, ({"visitor_id": "v017"},)),
    ("p_events_catalog", people.events_catalog, False, ()),
    ("p_pixel_healthcheck", people.pixel_healthcheck, False, ()),
    ("p_visitors_summary", people.visitors_summary, True, ({"compare": "0"}, *EACH_FILTER)),
    ("p_new_vs_returning", people.new_vs_returning, True, ()),
    ("p_funnel", behaviour.funnel, True, ({"window_s": "60"}, {"steps": "/,/,/pricing"})),
    (
        "p_funnel_v2",
        behaviour.funnel_v2,
        True,
        ({"breakdown": "country"}, {"mode": "within_session"}, {"steps": BOUGHT, "window_s": "3000"}),
    ),
)
# One row or a known few; a limit means nothing to them.
FEW = {"p_realtime_visitors", "p_visitor_profile", "p_visitors_summary", "p_new_vs_returning", "p_funnel"}
# Another column of the same sessions as p_devices and p_traffic_sources choose: one range of the three tells as much.
ALIKE = {"p_tech", "p_languages", "p_geo", "p_referrers", "p_llm_traffic"}
NEEDED: dict[str, Values] = {"p_funnel": {"steps": "/,/pricing,/signup"}, "p_funnel_v2": {"steps": STEPS}}


@pytest.mark.parametrize(("pipe", "expected", "filters", "further"), PIPES, ids=[pipe for pipe, *_ in PIPES])
async def test_a_pipe_agrees_with_pandas(
    answer: Answer,
    asked: Ask,
    pipe: str,
    expected: Expected,
    filters: bool,
    further: tuple[Values, ...],
) -> None:
    base = {**AT, **NEEDED.get(pipe, {}), **({} if pipe in FEW else {"limit": "1000"})}
    ranges = RANGES[1:2] if pipe in ALIKE else RANGES
    questions = [{**base, **values} for values in (*ranges, *(FILTERS if filters else ()))]
    questions += [{**base, **SHOP, **ALL, **values} for values in further]

    answers = await asyncio.gather(*(answer(pipe, values) for values in questions))

    for values, rows in zip(questions, answers, strict=True):
        assert rows == expected(asked(values))[:1000], values
    assert any(answers)


@pytest.mark.parametrize("visitor", ["v003", "v017", "v031"])
async def test_a_visitors_profile_and_timeline_agree_with_pandas(answer: Answer, asked: Ask, visitor: str) -> None:
    questions: list[Values] = [
        {**SHOP, "visitor_id": visitor, "to": "2026-12-31"},
        {"workspace_id": "ws_a", "visitor_id": visitor, "from": "2026-02-01", "to": "2026-03-01", "tz": "Asia/Tokyo"},
        {"workspace_id": "ws_b", "website_id": "shop", "visitor_id": visitor, "to": "2026-12-31", "currency": "JPY"},
    ]

    profiles = await asyncio.gather(*(answer("p_visitor_profile", values) for values in questions))
    timelines = await asyncio.gather(
        *(answer("p_visitor_timeline", {**values, "limit": "1000"}) for values in questions)
    )

    for values, profile, timeline in zip(questions, profiles, timelines, strict=True):
        assert profile == people.visitor_profile(asked(values))
        assert timeline == people.visitor_timeline(asked(values))
