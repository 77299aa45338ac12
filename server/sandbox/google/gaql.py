"""The query language read into its clauses; whatever is not GAQL is refused with the code and the word it broke at."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from server.sandbox.google import errors

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<symbol><=|>=|!=|[=<>(),])
      | (?P<end>$)
    )""",
    re.VERBOSE,
)
Item = TypeVar("Item")
_ESCAPE = re.compile(r"\\(.)")
_FIELD = re.compile(r"[a-z_0-9]+\.[a-z_0-9]+(\.[a-z_0-9]+)*")
COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
PARAMETERS = ("include_drafts", "omit_unselected_resource_names")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str

    def says(self, word: str) -> bool:
        return self.kind == "name" and self.text.upper() == word


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str
    values: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Query:
    select: tuple[str, ...]
    resource: str
    """Empty where the service takes no FROM."""
    where: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """(field, descending)"""
    limit: int | None = None
    parameters: tuple[tuple[str, bool], ...] = ()


def refusal(code: str, message: str, trigger: str | None = None) -> errors.Failure:
    return errors.failure(f"queryError.{code}", message, "query", trigger=trigger)


def parse(text: str, *, has_from: bool = True) -> Query:
    return _Parser(_tokens(text)).query(has_from)


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    while True:
        found = _TOKEN.match(text, position)
        if found is None:
            _refuse_symbol(text[position:].lstrip())
        kind = str(found.lastgroup)
        word = found[kind]
        if kind == "string":
            bad = next((each for each in _ESCAPE.findall(word) if each not in "\\'\"%_[]nrt0"), None)
            if bad is not None:
                raise refusal("BAD_ESCAPE_SEQUENCE", f"Error in query: bad escape sequence \\{bad}.", word)
            word = _ESCAPE.sub(r"\1", word[1:-1])
        tokens.append(Token(kind, word))
        position = found.end()
        if kind == "end":
            return tokens


