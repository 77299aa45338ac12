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
HOSTILE = "ws_c' OR '1'='1"
# A website's weeks around the copy, a whole workspace in another currency, another's over a day that begins at one.
RANGES: tuple[Values, ...] = (
    {**SHOP, "from": "2026-02-24", "to": "2026-03-22", "tz": "Asia/Kathmandu"},
    {"workspace_id": "ws_a", "from": "2026-01-20", "to": "2026-03-31", "tz": "Asia/Kolkata", "currency": "eur"},
    {**SHOP, "workspace_id": "ws_b", "from": "2026-02-09", "to": "2026-03-15", "tz": "America/Havana"},
)
STRANGER = {"workspace_id": HOSTILE, "website_id": "shop", "from": "2026-02-01", "to": "2026-02-03"}
HOURS = {**SHOP, "from": "2026-03-07", "to": "2026-03-09", "tz": "America/Havana", "interval": "hour"}
INTERVALS = ("day", "week", "month")


def _asked(turn: int, **further: str) -> list[tuple[str, dict[str, str]]]:
    """Each range, in turns in each state of the rollup and by each interval; then one by the hour, or a stranger's."""
    ranges = [
        (STATES[(number + turn) % 3], {**values, "interval": INTERVALS[(number + 2 * turn) % 3], **further})
        for number, values in enumerate(RANGES)
    ]
    return [*ranges, (STATES[turn % 3], {**(STRANGER if turn % 2 else HOURS), **further})]


@pytest.mark.parametrize("metric", OF_VISITS)
async def test_figures_of_visits_agree_with_pandas(answer: Answer, books: Books, metric: str) -> None:
    asked = _asked(OF_VISITS.index(metric), metric=metric)
    await _agree(answer, books, "p_metric_series", series.metric_series, asked)


@pytest.mark.parametrize("metric", OF_MONEY)
async def test_figures_of_goals_and_payments_agree_with_pandas(answer: Answer, books: Books, metric: str) -> None:
    turn = OF_MONEY.index(metric)
    asked = _asked(turn, metric=metric)
    del asked[turn % 3]
    await _agree(answer, books, "p_metric_series", series.metric_series, asked)


async def _agree(
    answer: Answer,
    books: Books,
    pipe: str,
    expected: Callable[[Asked], list[dict[str, Any]]],
    asked: list[tuple[str, dict[str, str]]],
) -> None:
    answers = await asyncio.gather(*(answer(state, pipe, values) for state, values in asked))
    for (state, values), rows in zip(asked, answers, strict=True):
        assert rows == expected(books(values)), (state, values)


async def test_filters_choose_sessions(answer: Answer, books: Books) -> None:
    chosen = ({"country": "DE", "device": "mobile"}, {"path": "/a%20b"}, {"channel": "ai", "browser": "Chrome"})
    asked = [
        (STATES[1], {**RANGES[0], **filters, "metric": metric})
        for filters, metric in zip(chosen, ("visitors", "sessions", "bounce_rate"), strict=True)
    ]
    asked.append((STATES[2], {**RANGES[2], "metric": "goals", "event": 'a "näme"'}))
    await _agree(answer, books, "p_metric_series", series.metric_series, asked)


async def test_channels_over_time_agree_with_pandas(answer: Answer, books: Books) -> None:
    asked = [*_asked(0, limit="1000"), *_asked(1, limit="1000")[1:]]
    await _agree(answer, books, "p_channel_series", series.channel_series, asked)


async def test_revenue_over_time_agrees_with_pandas(answer: Answer, books: Books) -> None:
    await _agree(answer, books, "p_revenue_series", series.revenue_series, [*_asked(0), _asked(1)[-1]])
