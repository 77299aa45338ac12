"""Revenue, customers, cohorts, spend and what earned it agree with pandas; every model sums to the payments."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.server.analytics.conftest import STATES
from tests.server.analytics.pipes.asked import Asked
from tests.server.analytics.pipes_revenue import expected_money as expected
from tests.server.analytics.pipes_revenue.conftest import Answer, Books
from tests.server.analytics.pipes_revenue.expected_attribution import MODELS, attributed_revenue, paths
from tests.server.analytics.pipes_revenue.test_series import RANGES, SHOP

Values = Mapping[str, str]
BY_TIME: tuple[Values, ...] = ({"interval": "week"}, {"interval": "month"}, {"interval": "day"})
PIPES: tuple[tuple[str, Callable[[Asked], list[dict[str, Any]]], tuple[Values, ...]], ...] = (
    ("p_revenue_summary", expected.revenue_summary, ({}, {"compare": "0"})),
    ("p_mer", expected.mer, BY_TIME),
    ("p_ltv", expected.ltv, ({}, {"horizon": "45"})),
    ("p_cohort_revenue", expected.cohort_revenue, ({}, {"period": "week", "horizon": "9"})),
    (
        "p_mmm_input",
        expected.mmm_input,
        ({}, {"by": "campaign", "interval": "month"}, {"by": "platform", "interval": "day"}),
    ),
    ("p_forecast_input", expected.forecast_input, BY_TIME),
    (
        "p_incrementality_input",
        expected.incrementality_input,
        ({"interval": "week"}, {"unit": "channel", "interval": "month"}, {"unit": "city"}, {"unit": "region"}),
    ),
)
EVER: dict[str, Values] = {
    **{name: RANGES[name] for name in ("another's, in euros", "nothing")},
    "all": {**SHOP, "from": "2026-01-01", "to": "2026-12-31"},
    "all of Kolkata's": {"workspace_id": "ws_a", "from": "2026-01-01", "to": "2026-12-31", "tz": "Asia/Kolkata"},
}


@pytest.mark.parametrize(("pipe", "reference", "further"), PIPES, ids=[pipe for pipe, *_ in PIPES])
async def test_a_pipe_of_money_agrees_with_pandas(
    answer: Answer,
    books: Books,
    pipe: str,
    reference: Callable[[Asked], list[dict[str, Any]]],
    further: tuple[Values, ...],
) -> None:
    ranges = EVER if pipe in {"p_ltv", "p_cohort_revenue"} else RANGES
    asked = [{**values, **further[number % len(further)]} for number, values in enumerate(ranges.values())]
    in_turn = [STATES[number % len(STATES)] for number in range(len(asked))]

    answers = await asyncio.gather(*(answer(state, pipe, each) for state, each in zip(in_turn, asked, strict=True)))

    for values, rows in zip(asked, answers, strict=True):
        for row in rows:
            row.pop("complete", None)  # it depends on today
        assert rows == reference(books(values)), values


@pytest.mark.parametrize("model", MODELS)
async def test_attributed_revenue_agrees_with_one_payment_at_a_time(answer: Answer, books: Books, model: str) -> None:
    narrow = {"lookback_days": "3.5", "half_life_days": "0.5"}
    asked: list[dict[str, str]] = [
        {**RANGES["across the copy"], "model": model},
        {**RANGES["Havana, where a day begins at one"], "model": model, "by": "campaign", **narrow},
        {**RANGES["a workspace in Kolkata"], "model": model, "by": "campaign"},
        {**RANGES["another's, in euros"], "model": model, "by": "source", "lookback_days": "365"},
        {**RANGES["before the copy, in Kathmandu"], "model": model, "by": "landing_page", **narrow},
        {**RANGES["nothing"], "model": model},
    ]
    turn = MODELS.index(model)
    asked = [values for number, values in enumerate(asked) if number < 2 or (number + turn) % 2]
    in_turn = [STATES[(number + turn) % len(STATES)] for number in range(len(asked))]

    answers = await asyncio.gather(
        *(answer(state, "p_attributed_revenue", values) for state, values in zip(in_turn, asked, strict=True))
    )

    for values, rows in zip(asked, answers, strict=True):
        assert rows == attributed_revenue(books(values)), values


async def test_every_model_sums_to_the_payments_by_whatever_it_is_grouped(answer: Answer, books: Books) -> None:
    base = {**RANGES["across the copy"], "limit": "1000"}
    told = books(base)
    revenue = sum(int(row.revenue) for row, _ in paths(told))
    groups = ("channel", "source", "campaign", "landing_page")
    asked = [{**base, "model": model, "by": groups[number % 4]} for number, model in enumerate(MODELS)]

    answers = await asyncio.gather(*(answer(STATES[2], "p_attributed_revenue", values) for values in asked))

    for values, rows in zip(asked, answers, strict=True):
        assert sum(round(row["revenue"] * 10_000) for row in rows) == revenue, values
        assert any(row["channel"] == "unattributed" and row["payments"] for row in rows), values
