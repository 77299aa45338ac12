"""The tree of a template compiled to closures that write SQL into a scope."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from server.analytics.template import strictness
from server.analytics.template.blocks import Chunk
from server.analytics.template.errors import TemplateError
from server.analytics.template.expressions import Compiled, Compiler, checked_name, parsed, syntax
from server.analytics.template.functions import FUNCTIONS, SCOPED
from server.analytics.template.scope import Break, Continue, Scope
from server.analytics.template.values import literal

Step = Callable[[Scope], None]
Assign = Callable[[Scope, Any], None]

# what only {% %} may call, as with Tinybird
_IN_BLOCKS = frozenset([made.__name__ for made in (abs, all, any, bool, dict, enumerate, range, reversed, round, set)])
_IN_BLOCKS |= frozenset(["Column", "Symbol", *[made.__name__ for made in (sorted, str, sum, tuple, zip)]])
_OUTPUT = frozenset([*FUNCTIONS, *SCOPED]) - _IN_BLOCKS


def compiled(chunks: list[Chunk]) -> Step:
    return _Statements(assigned(chunks)).sequence(chunks)


def assigned(chunks: list[Chunk]) -> frozenset[str]:
    return frozenset(_assigned(chunks))


class _Statements:
    def __init__(self, assigned: frozenset[str]) -> None:
        self.compiler = Compiler(assigned)

    def sequence(self, chunks: list[Chunk]) -> Step:
        steps = [self._step(chunk) for chunk in chunks]
        if len(steps) == 1:
            return steps[0]

        def run(scope: Scope) -> None:
            for step in steps:
                step(scope)

        return run

    def _step(self, chunk: Chunk) -> Step:
        try:
            made: Step = getattr(self, f"_{chunk.kind}")(chunk)
        except TemplateError as wrong:
            wrong.line = wrong.line or chunk.line
            raise
        return made

    def _text(self, chunk: Chunk) -> Step:
        text = chunk.code
        return lambda scope: scope.write(text)

    def _expression(self, chunk: Chunk) -> Step:
        node = parsed(chunk.code)
        strictness.check(node, _OUTPUT)
        value, code, line = self.compiler.compile(node), chunk.code, chunk.line

        def run(scope: Scope) -> None:
            scope.line = line
            scope.write(literal(value(scope), code))

        return run

    def _set(self, chunk: Chunk) -> Step:
        statement, line = _statement(chunk.code), chunk.line
        if isinstance(statement, ast.Expr):
            value = self.compiler.compile(statement.value)
            assign: Assign = _nowhere
        elif isinstance(statement, ast.AugAssign):
            assign = self._target(statement.target)
            load = ast.Name(statement.target.id) if isinstance(statement.target, ast.Name) else statement.target
            value = self.compiler.compile(ast.BinOp(load, statement.op, statement.value))
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            assign = self._target(statement.targets[0])
            value = self.compiler.compile(statement.value)
        else:
            raise TemplateError("set takes NAME = value")

        def run(scope: Scope) -> None:
            scope.line = line
            assign(scope, value(scope))

        return run

    def _target(self, target: ast.expr) -> Assign:
        if isinstance(target, ast.Name):
            name = checked_name(target.id)
            return lambda scope, value: scope.local.__setitem__(name, value)
        if isinstance(target, ast.Tuple):
            parts = [self._target(part) for part in target.elts]

            def unpack(scope: Scope, value: Any) -> None:
                for part, item in zip(parts, list(value), strict=True):
                    part(scope, item)

            return unpack
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            return _into(self.compiler.compile(target.value), self.compiler.compile(target.slice))
        raise TemplateError("a value is set to a name")

    def _if(self, chunk: Chunk) -> Step:
        branches: list[tuple[Compiled | None, Step, int]] = []
        for part in (chunk, *chunk.branches):
            if part.kind == "else" and part.code:
                raise TemplateError("else takes no condition", part.line)
            test = None if part.kind == "else" else self.compiler.compile(parsed(part.code))
            branches.append((test, self.sequence(part.body), part.line))

        def run(scope: Scope) -> None:
            for test, body, line in branches:
                scope.line = line
                if test is None or test(scope):
                    body(scope)
                    return

        return run

    def _for(self, chunk: Chunk) -> Step:
        loop = _loop(chunk)
        assign, items = self._target(loop.target), self.compiler.compile(loop.iter)
        body, line, otherwise = self.sequence(chunk.body), chunk.line, self._otherwise(chunk)

        def run(scope: Scope) -> None:
            scope.line = line
            for item in scope.budget.counted(items(scope)):
                assign(scope, item)
                try:
                    body(scope)
                except Continue:
                    continue
                except Break:
                    return
            otherwise(scope)

        return run

    def _while(self, chunk: Chunk) -> Step:
        test, body, otherwise = (
            self.compiler.compile(parsed(chunk.code)),
            self.sequence(chunk.body),
            self._otherwise(chunk),
        )

        def run(scope: Scope) -> None:
            while test(scope):
                scope.budget.spend(1)
                try:
                    body(scope)
                except Continue:
                    continue
                except Break:
                    return
            otherwise(scope)

        return run

    def _otherwise(self, chunk: Chunk) -> Step:
        return self.sequence([inner for branch in chunk.branches for inner in branch.body])

    @staticmethod
    def _try(chunk: Chunk) -> Step:
        raise TemplateError("try is not supported: say what is expected with if", chunk.line)

    @staticmethod
    def _break(_: Chunk) -> Step:
        return _leave

    @staticmethod
    def _continue(_: Chunk) -> Step:
        return _go_on


def _leave(_: Scope) -> None:
    raise Break


def _go_on(_: Scope) -> None:
    raise Continue


def _nowhere(_: Scope, __: Any) -> None:
    """Of a statement that stands for its effect."""


def _into(container: Compiled, key: Compiled) -> Assign:
    def assign(scope: Scope, value: Any) -> None:
        container(scope)[key(scope)] = scope.budget.made(value)

    return assign


def _statement(code: str) -> ast.stmt:
    return _only(code, code)


def _loop(chunk: Chunk) -> ast.For:
    loop = _only(f"for {chunk.code}: pass", chunk.code)
    if not isinstance(loop, ast.For) or len(loop.body) != 1 or not isinstance(loop.body[0], ast.Pass) or loop.orelse:
        raise TemplateError("a loop reads {% for NAME in VALUES %}")
    return loop


def _only(code: str, shown: str) -> ast.stmt:
    statements = syntax(code, mode="exec", shown=shown)
    if len(statements) != 1 or not isinstance(only := statements[0], ast.stmt):
        raise TemplateError(f"one statement, not {shown[:80]!r}")
    return only


def _assigned(chunks: list[Chunk]) -> Iterator[str]:
    """Wherever one is assigned, a name is the template's own in all of it, as in a function of Python's."""
    for chunk in chunks:
        targets: list[ast.expr] = []
        if chunk.kind == "set":
            statement = _statement(chunk.code)
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets = [statement.target] if isinstance(statement, ast.AugAssign) else targets
        elif chunk.kind == "for":
            targets = [_loop(chunk).target]
        for target in targets:
            yield from (
                node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
        yield from _assigned(chunk.body)
        yield from _assigned(chunk.branches)