def _refuse_symbol(rest: str) -> NoReturn:
    if rest[0] in "'\"":
        if "\n" in rest:
            raise refusal("PROHIBITED_NEWLINE_IN_STRING", "Error in query: newline inside a string.", rest)
        raise refusal("STRING_NOT_TERMINATED", "Error in query: unterminated string.", rest)
    if rest[0].isdigit():
        raise refusal("BAD_NUMBER", "Error in query: number cannot be parsed.", rest.split()[0])
    raise refusal("BAD_SYMBOL", f"Error in query: invalid symbol '{rest[0]}'.", rest[0])


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self, has_from: bool) -> Query:
        if not self._accept("SELECT"):
            raise refusal("EXPECTED_SELECT", "Error in query: missing SELECT at the beginning of the query.")
        select = tuple(self._list(self._field if has_from else self._name))
        resource = ""
        if self._accept("FROM"):
            if not has_from:
                raise refusal("UNEXPECTED_FROM_CLAUSE", "Error in query: FROM is not supported by this service.")
            resource = self._name()
        elif has_from:
            if self._next.kind != "end" and not self._next.says("WHERE"):
                self._unexpected()
            raise refusal("EXPECTED_FROM", "Error in query: missing FROM clause.")
        where = tuple(self._conditions(has_from)) if self._accept("WHERE") else ()
        order = tuple(self._list(self._ordering)) if self._accept_order() else ()
        limit = self._limit() if self._accept("LIMIT") else None
        parameters = tuple(self._list(self._parameter)) if self._accept("PARAMETERS") else ()
        if self._next.kind != "end":
            self._unexpected()
        return Query(select, resource, where, order, limit, parameters)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        if token.kind == "end":
            raise refusal("UNEXPECTED_END_OF_QUERY", "Error in query: unexpected end of query.")
        self._at += 1
        return token

    def _accept(self, *words: str) -> bool:
        ahead = self._tokens[self._at : self._at + len(words)]
        if len(ahead) < len(words) or not all(
            token.says(word) or (token.kind == "symbol" and token.text == word)
            for token, word in zip(ahead, words, strict=True)
        ):
            return False
        self._at += len(words)
        return True

    def _unexpected(self) -> NoReturn:
        raise refusal("UNEXPECTED_INPUT", f"Error in query: unexpected input {self._next.text}.", self._next.text)

    def _list(self, item: Callable[[], Item]) -> list[Item]:
        items = [item()]
        while self._accept(","):
            items.append(item())
        return items

    def _name(self) -> str:
        if self._next.kind not in {"name", "end"}:
            self._unexpected()
        return self._take().text

    def _field(self) -> str:
        name = self._name()
        if name.upper() in {"FROM", "WHERE", "ORDER", "LIMIT", "PARAMETERS"}:
            raise refusal("UNEXPECTED_INPUT", f"Error in query: unexpected input {name}.", name)
        if not _FIELD.fullmatch(name):
            raise refusal("BAD_FIELD_NAME", f"Error in query: invalid field name '{name}'.", name)
        return name

    def _conditions(self, qualified: bool) -> list[Condition]:
        found = [self._condition(qualified)]
        while self._accept("AND"):
            found.append(self._condition(qualified))
        return found

    def _condition(self, qualified: bool) -> Condition:
        name = self._field() if qualified else self._name()
        for word in ("NOT IN", "IN"):
            if self._accept(*word.split()):
                return Condition(name, word, tuple(self._values()))
        for word in ("IS NOT NULL", "IS NULL"):
            if self._accept(*word.split()):
                return Condition(name, word)
        for word in ("NOT LIKE", "LIKE"):
            if self._accept(*word.split()):
                return Condition(name, word, (self._value(),))
        if self._accept("BETWEEN"):
            return Condition(name, "BETWEEN", self._between())
        if self._accept("DURING"):
            return Condition(name, "DURING", (self._value(),))
        operator = self._take()
        if operator.kind != "symbol" or operator.text not in COMPARISONS:
            raise refusal("BAD_OPERATOR", f"Error in query: invalid operator '{operator.text}'.", operator.text)
        return Condition(name, operator.text, (self._value(),))

    def _value(self) -> Token:
        if self._next.kind == "symbol" and self._next.text == "(":
            raise refusal("EXPECTED_SINGLE_VALUE", "Error in query: expected a single value, found a list.")
        token = self._take()
        if token.kind not in {"string", "number", "name"}:
            raise refusal("BAD_VALUE", f"Error in query: invalid value '{token.text}'.", token.text)
        return token

    def _values(self) -> list[Token]:
        if not self._accept("("):
            raise refusal("EXPECTED_LIST", "Error in query: expected a list.", self._next.text)
        if self._accept(")"):
            raise refusal("PROHIBITED_EMPTY_LIST_IN_CONDITION", "Error in query: the list must not be empty.")
        found = self._list(self._value)
        if not self._accept(")"):
            self._take()
            self._at -= 1
            self._unexpected()
        return found

    def _between(self) -> tuple[Token, Token]:
        low = self._value()
        if not self._accept("AND"):
            raise refusal(
                "EXPECTED_AND", "Error in query: expected AND between the values of BETWEEN.", self._next.text
            )
        if self._next.kind == "end":
            raise refusal("EXPECTED_VALUE_WITH_BETWEEN_OPERATOR", "Error in query: BETWEEN needs two values.")
        return low, self._value()

    def _accept_order(self) -> bool:
        if not self._accept("ORDER"):
            return False
        if not self._accept("BY"):
            raise refusal("EXPECTED_BY", "Error in query: expected BY after ORDER.", self._next.text)
        return True

    def _ordering(self) -> tuple[str, bool]:
        name = self._field()
        if self._accept("DESC"):
            return name, True
        self._accept("ASC")
        return name, False

    def _limit(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.lstrip("-").isdecimal():
            raise refusal("BAD_LIMIT_VALUE", f"Error in query: invalid limit '{token.text}'.", token.text)
        if int(token.text) < 1:
            raise refusal("LIMIT_VALUE_TOO_LOW", "Error in query: the limit must be positive.", token.text)
        return int(token.text)

    def _parameter(self) -> tuple[str, bool]:
        name = self._name()
        if name not in PARAMETERS:
            raise refusal("BAD_PARAMETER_NAME", f"Error in query: unknown parameter '{name}'.", name)
        if not self._accept("="):
            self._unexpected()
        value = self._take().text.lower()
        if value not in {"true", "false"}:
            raise refusal("BAD_PARAMETER_VALUE", f"Error in query: invalid value of parameter '{name}'.", value)
        return name, value == "true"
