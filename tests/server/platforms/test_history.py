"""The days a question may be about."""

import datetime as dt

import pytest

from server.platforms.history import check_range
from tools.errors import InvalidArguments
from tools.ports import InsightsQuery

TODAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        (dt.date(2026, 11, 2), dt.date(2026, 11, 1), "after until"),
        (dt.date(2023, 10, 21), TODAY, "keeps 37 months"),
    ],
)
def test_a_range_that_cannot_be_answered_names_since(since: dt.date, until: dt.date, problem: str) -> None:
    with pytest.raises(InvalidArguments, match=problem) as refused:
        check_range(InsightsQuery(since=since, until=until), TODAY)
    assert refused.value.details["problems"][0]["field"] == "since"


def test_the_oldest_day_that_is_kept_may_be_asked_for() -> None:
    check_range(InsightsQuery(since=dt.date(2023, 10, 22), until=TODAY), TODAY)
