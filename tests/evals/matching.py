"""Whether the calls that were made are those that a task expects: matchers on arguments, and a partial order."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.evals.seen import Call
from tests.evals.task import Expected, Places

_MATCHERS = frozenset({"one_of", "contains", "any", "absent", "regex", "day"})

_SAME = 0.005


def fits(wanted: Any, sent: Any, places: Places) -> bool:
    """A plain value must be equal; a table with one key is a matcher. `sent` is None where nothing was sent."""
    if isinstance(wanted, Mapping) and len(wanted) <= 2 and _MATCHERS & wanted.keys():
        return _matches(wanted, sent, places)
    filled = places.fill(wanted)
    if isinstance(filled, bool) or isinstance(sent, bool):
        return filled is sent
    if isinstance(filled, int | float):
        return isinstance(sent, int | float) and abs(sent - filled) < _SAME
    return bool(sent == filled)


def _matches(matcher: Mapping[str, Any], sent: Any, places: Places) -> bool:
    if "absent" in matcher or "any" in matcher:
        return (sent is None) is ("absent" in matcher)
    if "one_of" in matcher:
        return any(fits(each, sent, places) for each in matcher["one_of"])
    if sent is None:
        return False
    if "contains" in matcher:
        return str(places.fill(matcher["contains"])).casefold() in str(sent).casefold()
    if "regex" in matcher:
        return re.search(matcher["regex"], str(sent)) is not None
    return _near(matcher, str(sent), places)


def _near(matcher: Mapping[str, Any], sent: str, places: Places) -> bool:
    """`{day = -6, give = 1}`: so many days from today, or that many more or less."""
    try:
        off = (dt.date.fromisoformat(sent) - dt.date.fromisoformat(places["today"])).days
    except ValueError:
        return False
    return abs(off - int(matcher["day"])) <= int(matcher.get("give", 0))


def is_it(expected: Expected, call: Call, places: Places) -> bool:
    return (
        call.name in expected.names
        and expected.turn in (None, call.turn)
        and expected.ends in ("", call.outcome)
        and all(fits(wanted, call.arguments.get(name), places) for name, wanted in expected.given.items())
    )


def assigned(
    expected: Sequence[Expected], calls: Sequence[Call], places: Places, *, ordered: bool = True
) -> dict[int, Call] | None:
    """A call of its own for each that is expected, each after those it says it comes after; None where there is none.

    After means in a later answer of the model: it had seen the result.
    """
    fitting = [[call for call in calls if is_it(each, call, places)] for each in expected]
    names = {each.id: at for at, each in enumerate(expected) if each.id}

    def follows(at: int, call: Call, chosen: Mapping[int, Call]) -> bool:
        before = [names[each] for each in expected[at].after]
        later = [other for other, each in enumerate(expected) if expected[at].id in each.after and expected[at].id]
        return all(chosen[each].step < call.step for each in before if each in chosen) and all(
            call.step < chosen[each].step for each in later if each in chosen
        )

    def search(at: int, chosen: dict[int, Call]) -> dict[int, Call] | None:
        if at == len(expected):
            return chosen
        for call in fitting[at]:
            free = call not in chosen.values() and (not ordered or follows(at, call, chosen))
            if free and (found := search(at + 1, chosen | {at: call})) is not None:
                return found
        return None

    return search(0, {})
