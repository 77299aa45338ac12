"""The `filtering` parameter, shared by campaign lists and insights: a JSON array of {field, operator, value}."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation

from server.sandbox.meta import errors
from server.sandbox.meta.params import json_value

Row = Mapping[str, object]
Test = Callable[[Row], bool]

_SETS = {"IN": True, "NOT_IN": False}
_TEXTS = {"CONTAIN": True, "NOT_CONTAIN": False}
_NUMBERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "GREATER_THAN": Decimal.__gt__,
    "GREATER_THAN_OR_EQUAL": Decimal.__ge__,
    "LESS_THAN": Decimal.__lt__,
    "LESS_THAN_OR_EQUAL": Decimal.__le__,
}
_OPERATORS = ("EQUAL", "NOT_EQUAL", *_NUMBERS, *_SETS, *_TEXTS)


def parse(raw: str | None, known: Collection[str]) -> list[Test]:
    if not raw:
        return []
    clauses = json_value("filtering", raw, "an array")
    if not isinstance(clauses, list):
        raise errors.not_of_type("filtering", "an array")
    return [_test(f"filtering[{index}]", clause, known) for index, clause in enumerate(clauses)]


def mentions(raw: str | None, field: str) -> bool:
    return raw is not None and f'"{field}"' in raw


def _test(name: str, clause: object, known: Collection[str]) -> Test:
    if not isinstance(clause, dict) or not {"field", "operator", "value"} <= clause.keys():
        raise errors.not_of_type(name, "an object with field, operator and value")
    field, operator, value = str(clause["field"]), str(clause["operator"]), clause["value"]
    if field not in known:
        raise errors.not_one_of(f"{name}['field']", known, field)
    if operator not in _OPERATORS:
        raise errors.not_one_of(f"{name}['operator']", _OPERATORS, operator)
    if operator in _SETS:
        if not isinstance(value, list):
            raise errors.not_of_type(f"{name}['value']", "an array")
        wanted = {str(item) for item in value}
        return lambda row: (str(row[field]) in wanted) is _SETS[operator]
    if operator in _TEXTS:
        return lambda row: (str(value).casefold() in str(row[field]).casefold()) is _TEXTS[operator]
    if operator in _NUMBERS:
        number = _number(f"{name}['value']", value)
        return lambda row: row[field] is not None and _NUMBERS[operator](Decimal(str(row[field])), number)
    return lambda row: (str(row[field]) == str(value)) is (operator == "EQUAL")


def _number(name: str, value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise errors.not_of_type(name, "a number") from error
