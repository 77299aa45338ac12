"""Every pipe agrees with pandas about the same raw events, whatever the zone, the range, the filters and the rollup."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.server.analytics.conftest import STATES
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
# A website's weeks around the copy, a whole workspace in another currency, another's over a day that begins at one.
RANGES: tuple[Values, ...] = (
    {**SHOP, "from": "2026-02-24", "to": "2026-03-22", "tz": "Asia/Kathmandu"},
    {"workspace_id": "ws_a", **ALL, "tz": "Asia/Kolkata", "currency": "eur"},
    {"workspace_id": "ws_b", "website_id": "shop", "to": "2026-03-15", "tz": "America/Havana"},
)
FILTERS: tuple[Values, ...] = ({"workspace_id": "ws_a", **ALL, "path": "/", "event": "signup", "browser": "Chrome"},)
EACH_FILTER: tuple[Values, ...] = (
    {"path": "/a%20b", "device": "desktop", "channel": "direct"},
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
# The pipe, what pandas says, whether filters mean something to it, and with what it is asked about each range; what is
# more than there are ranges is asked about all that the shop has.
PIPES: tuple[tuple[str, Expected, bool, tuple[Values, ...]], ...] = (
    ("p_top_pages", traffic.top_pages, True, ()),
    ("p_entry_exit", traffic.entry_exit, True, ()),
    ("p_content", traffic.content, True, ()),
    ("p_referrers", traffic.referrers, True, ()),
    ("p_geo", traffic.geo, True, ({"level": "region"}, {}, {"level": "city"})),
    ("p_devices", traffic.devices, True, ({"dim": "screen"}, {}, {"dim": "os"})),
    ("p_tech", traffic.tech, True, ({"dim": "device"}, {})),
    ("p_languages", traffic.languages, True, ({}, {}, {}, *EACH_FILTER)),
    ("p_traffic_sources", traffic.traffic_sources, True, ({"by": "source"}, {"by": "campaign"}, {})),
    ("p_llm_traffic", traffic.llm_traffic, True, ()),
    ("p_campaigns", traffic.campaigns, True, ()),
    ("p_realtime_visitors", people.realtime_visitors, False, ({"minutes": "30"}, {})),
    (
        "p_goal_conversions",
        people.goal_conversions,
        True,
        ({"currency": "usd"}, {}, {"goal": 'a "näme"'}, UNPAID, {**UNPAID, "currency": "JPY"}),
    ),
    ("p_retention_cohort", behaviour.retention_cohort, True, ({"period": "day", "n": "20"}, {"period": "month"}, {})),
    ("p_sessions_list", people.sessions_list, True, ({}, {"visitor_id": "v017"}, {})),
    ("p_events_catalog", people.events_catalog, False, ()),
    ("p_pixel_healthcheck", people.pixel_healthcheck, False, ()),
    ("p_visitors_summary", people.visitors_summary, True, ({}, {"compare": "0"}, {}, *EACH_FILTER)),
    ("p_new_vs_returning", people.new_vs_returning, True, ()),
    ("p_funnel", behaviour.funnel, True, ({"steps": "/,/,/pricing"}, {"window_s": "60"}, {})),
    (
        "p_funnel_v2",
        behaviour.funnel_v2,
        True,
        ({"mode": "within_session"}, {"steps": BOUGHT, "window_s": "3000"}, {"breakdown": "country"}),
    ),
)
# One row or a known few; a limit means nothing to them.
FEW = {"p_realtime_visitors", "p_visitor_profile", "p_visitors_summary", "p_new_vs_returning", "p_funnel"}
# Another column of the same sessions as p_devices and p_traffic_sources choose: one range tells as much.
ALIKE = {"p_referrers", "p_tech", "p_languages", "p_llm_traffic"}
NEEDED: dict[str, Values] = {"p_funnel": {"steps": "/,/pricing,/signup"}, "p_funnel_v2": {"steps": STEPS}}


@pytest.mark.parametrize(("pipe", "expected", "filters", "ways"), PIPES, ids=[pipe for pipe, *_ in PIPES])
async def test_a_pipe_agrees_with_pandas(
    answer: Answer, asked: Ask, pipe: str, expected: Expected, filters: bool, ways: tuple[Values, ...]
) -> None:
    base = {**AT, **NEEDED.get(pipe, {}), **({} if pipe in FEW else {"limit": "1000"})}
    nothing: tuple[Values, ...] = ({},) * len(RANGES)
    about = [{**base, **values, **way} for values, way in zip(RANGES, (*ways, *nothing), strict=False)]
    questions = [about[1]] if pipe in ALIKE else about
    questions += [{**base, **values} for values in (FILTERS if filters else ())]
    questions += [{**base, **SHOP, **ALL, **way} for way in ways[len(RANGES) :]]
    turn = [each for each, *_ in PIPES].index(pipe)
    states = [STATES[(turn + number) % len(STATES)] for number in range(len(questions))]

    answers = await asyncio.gather(
        *(answer(pipe, values, state) for values, state in zip(questions, states, strict=True))
    )

    for values, state, rows in zip(questions, states, answers, strict=True):
        assert rows == expected(asked(values))[:1000], (values, state)
        assert rows, values


@pytest.mark.parametrize("visitor", ["v003", "v017", "v031"])
async def test_a_visitors_profile_and_timeline_agree_with_pandas(answer: Answer, asked: Ask, visitor: str) -> None:
    further = {"v003": {"currency": "JPY"}, "v017": {"from": "2026-02-01"}, "v031": {"website_id": "shop"}}[visitor]
    values = {"workspace_id": "ws_a", "visitor_id": visitor, "to": "2026-03-01", "tz": "Asia/Kathmandu", **further}

    profile, timeline = await asyncio.gather(
        answer("p_visitor_profile", values), answer("p_visitor_timeline", {**values, "limit": "1000"})
    )

    assert profile == people.visitor_profile(asked(values))
    assert timeline == people.visitor_timeline(asked(values))
    assert timeline
