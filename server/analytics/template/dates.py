"""Differences between dates, as the date_diff functions of a template give them: whole units, never negative."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from server.analytics.template.errors import TemplateError

_DAY, _TIME = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"


def day_diff(d0: Any, d1: Any, default: Any = None) -> int:
    del default
    try:
        return _difference(d0, d1, (_DAY,), 86_400)
    except (TypeError, ValueError):
        raise TemplateError(
            "Template Syntax Error: invalid date format in function `day_diff`, it must be ISO format date YYYY-MM-DD, "
            "e.g. 2018-09-26. For other fotmats, try `date_diff_in_days`"
        ) from None


def _named(name: str, seconds: int, usual: str, explained: str) -> Callable[..., int | None]:
    def difference(
        d0: Any,
        d1: Any,
        date_format: Any = usual,
        default: Any = None,
        backup_date_format: Any = None,
        none_if_error: Any = False,
    ) -> int | None:
        del default
        formats = (date_format, backup_date_format) if backup_date_format else (date_format,)
        try:
            return _difference(d0, d1, formats, seconds)
        except (TypeError, ValueError):
            if none_if_error:
                return None
            raise TemplateError(
                f"Template Syntax Error: invalid date format in function `{name}`, {explained}"
            ) from None

    return difference


_TIMES = "it defaults to YYYY-MM-DD hh:mm:ss; give another as date_format, e.g. '%Y-%m-%dT%H:%M:%S.%fz'"
DATES: dict[str, Callable[..., int | None]] = {
    "day_diff": day_diff,
    "date_diff_in_days": _named(
        "date_diff_in_days", 86_400, _DAY, "it must be ISO format date YYYY-MM-DD, e.g. 2018-09-26"
    ),
    "date_diff_in_hours": _named("date_diff_in_hours", 3_600, _TIME, _TIMES),
    "date_diff_in_minutes": _named("date_diff_in_minutes", 60, _TIME, _TIMES),
    "date_diff_in_seconds": _named("date_diff_in_seconds", 1, _TIME, _TIMES),
}


def _difference(d0: Any, d1: Any, formats: tuple[Any, ...], seconds: int) -> int:
    return int(abs(_parsed(d1, formats) - _parsed(d0, formats)).total_seconds() / seconds)


def _parsed(text: Any, formats: tuple[Any, ...]) -> dt.datetime:
    for form in formats:
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - both sides in the same, unnamed zone
        except ValueError:
            continue
    raise ValueError(text)
