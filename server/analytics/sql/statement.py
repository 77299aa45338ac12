"""What a SELECT names: tables with the places they stand at, functions it calls, and the names it defines itself."""

from dataclasses import dataclass, field

from server.analytics.engine import QueryRefused
from server.analytics.sql.tokens import Kind, Token, tokenize

# After these a comma or a name is no further table.
_FROM_ENDS = frozenset({
    *("WHERE", "PREWHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FETCH", "WINDOW", "QUALIFY", "SETTINGS"),
    *("UNION", "EXCEPT", "INTERSECT", "FORMAT", "INTO", "SELECT"),
})  # fmt: skip
# A name right after a table is its other name, unless it is one of these.
_NO_ALIAS = _FROM_ENDS | {
    *("FINAL", "SAMPLE", "JOIN", "ANY", "ALL", "ASOF", "SEMI", "ANTI", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"),
    *("GLOBAL", "LOCAL", "ARRAY", "PASTE", "NATURAL", "OUTER", "ON", "USING", "FROM", "WITH", "STREAM"),
}
_FROM_OF_CALLS = frozenset({"EXTRACT", "TRIM", "LTRIM", "RTRIM", "SUBSTRING", "SUBSTR", "POSITION", "OVERLAY"})
_NO_CALL = frozenset({
    *("IN", "AS", "AND", "OR", "NOT", "FROM", "JOIN", "OVER", "USING", "ON", "WHERE", "PREWHERE", "SELECT", "BY"),
    *("WITH", "HAVING", "LIMIT", "OFFSET", "UNION", "ALL", "DISTINCT", "EXCEPT", "INTERSECT", "CASE", "WHEN", "THEN"),
    *("ELSE", "BETWEEN", "LIKE", "ILIKE", "IS", "INTERVAL", "QUALIFY", "SAMPLE", "FILTER", "REPLACE", "ANY", "SETS"),
})  # fmt: skip
_BEFORE_VALUES = frozenset({"SELECT", "WHERE", "HAVING", "AND", "OR", "NOT", "WHEN", "THEN", "ELSE", "BETWEEN"})
_KEYWORDS = _FROM_ENDS | {"FROM", "JOIN", "USING", "WITH", "LATERAL", "RECURSIVE"}
_IN_CALLS = frozenset(
    f"{where}{negated}{null}IN{ignoring}"
    for where in ("", "GLOBAL")
    for negated in ("", "NOT")
    for null in ("", "NULL")
    for ignoring in ("", "IGNORESET")
)


@dataclass(frozen=True, slots=True)
class Value:
    """`(SELECT column FROM name)`, where one value is meant: the column, and where the parentheses stand."""

    column: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A table by its name, or what may be one: after IN a name can also be a column."""

    parts: tuple[str, ...]
    start: int
    end: int
    place: int  # among the tokens
    aliased: bool
    after_in: bool
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Common:
    """A subquery with a name: WITH name AS (…). It can be read within `scope`, but for its own text."""

    name: str
    scope: tuple[int, int]
    body: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    tokens: tuple[Token, ...]
    references: tuple[Reference, ...]
    table_functions: tuple[str, ...]
    calls: frozenset[str]
    dotted: frozenset[str]  # first parts of dotted names that stand in a list after IN
    commons: tuple[Common, ...]
    names: frozenset[str]  # that it gives to tables and expressions

    def defines(self, reference: Reference) -> bool:
        """Whether the name is one of the statement's own WITH."""
        return len(reference.parts) == 1 and any(
            common.name == reference.parts[0]
            and common.scope[0] <= reference.place < common.scope[1]
            and not common.body[0] <= reference.place < common.body[1]
            for common in self.commons
        )


@dataclass(slots=True)
class _Level:
    """One pair of parentheses, or the statement itself."""

    opened: int
    call: str = ""  # in capitals
    listing: bool = False  # what IN looks in
    value: bool = False  # it stands for one, when it is a subquery
    selecting: bool = False
    tables: bool = False  # within FROM
    commas: bool = True  # a comma is followed by a table
    expected: bool = False  # a table comes next
    defining: bool = False  # within WITH
    recursive: bool = False
    commons: list[tuple[str, tuple[int, int]]] = field(default_factory=list)


def read(sql: str) -> Statement:
    return _Reader(sql).read()


class _Reader:
    def __init__(self, sql: str) -> None:
        self.sql, self.tokens = sql, tokenize(sql)
        while self.tokens and self.tokens[-1].text == ";":
            self.tokens.pop()
        self.levels = [_Level(-1)]
        self.references: list[Reference] = []
        self.table_functions: list[str] = []
        self.calls: set[str] = set()
        self.dotted: set[str] = set()
        self.commons: list[Common] = []
        self.names: set[str] = set()
        self.skip = 0  # tokens before this one are read

    def read(self) -> Statement:
        for place, token in enumerate(self.tokens):
            if place < self.skip:
                continue
            if token.kind is Kind.SIGN:
                self._sign(place, token)
            elif token.is_name:
                self._name(place, token)
            elif self.levels[-1].expected:
                raise QueryRefused(f"A table's name is expected, not {token.text[:60]}.")
        if len(self.levels) != 1:
            raise QueryRefused("A parenthesis of the SQL is not closed.")
        self._close(self.levels[0], len(self.tokens))
        return Statement(
            sql=self.sql,
            tokens=tuple(self.tokens),
            references=tuple(self.references),
            table_functions=tuple(self.table_functions),
            calls=frozenset(self.calls),
            dotted=frozenset(self.dotted),
            commons=tuple(self.commons),
            names=frozenset(self.names),
        )

    def _sign(self, place: int, token: Token) -> None:
        level = self.levels[-1]
        if token.text == "(":
            self._open(place, level)
        elif token.text == ")":
            if len(self.levels) == 1:
                raise QueryRefused("The SQL closes a parenthesis that it did not open.")
            self._close(self.levels.pop(), place)
            self._common_ended(place)
        elif token.text == ",":
            level.expected = level.tables and level.commas
        elif level.expected:
            raise QueryRefused(f"A table's name is expected, not {token.text}.")

    def _open(self, place: int, level: _Level) -> None:
        before = self._at(place - 1)
        new = _Level(place, tables=level.expected, expected=level.expected)
        if before.is_name and before.word not in _NO_CALL:
            new.call = before.text.upper()
            self.calls.add(before.text)
        new.listing = before.word in _IN_CALLS or new.call in _IN_CALLS or (level.listing and not level.selecting)
        new.value = not (level.expected or new.listing) and self._valued(before, level)
        level.expected = False
        self.levels.append(new)

    def _valued(self, before: Token, level: _Level) -> bool:
        if before.is_name:
            return before.word in _BEFORE_VALUES
        return (level.value or level.call != "") if before.text == "(" else before is not _NOTHING

    def _close(self, level: _Level, place: int) -> None:
        for name, body in level.commons:
            self.commons.append(Common(name, (level.opened + 1, place), body))

    def _common_ended(self, place: int) -> None:
        level = self.levels[-1]
        if level.commons and level.commons[-1][1][1] < 0:
            name, (start, _) = level.commons[-1]
            level.commons[-1] = (name, (start, place))

    def _name(self, place: int, token: Token) -> None:
        level = self.levels[-1]
        before = self._at(place - 1)
        if before.text == "." and before.kind is Kind.SIGN and not level.expected:
            return
        if before.word == "AS":
            self.names.add(token.text)
        elif token.word in _KEYWORDS and self._keyword(place, token, level):
            return
        if level.expected:
            self._table(place, level)
        elif level.defining:
            self._common(place, token, level)
        elif before.word == "IN" or (level.listing and not level.selecting):
            self._in(place, level)
        if before.word == "APPLY" or (level.opened == place - 1 and self._passes(place, level)):
            self.calls.add(token.text)

    def _passes(self, place: int, level: _Level) -> bool:
        """Functions take the name of a function, too."""
        return level.call == "APPLY" or (level.call != "" and self._at(place + 1).text == ",")

    def _keyword(self, place: int, token: Token, level: _Level) -> bool:
        word = token.word
        if word == "FROM":
            self._from(place, level)
        elif word == "JOIN" and level.tables:
            array = self._at(place - 1).word == "ARRAY"
            level.expected, level.commas = not array, not array
        elif word == "USING" and level.tables:
            level.commas = False
        elif word == "WITH":
            level.defining = not level.selecting and (level.expected or not level.tables)
            level.tables = level.expected = False if level.defining else level.tables
            level.recursive = self._at(place + 1).word == "RECURSIVE"
        elif word in _FROM_ENDS:
            level.tables = level.expected = False
            level.selecting = level.selecting or word == "SELECT"
            level.defining = level.defining and word != "SELECT"
            if word in {"UNION", "INTERSECT"}:
                level.selecting = False
        else:
            return word in {"LATERAL", "RECURSIVE"}
        return True

    def _from(self, place: int, level: _Level) -> None:
        before, earlier = self._at(place - 1).word, self._at(place - 2).word
        otherwise = (before == "DISTINCT" and earlier in {"IS", "NOT"}) or (before == "FILL" and earlier == "WITH")
        if not otherwise and not (level.call in _FROM_OF_CALLS and not level.selecting):
            level.tables = level.expected = level.commas = True

    def _table(self, place: int, level: _Level) -> None:
        parts, last = self._dotted(place)
        level.expected = False
        following = self._at(last + 1)
        if following.text == "(" and following.kind is Kind.SIGN:
            self.table_functions.append(".".join(parts))
            self.skip = last + 1
            return
        aliased = following.kind is Kind.QUOTED or (following.kind is Kind.WORD and following.word not in _NO_ALIAS)
        self.names.add(parts[-1])
        if aliased and following.word != "AS":
            self.names.add(following.text)
        self._refer(place, last, parts, aliased=aliased, value=self._value(place, last, level))

    def _value(self, place: int, last: int, level: _Level) -> Value | None:
        column, ends = place - 2, last + 1
        first = column - 2 if self._at(column - 1).text == "." else column
        ends += self._at(ends).word == "AS"
        ends += self._at(ends).is_name
        alone = level.value and level.opened == first - 2 and last == place and self._at(ends).text == ")"
        if not alone or (self._at(first - 1).word, self._at(place - 1).word) != ("SELECT", "FROM"):
            return None
        return Value(self._at(column).text, self.tokens[level.opened].start, self.tokens[ends].end)

    def _in(self, place: int, level: _Level) -> None:
        parts, last = self._dotted(place)
        if self._at(last + 1).text == "(" and self._at(last + 1).kind is Kind.SIGN:
            return  # a function's call
        alone = self._at(place - 1).word == "IN" or (
            level.listing and self._at(place - 1).text == "(" and self._at(last + 1).text == ")"
        )
        if alone:
            self._refer(place, last, parts, aliased=True, after_in=True)
        elif len(parts) > 1:
            self.dotted.add(parts[0])

    def _common(self, place: int, token: Token, level: _Level) -> None:
        following = place + 1
        if self._at(following).word == "AS":
            following += 1 + (self._at(following + 1).word == "MATERIALIZED")
            begins = self._at(following + 1).word
            if self._at(following).text == "(" and (
                begins in {"SELECT", "WITH", "FROM"} or self._at(following + 1).text == "("
            ):
                level.commons.append((token.text, (len(self.tokens) if level.recursive else following, -1)))
                self.names.add(token.text)

    def _refer(
        self,
        place: int,
        last: int,
        parts: tuple[str, ...],
        *,
        aliased: bool,
        value: Value | None = None,
        after_in: bool = False,
    ) -> None:
        self.skip = last + 1
        start, end = self.tokens[place].start, self.tokens[last].end
        self.references.append(Reference(parts, start, end, place, aliased, after_in, value))

    def _dotted(self, place: int) -> tuple[tuple[str, ...], int]:
        parts = [self.tokens[place].text]
        while self._at(place + 1).text == "." and self._at(place + 2).is_name:
            place += 2
            parts.append(self.tokens[place].text)
        return tuple(parts), place

    def _at(self, place: int) -> Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else _NOTHING


_NOTHING = Token(Kind.SIGN, "", 0, 0)
