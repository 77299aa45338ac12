"""A query held against what exists: fields and their company, types of values, and the dates that segments demand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from server.sandbox.google import dates
from server.sandbox.google.fields import CORE_DATES, FIELDS, GOES_WITH, Field, Type, Value
from server.sandbox.google.gaql import Condition, Query, Token, refusal

Test = Callable[[Value], bool]

_TEXT = frozenset({Type.STRING, Type.RESOURCE_NAME})
_ORDERED = frozenset({Type.INT64, Type.INT32, Type.DOUBLE, Type.DATE})
_NUMBERS = frozenset({Type.INT64, Type.INT32, Type.DOUBLE})
_SIGNS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}
_ALWAYS = frozenset({"=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL"})
_FIRST, _LAST = date.min, date.max


@dataclass(frozen=True)
class Plan:
    resource: str
    select: tuple[Field, ...]
    tests: tuple[tuple[Field, Test], ...]
    """What a row must pass, dates apart."""
    since: date
    until: date
    order: tuple[tuple[Field, bool], ...]
    limit: int | None
    omits_names: bool

    @property
    def segments(self) -> tuple[Field, ...]:
        return tuple(field for field in self.select if field.resource == "segments")

    @property
    def measures(self) -> bool:
        named = [*self.select, *(field for field, _ in self.tests)]
        return any(field.resource in {"metrics", "segments"} for field in named)


def check(query: Query, today: date) -> Plan:
    if query.resource not in GOES_WITH:
        raise refusal(
            "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{query.resource}' is not a valid resource in the FROM clause.",
            query.resource,
        )  # fmt: skip
    select = tuple(dict.fromkeys(_known(name, query.resource, "SELECT") for name in query.select))
    for condition in query.where:
        _check_condition(condition, query, select)
    order = tuple((_ordering(name, query, select), descending) for name, descending in query.order)
    dated = [each for each in query.where if each.field in CORE_DATES]
    since, until = _period(dated, today)
    if any(field.name in CORE_DATES for field in select) and (since == _FIRST or until == _LAST):
        raise refusal(
            "EXPECTED_FILTERS_ON_DATE_RANGE",
            "A query that selects a core date segment must restrict it to a finite range of dates in WHERE.",
        )
    tests = tuple((FIELDS[each.field], _test(each)) for each in query.where if each.field not in CORE_DATES)
    parameters = dict(query.parameters)
    return Plan(
        query.resource, select, tests, since, until, order, query.limit,
        parameters.get("omit_unselected_resource_names", False),
    )  # fmt: skip


def _known(name: str, resource: str, clause: str) -> Field:
    field = FIELDS.get(name)
    if field is None:
        raise refusal("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.", name)
    if field.resource in GOES_WITH[resource]:
        return field
    if field.resource in {"metrics", "segments"}:
        what = field.resource.removesuffix("s").upper()
        raise refusal(
            f"PROHIBITED_{what}_IN_SELECT_OR_WHERE_CLAUSE",
            f"Cannot select or filter on the following {field.resource}: '{name}', with resource '{resource}'.", name,
        )  # fmt: skip
    raise refusal(
        f"PROHIBITED_RESOURCE_TYPE_IN_{clause}_CLAUSE",
        f"'{name}' comes from a resource that does not go with '{resource}' in the FROM clause.", name,
    )  # fmt: skip


def _check_condition(condition: Condition, query: Query, select: tuple[Field, ...]) -> None:
    field = _known(condition.field, query.resource, "WHERE")
    if field.resource == "segments" and field.name not in CORE_DATES and field not in select:
        raise refusal(
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
            f"The following field must be present in SELECT clause: '{field.name}'.", field.name,
        )  # fmt: skip
    _check_operator(condition, field)
    for token in condition.values:
        _check_value(condition, field, token)


def _check_operator(condition: Condition, field: Field) -> None:
    operator = condition.operator
    fits = (
        operator in _ALWAYS
        or (operator in {"<", ">", "<=", ">=", "BETWEEN"} and field.type in _ORDERED)
        or (operator in {"LIKE", "NOT LIKE"} and field.type in _TEXT)
        or (operator == "DURING" and field.type is Type.DATE)
    )
    if field.name in CORE_DATES:
        fits = operator in {"=", "<", ">", "<=", ">=", "BETWEEN"} or (operator == "DURING" and fits)
    if not fits:
        raise refusal(
            "OPERATOR_FIELD_MISMATCH", f"Operator '{operator}' cannot be used with field '{field.name}'.", operator
        )


def _check_value(condition: Condition, field: Field, token: Token) -> None:
    if condition.operator == "DURING":
        if token.text not in dates.DURING:
            raise refusal(
                "INVALID_VALUE_WITH_DURING_OPERATOR", f"Invalid date range literal '{token.text}'.", token.text
            )
    elif field.name in CORE_DATES or field.type is Type.DATE:
        _date(token, field.name)
    elif field.type is Type.ENUM and token.text not in field.words:
        raise refusal(
            "BAD_ENUM_CONSTANT", f"'{token.text}' is not a valid constant of the enum of '{field.name}'.", token.text
        )
    elif field.type is Type.BOOLEAN and token.text.lower() not in {"true", "false"}:
        raise refusal("BAD_VALUE", f"'{token.text}' is not a boolean.", token.text)
    elif field.type in _NUMBERS and not re.fullmatch(r"-?\d+(\.\d+)?", token.text):
        raise refusal("BAD_NUMBER", f"'{token.text}' is not a number.", token.text)
    elif field.type in _TEXT and token.kind != "string":
        raise refusal("INVALID_STRING_VALUE", f"'{token.text}' must be a quoted string.", token.text)


def _date(token: Token, name: str) -> date:
    try:
        if name == "segments.year":
            return date(int(token.text), 1, 1)
        day = date.fromisoformat(token.text[:10] if name.endswith("_time") else token.text)
    except (ValueError, OverflowError) as error:
        message = f"Invalid date '{token.text}', expected 'YYYY-MM-DD'."
        raise refusal("INVALID_DATE_FORMAT", message, token.text) from error
    starts = {"segments.week": dates.monday, "segments.month": dates.month, "segments.quarter": dates.quarter}
    if name in starts and starts[name](day) != day:
        raise refusal(
            "MISALIGNED_DATE_FOR_FILTER", f"'{token.text}' is not the first day of a period of {name}.", token.text
        )
    return day


def _ordering(name: str, query: Query, select: tuple[Field, ...]) -> Field:
    field = FIELDS.get(name)
    if field is None:
        raise refusal("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.", name)
    if field not in select and field.resource != query.resource:
        raise refusal(
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
            f"The following field must be present in SELECT clause: '{name}'.", name,
        )  # fmt: skip
    return field


def _period(conditions: list[Condition], today: date) -> dates.Range:
    since, until = _FIRST, _LAST
    for condition in conditions:
        low, high = _range(condition, today)
        since, until = max(since, low), min(until, high)
    if since > until:
        raise refusal("DATE_RANGE_TOO_NARROW", "The filters on dates have a start date after the end date.")
    return since, until


def _range(condition: Condition, today: date) -> dates.Range:
    if condition.operator == "DURING":
        return dates.DURING[condition.values[0].text](today)
    days = [_date(token, condition.field) for token in condition.values]
    first, last = days[0], _end_of(condition.field, days[-1])
    match condition.operator:
        case "=":
            return first, _end_of(condition.field, first)
        case "BETWEEN":
            return first, last
        case ">=":
            return first, _LAST
        case ">":
            return _shifted(_end_of(condition.field, first), 1), _LAST
        case "<":
            return _FIRST, _shifted(first, -1)
        case _:
            return _FIRST, last


def _end_of(name: str, day: date) -> date:
    if name == "segments.year":
        return day.replace(month=12, day=31)
    days = {"segments.week": 7, "segments.month": 31, "segments.quarter": 92}.get(name, 1)
    following = _shifted(day, days)
    start = {"segments.month": dates.month, "segments.quarter": dates.quarter}.get(name)
    return _shifted(start(following) if start else following, -1)


def _shifted(day: date, days: int) -> date:
    """Some days later or earlier, within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, _FIRST.toordinal()), _LAST.toordinal()))


