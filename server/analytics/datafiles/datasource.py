"""One .datasource file."""

import re
from collections.abc import Iterable
from pathlib import Path

from server.analytics.datafiles import schema
from server.analytics.datafiles.model import (
    Column,
    DatafileError,
    DatafileToken,
    Datasource,
    Index,
    Permission,
    TableEngine,
)
from server.analytics.datafiles.text import Entry, entries

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
ENGINE_KEYWORDS = (
    r"ENGINE(_(PARTITION_KEY|SORTING_KEY|PRIMARY_KEY|SAMPLING_KEY|TTL|SETTINGS|VER|VERSION|SIGN|IS_DELETED|COLUMNS"
    r"|COLUMNS_TO_SUM|JOIN_STRICTNESS|JOIN_TYPE|KEY_COLUMNS))?"
)
SILENT_KEYWORDS = "FROM|SOURCE|MAINTAINER|TEST|VERSION|TAGS|SHARED_WITH|INCLUDE"  # say nothing about what runs
_OLDER_KEYWORDS = "PARTITION_KEY|SORTING_KEY|PRIMARY_KEY|SAMPLING_KEY|TTL"  # once written without ENGINE_
_KEYWORDS = re.compile(
    rf"DESCRIPTION|TOKEN|SCHEMA|INDEXES|INDICES|FORWARD_QUERY|BACKFILL|{SILENT_KEYWORDS}|{ENGINE_KEYWORDS}"
    rf"|{_OLDER_KEYWORDS}|(KAFKA|IMPORT|PG)_[A-Z0-9_]+"
)
_CONNECTORS = ("KAFKA_", "IMPORT_", "PG_")
_OPTION = re.compile(rf"{ENGINE_KEYWORDS}|{_OLDER_KEYWORDS}")


def read_datasource(path: Path, text: str) -> Datasource:
    said: dict[str, Entry] = {}
    granted: list[DatafileToken] = []
    for entry in entries(path, text, _KEYWORDS):
        if entry.keyword == "INCLUDE":
            refuse_include(path, entry)
        if entry.keyword == "TOKEN":
            granted += tokens(path, entry)
        else:
            said[entry.keyword] = entry
    forward = said.get("FORWARD_QUERY")
    return Datasource(
        name=resource_name(path),
        path=path,
        columns=_columns(path, said.get("SCHEMA")),
        description=said["DESCRIPTION"].text if "DESCRIPTION" in said else "",
        engine=table_engine(said.values()) or TableEngine("MergeTree"),
        tokens=tuple(granted),
        indexes=_indexes(path, said.get("INDEXES") or said.get("INDICES")),
        forward_query=forward.text if forward else None,
        connector={k.lower(): entry.text for k, entry in said.items() if k.startswith(_CONNECTORS)},
    )


def resource_name(path: Path) -> str:
    name = path.name.removesuffix(path.suffix)
    if not NAME.fullmatch(name):
        raise DatafileError(path, 0, f"{name[:80]!r} is no name: letters, digits and _, and no digit first.")
    return name


def refuse_include(path: Path, entry: Entry) -> None:
    raise DatafileError(path, entry.line, "INCLUDE is not followed; put the included text in its place.")


def tokens(path: Path, entry: Entry) -> tuple[DatafileToken, ...]:
    """None, where the file grants what there is nothing of here: to create."""
    name, *rest = entry.words or ("",)
    permission = rest[0].upper() if len(rest) == 1 else ""
    if permission not in {*Permission, "CREATE"}:
        raise DatafileError(path, entry.line, "A token reads TOKEN name READ or TOKEN name APPEND.")
    return (DatafileToken(name, Permission(permission)),) if permission in set(Permission) else ()


def table_engine(said: Iterable[Entry]) -> TableEngine | None:
    name, options = "", dict[str, str]()
    for entry in said:
        option = entry.keyword.removeprefix("ENGINE_")
        if entry.keyword == "ENGINE":
            name = entry.text
        elif entry.text and _OPTION.fullmatch(entry.keyword):
            options[option.lower()] = entry.text
    return TableEngine(name or "MergeTree", options) if name or options else None


def _columns(path: Path, entry: Entry | None) -> tuple[Column, ...]:
    if entry is None:
        raise DatafileError(path, 0, "It has no SCHEMA.")
    try:
        found = schema.columns(entry.text)
    except ValueError as wrong:
        raise DatafileError(path, entry.line, str(wrong)) from None
    if not found:
        raise DatafileError(path, entry.line, "Its SCHEMA has no column.")
    return found


def _indexes(path: Path, entry: Entry | None) -> tuple[Index, ...]:
    try:
        return schema.indexes(entry.text) if entry else ()
    except ValueError as wrong:
        raise DatafileError(path, entry.line if entry else 0, str(wrong)) from None
