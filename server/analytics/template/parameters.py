"""The parameters that a template declares by using them: {{Int32(limit, 100, description='…', required=False)}}."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from server.analytics.template.blocks import Chunk
from server.analytics.template.casts import CASTS
from server.analytics.template.expressions import parsed
from tools.analytics import PipeParameter

_NAMES = {"column", "columns", "split_to_array", "JSON"}  # functions of a text, which may have a default


@dataclass(frozen=True, slots=True)
class _Use:
    parameter: PipeParameter
    typed: bool


def declared(chunks: list[Chunk], assigned: frozenset[str]) -> tuple[PipeParameter, ...]:
    """In order of appearance. The first typed use decides, later ones add what it left unsaid."""
    found: dict[str, _Use] = {}
    for use in _uses(chunks, certain=True):
        name = use.parameter.name
        if name in assigned:
            continue
        known = found.get(name)
        if known is None:
            found[name] = use
        else:
            first, second = (use, known) if use.typed and not known.typed else (known, use)
            found[name] = _Use(merged(first.parameter, second.parameter), first.typed)
    return tuple(use.parameter for use in found.values())


def merged(first: PipeParameter, second: PipeParameter) -> PipeParameter:
    return replace(
        first,
        description=first.description or second.description,
        required=first.required or second.required,
        default=second.default if first.default is None else first.default,
        choices=first.choices or second.choices,
    )


def _uses(chunks: list[Chunk], *, certain: bool) -> Iterator[_Use]:
    """`certain`: it runs in every render, so that a value without a default has to be given."""
    for chunk in chunks:
        if chunk.kind == "expression":
            yield from _in(parsed(chunk.code), certain=certain)
        elif chunk.kind == "set":
            yield from _in_statement(chunk.code, certain=certain)
        elif chunk.kind == "for":
            yield from _in_statement(f"for {chunk.code}: pass", certain=certain)
        elif chunk.kind in {"if", "while"}:
            yield from _in(parsed(chunk.code), certain=certain)
        elif chunk.kind == "elif":
            yield from _in(parsed(chunk.code), certain=False)
        yield from _uses(chunk.body, certain=False)
        yield from _uses(chunk.branches, certain=False)


def _in_statement(code: str, *, certain: bool) -> Iterator[_Use]:
    for statement in ast.parse(code).body:
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr):
                yield from _in(child, certain=certain)


def _in(node: ast.AST, *, certain: bool) -> Iterator[_Use]:
    if isinstance(node, ast.Call):
        yield from _in_call(node, certain=certain)
    elif isinstance(node, ast.Name):
        yield _Use(PipeParameter(name=node.id, type="String"), typed=False)
    elif isinstance(node, ast.BoolOp):
        for at, value in enumerate(node.values):
            yield from _in(value, certain=certain and not at)
    elif isinstance(node, ast.IfExp):
        yield from _in(node.test, certain=certain)
        yield from _in(node.body, certain=False)
        yield from _in(node.orelse, certain=False)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _in(child, certain=certain)


def _in_call(node: ast.Call, *, certain: bool) -> Iterator[_Use]:
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    arguments = list(node.args)
    if (
        arguments
        and isinstance(arguments[0], ast.Name)
        and (function == "Array" or function in CASTS or function in _NAMES)
    ):
        yield _typed(function, node, arguments.pop(0).id, certain=certain)  # type: ignore[attr-defined]  # a Name
    if isinstance(node.func, ast.Attribute):
        yield from _in(node.func.value, certain=certain)
    for child in (*arguments, *(keyword.value for keyword in node.keywords)):
        yield from _in(child, certain=certain)


def _typed(function: str, node: ast.Call, name: str, *, certain: bool) -> _Use:
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    at = 2 if function == "Array" else 1
    default = _text(said.get("default") or (node.args[at] if len(node.args) > at else None))
    optional = function in _NAMES - {"column", "columns"} or function in {"Boolean", "bool"}
    if "defined" in said:
        optional = optional or _text(said["defined"]) in {"false", "0"}
    kind = (
        _array_type(node) if function == "Array" else function if function in CASTS or function == "JSON" else "String"
    )
    parameter = PipeParameter(
        name=name,
        type=kind,
        description=_text(said.get("description")) or "",
        required=_text(said.get("required")) in {"true", "1"} or (certain and default is None and not optional),
        default=default,
        choices=_choices(said.get("enum")),
    )
    return _Use(parameter, typed=function not in _NAMES or function == "JSON")


def _array_type(node: ast.Call) -> str:
    said = next((keyword.value for keyword in node.keywords if keyword.arg == "_type"), None)
    return f"Array({_text(said or (node.args[1] if len(node.args) > 1 else None)) or 'String'})"


def _text(node: ast.expr | None) -> str | None:
    """A constant as a caller would write it; None for what only a render knows."""
    if node is None:
        return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choices(node: ast.expr | None) -> tuple[str, ...]:
    if not isinstance(node, ast.List | ast.Tuple):
        return ()
    return tuple(text for element in node.elts if (text := _text(element)) is not None)
