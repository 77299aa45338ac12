"""The port over what runs the SQL: ClickHouse inside our process, or a server of it; both answer the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

MIB = 1024 * 1024

# Of every session that answers: numbers stay numbers, and what is none is null, as Tinybird writes them. Machine code
# made for a query takes the fourth of its kind 300 ms, and gains the next ones nothing to a tenth.
READING: Mapping[str, str] = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_decimals": "0",
    "output_format_json_quote_denormals": "0",
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
}
# Of every session that writes. A batch may hold events of any month, of a clock years off: each month is a part.
WRITING: Mapping[str, str] = {
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": "1",
    "input_format_null_as_default": "1",
    "input_format_defaults_for_omitted_fields": "1",
    "input_format_parallel_parsing": "0",
    "max_partitions_per_insert_block": "0",
    "async_insert": "0",
}
# Of what runs by itself, copies above all: it may take its time, and disk where memory ends.
COMMANDING: Mapping[str, str] = {
    "max_execution_time": "3600",
    "max_memory_usage": str(4096 * MIB),
    "max_bytes_before_external_group_by": str(256 * MIB),
    "max_bytes_before_external_sort": str(256 * MIB),
}
_ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r", ord("\0"): "\\0"}


def quoted(*names: str) -> str:
    """An identifier, of a table with its database before it."""
    return ".".join("`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`" for name in names)


def escaped(value: str) -> str:
    """The value of a bound String parameter, which the engine reads as a tab-separated field."""
    return value.translate(_ESCAPES)


class Format(StrEnum):
    """How an answer is written; the value is ClickHouse's name for it."""

    JSON = "JSON"
    CSV = "CSV"
    CSV_WITH_NAMES = "CSVWithNames"
    NDJSON = "JSONEachRow"
    PARQUET = "Parquet"
    PROMETHEUS = "Prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one query may take; going over any of them is an error, never a shorter answer."""

    seconds: float = 10.0
    memory_bytes: int = 2048 * MIB
    result_rows: int = 1_000_000
    result_bytes: int = 256 * MIB
    max_threads: int | None = None

    def settings(self) -> Mapping[str, str]:
        named = {
            "max_execution_time": f"{self.seconds:g}",
            "max_memory_usage": str(self.memory_bytes),
            "max_result_rows": str(self.result_rows),
            "max_result_bytes": str(self.result_bytes),
            "result_overflow_mode": "throw",
            "timeout_overflow_mode": "throw",
        }
        return named if self.max_threads is None else {**named, "max_threads": str(self.max_threads)}


class EngineError(Exception):
    """The engine said no.

    EngineError
    ├── QueryRefused        the SQL, or what it was given, is wrong: the same again fails again
    ├── QueryTimeout        took longer than its limit
    ├── QueryTooBig         needed more memory, or answered more, than its limits
    ├── QueryCancelled      was stopped because nobody waits for it
    ├── RowsRefused         rows of an insert do not fit their columns; none was kept
    ├── DeploymentError     a project asks for what stored tables cannot become, or for what cannot be
    └── EngineUnavailable   out of reach, closed, another process's, or its disk is full: later it may succeed
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message, self.code = message, code  # ClickHouse's number


class QueryRefused(EngineError):
    pass


class QueryTimeout(EngineError):
    pass


class QueryTooBig(EngineError):
    pass


class QueryCancelled(EngineError):
    pass


class RowsRefused(EngineError):
    pass


class DeploymentError(EngineError):
    pass


class EngineUnavailable(EngineError):
    pass


class Engine(Protocol):
    sole: bool
    """Whether nobody else writes to the store."""

    async def query(
        self,
        sql: str,
        *,
        output: Format,
        limits: Limits = ...,
        parameters: Mapping[str, str] = ...,
    ) -> bytes:
        """Rows of one SELECT that `sql.guard` let through, within the limits and without a right to change anything.
        Cancelling the task that waits stops the query in the engine. `parameters` bind {name:Type}."""
        ...

    async def inspect(self, sql: str, parameters: Mapping[str, str] = ...) -> Sequence[Mapping[str, Any]]:
        """Rows of our own question about the store itself; never another's SQL."""
        ...

    async def command(self, sql: str) -> None:
        """One DDL statement or INSERT SELECT, after the ones before it."""
        ...

    async def insert(self, table: str, rows: bytes, *, columns: Sequence[str]) -> None:
        """NDJSON rows into a table (quoted, with its database). Written to the table when it returns; where it
        raises RowsRefused none is. An answer that got lost leaves them in doubt: sending them again is the caller's."""
        ...

    async def close(self) -> None: ...
