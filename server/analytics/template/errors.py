"""What a template answers instead of SQL.

TemplateError           the template, or a value for it, is wrong
├── MissingParameter    a value it cannot do without was not given
└── TooMuch             it would run, or write, without end
TemplateRefusal         the template itself says no: error(…), custom_error(…)
"""

from collections.abc import Mapping
from typing import Any


class TemplateError(ValueError):
    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line

    def __str__(self) -> str:
        return f"{self.message}, line {self.line}" if self.line else self.message


class MissingParameter(TemplateError):
    pass


class TooMuch(TemplateError):
    pass


class TemplateRefusal(Exception):
    """`body` is what the caller is answered, with `status`."""

    def __init__(self, body: Mapping[str, Any], status: int = 400) -> None:
        super().__init__(str(body.get("error", body)))
        self.body, self.status = body, status
