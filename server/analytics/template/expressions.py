"""Python's expression syntax, a small part of it, compiled to closures: no attribute, no name but a value's or ours."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Literal

from server.analytics.template.budget import NESTING
from server.analytics.template.errors import TemplateError
from server.analytics.template.functions import FUNCTIONS, METHODS, SCOPED
from server.analytics.template.scope import Scope

Compiled = Callable[[Scope], Any]

_COMPARES: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def parsed(code: str) -> ast.expr:
    (only,) = syntax(code, mode="eval", shown=code)
    if not isinstance(only, ast.expr):
        raise TemplateError(f"no expression in {code[:80]!r}")
    return only


def syntax(code: str, *, mode: Literal["eval", "exec"], shown: str) -> list[ast.AST]:
    """What stands at the top: one expression, or statements; nothing so deep that going through it would fail."""
    try:
        tree: ast.AST = ast.parse(code, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as wrong:
        reason = wrong.msg if isinstance(wrong, SyntaxError) else "too deep, or no text"
        raise TemplateError(f"{reason} in {shown[:80]!r}") from None
    top = level = list(ast.iter_child_nodes(tree))
    for _ in range(2 * NESTING):  # a loop or a call has its parts in nodes of their own
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return top
    raise TemplateError(f"More than {NESTING} expressions in each other")


class Compiler:
    """`assigned`: the names that the template gives values to itself; the others are parameters."""

    def __init__(self, assigned: frozenset[str]) -> None:
        self.assigned = assigned
        self.depth = 0

    def compile(self, node: ast.expr) -> Compiled:
        self.depth += 1
        try:
            if self.depth > NESTING:
                raise TemplateError(f"More than {NESTING} expressions in each other")
            made = getattr(self, f"_{type(node).__name__.lower()}", None)
            if made is None:
                raise invalid("expression type", node)
            return made(node)  # type: ignore[no-any-return]  # every method of that shape makes one
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant) -> Compiled:
        value = node.value
        if not (value is None or isinstance(value, str | int | float)):
            raise invalid("Constant", node)
        return lambda _: value

    def _name(self, node: ast.Name) -> Compiled:
        name = checked_name(node.id)
        if name in self.assigned:
            return lambda scope: scope.local[name] if name in scope.local else scope.unbound(name)
        return lambda scope: scope.values.get(name)

    def _call(self, node: ast.Call) -> Compiled:
        arguments = [self.compile(argument) for argument in node.args]
        named = [(self._keyword(keyword), self.compile(keyword.value)) for keyword in node.keywords]
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, arguments, named)
        if not isinstance(node.func, ast.Name):
            raise invalid("function", node)
        name = node.func.id
        if scoped := SCOPED.get(name):
            return lambda scope: scoped(scope, *[a(scope) for a in arguments], **{k: v(scope) for k, v in named})
        if (function := FUNCTIONS.get(name)) is None:
            raise TemplateError(f"Template Syntax Error: Invalid function name: {name}")
        if name in _THOROUGH:
            return lambda scope: scope.budget.made(
                function(*[scope.budget.read(a(scope)) for a in arguments], **{k: v(scope) for k, v in named})
            )
        if not named:
            return _positional(function, arguments)
        return lambda scope: function(*[a(scope) for a in arguments], **{k: v(scope) for k, v in named})

    def _method(self, called: ast.Attribute, arguments: list[Compiled], named: list[tuple[str, Compiled]]) -> Compiled:
        if (methods := METHODS.get(called.attr)) is None:
            raise TemplateError(f"Template Syntax Error: Invalid method name: {called.attr}")
        subject, name = self.compile(called.value), called.attr

        def call(scope: Scope) -> Any:
            value = scope.budget.read(subject(scope))
            for kind, method in methods.items():
                if isinstance(value, kind):
                    given = [argument(scope) for argument in arguments]
                    for item in given if name in _GROWING else ():
                        scope.budget.made(item)
                    return scope.budget.made(method(value, *given, **{k: v(scope) for k, v in named}))
            raise TemplateError(f"Template Syntax Error: '{type(value).__name__}' object has no attribute '{name}'")

        return call

    @staticmethod
    def _keyword(keyword: ast.keyword) -> str:
        if keyword.arg is None:
            raise TemplateError("Template Syntax Error: ** is not supported")
        return keyword.arg

    def _unaryop(self, node: ast.UnaryOp) -> Compiled:
        if (apply := _UNARY.get(type(node.op))) is None:
            raise invalid("UnaryOp", node.op)
        operand = self.compile(node.operand)
        return lambda scope: apply(operand(scope))

    def _binop(self, node: ast.BinOp) -> Compiled:
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node.op, ast.Mult):
            return lambda scope: scope.budget.made(_product(left(scope), right(scope)))
        if isinstance(node.op, ast.Mod):
            return lambda scope: _remainder(left(scope), right(scope))
        if (apply := _BINARY.get(type(node.op))) is None:
            raise invalid("BinOp", node.op)
        return lambda scope: scope.budget.made(apply(left(scope), right(scope)))

    def _boolop(self, node: ast.BoolOp) -> Compiled:
        operands = [self.compile(value) for value in node.values]
        ends = isinstance(node.op, ast.Or)

        def evaluate(scope: Scope) -> Any:
            value: Any = None
            for operand in operands:
                value = operand(scope)
                if bool(value) is ends:
                    break
            return value

        return evaluate

    def _compare(self, node: ast.Compare) -> Compiled:
        left = self.compile(node.left)
        steps = [
            (_COMPARES[type(operator_)], self.compile(side))
            for operator_, side in zip(node.ops, node.comparators, strict=True)
        ]

        def evaluate(scope: Scope) -> Any:
            one, result = left(scope), True
            for compares, side in steps:
                other = scope.budget.read(side(scope))
                if not (result := compares(one, other)):
                    break
                one = other
            return result

        return evaluate

    def _ifexp(self, node: ast.IfExp) -> Compiled:
        test, body, orelse = self.compile(node.test), self.compile(node.body), self.compile(node.orelse)
        return lambda scope: body(scope) if test(scope) else orelse(scope)

    def _subscript(self, node: ast.Subscript) -> Compiled:
        value = self.compile(node.value)
        if isinstance(node.slice, ast.Slice):
            lower, upper, step = (
                self.compile(part) if part else None for part in (node.slice.lower, node.slice.upper, node.slice.step)
            )
            return lambda scope: scope.budget.made(
                value(scope)[slice(*(part(scope) if part else None for part in (lower, upper, step)))]
            )
        index = self.compile(node.slice)
        return lambda scope: value(scope)[index(scope)]

    def _list(self, node: ast.List) -> Compiled:
        return self._display(node.elts, list)

    def _tuple(self, node: ast.Tuple) -> Compiled:
        return self._display(node.elts, tuple)

    def _set(self, node: ast.Set) -> Compiled:
        return self._display(node.elts, set)

    def _display(self, elements: list[ast.expr], made: Callable[[list[Any]], Any]) -> Compiled:
        parts = [self.compile(element) for element in elements]
        return lambda scope: scope.budget.made(made([part(scope) for part in parts]))

    def _dict(self, node: ast.Dict) -> Compiled:
        keys = [key for key in node.keys if key is not None]
        if len(keys) != len(node.keys):
            raise TemplateError("Template Syntax Error: ** is not supported")
        pairs = [(self.compile(key), self.compile(value)) for key, value in zip(keys, node.values, strict=True)]
        return lambda scope: scope.budget.made({key(scope): value(scope) for key, value in pairs})

    def _joinedstr(self, node: ast.JoinedStr) -> Compiled:
        parts = [self.compile(value) for value in node.values]
        return lambda scope: scope.budget.made("".join([str(part(scope)) for part in parts]))

    def _formattedvalue(self, node: ast.FormattedValue) -> Compiled:
        if node.format_spec is not None or node.conversion != -1:
            raise TemplateError("Template Syntax Error: f-strings take no format here")
        return self.compile(node.value)

    def _listcomp(self, node: ast.ListComp) -> Compiled:
        return self._comprehension(node.elt, node.generators)

    def _generatorexp(self, node: ast.GeneratorExp) -> Compiled:
        return self._comprehension(node.elt, node.generators)

    def _comprehension(self, element: ast.expr, generators: list[ast.comprehension]) -> Compiled:
        if len(generators) != 1 or not isinstance(target := generators[0].target, ast.Name):
            raise TemplateError("Template Syntax Error: a comprehension has one for, and one name in it")
        name = checked_name(target.id)
        items = self.compile(generators[0].iter)
        inner = Compiler(self.assigned | {name})
        inner.depth = self.depth
        made, tests = inner.compile(element), [inner.compile(test) for test in generators[0].ifs]

        def evaluate(scope: Scope) -> list[Any]:
            outer, results = scope.local, []
            scope.local = dict(outer)
            try:
                for item in scope.budget.counted(items(scope)):
                    scope.local[name] = item
                    if all(test(scope) for test in tests):
                        results.append(made(scope))
            finally:
                scope.local = outer
            return results

        return evaluate


# they go through all of what they are given
_THOROUGH = frozenset(["Array", "JSON", "columns", "enumerate_with_last", "split_to_array", "str"])
_THOROUGH |= frozenset([made.__name__ for made in (all, any, dict, enumerate, list, max, min, reversed, set, sorted)])
_THOROUGH |= frozenset([made.__name__ for made in (sum, tuple, zip)])
_GROWING = frozenset(["add", "append", "extend"])


def _positional(function: Callable[..., Any], arguments: list[Compiled]) -> Compiled:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda scope: function(only(scope))
    if len(arguments) == 2:
        first, second = arguments
        return lambda scope: function(first(scope), second(scope))
    return lambda scope: function(*[argument(scope) for argument in arguments])


def checked_name(name: str) -> str:
    if name.startswith("__"):
        raise TemplateError(f"Template Syntax Error: {name[:40]!r} is no name for a parameter")
    if name in {"format", "q"}:
        raise TemplateError(f'"{name}" can not be used as a variable name')
    return name


def invalid(what: str, node: ast.AST) -> TemplateError:
    return TemplateError(f"Template Syntax Error: Invalid {what}: {ast.dump(node)[:200]}")


def _product(left: Any, right: Any) -> Any:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | list | tuple):
            if not isinstance(other, int) or len(one) * other > 100_000:
                raise TemplateError("Template Syntax Error: more than 100,000 repetitions")
            return one * other
    return left * right


def _remainder(left: Any, right: Any) -> Any:
    if not isinstance(left, int | float):
        raise TemplateError("Template Syntax Error: % takes numbers")  # of a text it would be formatting
    return left % right
