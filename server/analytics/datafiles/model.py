"""What a project of datafiles holds once read; the engine deploys this and knows no syntax."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class DatafileError(ValueError):
    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str  # ClickHouse's
    path: str | None = None  # into the event: $.name, $.items[:].id
    default: str | None = None  # an expression
    codec: str | None = None  # as in the file: (ZSTD(1))
    materialized: str | None = None  # an expression; such a column is never written


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    expression: str
    type: str  # minmax, set(100), bloom_filter(0.01), …
    granularity: int = 1


@dataclass(frozen=True, slots=True)
class TableEngine:
    name: str
    options: Mapping[str, str] = field(default_factory=dict)  # partition_key, sorting_key, ttl, ver, …; never empty


class Permission(StrEnum):
    READ = "READ"
    APPEND = "APPEND"


@dataclass(frozen=True, slots=True)
class DatafileToken:
    name: str
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasource:
    name: str
    path: Path
    columns: tuple[Column, ...]
    description: str = ""
    engine: TableEngine = field(default_factory=lambda: TableEngine("MergeTree"))
    tokens: tuple[DatafileToken, ...] = ()
    indexes: tuple[Index, ...] = ()
    forward_query: str | None = None
    connector: Mapping[str, str] = field(default_factory=dict)  # kafka_*, import_*: said, and not acted upon here


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    sql: str
    description: str = ""


class PipeKind(StrEnum):
    LIBRARY = "library"  # other pipes read it; it answers nobody
    ENDPOINT = "endpoint"
    MATERIALIZED = "materialized"
    COPY = "copy"


class CopyMode(StrEnum):
    APPEND = "append"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeFile:
    name: str
    path: Path
    nodes: tuple[Node, ...]
    output: str  # the node whose rows are the pipe's
    kind: PipeKind = PipeKind.LIBRARY
    description: str = ""
    tokens: tuple[DatafileToken, ...] = ()
    target: str | None = None  # the datasource that a materialized or copy pipe writes
    engine: TableEngine | None = None  # of a target that no .datasource declares
    copy_mode: CopyMode = CopyMode.APPEND
    copy_schedule: str | None = None  # a cron line; None: when asked


@dataclass(frozen=True, slots=True)
class Project:
    datasources: Mapping[str, Datasource]
    pipes: Mapping[str, PipeFile]
