"""Spans of days in a person's words."""

import datetime as dt
import re
from dataclasses import dataclass

_LAST = re.compile(r"\b(?:last|past|previous)\s+(\d{1,3})\s+(day|week|month)s?\b")
_BETWEEN = re.compile(r"(\d{4}-\d{2}-\d{2})\D{1,12}(\d{4}-\d{2}-\d{2})")
_SINCE = re.compile(r"\bsince\s+(\d{4}-\d{2}-\d{2})")
_DAYS = {"day": 1, "week": 7, "month": 30}
_USUAL = 7


@dataclass(frozen=True, slots=True)
class Period:
    since: dt.date
    until: dt.date
    words: str

    @property
    def arguments(self) -> dict[str, str]:
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    def __str__(self) -> str:
        span = f"{self.since}" if self.since == self.until else f"{self.since} to {self.until}"
        return f"{self.words} ({span})"


def find(words: str, today: dt.date) -> Period:
    """The last seven days where nothing is said; today counts as one of them."""
    return said(words, today) or usual(today)


def usual(today: dt.date) -> Period:
    return _back(today, _USUAL, f"the last {_USUAL} days")


def said(words: str, today: dt.date) -> Period | None:
    lower = words.lower()
    if between := spans(lower):
        return between[0]
    if since_day := _SINCE.search(lower):
        return Period(dt.date.fromisoformat(since_day[1]), today, "since then")
    if last := _LAST.search(lower):
        days = int(last[1]) * _DAYS[last[2]]
        return _back(today, max(1, days), f"the last {days} days")
    return _named(lower, today)


def spans(words: str) -> list[Period]:
    """Each that is written with both its days."""
    found = [sorted(map(dt.date.fromisoformat, between.groups())) for between in _BETWEEN.finditer(words)]
    return [Period(since, until, "your period") for since, until in found]


def _named(lower: str, today: dt.date) -> Period | None:
    monday = today - dt.timedelta(days=today.weekday())
    first = today.replace(day=1)
    month_before = first - dt.timedelta(days=1)
    named = {
        "yesterday": (today - dt.timedelta(days=1), today - dt.timedelta(days=1)),
        "today": (today, today),
        "this week": (monday, today),
        "last week": (monday - dt.timedelta(days=7), monday - dt.timedelta(days=1)),
        "this month": (first, today),
        "last month": (month_before.replace(day=1), month_before),
    }
    for words, (since, until) in named.items():
        if words in lower:
            return Period(since, until, words)
    if "month" in lower:
        return _back(today, 30, "the last 30 days")
    return None


def _back(today: dt.date, days: int, words: str) -> Period:
    return Period(today - dt.timedelta(days=days - 1), today, words)
