"""The named periods of a query, in the account's own calendar."""

from collections.abc import Callable
from datetime import date, timedelta

Range = tuple[date, date]
_DAY = timedelta(days=1)


def month(day: date) -> date:
    return day.replace(day=1)


def quarter(day: date) -> date:
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _sunday(day: date) -> date:
    return day - timedelta(days=(day.weekday() + 1) % 7)


def _last(days: int) -> Callable[[date], Range]:
    return lambda today: (today - timedelta(days=days), today - _DAY)


DURING: dict[str, Callable[[date], Range]] = {
    "TODAY": lambda today: (today, today),
    "YESTERDAY": _last(1),
    **{f"LAST_{days}_DAYS": _last(days) for days in (7, 14, 30)},
    "LAST_BUSINESS_WEEK": lambda today: (monday(today) - 7 * _DAY, monday(today) - 3 * _DAY),
    "LAST_WEEK_MON_SUN": lambda today: (monday(today) - 7 * _DAY, monday(today) - _DAY),
    "LAST_WEEK_SUN_SAT": lambda today: (_sunday(today) - 7 * _DAY, _sunday(today) - _DAY),
    "THIS_WEEK_MON_TODAY": lambda today: (monday(today), today),
    "THIS_WEEK_SUN_TODAY": lambda today: (_sunday(today), today),
    "THIS_MONTH": lambda today: (month(today), today),
    "LAST_MONTH": lambda today: (month(month(today) - _DAY), month(today) - _DAY),
}
