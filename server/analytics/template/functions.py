"""The functions of the template language beside the casts; those in SCOPED change the render they are called in."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from server.analytics.template.budget import check_text
from server.analytics.template.casts import CASTS, array
from server.analytics.template.dates import DATES
from server.analytics.template.errors import TemplateError, TemplateRefusal
from server.analytics.template.names import column, columns, table
from server.analytics.template.scope import Scope
from server.analytics.template.values import Expression, Symbol, literal, quoted

_OPERATORS = {"in": "in", "not_in": "not in", "gt": ">", "lt": "<", "gte": ">=", "lte": "<="}
_TTLS = ("5s", "1m", "5m", "30m", "1h")
_FEATURES = ("analyzer", "parallel_replicas", "optimize_aggregation_in_order")
_MOST_THREADS = 1024
_WORD = re.compile(r"\w{1,100}", re.ASCII)


def defined(x: Any = None) -> bool:
    return x is not None


def sql_and(*_: Any, **conditions: Any) -> Expression:
    return Expression(" and ".join(_condition(k, v) for k, v in conditions.items() if v is not None))


def _condition(key: str, value: Any) -> str:
    name, marked, operator = key.rpartition("__")
    if not marked:
        return f"{key} = {literal(value, key)}"
    if operator not in _OPERATORS:
        raise TemplateError(f"Template Syntax Error: operand {operator} not supported")
    return f"{name} {_OPERATORS[operator]} {literal(value, key)}"


def split_to_array(x: Any, default: Any = "", separator: Any = ",") -> list[str]:
    x = default if x is None else x
    if not isinstance(x, str):
        raise TemplateError("Template Syntax Error: First argument of split_to_array has to be a text")
    return [part.strip() for part in x.split(separator)]


def enumerate_with_last(arr: Any) -> list[tuple[bool, Any]]:
    return [(at == len(arr), item) for at, item in enumerate(arr, 1)]


def sql_unescape(x: Any, what: Any = "") -> Expression:
    """`what` keeps its own shape in the literal: '%' for LIKE. What would end the literal stays escaped."""
    text = quoted(x)
    if what == "":
        return Expression(re.sub(r"\\(.)", lambda found: found.group(found.group(1) in '%"`'), text))
    if len(what) != 1 or what in "\\'" or what.isalnum():
        raise TemplateError("Template Syntax Error: sql_unescape() unescapes one sign, and no quote and no backslash")
    return Expression(text if what == "/" else text.replace(f"\\{what}", what))  # a slash is escaped by us alone


def parsed_json(x: Any, default: Any = None) -> Any:
    if x is None:
        x = default if isinstance(default, str) else "{}"
    if not isinstance(x, str):
        return x
    try:
        return json.loads(x)
    except (ValueError, RecursionError) as wrong:
        shown = f"{x[:16]}..." if len(x) > 16 else x
        raise TemplateError(f"Template Syntax Error: Error parsing JSON: '{shown}' - {wrong}") from None


def error(s: Any, code: Any = 400) -> NoReturn:
    del code  # Tinybird answers 400 whatever it says
    raise TemplateRefusal({"error": str(s)})


def custom_error(s: Any, code: Any = 400) -> NoReturn:
    status = code if isinstance(code, int) and 200 <= code <= 599 else 400
    raise TemplateRefusal(_plain(s) if isinstance(s, dict) else {"error": str(s)}, status)


def _plain(value: Any) -> Any:
    """What JSON knows: a template's own kinds of values as their text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def max_threads(scope: Scope, x: Any) -> Expression:
    try:
        threads = int(x)
    except (TypeError, ValueError):
        threads = -1
    if not 0 <= threads <= _MOST_THREADS:
        return Expression(f"-- max_threads: wrong argument {x if _WORD.fullmatch(str(x)) else ''}\n")
    scope.settings["max_threads"] = str(threads)
    return Expression(f"-- max_threads {threads}\n")


def cache_ttl(scope: Scope, ttl_expression: Any) -> Expression:
    if ttl_expression not in _TTLS:
        raise TemplateError(f"Template Syntax Error: Invalid TTL cache expression, valid expressions are {_TTLS}")
    scope.settings["cache_ttl"] = ttl_expression
    return Expression(f"-- cache_ttl {ttl_expression}\n")


