"""A project's pipes as SQL: nodes rendered with a caller's values, then chained into one statement."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.analytics.datafiles.model import PipeFile, Project
from server.analytics.engine import DeploymentError, quoted
from server.analytics.sql.chain import Scope, chain
from server.analytics.tables.ddl import QUARANTINE
from server.analytics.template.compiled import compile_template
from server.analytics.template.errors import TemplateError, TemplateRefusal
from server.analytics.template.parameters import merged
from tools.analytics import PipeParameter

Values = Mapping[str, str | Sequence[str]]
_WORDS = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Constant:
    """What a pipe answers, where that is one row of one column. It is not null; a subquery of it still may be."""

    column: str
    type: str
    text: str

    @property
    def query(self) -> str:
        return f"SELECT {self._cast(self.type)} AS {self.column}"

    @property
    def value(self) -> str:
        return self._cast(f"Nullable({self.type})")

    def _cast(self, to: str) -> str:
        literal = self.text.replace("\\", "\\\\").replace("'", "\\'")
        return f"CAST('{literal}' AS {to})"


@dataclass(slots=True)
class Composition:
    """One statement in the making, and what its templates ask of the engine."""

    project: Project
    database: str
    values: Values = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, Constant] = field(default_factory=dict)  # what stands in place of a pipe's own SQL
    settings: dict[str, str] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)  # secrets that the SQL names as {name: String}
    pipes: set[str] = field(default_factory=set)  # that are part of it

    def pipe(self, pipe: PipeFile, node: str | None = None) -> str:
        """Raises QueryRefused, TemplateError, TemplateRefusal; KeyError where the pipe has no such node."""
        name = node or pipe.output
        sql = {each.name: each.sql for each in pipe.nodes}[name]
        return chain(self.rendered(sql), _Nodes(self, pipe, without=(name,)), path=(pipe.name,))

    def stored(self, pipe: PipeFile) -> str:
        """Of a view or a copy, which nobody gives values. Raises DeploymentError where its templates need some."""
        try:
            return self.pipe(pipe)
        except (TemplateError, TemplateRefusal) as error:
            raise DeploymentError(f"The pipe {pipe.name} cannot run without a caller: {error}") from None

    def statement(self, sql: str) -> str:
        return chain(sql, _Resources(self))

    def rendered(self, sql: str) -> str:
        rendered = compile_template(sql).render(self.values, secrets=self.secrets)
        self.settings.update(rendered.settings)
        self.bound.update(rendered.secrets)
        return rendered.sql

    def table(self, name: str) -> str | None:
        sources = self.project.datasources
        known = name in sources or (name.endswith(QUARANTINE) and name.removesuffix(QUARANTINE) in sources)
        known = known or any(pipe.target == name for pipe in self.project.pipes.values())
        return quoted(self.database, name) if known else None


@dataclass(frozen=True, slots=True)
class _Resources:
    """The names that every text knows: pipes and tables."""

    composition: Composition

    def query(self, name: str) -> tuple[str, Scope] | None:
        pipe = self.composition.project.pipes.get(name)
        if pipe is None:
            return None
        self.composition.pipes.add(name)
        if name in self.composition.known:
            return self.composition.known[name].query, self
        return _Nodes(self.composition, pipe).query(pipe.output)

    def table(self, name: str) -> str | None:
        return self.composition.table(name)

    def value(self, name: str, column: str) -> str | None:
        known = self.composition.known.get(name)
        return known.value if known is not None and known.column == column else None


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Within a pipe its nodes come first; within a node its own name is another's, and so is any that led to it."""

    composition: Composition
    pipe: PipeFile
    without: tuple[str, ...] = ()

    def query(self, name: str) -> tuple[str, Scope] | None:
        for node in self.pipe.nodes:
            if node.name == name and name not in self.without:
                inner = _Nodes(self.composition, self.pipe, (*self.without, name))
                return self.composition.rendered(node.sql), inner
        return _Resources(self.composition).query(name) if name != self.pipe.name else None

    def table(self, name: str) -> str | None:
        return self.composition.table(name)

    def value(self, name: str, column: str) -> str | None:
        ours = any(node.name == name for node in self.pipe.nodes) or name == self.pipe.name
        return None if ours else _Resources(self.composition).value(name, column)


def parameters(project: Project, pipe: PipeFile) -> tuple[PipeParameter, ...]:
    """Of its nodes and of the pipes they name, each once: what one leaves unsaid another can say."""
    found: dict[str, PipeParameter] = {}
    seen, waiting = set[str](), [pipe]
    while waiting:
        current = waiting.pop()
        seen.add(current.name)
        for node in current.nodes:
            for parameter in compile_template(node.sql).parameters:
                found[parameter.name] = merged(found.get(parameter.name, parameter), parameter)
            named = sorted({*_WORDS.findall(node.sql)} & project.pipes.keys())
            waiting += [project.pipes[name] for name in named if name not in seen]
    return tuple(found.values())
