"""What pipes of money and of series refuse, and what they keep to themselves."""

from collections.abc import Mapping

import pytest

from server.analytics.deployment import Deployed
from server.analytics.engine import Format, QueryRefused
from server.analytics.template.errors import TemplateError, TemplateRefusal
from tests.server.analytics.conftest import STATES
from tests.server.analytics.pipes_revenue.conftest import Answer, Books
from tests.server.analytics.pipes_revenue.test_series import INTERVALS, RANGES, SHOP

PAGED = (
    *("p_attributed_revenue", "p_metric_series", "p_revenue_series", "p_mer", "p_ltv", "p_cohort_revenue"),
    *("p_channel_series", "p_mmm_input", "p_forecast_input", "p_incrementality_input"),
)
EVERY = (*PAGED, "p_revenue_summary")
CHOICES = {
    "p_attributed_revenue": ("model", "by"),
    "p_metric_series": ("metric", "interval"),
    "p_revenue_series": ("interval",),
    "p_mer": ("interval",),
    "p_cohort_revenue": ("period",),
    "p_channel_series": ("interval",),
    "p_mmm_input": ("interval", "by"),
    "p_forecast_input": ("interval",),
    "p_incrementality_input": ("interval", "unit"),
}
BY_THE_HOUR = {"p_metric_series", "p_revenue_series", "p_channel_series"}
SPAN = {"from": "2026-02-01", "to": "2026-03-15", "metric": "visitors"}


async def _ask(shops: Mapping[str, Deployed], pipe: str, **values: str) -> bytes:
    return await shops[STATES[0]].query(pipe, values, output=Format.JSON)


@pytest.mark.parametrize("pipe", EVERY)
async def test_no_pipe_answers_without_a_workspace(shops: Mapping[str, Deployed], pipe: str) -> None:
    with pytest.raises(TemplateError, match="workspace_id"):
        await _ask(shops, pipe, website_id="shop", **SPAN)


@pytest.mark.parametrize("pipe", EVERY)
async def test_a_range_that_ends_before_it_begins_is_refused(shops: Mapping[str, Deployed], pipe: str) -> None:
    with pytest.raises(TemplateRefusal, match="from is after to"):
        await _ask(shops, pipe, **{**SHOP, **SPAN, "from": "2026-03-16"})


@pytest.mark.parametrize(
    "span", [("0001-01-01", "0001-01-02"), ("1926-01-01", "2026-01-01"), ("2105-12-31", "9999-12-31")]
)
async def test_days_that_no_table_holds_are_refused(shops: Mapping[str, Deployed], span: tuple[str, str]) -> None:
    for pipe in ("p_metric_series", "p_revenue_summary", "p_mer"):
        with pytest.raises(TemplateRefusal, match="between 1970-01-01 and 2105-12-31"):
            await _ask(shops, pipe, **{**SHOP, **SPAN, "from": span[0], "to": span[1]})


@pytest.mark.parametrize("pipe", PAGED)
async def test_more_rows_than_a_page_holds_are_refused(shops: Mapping[str, Deployed], pipe: str) -> None:
    with pytest.raises(TemplateRefusal, match="at most 1000"):
        await _ask(shops, pipe, **SHOP, **SPAN, limit="1001")


@pytest.mark.parametrize(("pipe", "name"), [(pipe, name) for pipe, names in CHOICES.items() for name in names])
async def test_a_choice_that_is_none_is_refused_with_those_there_are(
    shops: Mapping[str, Deployed], pipe: str, name: str
) -> None:
    with pytest.raises(TemplateRefusal, match=f"{name} is one of"):
        await _ask(shops, pipe, **{**SHOP, **SPAN, name: "' OR 1 --"})


@pytest.mark.parametrize("pipe", [pipe for pipe, names in CHOICES.items() if "interval" in names])
async def test_a_pipe_offers_the_intervals_by_which_it_agrees_with_pandas(
    shops: Mapping[str, Deployed], pipe: str
) -> None:
    (offered,) = [each.choices for each in shops[STATES[0]].parameters(pipe) if each.name == "interval"]

    assert offered == (("hour", *INTERVALS) if pipe in BY_THE_HOUR else INTERVALS)


@pytest.mark.parametrize("metric", ["revenue", "goals"])
async def test_a_figure_that_no_filter_of_visits_fits_refuses_it(shops: Mapping[str, Deployed], metric: str) -> None:
    with pytest.raises(TemplateRefusal, match="no filter"):
        await _ask(shops, "p_metric_series", **{**SHOP, **SPAN, "metric": metric, "country": "DE"})


@pytest.mark.parametrize("days", ["0", "-1", "366", "nan"])
async def test_a_window_of_no_days_or_of_more_than_a_year_is_refused(shops: Mapping[str, Deployed], days: str) -> None:
    with pytest.raises((TemplateRefusal, TemplateError)):
        await _ask(shops, "p_attributed_revenue", **SHOP, **SPAN, lookback_days=days)


@pytest.mark.parametrize("pipe", EVERY)
async def test_a_zone_that_is_none_is_refused(shops: Mapping[str, Deployed], pipe: str) -> None:
    with pytest.raises(QueryRefused):
        await _ask(shops, pipe, **SHOP, **SPAN, tz="Europe/Berlin') --")


async def test_a_century_by_the_hour_is_a_page_like_any_other(answer: Answer) -> None:
    asked = {**SHOP, "metric": "visitors", "interval": "hour", "from": "1976-01-01", "to": "2075-12-31"}

    rows = await answer(STATES[1], "p_metric_series", {**asked, "offset": "500000"})

    assert len(rows) == 1000


async def test_pages_follow_each_other(answer: Answer) -> None:
    asked = {**RANGES[0], "metric": "visitors"}
    whole = await answer(STATES[1], "p_metric_series", asked)

    halves = [
        await answer(STATES[1], "p_metric_series", {**asked, "limit": "15", "offset": offset}) for offset in ("0", "15")
    ]

    assert [row for half in halves for row in half] == whole


async def test_the_rollup_answers_for_what_is_before_the_copy(shops: Mapping[str, Deployed], books: Books) -> None:
    """Else every test here would hold although no rollup was ever read."""
    states = {}
    for state in STATES:
        body = await shops[state].sql(
            "SELECT uniqExactArray(sessions) AS known FROM rollup_visits WHERE website_id = 'shop'", output=Format.CSV
        )
        states[state] = int(body)

    views = books(RANGES[0]).all["pageviews"]
    known = views[(views["website_id"] == "shop") & (views["is_bot"] == 0)]
    everything = len(known[["workspace_id", "visitor_id", "session_id"]].drop_duplicates())

    assert states[STATES[0]] == 0
    assert 0 < states[STATES[2]] < states[STATES[1]] <= everything
