"""Sums of days that are kept ready tell what pandas and the pipes tell, whatever was written before or since."""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Format, Limits
from tests.server.analytics.conftest import STATES, Append
from tests.server.analytics.pipes.asked import Asked, reference
from tests.server.analytics.pipes.expected_people import visitors_summary
from tests.server.analytics.pipes.history import History, Row
from tests.server.analytics.pipes_revenue import expected_series as series

Values = Mapping[str, str]
NODES = {
    "p_visitors_summary": "summary",
    "p_metric_series": "series",
    "p_channel_series": "series",
    "p_revenue_series": "series",
}
METRICS = (
    *("visitors", "sessions", "pageviews", "bounce_rate", "avg_seconds"),
    *("goals", "revenue", "payments", "customers", "aov"),
)
EXPECTED: Mapping[str, Callable[[Asked], list[Row]]] = {
    "p_visitors_summary": visitors_summary,
    "p_metric_series": series.metric_series,
    "p_channel_series": series.channel_series,
    "p_revenue_series": series.revenue_series,
}
# A website in a zone, in each state of the rollup.
PLACES: tuple[tuple[str, Values], ...] = (
    (STATES[0], {"workspace_id": "ws_a", "website_id": "shop", "tz": "Asia/Kathmandu"}),
    (STATES[1], {"workspace_id": "ws_b", "website_id": "forum", "tz": "Pacific/Chatham"}),
    (STATES[2], {"workspace_id": "ws_a", "website_id": "shop", "tz": "America/Havana"}),
)
# The weeks around the copy, all, the last month, single days, days over a change of the clocks, silent ones, the first
# ones (before which there is nothing), and those before and after everything.
RANGES: tuple[Values, ...] = (
    {"from": "2026-02-24", "to": "2026-03-22"},
    {"from": "2026-01-01", "to": "2026-04-30"},
    {"to": "2026-03-15"},
    {"from": "2026-03-14", "to": "2026-03-14"},
    {"from": "2026-03-15", "to": "2026-03-15", "compare": "0"},
    {"from": "2026-03-07", "to": "2026-03-09"},
    {"from": "2026-02-10", "to": "2026-02-13"},
    {"from": "2026-01-05", "to": "2026-01-10"},
    {"from": "2025-11-01", "to": "2025-12-31"},
    {"from": "2026-05-01", "to": "2026-06-30"},
)
ONE_THREAD = Limits(max_threads=1)  # of so few rows the answer is as soon there
DAYS = [str(dt.date(2026, 3, day)) for day in range(6, 12)]  # on the 8th Havana's day begins at one


async def _made_ready(deployed: Deployed, *places: Values) -> None:
    for place in places * 2:
        deployed._ready.twin("p_visitors_summary", {**place, "from": DAYS[0], "to": DAYS[0]}, Format.JSON)
    await deployed.make_ready()


async def _twin(deployed: Deployed, pipe: str, values: Values) -> Any:
    assert deployed._ready.twin(pipe, values, Format.JSON) is not None, (pipe, values)
    return orjson.loads(await deployed.query(pipe, values, output=Format.JSON, limits=ONE_THREAD))


async def _agrees(deployed: Deployed, pipe: str, values: Values) -> None:
    """A node that is asked for is answered by the pipe itself."""
    of_itself = deployed.query(pipe, values, output=Format.JSON, limits=ONE_THREAD, node=NODES[pipe])
    twin, own = await asyncio.gather(_twin(deployed, pipe, values), of_itself)
    told = orjson.loads(own)
    assert (twin["data"], twin["meta"]) == (told["data"], told["meta"]), (pipe, values)


def _ranges(days: list[str]) -> Iterator[Values]:
    """Every range of these days, alone or as the one before another."""
    for length in range(1, len(days) + 1):
        before = set()
        for first in range(len(days) - length, -1, -1):
            if first not in before:
                before.add(first - length)
                yield {"from": days[first], "to": days[first + length - 1]}


