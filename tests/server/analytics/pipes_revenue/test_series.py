"""Figures over time agree with pandas about the raw events, with no rollup, one, and more since."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.server.analytics.conftest import STATES
from tests.server.analytics.pipes.asked import Asked
from tests.server.analytics.pipes_revenue import expected_series as series
from tests.server.analytics.pipes_revenue.conftest import Answer, Books

Values = Mapping[str, str]
SHOP = {"workspace_id": "ws_a", "website_id": "shop"}
OF_VISITS = ("visitors", "sessions", "pageviews", "bounce_rate", "avg_seconds")
OF_MONEY = ("goals", "revenue", "payments", "customers", "aov")
# Days that clock changes make short or long, offsets of a half and a quarter of an hour, a whole workspace, silence.
RANGES: dict[str, Values] = {
    "across the copy": {**SHOP, "from": "2026-02-12", "to": "2026-03-12"},
    "Havana, where a day begins at one": {**SHOP, "from": "2026-03-01", "to": "2026-03-15", "tz": "America/Havana"},
    "before the copy, in Kathmandu": {**SHOP, "from": "2026-01-26", "to": "2026-02-18", "tz": "Asia/Kathmandu"},
    "a workspace in Kolkata": {"workspace_id": "ws_a", "from": "2026-01-20", "to": "2026-02-25", "tz": "Asia/Kolkata"},
    "another's, in euros": {
        **SHOP,
        "workspace_id": "ws_b",
        "from": "2026-02-01",
        "to": "2026-03-31",
        "tz": "Europe/Berlin",
        "currency": "eur",
    },
    "nothing": {**SHOP, "from": "2025-02-11", "to": "2025-02-12"},
}
INTERVALS = ("day", "week", "month")


HOURS = {**SHOP, "from": "2026-02-27", "to": "2026-03-02", "tz": "Asia/Kathmandu", "interval": "hour"}


def _asked(turn: int, **further: str) -> list[dict[str, str]]:
    """Half of the ranges, by the day, the week or the month, or one by the hour: in turns each meets each."""
    ranges = [
        {**values, "interval": INTERVALS[(number + turn) % 3], **further}
        for number, values in enumerate(RANGES.values())
        if (number + turn) % 2
    ]
    return ranges if turn % 3 else [*ranges, {**HOURS, **further}]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("metric", OF_VISITS)
async def test_figures_of_visits_agree_with_pandas(answer: Answer, books: Books, state: str, metric: str) -> None:
    asked = _asked(STATES.index(state) + OF_VISITS.index(metric), metric=metric)
    await _agree(answer, books, state, "p_metric_series", series.metric_series, asked)


@pytest.mark.parametrize("metric", OF_MONEY)
async def test_figures_of_goals_and_payments_agree_with_pandas(answer: Answer, books: Books, metric: str) -> None:
    asked = _asked(OF_MONEY.index(metric), metric=metric)
    await _agree(answer, books, STATES[2], "p_metric_series", series.metric_series, asked)


async def _agree(
    answer: Answer,
    books: Books,
    state: str,
    pipe: str,
    expected: Callable[[Asked], list[dict[str, Any]]],
    asked: list[dict[str, str]],
) -> None:
    answers = await asyncio.gather(*(answer(state, pipe, values) for values in asked))
    for values, rows in zip(asked, answers, strict=True):
        assert rows == expected(books(values)), values


async def test_filters_choose_sessions(answer: Answer, books: Books) -> None:
    chosen = ({"country": "DE", "device": "mobile"}, {"path": "/a%20b"}, {"channel": "ai", "browser": "Chrome"})
    asked = [
        {**RANGES["across the copy"], **filters, "metric": metric}
        for filters, metric in zip(chosen, ("visitors", "sessions", "bounce_rate"), strict=True)
    ]
    asked.append({**RANGES["Havana, where a day begins at one"], "metric": "goals", "event": 'a "näme"'})
    await _agree(answer, books, STATES[1], "p_metric_series", series.metric_series, asked)


@pytest.mark.parametrize("state", STATES)
async def test_channels_over_time_agree_with_pandas(answer: Answer, books: Books, state: str) -> None:
    asked = _asked(STATES.index(state), limit="1000")
    await _agree(answer, books, state, "p_channel_series", series.channel_series, asked)


async def test_revenue_over_time_agrees_with_pandas(answer: Answer, books: Books) -> None:
    await _agree(answer, books, STATES[0], "p_revenue_series", series.revenue_series, [*_asked(0), *_asked(1)])
