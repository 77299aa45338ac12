"""Datafile text: keywords at the start of a line, what stands beside them, and indented blocks after `>`."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.analytics.datafiles.model import DatafileError

_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'])+""")
_LINE = re.compile(r"\r\n|\n|\r")  # other separators may stand in a literal
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|#""")


@dataclass(frozen=True, slots=True)
class Entry:
    keyword: str  # in capitals
    text: str  # the rest of its line, unquoted, or its block, without the indentation
    line: int

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(unquoted(word) for word in _WORD.findall(self.text))


def entries(path: Path, text: str, keywords: re.Pattern[str]) -> Iterator[Entry]:
    """A block goes on until a line begins, in its first column, with a keyword."""
    block: list[str] | None = None
    keyword, begun = "", 0
    for number, line in enumerate(_LINE.split(text), 1):
        first, _, rest = line.strip().partition(" ")
        first, rest = _split_tab(first, rest)
        if block is not None:
            if line[:1].isspace() or first.upper() == "FROM" or not keywords.fullmatch(first.upper()):
                block.append("" if first.startswith("#") else line)
                continue
            yield Entry(keyword, textwrap.dedent("\n".join(block)).strip(), begun)
            block = None
        if not first or first.startswith("#"):
            continue
        keyword, begun = first.upper(), number
        if not keywords.fullmatch(keyword):
            raise DatafileError(path, number, f"{keyword[:40]} is not a keyword of {path.suffix} files.")
        rest = _without_comment(rest)
        if rest.partition(" ")[0] == ">":
            block = []
        else:
            yield Entry(keyword, unquoted(rest), number)
    if block is not None:
        yield Entry(keyword, textwrap.dedent("\n".join(block)).strip(), begun)


def unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text.find(text[0], 1) == len(text) - 1:
        return text[1:-1]
    return text


def _split_tab(first: str, rest: str) -> tuple[str, str]:
    head, tab, tail = first.partition("\t")
    return (head, f"{tail} {rest}".strip()) if tab else (first, rest.strip())


def _without_comment(text: str) -> str:
    for found in _QUOTED.finditer(text):
        if found.group() == "#":
            return text[: found.start()].rstrip()
    return text
