"""When a copy is due: cron lines of five fields, in UTC."""

import datetime as dt
from dataclasses import dataclass

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = {
    **{name: str(place) for place, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])},
    **{
        name: str(place)
        for place, name in enumerate(
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
        )
    },
}
_SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MOST_DAYS = 366 * 8  # the 29th of February, over a century that has none


@dataclass(frozen=True, slots=True)
class Schedule:
    minutes: tuple[int, ...]  # descending, like hours
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 0
    either_day: bool  # both kinds of day are restricted: one of them is enough

    @classmethod
    def parse(cls, line: str) -> "Schedule":
        """Raises ValueError."""
        fields = _SHORTHANDS.get(line.strip().lower(), line).lower().split()
        if len(fields) != len(_RANGES):
            raise ValueError(f"{line!r} is no cron line: five fields, from minute to day of the week")
        minutes, hours, days, months, weekdays = (
            _numbers(text, *limits, line) for text, limits in zip(fields, _RANGES, strict=True)
        )
        return cls(
            minutes=tuple(sorted(minutes, reverse=True)),
            hours=tuple(sorted(hours, reverse=True)),
            days=frozenset(days),
            months=frozenset(months),
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
        )

    def last(self, now: dt.datetime) -> dt.datetime | None:
        """The last moment it names, not after `now`; None where it names none."""
        day = now.date()
        for _ in range(_MOST_DAYS):
            if self._on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        moment = dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC)
                        if moment <= now:
                            return moment
            day -= dt.timedelta(days=1)
        return None

    def _on(self, day: dt.date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = in_month or in_week if self.either_day else in_month and in_week
        return day.month in self.months and fits


def _numbers(text: str, low: int, high: int, line: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        first, last = _NAMES.get(first, first), _NAMES.get(last, last)
        if span == "*":
            first, last = str(low), str(high)
        elif not last:
            last = str(high) if step else first
        if not all(number.isdecimal() for number in (first, last, step or "1")):
            raise ValueError(f"{line!r} is no cron line: {part!r} is no number, span or step")
        if not low <= int(first) <= int(last) <= high or step == "0":
            raise ValueError(f"{line!r} is no cron line: {part!r} is out of range")
        found.update(range(int(first), int(last) + 1, int(step or 1)))
    return found
