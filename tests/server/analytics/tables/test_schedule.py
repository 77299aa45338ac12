"""Cron lines."""

import datetime as dt

import pytest

from server.analytics.tables.schedule import Schedule

NOW = dt.datetime(2026, 4, 1, 12, 34, 56, tzinfo=dt.UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("* * * * *", (2026, 4, 1, 12, 34)),
        ("*/5 * * * *", (2026, 4, 1, 12, 30)),
        ("35 * * * *", (2026, 4, 1, 11, 35)),
        ("0 13 * * *", (2026, 3, 31, 13, 0)),
        ("0,30 9-11 * * *", (2026, 4, 1, 11, 30)),
        ("0 0 * * mon", (2026, 3, 30, 0, 0)),
        ("0 0 * * 7", (2026, 3, 29, 0, 0)),
        ("0 0 31 * *", (2026, 3, 31, 0, 0)),
        ("0 0 13 * fri", (2026, 3, 27, 0, 0)),
        ("0 0 29 2 *", (2024, 2, 29, 0, 0)),
        ("10/20 * * * *", (2026, 4, 1, 12, 30)),
        ("@daily", (2026, 4, 1, 0, 0)),
        ("0 0 31 2 *", None),
    ],
)
def test_the_last_time_that_a_line_names(line: str, last: tuple[int, ...] | None) -> None:
    found = Schedule.parse(line).last(NOW)

    assert found == (last and dt.datetime(*last, tzinfo=dt.UTC))  # type: ignore[arg-type] -- year to minute


@pytest.mark.parametrize("line", ["", "* * * *", "60 * * * *", "*/0 * * * *", "a * * * *", "5-1 * * * *", "-1 * * * *"])
def test_a_line_that_names_no_time_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is no cron line"):
        Schedule.parse(line)
