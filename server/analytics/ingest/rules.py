"""Which of a thousand rules is the first that a user agent matches, and what it names: ua-parser's rules and engine, in
three quarters of the memory that its own resolver takes."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import ua_parser_rs
from ua_parser import load_lazy_builtins

MOST_WHOLE = 64
"""Of each kind, rules kept compiled with what they capture: browsers of a day need fewer, and another takes 0.2 ms."""
_OPENING = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)")


class Named(NamedTuple):
    family: str = ""
    brand: str = ""


class Rule(NamedTuple):
    regex: str
    flag: Literal["i"] | None
    family: str | None  # without one, what the first group captures
    brand: str | None

    @property
    def captures(self) -> bool:
        return self.family is None or "$" in f"{self.family}{self.brand}"


class Rules:
    """Which rule is first can be known without what it captures, and that is a quarter of what compiled rules hold: all
    are compiled without, each with its number for a name, and whole only those that are first and name what they
    capture."""

    def __init__(self, compiled: Callable[[Iterable[Rule]], Any], rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        # From a generator, so that between two rules other threads have their turn.
        self._first = compiled(
            Rule(bare(rule.regex), rule.flag, str(number), None) for number, rule in enumerate(self._rules)
        )
        self._whole = lru_cache(MOST_WHOLE)(lambda number: compiled((self._rules[number],)))

    def name(self, text: str) -> Named:
        first = self._first.extract(text)
        if first is None:
            return Named()
        number = int(first.family)
        rule = self._rules[number]
        if not rule.captures:
            return Named(rule.family or "", rule.brand or "")
        found = self._whole(number).extract(text)
        return Named(found.family, getattr(found, "brand", None) or "")


def bare(regex: str) -> str:
    """The same expression with groups that capture nothing."""
    return _OPENING.sub(lambda found: "(?:" if found[0] == "(" else found[0], regex)


def browsers() -> Rules:
    return Rules(_compiled_browsers, _read(load_lazy_builtins()[0]))


def systems() -> Rules:
    return Rules(_compiled_systems, _read(load_lazy_builtins()[1]))


def devices() -> Rules:
    return Rules(_compiled_devices, _read(load_lazy_builtins()[2]))


def _read(matchers: Iterable[Any]) -> Iterable[Rule]:
    """Flags and brands are told of devices alone."""
    for each in matchers:
        yield Rule(each.regex, getattr(each, "regex_flag", None), each.family, getattr(each, "brand", None))


def _compiled_browsers(rules: Iterable[Rule]) -> ua_parser_rs.UserAgentExtractor:
    return ua_parser_rs.UserAgentExtractor((rule.regex, rule.family, None, None, None, None) for rule in rules)


def _compiled_systems(rules: Iterable[Rule]) -> ua_parser_rs.OSExtractor:
    return ua_parser_rs.OSExtractor((rule.regex, rule.family, None, None, None, None) for rule in rules)


def _compiled_devices(rules: Iterable[Rule]) -> ua_parser_rs.DeviceExtractor:
    return ua_parser_rs.DeviceExtractor((rule.regex, rule.flag, rule.family, rule.brand, None) for rule in rules)
