"""A template's text as a tree: {{ expressions }}, {% blocks %} and {# comments #}, in Tornado's syntax."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.analytics.template.budget import NESTING, SOURCE
from server.analytics.template.errors import TemplateError

_OPENING = re.compile(r"\{(?=[{%#])")
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_NAMES = {"{{": "expression }}", "{%": "block %}", "{#": "comment #}"}
_FORBIDDEN = frozenset(["extends", "include", "import", "from", "autoescape", "raw", "module", "apply", "block"])
_PARENTS: Mapping[str, frozenset[str]] = {
    "else": frozenset(["if", "for", "while", "try"]),
    "elif": frozenset(["if"]),
    "except": frozenset(["try"]),
    "finally": frozenset(["try"]),
}
_SPACE = re.compile(r"\s+")
_SPACE_IN_LINE, _SPACE_WITH_LINE = re.compile(r"[\t ]+"), re.compile(r"(\s*\n\s*)")


@dataclass(slots=True)
class Chunk:
    """`kind` is text, expression, set, break, continue, or the word that begins a block."""

    kind: str
    code: str
    line: int
    body: list["Chunk"] = field(default_factory=list)
    branches: list["Chunk"] = field(default_factory=list)  # elif, else, except, finally


def parse(source: str) -> list[Chunk]:
    if len(source) > SOURCE:
        raise TemplateError(f"A template of more than {SOURCE:,} characters")
    return _Reader(source).body([])


class _Reader:
    def __init__(self, source: str) -> None:
        self.source, self.position, self.line = source, 0, 1
        self.whitespace = "all"

    def body(self, within: list[Chunk]) -> list[Chunk]:
        chunks: list[Chunk] = []
        while opening := self._next_opening():
            self._text(chunks, opening.start())
            mark = self.source[self.position : self.position + 2]
            if self.source.startswith("!", self.position + 2):
                self._text(chunks, self.position + 2)
                self.position += 1
                continue
            line, code = self.line, self._code(mark)
            if mark == "{{":
                chunks.append(Chunk("expression", self._not_empty(code, "Empty expression"), line))
            elif mark == "{%":
                self._not_empty(code, "Empty block tag ({% %})")
                if code.partition(" ")[0] == "end":
                    if not within:
                        raise TemplateError("Extra {% end %} block", line)
                    return chunks
                chunks = self._block(code, line, chunks, within)
        if within:
            raise TemplateError(f"Missing {{% end %}} block for {within[-1].kind}", within[-1].line)
        self._text(chunks, len(self.source))
        return chunks

    def _next_opening(self) -> re.Match[str] | None:
        found = _OPENING.search(self.source, self.position)
        while found and self.source.startswith("{{{", found.start()):
            found = _OPENING.search(self.source, found.start() + 1)  # of many braces the innermost count
        return found

    def _text(self, chunks: list[Chunk], end: int) -> None:
        text = self.source[self.position : end]
        if text:
            chunks.append(Chunk("text", self._spaced(text), self.line))
        self._go(end)

    def _spaced(self, text: str) -> str:
        if self.whitespace == "single":
            return _SPACE_WITH_LINE.sub("\n", _SPACE_IN_LINE.sub(" ", text))
        return _SPACE.sub(" ", text) if self.whitespace == "oneline" else text

    def _code(self, mark: str) -> str:
        end = self.source.find(_CLOSING[mark], self.position + 2)
        if end < 0:
            raise TemplateError(f"Missing end {_NAMES[mark]}", self.line)
        code = self.source[self.position + 2 : end].strip()
        self._go(end + 2)
        return code

    def _go(self, end: int) -> None:
        self.line += self.source.count("\n", self.position, end)
        self.position = end

    def _not_empty(self, code: str, message: str) -> str:
        if not code:
            raise TemplateError(message, self.line)
        return code

    def _block(self, code: str, line: int, chunks: list[Chunk], within: list[Chunk]) -> list[Chunk]:
        """The list that what follows belongs to."""
        operator, _, suffix = code.partition(" ")
        suffix = suffix.strip()
        if operator in _PARENTS:
            return _branch(Chunk(operator, suffix, line), chunks, within)
        if operator in {"if", "for", "while", "try"}:
            if len(within) >= NESTING:
                raise TemplateError(f"More than {NESTING} blocks in each other", line)
            block = Chunk(operator, suffix, line)
            last = self.body([*within, block])
            (block.branches or [block])[-1].body = last
            chunks.append(block)
        elif operator == "set":
            chunks.append(Chunk("set", self._not_empty(suffix, "set missing statement"), line))
        elif operator in {"break", "continue"}:
            if not any(outer.kind in {"for", "while"} for outer in within):
                raise TemplateError(f"{operator} outside of a loop", line)
            chunks.append(Chunk(operator, "", line))
        elif operator == "whitespace":
            self.whitespace = _mode(suffix, line)
        elif operator in _FORBIDDEN:
            raise TemplateError(f"{'import' if operator == 'from' else operator} is forbidden", line)
        elif operator != "comment":
            raise TemplateError(f"unknown operator: {operator[:40]!r}", line)
        return chunks


def _branch(branch: Chunk, before: list[Chunk], within: list[Chunk]) -> list[Chunk]:
    """`before` is the body of the part of the block that ends here."""
    parent = within[-1] if within else None
    if parent is None or parent.kind not in _PARENTS[branch.kind]:
        where = f"cannot be attached to {parent.kind} block" if parent else "stands outside of a block"
        raise TemplateError(f"{branch.kind} {where}", branch.line)
    last = (parent.branches or [parent])[-1]
    if last.kind == "else":
        raise TemplateError(f"{branch.kind} after else", branch.line)
    last.body = before
    parent.branches.append(branch)
    return []


def _mode(mode: str, line: int) -> str:
    if mode not in {"all", "single", "oneline"}:
        raise TemplateError(f"invalid whitespace mode {mode[:40]}", line)
    return mode
