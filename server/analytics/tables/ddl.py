"""Statements that make a project's tables."""

from collections.abc import Mapping
from typing import Final

from server.analytics.datafiles.model import Column, Datasource, TableEngine
from server.analytics.engine import QueryRefused, quoted
from server.analytics.sql.guard import refused
from server.analytics.sql.tokens import Kind, tokenize

QUARANTINE: Final = "_quarantine"
# The disk has what an insert wrote when the insert returns: an acknowledged event outlives the loss of power, too.
_DURABLE = {"fsync_after_insert": "1", "fsync_part_directory": "1"}
_CLAUSES = (("partition_key", "PARTITION BY"), ("primary_key", "PRIMARY KEY"), ("sorting_key", "ORDER BY"))
_ARGUMENTS = {
    "ReplacingMergeTree": ("ver", "is_deleted"),
    "SummingMergeTree": ("columns",),
    "CoalescingMergeTree": ("columns",),
    "CollapsingMergeTree": ("sign",),
    "VersionedCollapsingMergeTree": ("sign", "version"),
    "Join": ("join_strictness", "join_type", "key_columns"),
}
_SIMPLE_ENGINES = frozenset({"Null", "Join", "Memory", "Log", "TinyLog", "StripeLog", "Set"})


def create(datasource: Datasource, *, database: str, name: str | None = None, comment: str = "") -> str:
    lines = [column_definition(column) for column in datasource.columns]
    lines += [
        f"INDEX {quoted(index.name)} {safe(index.expression)} TYPE {safe(index.type)} GRANULARITY {index.granularity}"
        for index in datasource.indexes
    ]
    return (
        f"CREATE TABLE IF NOT EXISTS {quoted(database, name or datasource.name)}\n(\n    "
        + ",\n    ".join(lines)
        + f"\n)\n{_engine(datasource.engine)}{_comment(comment)}"
    )


def create_quarantine(datasource: Datasource, *, database: str) -> str:
    columns = "".join(
        f", {quoted(column.name)} Nullable(String)" for column in datasource.columns if column.materialized is None
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {quoted(database, datasource.name + QUARANTINE)} (c__error_column Array(String),"
        f" c__error Array(String), c__import_id Nullable(String), insertion_date DateTime('UTC'){columns})"
        f" ENGINE = MergeTree ORDER BY insertion_date SETTINGS {_settings(_DURABLE)}"
    )


def create_view(name: str, target: str, sql: str, *, database: str, comment: str) -> str:
    return (
        f"CREATE MATERIALIZED VIEW {quoted(database, name)} TO {quoted(database, target)}{_comment(comment)}\nAS {sql}"
    )


def create_empty(name: str, engine: TableEngine, sql: str, *, database: str) -> str:
    return f"CREATE TABLE IF NOT EXISTS {quoted(database, name)}\n{_engine(engine)}\nEMPTY AS {sql}"


def column_definition(column: Column) -> str:
    words = [quoted(column.name), safe(column.type)]
    if column.materialized is not None:
        words.append(f"MATERIALIZED {safe(column.materialized)}")
    elif column.default is not None:
        words.append(f"DEFAULT {safe(column.default)}")
    if column.codec:
        words.append(f"CODEC{safe(column.codec)}")
    return " ".join(words)


def safe(expression: str) -> str:
    """An expression of a datafile. Raises QueryRefused where it is more than one, or calls what no query may."""
    tokens = tokenize(expression)
    depth = 0
    for place, token in enumerate(tokens):
        if token.kind is Kind.SIGN:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth < 0 or token.text == ";":
                break
        elif token.is_name and tokens[place + 1 : place + 2] and tokens[place + 1].text == "(" and refused(token.text):
            raise QueryRefused(f"The function {token.text} is not available here.")
    else:
        if depth == 0:
            return expression.strip()
    raise QueryRefused(f"{expression[:120]!r} is no single expression.")


def _engine(engine: TableEngine) -> str:
    options = dict(engine.options)
    # A cluster's tables are this one machine's.
    name = engine.name.removeprefix("Replicated").partition("(")[0].strip()
    written = [safe(options[option]) for option in _ARGUMENTS.get(name, ()) if option in options]
    if "(" in engine.name and not written:
        inner = engine.name.partition("(")[2].rpartition(")")[0]
        written = [safe(inner)] if inner.strip() and not inner.strip().startswith("'") else []
    if name in {"SummingMergeTree", "CoalescingMergeTree"} and written and not written[0].startswith("("):
        written = [f"({written[0]})"]
    head = f"ENGINE = {name}({', '.join(written)})"
    if name in _SIMPLE_ENGINES:
        return head
    options.setdefault("sorting_key", options.get("primary_key", "tuple()"))
    clauses = [f"{words} {_key(options[option])}" for option, words in _CLAUSES if option in options]
    if "sampling_key" in options:
        clauses.append(f"SAMPLE BY {safe(options['sampling_key'])}")
    if "ttl" in options:
        clauses.append(f"TTL {safe(options['ttl'])}")
    settings = _settings(_DURABLE)
    if "settings" in options:
        settings += f", {safe(options['settings'])}"
    return "\n".join((head, *clauses, f"SETTINGS {settings}"))


def _key(expression: str) -> str:
    expression = safe(expression)
    return expression if expression.startswith("tuple(") else f"({expression})"


def _settings(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def _comment(comment: str) -> str:
    return f"\nCOMMENT '{comment}'" if comment else ""