async def _all_agree(deployed: Deployed, place: Values, days: list[str], *, metrics: tuple[str, ...] = METRICS) -> None:
    whole = {**place, "from": days[0], "to": days[-1]}
    second = {**place, "from": days[len(days) // 2], "to": days[-1]}
    asked = [("p_visitors_summary", {**place, **values}) for values in _ranges(days)]
    asked += [("p_metric_series", {**second, "metric": metric}) for metric in metrics]
    asked += [("p_channel_series", whole), ("p_revenue_series", whole)]
    await asyncio.gather(*(_agrees(deployed, pipe, values) for pipe, values in asked))


@pytest.mark.parametrize("state", STATES)
async def test_what_is_ready_agrees_with_pandas(
    shops: Mapping[str, Deployed], project: Project, engine: ChdbEngine, told: History, state: str
) -> None:
    deployed = await Deployed.open(project, engine, database=shops[state].database)
    places = [place for its, place in PLACES if its == state]
    turn = STATES.index(state)
    await _made_ready(deployed, *places)
    asked = [
        (pipe, {**place, **values, "metric": METRICS[(number + turn) % len(METRICS)]})
        for place in places
        for number, values in enumerate(RANGES)
        for pipe in ("p_visitors_summary", [*NODES][1 + (number + turn) % 3])
    ]
    asked = [(p, v if p == "p_metric_series" else {k: x for k, x in v.items() if k != "metric"}) for p, v in asked]

    answers = await asyncio.gather(*(_twin(deployed, pipe, values) for pipe, values in asked))

    for (pipe, values), answer in zip(asked, answers, strict=True):
        assert answer["data"] == EXPECTED[pipe](reference(told)(values)), (pipe, values)


Event = tuple[str, Row]  # the datasource, and what it is told


def _at(day: int, clock: str) -> str:
    """A moment of one of the days, in UTC; later ones are received later."""
    return f"{DAYS[day]} {clock}.000" if len(clock) == 8 else f"{DAYS[day]} {clock}:00.000"


def _view(who: str, day: int, clock: str, channel: str = "direct", **told: Any) -> Event:
    visitor, _, session = who.partition("/")
    own = {"visitor_id": visitor, "session_id": session, "ts": _at(day, clock), "channel": channel}
    return "pageviews", {**own, "event_id": f"{who} {day} {clock} {channel}", **told}


def _goal(name: str, who: str, day: int, clock: str, **told: Any) -> Event:
    return "custom_goals", {**_view(who, day, clock)[1], "name": "signup", "event_id": name, **told}


def _sale(name: str, who: str, day: int, clock: str, amount: str = "5", currency: str = "USD", **told: Any) -> Event:
    paid = {"amount": amount, "currency": currency}
    return "visitor_payments", {**_view(who, day, clock)[1], "event_id": name, **paid, **told}


async def _told(append: Append, deployed: Deployed, site: Row, events: Iterable[Event], *, received: int = 0) -> None:
    """In the order in which they were received, if more than once."""
    for name, told in itertools.groupby(sorted(events, key=lambda event: event[0]), key=lambda event: event[0]):
        ingest = {"ingest_ts": f"2026-03-20 0{received}:00:00.000"}
        await append(deployed, name, [{**site, **ingest, **row} for _, row in told])


LONG_AFTER = "2162-04-14 18:28:16.000"  # the 8th, were it a DateTime
# Over midnights, over three days, with a day between; framing another; a bounce on each of two days.
SESSIONS = (
    *(_view("over midnight/1", 1, "23:50"), _view("over midnight/1", 2, "00:10", "ai")),
    *(_view("over another/1", 1, "04:50", "email"), _view("over another/1", 1, "05:10:00", "ai")),
    *(_view("three days/1", day, clock) for day in (1, 2, 3) for clock in ("03:30", "22:00")),
    *(
        _view("a day between/1", 0, "10:00", "ai"),
        _view("a day between/1", 2, "10:00"),
        _view("a day between/1", 2, "11:00"),
    ),
    *(_view("framing/1", 0, "12:00"), _view("framing/2", 1, "12:00", "email"), _view("framing/1", 2, "12:00", "ai")),
    *(_view("bounces/1", 3, "12:00"), _view("bounces/1", 4, "12:00"), _view("bounces/1", 5, "12:00")),
    *(_view("by day/1", 2, "12:00"), _view("by day/2", 2, "13:00"), _view("by day/3", 2, "14:00", "ai")),
    *(_view("at once/1", 4, "09:00", "email", event_id="b"), _view("at once/1", 4, "09:00", "ai", event_id="a")),
    _view("long after/1", 2, "12:00", ts=LONG_AFTER),
    *(_view("a bot/1", 2, "12:00", is_bot=1), _view("nameless/1", 4, "12:00", ""), _view("elsewhere/1", 5, "08:00")),
)
# On a later or earlier day than the views, of nobody seen; refunded; in another currency; of a bot.
OUTCOMES = (
    *(
        _goal("g1", "over midnight/1", 1, "23:59"),
        _goal("g2", "three days/1", 5, "12:00"),
        _goal("g3", "bounces/1", 2, "01:00"),
    ),
    *(
        _goal("g4", "framing/1", 1, "15:00"),
        _goal("g5", "nobody/1", 2, "15:00"),
        _goal("g6", "a bot/1", 2, "15:00", is_bot=1),
    ),
    *(
        _goal("g7", "by day/1", 2, "12:01"),
        _goal("g8", "by day/3", 2, "12:01"),
        _goal("g9", "a day between/1", 1, "12:00"),
    ),
    *(_sale("p1", "over another/1", 2, "03:00"), _sale("p2", "over another/1", 3, "12:00", "7.25")),
    *(_sale("p3", "framing/1", 2, "13:00", kind="subscription"), _sale("p4", "framing/1", 3, "13:00", kind="refund")),
    *(_sale("p5", "framing/1", 1, "13:00", kind=""), _sale("p6", "bounces/1", 4, "11:00", "3", "EUR")),
    *(_sale("p7", "nobody/1", 0, "11:00", "3", "EUR", kind="refund"), _sale("p8", "at once/1", 4, "08:00", "1.0001")),
    *(_sale("p9", "three days/1", 4, "11:00", customer_sha256="c" * 64), _sale("p10", "a bot/1", 2, "11:00", is_bot=1)),
    *(_goal("g10", "long after/1", 2, "12:00", ts=LONG_AFTER), _sale("p13", "long after/1", 2, "12:00", ts=LONG_AFTER)),
    *(_sale("p11", "by day/2", 4, "12:00", customer_sha256="c" * 64), _sale("p12", "nameless/1", 4, "12:00", "0")),
)


@pytest.mark.parametrize(("copied", "zone"), [(False, "UTC"), (True, "America/Havana")])
async def test_every_range_of_days_agrees_with_the_pipes(
    deployed: Deployed, append: Append, copied: bool, zone: str
) -> None:
    shop = {"workspace_id": "ws", "website_id": "shop"}
    await _told(append, deployed, shop, [event for event in SESSIONS if event[1]["ts"] < _at(2, "10:30")])
    if copied:
        await deployed.copy("copy_visits")
    await _told(append, deployed, shop, (*SESSIONS, *OUTCOMES), received=1)
    await _told(
        append, deployed, {**shop, "website_id": "blog"}, [_view("elsewhere/1", day, "08:00") for day in (0, 4)]
    )
    await _made_ready(deployed, {**shop, "tz": zone})

    await _all_agree(deployed, {**shop, "tz": zone}, DAYS)


# What came of the past since, told in turn: each changes what earlier days tell, or what those after it do.
SINCE: Mapping[str, tuple[Event, ...]] = {
    "a view of the last day": (_view("framing/1", 3, "20:00"),),
    "a late view of an earlier day": (_view("bounces/1", 1, "10:00", "email"), _view("nobody/1", 1, "10:00")),
    "a goal came again later": (_goal("g2", "three days/1", 3, "13:00"),),
    "a payment came again later": (_sale("p3", "framing/1", 3, "13:30"),),
    "others came again earlier": (_goal("g4", "framing/1", 1, "15:00"), _sale("p1", "three days/1", 1, "03:00")),
    "they turn out to be a bot's": (
        _view("over midnight/1", 2, "00:10", "ai", is_bot=1),
        _goal("g4", "framing/1", 1, "15:00", is_bot=1),
        _sale("p3", "framing/1", 3, "13:40", is_bot=1),
    ),
    "most is paid in another currency": tuple(_sale(f"e{n}", "framing/2", 3, "13:00", "2", "EUR") for n in range(4)),
}
EARLIER = (
    *(_view("over midnight/1", 1, "23:50"), _view("over midnight/1", 2, "00:10", "ai")),
    *(_view("three days/1", day, "10:00") for day in (0, 1, 2)),
    *(_view("framing/1", 0, "12:00"), _view("framing/2", 1, "12:00", "email"), _view("framing/1", 2, "12:00", "ai")),
    *(_view("bounces/1", 2, "12:00"), _view("bounces/1", 3, "12:00")),
    *(_goal("g2", "three days/1", 1, "13:00"), _goal("g4", "framing/1", 2, "15:00")),
    *(_sale("p1", "over midnight/1", 3, "03:00"), _sale("p3", "framing/1", 1, "13:00")),
)


async def test_what_was_written_since_is_in_the_days_made_anew(deployed: Deployed, append: Append) -> None:
    place = {"workspace_id": "ws", "website_id": "shop", "tz": "Asia/Kathmandu"}
    shop = {name: value for name, value in place.items() if name != "tz"}
    await _told(append, deployed, shop, EARLIER)
    await deployed.copy("copy_visits")
    await _made_ready(deployed, place)

    for number, events in enumerate(SINCE.values()):
        await _told(append, deployed, shop, events, received=1 + number)
        await deployed.make_ready()
        await _all_agree(deployed, place, DAYS[:4], metrics=METRICS[number : number + 1])


_CLOCKS = st.sampled_from(("00:00", "03:59", "05:00", "12:00", "18:20", "23:59"))
_WHO = st.sampled_from(("a/1", "a/1", "a/2", "b/1"))
_NAMES, _BOTS = st.sampled_from("xyz"), st.sampled_from((0, 0, 0, 1))
_ON = st.integers(0, 3)
_VIEWS = st.builds(_view, _WHO, _ON, _CLOCKS, st.sampled_from(("direct", "ai", "")), is_bot=_BOTS, event_id=_NAMES)
_GOALS = st.builds(_goal, _NAMES, _WHO, _ON, _CLOCKS, is_bot=_BOTS)
_KINDS = st.sampled_from(("payment", "subscription", "refund"))
_CURRENCIES = st.sampled_from(("USD", "USD", "EUR"))
_SALES = st.builds(_sale, _NAMES, _WHO, _ON, _CLOCKS, st.just("2"), _CURRENCIES, kind=_KINDS, is_bot=_BOTS)
_BATCHES = st.lists(
    st.tuples(st.lists(st.one_of(_VIEWS, _VIEWS, _VIEWS, _GOALS, _SALES), min_size=1, max_size=8), st.booleans()),
    min_size=2,
    max_size=3,
)


@pytest.fixture(scope="module")
def workspaces() -> Iterator[str]:
    return (f"ws{number}" for number in itertools.count())


@settings(max_examples=3)
@given(batches=_BATCHES, zone=st.sampled_from(("Asia/Kathmandu", "America/Havana")))
def test_whatever_is_written_in_turn_agrees_with_the_pipes(
    project: Project, engine: ChdbEngine, workspaces: Iterator[str], batches: list[tuple[list[Event], bool]], zone: str
) -> None:
    """Each example in a workspace of its own."""
    shop = {"workspace_id": next(workspaces), "website_id": "shop"}

    async def agree() -> None:
        deployed = await Deployed.open(project, engine, database="ready_in_turn")
        await _made_ready(deployed, {**shop, "tz": zone})
        for number, (events, copied) in enumerate(batches):
            for name in {name for name, _ in events}:
                rows = [
                    {**shop, "ingest_ts": f"2026-03-20 0{number}:00:00.000", **row} for of, row in events if of == name
                ]
                await deployed.append(name, b"\n".join(map(orjson.dumps, rows)))
            if copied:
                await deployed.copy("copy_visits")
            await deployed.make_ready()
        await _all_agree(deployed, {**shop, "tz": zone}, DAYS[:4], metrics=("bounce_rate", "customers"))

    asyncio.run(agree())
