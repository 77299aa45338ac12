"""What one render knows and has made so far."""

from collections.abc import Mapping
from typing import Any, NoReturn

from server.analytics.template.budget import TEXT, Budget, check_text
from server.analytics.template.errors import TemplateError


class Break(Exception):
    """Leaves the loop."""


class Continue(Exception):
    """Goes on with the loop."""


class Scope:
    __slots__ = ("budget", "length", "line", "local", "secrets", "settings", "used_secrets", "values", "written")

    def __init__(self, values: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.values, self.secrets = values, secrets
        self.local: dict[str, Any] = {}  # what the template itself assigned
        self.settings: dict[str, str] = {}
        self.used_secrets: dict[str, str] = {}
        self.written: list[str] = []
        self.budget = Budget()
        self.length, self.line = 0, 0

    def write(self, text: str) -> None:
        self.length += len(text)
        if self.length > TEXT:
            check_text(self.length)
        self.written.append(text)

    def unbound(self, name: str) -> NoReturn:
        raise TemplateError(
            f"Template Syntax Error: cannot access local variable '{name}' where it is not associated with a value"
        )
