"""ClickHouse's tokens: what is a name, what is a string and what is a comment decides what a statement can reach."""

import re
from enum import Enum
from typing import NamedTuple

from server.analytics.engine import QueryRefused


class Kind(Enum):
    WORD = "word"  # a keyword or a bare identifier
    QUOTED = "quoted"  # an identifier in backticks or double quotes
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"


class Token(NamedTuple):
    kind: Kind
    text: str  # of a quoted identifier: without its quotes; of a string: as written
    start: int
    end: int
    word: str = ""  # in capitals, of a bare word only
    is_name: bool = False


_TOKEN = re.compile(
    r"(?:\s++|--[^\n]*+|\#[ !][^\n]*+)*+"
    r"(?:(?P<word>[A-Za-z_][A-Za-z0-9_$]*)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[A-Za-z0-9_]*)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*+'|\$(?P<tag>[A-Za-z0-9_]*)\$.*?\$(?P=tag)\$)"
    r"|(?P<quoted>`(?:[^`\\]|\\.|``)*+`|\"(?:[^\"\\]|\\.|\"\")*+\")"
    r"|(?P<comment>/\*)"
    r"|(?P<sign>[!%&()*+,\-./:;<=>?@\[\]^{|}~])"
    r"|(?P<last>\Z))",
    re.DOTALL,
)
_COMMENT_END = re.compile(r"/\*|\*/")
_ESCAPED = re.compile(r"\\(.)|([`\"])\2", re.DOTALL)
_KINDS = {"number": Kind.NUMBER, "string": Kind.STRING}


def tokenize(sql: str) -> list[Token]:
    """Without blanks and comments. Raises QueryRefused on what the engine would not read, or could read otherwise."""
    tokens: list[Token] = []
    position, end = 0, len(sql)
    match, add, new, word = _TOKEN.match, tokens.append, tuple.__new__, Kind.WORD
    while position < end:
        found = match(sql, position)
        if found is None:
            raise QueryRefused(f"The SQL cannot be read from here on: {sql[position : position + 40]!r}")
        group = found.lastgroup or ""
        start, position = found.span(group)
        text = found[group]
        if group == "word":
            add(new(Token, (word, text, start, position, text.upper(), True)))
        elif group == "sign":
            add(new(Token, (Kind.SIGN, text, start, position, "", False)))
        elif group == "comment":
            position = _after_comment(sql, position)
        elif group == "quoted":
            add(Token(Kind.QUOTED, _unquoted(text), start, position, is_name=True))
        elif group != "last":
            add(Token(_KINDS[group], text, start, position))
    return tokens


def _after_comment(sql: str, position: int) -> int:
    """They nest."""
    depth = 1
    while depth:
        found = _COMMENT_END.search(sql, position)
        if found is None:
            raise QueryRefused("A comment of the SQL is not closed.")
        depth += 1 if found.group() == "/*" else -1
        position = found.end()
    return position


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if "\\" not in inner and text[0] not in inner:
        return inner
    return _ESCAPED.sub(lambda escape: escape[1] or escape[2], inner)