def _test(condition: Condition) -> Test:
    field = FIELDS[condition.field]
    wanted = [_value(token, field) for token in condition.values]
    match condition.operator:
        case "IS NULL":
            return lambda value: value is None
        case "IS NOT NULL":
            return lambda value: value is not None
        case "IN":
            return lambda value: value in wanted
        case "NOT IN":
            return lambda value: value not in wanted
        case "LIKE" | "NOT LIKE":
            pattern = re.compile(".*".join(re.escape(part) for part in str(wanted[0]).split("%")), re.IGNORECASE)
            negated = condition.operator == "NOT LIKE"
            return lambda value: (pattern.fullmatch(str(value or "")) is not None) is not negated
        case "DURING":
            raise refusal("OPERATOR_FIELD_MISMATCH", f"DURING cannot be used with '{field.name}'.", "DURING")
        case "BETWEEN":
            low, high = wanted
            return lambda value: value is not None and _compare(value, low) >= 0 >= _compare(value, high)
    sign = _SIGNS[condition.operator]
    if condition.operator == "!=":
        return lambda value: value is None or sign(_compare(value, wanted[0]))
    return lambda value: value is not None and sign(_compare(value, wanted[0]))


def _value(token: Token, field: Field) -> Value:
    if field.type in _NUMBERS:
        return float(token.text) if "." in token.text or field.type is Type.DOUBLE else int(token.text)
    return token.text.lower() == "true" if field.type is Type.BOOLEAN else token.text


def _compare(left: Value, right: Value) -> int:
    """Below, equal or above; both sides have the field's type."""
    if isinstance(left, str) or isinstance(right, str):
        one, other = str(left), str(right)
        return (one > other) - (one < other)
    first, second = float(left or 0), float(right or 0)
    return (first > second) - (first < second)
