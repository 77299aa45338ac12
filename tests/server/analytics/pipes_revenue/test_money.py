"""Revenue, customers, cohorts, spend and what earned it agree with pandas; every model sums to the payments."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

import pytest

from tests.server.analytics.conftest import STATES
from tests.server.analytics.pipes.asked import Asked
from tests.server.analytics.pipes_revenue import expected_money as expected
from tests.server.analytics.pipes_revenue.conftest import Answer, Books
from tests.server.analytics.pipes_revenue.expected_attribution import MODELS, attributed_revenue
from tests.server.analytics.pipes_revenue.test_series import RANGES, STRANGER

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
GROUPS = ("channel", "source", "campaign", "landing_page")
NARROW = {"lookback_days": "3.5", "half_life_days": "0.5"}
WIDE = {"lookback_days": "365"}


@pytest.mark.parametrize(("pipe", "reference", "further"), PIPES, ids=[pipe for pipe, *_ in PIPES])
async def test_a_pipe_of_money_agrees_with_pandas(
    answer: Answer,
    books: Books,
    pipe: str,
    reference: Callable[[Asked], list[dict[str, Any]]],
    further: tuple[Values, ...],
) -> None:
    turn = [each for each, *_ in PIPES].index(pipe)
    asked = [{**values, **way} for values, way in zip(RANGES, cycle(further), strict=False)]
    asked += [{**RANGES[0], **way} for way in further[len(RANGES) :]] + [STRANGER]
    in_turn = [STATES[(turn + number) % len(STATES)] for number in range(len(asked))]

    answers = await asyncio.gather(*(answer(state, pipe, each) for state, each in zip(in_turn, asked, strict=True)))

    for values, rows in zip(asked, answers, strict=True):
        for row in rows:
            row.pop("complete", None)  # it depends on today
        assert rows == reference(books(values)), values


@pytest.mark.parametrize("model", MODELS)
async def test_attributed_revenue_agrees_with_one_payment_at_a_time_and_sums_to_the_payments(
    answer: Answer, books: Books, model: str
) -> None:
    turn = MODELS.index(model)
    asked: list[dict[str, str]] = [
        {**RANGES[number % 3], **(NARROW, {}, WIDE, {})[number // 2 % 4], "model": model, "by": GROUPS[number % 4]}
        for number in (2 * turn, 2 * turn + 1)
    ]
    in_turn = [STATES[turn % 3], STATES[(turn + 1) % 3]]

    answers = await asyncio.gather(
        *(answer(state, "p_attributed_revenue", values) for state, values in zip(in_turn, asked, strict=True))
    )

    for values, rows in zip(asked, answers, strict=True):
        told = books(values)
        assert rows == attributed_revenue(told), values
        paid = told.paid(told.within("visitor_payments"))
        assert sum(round(row["revenue"] * 10_000) for row in rows) == paid["revenue"].sum()
        assert rows[0]["revenue"] > 0


async def test_payments_without_a_session_are_credited_to_none(answer: Answer) -> None:
    rows = await answer(STATES[2], "p_attributed_revenue", {**RANGES[1], "by": "landing_page"})

    assert any(row["channel"] == "unattributed" and row["payments"] for row in rows)


async def test_a_stranger_is_credited_with_nothing(answer: Answer) -> None:
    assert not await answer(STATES[1], "p_attributed_revenue", STRANGER)
