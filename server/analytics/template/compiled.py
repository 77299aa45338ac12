"""A node's SQL as a template: compiled once, rendered for every call."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from server.analytics.template import parameters, statements
from server.analytics.template.blocks import parse
from server.analytics.template.casts import REQUIRED, elements
from server.analytics.template.errors import MissingParameter, TemplateError, TooMuch
from server.analytics.template.scope import Scope
from tools.analytics import PipeParameter

_ARRAY = re.compile(r"Array\((\w+)\)")


@dataclass(frozen=True, slots=True)
class Rendered:
    sql: str
    settings: Mapping[str, str]  # max_threads, cache_ttl, backend_hint, activate, disable
    secrets: Mapping[str, str]  # the SQL names them as {name: String}


class Template:
    def __init__(self, sql: str) -> None:
        """SQL that does not begin with % is what it is, braces and all."""
        self.parameters: tuple[PipeParameter, ...] = ()
        self._plain: str | None = sql
        body = sql.lstrip()
        if not body.startswith("%"):
            return
        self._plain = None
        chunks = parse(body[1:])
        self._run = statements.compiled(chunks)
        self.parameters = parameters.declared(chunks, statements.assigned(chunks))
        self._arrays = {p.name: found.group(1) for p in self.parameters if (found := _ARRAY.fullmatch(p.type))}

    def render(
        self, values: Mapping[str, str | Sequence[str]], *, secrets: Mapping[str, str] | None = None
    ) -> Rendered:
        """Values that the template does not name are left out. Raises TemplateError and TemplateRefusal."""
        if self._plain is not None:
            return Rendered(self._plain, {}, {})
        scope = Scope(self._prepared(values), secrets or {})
        try:
            self._run(scope)
        except MissingParameter:
            raise self._missing(scope) from None
        except TemplateError as wrong:
            raise type(wrong)(wrong.message, wrong.line or scope.line) from None
        except RecursionError:
            raise TooMuch(
                "Template Syntax Error: more values in each other than can be gone through", scope.line
            ) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as wrong:
            raise TemplateError(f"Template Syntax Error: {_explained(wrong)}", scope.line) from None
        sql = "".join(scope.written)
        if not sql.isascii():
            _check_unicode(sql)
        return Rendered(sql, scope.settings, scope.used_secrets)

    def _prepared(self, values: Mapping[str, str | Sequence[str]]) -> Mapping[str, Any]:
        prepared: dict[str, Any] = {name: _given(value) for name, value in values.items()}
        for name, type_ in self._arrays.items():
            if isinstance(given := prepared.get(name), str):
                try:
                    prepared[name] = elements(given, type_)
                except (TypeError, ValueError):
                    continue  # what is wrong with it is said where it is used
        return prepared

    def _missing(self, scope: Scope) -> MissingParameter:
        names = [p.name for p in self.parameters if p.required and scope.values.get(p.name) is None]
        shown = f" Check the parameters {_enumerated(names)}." if names else ""
        return MissingParameter(
            f"Template Syntax Error: {REQUIRED}.{shown} Please provide a value or set a default value in the "
            "pipe code.",
            scope.line,
        )


@lru_cache(maxsize=1024)
def compile_template(sql: str) -> Template:
    return Template(sql)


def _given(value: Any) -> Any:
    """As a query string would say it: a body of JSON may have numbers, too."""
    if value is None or isinstance(value, str):
        return value
    return [str(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _enumerated(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _explained(wrong: Exception) -> str:
    text = str(wrong)[:300]
    if "missing" in text and "required positional argument" in text:
        return "one of the transform type functions is missing an argument"
    if "string index out of range" in text:
        return "String index out of range. Give the parameter a default, or look at its length first"
    return text or type(wrong).__name__


def _check_unicode(sql: str) -> None:
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise TemplateError("Template Syntax Error: a value is not valid Unicode") from None
