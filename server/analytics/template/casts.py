"""The typed parameters: what each accepts, and how it is written."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from server.analytics.template.errors import MissingParameter, TemplateError
from server.analytics.template.names import symbol
from server.analytics.template.values import Expression, Float, Integer, literal

REQUIRED = "Required parameter is not defined"
_DATE = re.compile(r"\d{4}-\d\d-\d\d$")
_DATETIME = (
    re.compile(r"\d{4}.\d\d.\d\d(T|\s)\d\d:\d\d:\d\d"),
    re.compile(r"\d\d.\d\d.\d{4}.\d{1,2}:\d{1,2}:\d{1,2}"),
)
_DATETIME64 = (
    re.compile(r"\d{4}.\d\d.\d\d(T|\s)\d\d:\d\d:\d\d.\d{3}"),
    re.compile(r"\d\d.\d\d.\d{4}.\d{1,2}:\d{1,2}:\d{1,2}.\d{1,3}"),
)
_SIGNED, _UNSIGNED = re.compile(r"[+-]?\d+$"), re.compile(r"\d+$")
_SHOWN = 200  # characters of a refused value that its error repeats
_DIGITS = 100  # no integer has more; Python is slow to read many


def _integer(bits: int, *, signed: bool) -> Callable[[str], bool]:
    least, bound = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    shape = _SIGNED if signed or bits > 64 else _UNSIGNED  # Tinybird takes +1 and -0 for the wide ones

    def accepts(text: str) -> bool:
        return len(text) <= _DIGITS and bool(shape.match(text)) and least <= int(text) < bound

    return accepts


def _float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


INTEGERS = {
    f"{'' if signed else 'U'}Int{bits}": (bits, signed)
    for signed in (True, False)
    for bits in (8, 16, 32, 64, 128, 256)
}
ACCEPTS: Mapping[str, Callable[[str], bool]] = {
    **{name: _integer(bits, signed=signed) for name, (bits, signed) in INTEGERS.items()},
    "Float32": _float,
    "Float64": _float,
    "Date": lambda text: bool(_DATE.match(text)),
    "DateTime": lambda text: any(shape.match(text) for shape in _DATETIME),
    "DateTime64": lambda text: any(shape.match(text) for shape in _DATETIME64),
}


def _typed(type_: str, made: Callable[[Any], Any]) -> Callable[..., Any]:
    accepts = ACCEPTS.get(type_)

    def cast(
        x: Any,
        default: Any = None,
        defined: Any = True,
        required: Any = None,
        description: Any = None,
        enum: Any = None,
        example: Any = None,
        format: Any = None,  # noqa: A002 - the field's name
    ) -> Any:
        del required, description, enum, example, format  # for whoever reads the template
        if x is None and (x := default) is None:
            if defined:
                raise MissingParameter(f"Template Syntax Error: {REQUIRED}")
            return None
        if accepts is None or accepts(str(x)):
            return made(x)
        raise TemplateError(f"Template Syntax Error: Error validating '{str(x)[:_SHOWN]}' to type {type_}")

    return cast


def boolean(x: Any, default: Any = None, **documented: Any) -> int:
    del documented
    if x is None:
        return 0 if default is None else boolean(default)
    return 0 if isinstance(x, str) and (x == "0" or x.lower() == "false") else int(bool(x))


def _made(type_: str) -> Callable[[Any], Any]:
    if type_ in INTEGERS:
        return lambda x: Integer(x, type_)
    return (lambda x: Float(x, type_)) if type_.startswith("Float") else str


CASTS: Mapping[str, Callable[..., Any]] = {
    **{type_: _typed(type_, _made(type_)) for type_ in ACCEPTS},
    "String": _typed("String", str),
    "Int": _typed("Int32", int),
    "Integer": _typed("Int32", int),
    "Boolean": boolean,
    "bool": boolean,
    "Symbol": symbol,
    "Column": symbol,
}
_ELEMENTS: Mapping[str, Callable[..., Any]] = {
    **CASTS,
    **{type_: _typed(type_, int) for type_ in INTEGERS},
    "Float32": _typed("Float32", float),
    "Float64": _typed("Float64", float),
}


def array(
    x: Any,
    _type: Any = None,
    default: Any = None,
    defined: Any = True,
    required: Any = None,
    description: Any = None,
    enum: Any = None,
    example: Any = None,
    format: Any = None,  # noqa: A002 - the field's name
) -> Expression | None:
    del required, description, enum, example, format
    if x is None and (x := default) is None:
        if defined:
            raise MissingParameter(f"Template Syntax Error: {REQUIRED}")
        return None
    if not isinstance(x, str | list):
        raise TemplateError("Template Syntax Error: transform type function Array is not well defined")
    items = x if isinstance(x, list) else x.split(",")
    return Expression(f"[{','.join(_array_element(x, item, at, _type) for at, item in enumerate(items))}]")


def _array_element(given: Any, item: Any, at: int, type_: Any) -> str:
    cast = _ELEMENTS.get(type_) if isinstance(type_, str) else None
    if (accepts := ACCEPTS.get(type_) if cast else None) and not accepts(str(item)):
        shown = "empty string" if item == "" else str(item)[:_SHOWN]
        raise TemplateError(
            f"Template Syntax Error: Error validating [{str(given)[:_SHOWN]}][{at}] ({shown}) to type {type_}"
        )
    return literal(cast(item) if cast else item, str(item))


def elements(value: str, type_: str) -> list[Any]:
    """An array parameter's value as the template's own code sees it."""
    cast = _ELEMENTS.get(type_, str)
    return [cast(item) for item in value.split(",")]
