"""Names from values: columns, symbols and tables that a value chooses, and never more than one name each."""

import re
from typing import Any

from server.analytics.template.errors import TemplateError
from server.analytics.template.values import Expression, Symbol, name_escaped

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def column(x: Any, default: Any = None) -> Symbol:
    if x is None and (x := default) is None:
        raise TemplateError(
            "Template Syntax Error: Missing column() default value, use `column(column_name, 'default_column_name')`"
        )
    return Symbol(".".join(f"`{name_escaped(part)}`" for part in _text(x).split(".")))


def columns(x: Any, default: Any = None, fn: Any = None) -> Expression:
    if x is None and (x := default) is None:
        raise TemplateError(
            "Template Syntax Error: Missing columns() default value, use `columns(column_names, 'default_column_name')`"
        )
    if not isinstance(x, str):
        raise TemplateError("Template Syntax Error: The 'columns' function expects a String not an Array")
    named = [(name.strip(), str(column(name.strip()))) for name in x.split(",")]
    if not fn:
        return Expression(",".join(quoted for _, quoted in named))
    if not _PLAIN.fullmatch(_text(fn)):
        raise TemplateError("Template Syntax Error: columns() applies a function of a plain name")
    # the alias of a name that is not plain is quoted, or the name would be SQL
    return Expression(
        ",".join(f"{fn}({quoted}) as {name if _PATH.fullmatch(name) else quoted}" for name, quoted in named)
    )


def symbol(x: Any, quote: Any = "`") -> Symbol:
    if quote not in ("`", '"'):
        raise TemplateError('Template Syntax Error: symbol() quotes with ` or "')
    return Symbol(f"{quote}{name_escaped(_text(x))}{quote}")


def table(x: Any, quote: Any = "`") -> Symbol:
    """Tinybird writes what it is given; a name that is not plain is quoted here, or it would be SQL."""
    del quote
    name = name_escaped(_text(x))
    return Symbol(name if _PATH.fullmatch(name) else f"`{name}`")


def _text(x: Any) -> str:
    if not isinstance(x, str):
        raise TemplateError("Template Syntax Error: a name is a text")
    return x
