"""SQLAlchemy statements compiled once for the driver, because building SQL costs more than running it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Dialect, Table, Text, TypeDecorator, UpdateBase
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.compiler import SQLCompiler

# Statements differ by shape, not by value: a program has a few hundred, more means shapes built from input.
CACHE_SIZE = 2000
INSERTED_AT_ONCE = 100


class Json(TypeDecorator[Any]):
    """A JSON document kept as text, so that both databases store the same bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002  the signature is SQLAlchemy's
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002  the signature is SQLAlchemy's
        return None if value is None else orjson.loads(value)


class Row(tuple[Any, ...]):
    """One result row: a tuple whose columns are also attributes."""

    __slots__ = ()
    columns: ClassVar[tuple[str, ...]] = ()

    def as_dict(self) -> dict[str, Any]:
        return dict(zip(self.columns, self, strict=True))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Prepared:
    """A statement with named `bindparam`s, compiled once: for the hot path, where even a cache key is dear."""

    __slots__ = ("statement",)

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


class Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...]
    defaults: dict[str, Any]
    required: frozenset[str]
    binders: dict[str, Callable[[Any], Any]]
    row: Callable[[Iterable[Any]], Row]
    writes: str | None
    source: SQLCompiler


class Call(NamedTuple):
    """What the driver is given, and how its tuples become rows."""

    sql: str
    parameters: Sequence[Any]
    row: Callable[[Iterable[Any]], Row]
    writes: str | None  # the table whose rows it may change


class Compiler:
    """Compiles for one dialect; safe to use from several threads, a race only compiles twice."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[Prepared, Compiled] = {}
        self._cache: dict[Any, Compiled] = {}

    def call(self, statement: ClauseElement | Prepared, values: Mapping[str, Any]) -> Call:
        if isinstance(statement, Prepared):
            compiled = self._prepared.get(statement) or self._prepare(statement)
            if not compiled.required <= values.keys():
                raise TypeError(f"the statement also needs {sorted(compiled.required - values.keys())}")
            return _bound(compiled, {**compiled.defaults, **values})
        key = shape(statement)
        compiled = self._cache.get(key.key) or self._remember(key.key, self._compile(statement, key))
        return _bound(compiled, compiled.source.construct_params(values, extracted_parameters=key.bindparams))

    def many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
        """An insert of one row as inserts of many.

        Each step of the driver gives the interpreter's lock away and waits to get it back: that costs more than a row.
        """
        compiled = self._prepared.get(statement) or self._prepare(statement)
        into, _, values = compiled.sql.partition(" VALUES ")
        for start in range(0, len(rows), INSERTED_AT_ONCE):
            part = [_bound(compiled, row).parameters for row in rows[start : start + INSERTED_AT_ONCE]]
            sql = f"{into} VALUES {', '.join([values] * len(part))}"
            yield Call(sql, list(chain.from_iterable(part)), compiled.row, compiled.writes)

    def each(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> tuple[Call, list[Sequence[Any]]]:
        """An insert of one row, and its parameters for each of many: for a driver that sends them all at once."""
        compiled = self._prepared.get(statement) or self._prepare(statement)
        parameters = [_bound(compiled, row).parameters for row in rows]
        return Call(compiled.sql, (), compiled.row, compiled.writes), parameters

    def _prepare(self, prepared: Prepared) -> Compiled:
        self._prepared[prepared] = compiled = self._compile(prepared.statement, None)
        return compiled

    def _remember(self, key: Any, compiled: Compiled) -> Compiled:
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = compiled
        return compiled

    def _compile(self, statement: ClauseElement, key: Any) -> Compiled:
        source = statement.compile(dialect=self._dialect, cache_key=key)
        if not isinstance(source, SQLCompiler):
            raise TypeError("only statements that read or write rows run here; schema changes are migrations")
        return Compiled(
            sql=source.string,
            names=tuple(source.positiontup or ()),
            defaults=dict(source.construct_params(_check=False)),
            required=frozenset(name for name, bind in source.binds.items() if bind.required),
            binders=dict(source._bind_processors),  # type: ignore[arg-type]  # noqa: SLF001  the types' own conversions
            row=self._row(source),
            writes=_written(source.statement),
            source=source,
        )

    def _row(self, source: SQLCompiler) -> Callable[[Iterable[Any]], Row]:
        entries = source._result_columns  # noqa: SLF001  the only list of a statement's result columns
        columns = tuple(entry.keyname for entry in entries)
        attributes = {name: property(itemgetter(at)) for at, name in enumerate(columns)}
        kind: type[Row] = type("Row", (Row,), {"__slots__": (), "columns": columns, **attributes})
        loaders = [
            entry.type._cached_result_processor(self._dialect, None)  # noqa: SLF001  the types' own conversions
            for entry in entries
        ]
        if not any(loaders):
            return kind
        return lambda values: kind(load(value) if load else value for load, value in zip(loaders, values, strict=True))


def shape(statement: ClauseElement) -> CacheKey:
    """What a statement is without its values; SQLAlchemy remembers it on the statement."""
    key = statement._generate_cache_key()  # noqa: SLF001  no public name exists
    if key is None:
        raise TypeError("the statement cannot be cached; use constructs with a cache key")
    return key


def _written(statement: ClauseElement | None) -> str | None:
    return statement.table.name if isinstance(statement, UpdateBase) and isinstance(statement.table, Table) else None


def _bound(compiled: Compiled, values: Mapping[str, Any]) -> Call:
    sql, names, binders = compiled.sql, compiled.names, compiled.binders
    if compiled.source.post_compile_params:  # IN (...) takes its final shape from the number of values
        expanded = compiled.source._process_parameters_for_postcompile(dict(values))  # noqa: SLF001  what SQLAlchemy runs
        sql, names = expanded.statement, tuple(expanded.positiontup or ())
        values = {**values, **expanded.additional_parameters}
        binders = {**binders, **expanded.processors}
    if not binders:
        return Call(sql, [values[name] for name in names], compiled.row, compiled.writes)
    bound = [binders[n](values[n]) if n in binders else values[n] for n in names]
    return Call(sql, bound, compiled.row, compiled.writes)