def backend_hint(scope: Scope, hint: Any) -> Expression:
    if not _WORD.fullmatch(str(hint)):
        raise TemplateError("Template Syntax Error: backend_hint() takes one word")
    if hint is not None and hint is not False:
        scope.settings["backend_hint"] = str(hint)
    return Expression(f"-- backend_hint {hint}\n")


def activate(scope: Scope, feature: Any) -> Expression:
    if feature not in _FEATURES:
        raise TemplateError(f"Template Syntax Error: '{feature}' is not a valid 'activate' argument")
    scope.settings["activate"] = ",".join(filter(None, (scope.settings.get("activate"), feature)))
    return Expression(f"-- activate {feature}\n")


def disable(scope: Scope, feature: Any) -> Expression:
    if feature != "analyzer":
        raise TemplateError(f"Template Syntax Error: '{feature}' is not a valid 'disable' argument")
    scope.settings["disable"] = feature
    return Expression(f"-- disable {feature}\n")


def tb_secret(scope: Scope, x: Any, default: Any = None) -> Any:
    """The secret itself never enters the SQL: the engine is given it as a query parameter of that name."""
    if isinstance(x, str) and _WORD.fullmatch(x) and x in scope.secrets:
        scope.used_secrets[x] = scope.secrets[x]
        return Symbol(f"{{{x}: String}}")
    if default is not None:
        return default
    raise TemplateError(
        f"Template Syntax Error: Cannot access secret '{x}'. Check the secret exists in the Workspace and the token "
        "has the required scope."
    )


def _range(scope: Scope, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    scope.budget.spend(len(numbers))
    return list(numbers)


def _rounded(number: Any, digits: Any = None) -> Any:
    if isinstance(digits, int) and abs(digits) > 100:
        raise TemplateError(
            "Template Syntax Error: round() takes up to 100 digits"
        )  # of 10**9 Python would make a number
    return round(number, digits)


def _joined(separator: str, parts: Any) -> str:
    parts = list(parts)
    check_text(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replaced(text: str, old: str, new: str) -> str:
    check_text(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **CASTS,
    **DATES,
    "Array": array,
    "JSON": parsed_json,
    "TABLE": table,
    "column": column,
    "columns": columns,
    "custom_error": custom_error,
    "defined": defined,
    "enumerate_with_last": enumerate_with_last,
    "error": error,
    "round": _rounded,
    "split_to_array": split_to_array,
    "sql_and": sql_and,
    "sql_unescape": sql_unescape,
    "symbol": CASTS["Symbol"],
    "table": table,
    **{made.__name__: made for made in (abs, all, any, float, int, len, max, min, str, sum)},
    **{made.__name__: made for made in (dict, list, reversed, set, sorted, tuple, zip, enumerate)},
}
SCOPED: Mapping[str, Callable[..., Any]] = {
    "activate": activate,
    "backend_hint": backend_hint,
    "cache_ttl": cache_ttl,
    "disable": disable,
    "max_threads": max_threads,
    "range": _range,
    "tb_secret": tb_secret,
    "tb_var": tb_secret,
}
METHODS: Mapping[str, Mapping[type, Callable[..., Any]]] = {
    **{name: {str: getattr(str, name)} for name in (
        "count", "endswith", "find", "isalnum", "isalpha", "isdigit", "isnumeric", "lower", "lstrip", "rstrip", "split",
        "startswith", "strip", "title", "upper", "capitalize", "rsplit", "splitlines", "partition", "rpartition",
        "removeprefix", "removesuffix",
    )},
    "replace": {str: _replaced},
    "join": {str: _joined},
    "get": {dict: dict.get},
    "items": {dict: lambda pairs: list(pairs.items())},
    "keys": {dict: list},
    "values": {dict: lambda pairs: list(pairs.values())},
    "append": {list: list.append},
    "extend": {list: list.extend},
    "add": {set: set.add},
    "index": {list: list.index, str: str.index},
}  # fmt: skip
