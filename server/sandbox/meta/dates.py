"""Which days a report covers: presets, ranges and increments, in the account's own calendar."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from server.sandbox.meta import errors
from server.sandbox.meta.params import json_value, one_of, unsigned

Range = tuple[date, date]
_DAY = timedelta(days=1)
_MONTHS_KEPT = 37


def _month(day: date) -> date:
    return day.replace(day=1)


def _quarter(day: date) -> date:
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def _sunday(day: date) -> date:
    return day - timedelta(days=(day.weekday() + 1) % 7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _last(days: int) -> Callable[[date], Range]:
    return lambda today: (today - timedelta(days=days), today - _DAY)


def months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


PRESETS: dict[str, Callable[[date], Range]] = {
    "today": lambda today: (today, today),
    "yesterday": _last(1),
    **{f"last_{days}d": _last(days) for days in (3, 7, 14, 28, 30, 90)},
    "this_month": lambda today: (_month(today), today),
    "last_month": lambda today: (_month(_month(today) - _DAY), _month(today) - _DAY),
    "this_quarter": lambda today: (_quarter(today), today),
    "last_quarter": lambda today: (_quarter(_quarter(today) - _DAY), _quarter(today) - _DAY),
    "this_year": lambda today: (date(today.year, 1, 1), today),
    "last_year": lambda today: (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    "this_week_sun_today": lambda today: (_sunday(today), today),
    "this_week_mon_today": lambda today: (_monday(today), today),
    "last_week_sun_sat": lambda today: (_sunday(today) - 7 * _DAY, _sunday(today) - _DAY),
    "last_week_mon_sun": lambda today: (_monday(today) - 7 * _DAY, _monday(today) - _DAY),
    "maximum": lambda today: (months_before(today, _MONTHS_KEPT), today),
    "data_maximum": lambda today: (months_before(today, _MONTHS_KEPT), today),
}


def ranges(params: Mapping[str, str], today: date) -> list[Range]:
    """The periods asked for; explicit ranges win over a preset, and the default is the last 30 complete days."""
    if "time_ranges" in params:
        listed = json_value("time_ranges", params["time_ranges"], "an array")
        if not isinstance(listed, list) or not listed:
            raise errors.not_of_type("time_ranges", "an array of {since, until}")
        return [_range("time_ranges", each, today) for each in listed]
    if "time_range" in params:
        return [_range("time_range", json_value("time_range", params["time_range"], "an object"), today)]
    return [PRESETS[one_of("date_preset", params.get("date_preset", "last_30d"), PRESETS)](today)]


def _range(name: str, value: object, today: date) -> Range:
    if not isinstance(value, dict) or value.keys() != {"since", "until"}:
        raise errors.not_of_type(name, "an object with since and until, as YYYY-MM-DD")
    try:
        since, until = (date.fromisoformat(str(value[each])) for each in ("since", "until"))
    except ValueError as error:
        raise errors.not_of_type(name, "an object with since and until, as YYYY-MM-DD") from error
    if since > until:
        raise errors.invalid(name, "Invalid time range", "since must not be after until.", 1487534)
    if until.year > today.year + 1:
        raise errors.invalid(name, "Invalid time range", "until is too far in the future.", 1487534)
    if since < months_before(today, _MONTHS_KEPT):
        raise errors.GraphError(
            3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date", 1504018
        )
    return since, until


def chunks(period: Range, increment: str) -> list[Range]:
    """Cut a period into the rows of a report."""
    since, until = period
    if increment == "all_days":
        return [period]
    if increment != "monthly":
        days = unsigned("time_increment", increment)
        if not 1 <= days <= 90:
            raise errors.not_of_type("time_increment", "monthly, all_days or an integer from 1 to 90")
    cut, start = [], since
    while start <= until:
        if increment == "monthly":
            end = start.replace(day=monthrange(start.year, start.month)[1])
        else:
            end = start + timedelta(days=days - 1)
        cut.append((start, min(end, until)))
        start = end + _DAY
    return cut
