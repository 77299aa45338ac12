"""Values as SQL: what was given becomes a literal, and only what these functions made is SQL already."""

import re
from typing import Any, Self

from server.analytics.template.errors import TemplateError

_ESCAPED = re.compile(r"[\0\r\x08\t\x1a\n\"'\\%`]|\*/")
_ESCAPES = str.maketrans({
    "\0": r"\0", "\r": r"\r", "\x08": r"\b", "\t": r"\t", "\x1a": r"\z", "\n": r"\n", '"': r"\"", "'": r"\'",
    "\\": r"\\", "%": r"\%", "`": r"\`",
})  # fmt: skip
_ELEMENT_ESCAPES = {letter: escape for letter, escape in _ESCAPES.items() if chr(letter) not in '%"`\x1a'}
_NAME_ESCAPES = {**_ESCAPES, ord('"'): None}


class Expression(str):
    """SQL that goes in as it is."""

    __slots__ = ()


class Symbol:
    """A name that goes in as it is, and is no text to compute with."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Integer(int):
    type: str

    def __new__(cls, value: Any, type_: str) -> Self:
        made = super().__new__(cls, value)
        made.type = type_
        return made

    def __str__(self) -> str:
        return f"to{self.type}('{int(self)}')"


class Float(float):
    type: str

    def __new__(cls, value: Any, type_: str) -> Self:
        made = super().__new__(cls, value)
        made.type = type_
        return made

    def __str__(self) -> str:
        return f"to{self.type}('{float(self)}')"


def quoted(text: str) -> str:
    """Tinybird's escapes: of these ClickHouse reads `\\%` as two characters and the others as one."""
    return f"'{_uncommented(text.translate(_ESCAPES)) if _ESCAPED.search(text) else text}'"


def name_escaped(text: str) -> str:
    return _uncommented(str(text).translate(_NAME_ESCAPES))


def _uncommented(text: str) -> str:
    """Where the template stands in a comment, a value cannot end it; ClickHouse reads `\\/` as a slash."""
    return text.replace("*/", r"*\/")


def literal(value: Any, source: str) -> str:
    """`source`: what the template calls it, for the error."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is Expression:
        return str.__str__(value)
    if value is None:
        shown = f"{source[:20]}..." if len(source) > 20 else source
        raise TemplateError(f'Template Syntax Error: expression "{shown}" evaluated to null')
    if isinstance(value, int | float | Symbol):
        return str(value)
    return _collection(value)


def _collection(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_element(item) for item in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(_element(item) for item in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_element(key)}: {_element(item)}' for key, item in value.items())}}}"
    raise TemplateError(f"Template Syntax Error: a {type(value).__name__} is no value for SQL")


def _element(value: Any) -> str:
    """In a list that the template made, a % stays one: nothing here is for LIKE."""
    if type(value) is str:
        return f"'{_uncommented(value.translate(_ELEMENT_ESCAPES))}'"
    return "NULL" if value is None else literal(value, "")
