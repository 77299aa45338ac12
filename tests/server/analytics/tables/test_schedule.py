"""Cron lines."""

import datetime as dt

import pytest

from server.analytics.tables.schedule import Schedule

NOW = dt.datetime(2026, 4, 1, 12, 34, 56, tzinfo=dt.UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("* * * * *", "2026-04-01T12:34+00:00"),
        ("*/5 * * * *", "2026-04-01T12:30+00:00"),
        ("35 * * * *", "2026-04-01T11:35+00:00"),
        ("0 13 * * *", "2026-03-31T13:00+00:00"),
        ("0,30 9-11 * * *", "2026-04-01T11:30+00:00"),
        ("0 0 * * mon", "2026-03-30T00:00+00:00"),
        ("0 0 * * 7", "2026-03-29T00:00+00:00"),
        ("0 0 31 * *", "2026-03-31T00:00+00:00"),
        ("0 0 13 * fri", "2026-03-27T00:00+00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00+00:00"),
        ("10/20 * * * *", "2026-04-01T12:30+00:00"),
        ("@daily", "2026-04-01T00:00+00:00"),
        ("0 0 31 2 *", None),
    ],
)
def test_the_last_time_that_a_line_names(line: str, last: str | None) -> None:
    found = Schedule.parse(line).last(NOW)

    assert found == (dt.datetime.fromisoformat(last) if last else None)


@pytest.mark.parametrize("line", ["", "* * * *", "60 * * * *", "*/0 * * * *", "a * * * *", "5-1 * * * *", "-1 * * * *"])
def test_a_line_that_names_no_time_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is no cron line"):
        Schedule.parse(line)
