"""What Tinybird takes inside {{ }}, less than in {% %}: so a pipe that runs here runs there, too."""

import ast

from server.analytics.template.errors import TemplateError
from server.analytics.template.expressions import invalid

_METHODS = frozenset(["split", "get", "join", "replace"])


def check(node: ast.expr, functions: frozenset[str]) -> None:
    if isinstance(node, ast.Call):
        _check_call(node, functions)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.USub | ast.Not):
        raise invalid("UnaryOp", node.op)
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add | ast.Mult | ast.Sub):
        raise invalid("BinOp", node.op)
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice | ast.Constant | ast.Subscript):
        raise TemplateError(f"Template Syntax Error: Invalid Slice expression: {ast.dump(node.slice)[:200]}")
    elif not isinstance(node, _TYPES):
        raise invalid("expression type", node)
    for child in _children(node):
        check(child, functions)


_TYPES = (
    ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Subscript, ast.Dict, ast.Tuple, ast.List, ast.Set,
    ast.JoinedStr, ast.FormattedValue, ast.IfExp,
)  # fmt: skip


def _check_call(node: ast.Call, functions: frozenset[str]) -> None:
    if isinstance(node.func, ast.Attribute):
        if node.func.attr not in _METHODS:
            raise TemplateError(f"Template Syntax Error: Invalid method name: {node.func.attr}")
    elif not isinstance(node.func, ast.Name):
        raise invalid("function", node)
    elif node.func.id not in functions:
        raise TemplateError(f"Template Syntax Error: Invalid function name: {node.func.id}")


def _children(node: ast.expr) -> list[ast.expr]:
    """What is checked in turn: keywords are not, for Tinybird does not."""
    if isinstance(node, ast.Call):
        subject = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*subject, *node.args]
    if isinstance(node, ast.Subscript):
        bounds = (node.slice.lower, node.slice.upper) if isinstance(node.slice, ast.Slice) else (node.slice,)
        return [node.value, *(bound for bound in bounds if bound is not None)]
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
