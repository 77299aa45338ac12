"""Which pipes may be named at all, and for how long a time."""

import datetime as dt

import pytest

from tools.errors import CapabilityError
from tools.pipes import FIRST_DAY, LAST_DAY, MOST_DAYS, PIPE_ALLOWLIST, require_pipe, require_range

DAY = dt.date(2026, 11, 22)


def test_the_twenty_that_are_published_come_first_and_ours_after_them() -> None:
    assert PIPE_ALLOWLIST[:2] == ("p_realtime_visitors", "p_top_pages")
    assert PIPE_ALLOWLIST[19] == "p_metric_series"
    assert len(set(PIPE_ALLOWLIST)) == len(PIPE_ALLOWLIST) == 34


@pytest.mark.parametrize("name", ["p_secret", "P_TOP_PAGES", "p_top_pages ", "", "../v0/sql", "x" * 10_000])
def test_another_name_is_refused_with_those_that_are_allowed(name: str) -> None:
    with pytest.raises(CapabilityError) as refused:
        require_pipe(name)

    assert (refused.value.code, refused.value.status) == ("invalid_pipe", 400)
    assert refused.value.details["allowed"] == list(PIPE_ALLOWLIST)
    assert len(refused.value.message) < 100


@pytest.mark.parametrize("days", [1, 30, MOST_DAYS])
def test_days_in_order_are_taken(days: int) -> None:
    require_range(DAY - dt.timedelta(days=days - 1), DAY)
    require_range(None, DAY)
    require_range(DAY, None)


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "since is after until"), (MOST_DAYS + 1, "at most 1830 days"), (36525, "makes it 36525 days")],
)
def test_days_the_other_way_round_and_a_hundred_years_are_refused(days: int, said: str) -> None:
    with pytest.raises(CapabilityError) as refused:
        require_range(DAY - dt.timedelta(days=days - 1), DAY)

    assert refused.value.code == "invalid_arguments"
    assert said in f"{refused.value.message} {refused.value.fix}"


@pytest.mark.parametrize(
    "day", [dt.date.min, FIRST_DAY - dt.timedelta(days=1), LAST_DAY + dt.timedelta(days=1), dt.date.max]
)
def test_a_day_that_the_store_cannot_hold_is_refused(day: dt.date) -> None:
    for name, since, until in (("since", day, None), ("until", None, day)):
        with pytest.raises(CapabilityError, match=f"{name} is not between 1970-01-01 and 2105-12-31"):
            require_range(since, until)
