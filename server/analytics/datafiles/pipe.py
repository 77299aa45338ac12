"""One .pipe file: nodes that read each other, and what becomes of the rows of one of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.analytics.datafiles.datasource import (
    ENGINE_KEYWORDS,
    NAME,
    SILENT_KEYWORDS,
    refuse_include,
    resource_name,
    table_engine,
    tokens,
)
from server.analytics.datafiles.model import (
    CopyMode,
    DatafileError,
    DatafileToken,
    Node,
    Permission,
    PipeFile,
    PipeKind,
)
from server.analytics.datafiles.text import Entry, entries

_KEYWORDS = re.compile(
    r"DESCRIPTION|TOKEN|NODE|SQL|TYPE|DATASOURCE|TARGET_DATASOURCE|COPY_SCHEDULE|COPY_MODE|MODE|ON_DEMAND_COMPUTE|FILTER"
    rf"|DEPLOYMENT_METHOD|{SILENT_KEYWORDS}|{ENGINE_KEYWORDS}|EXPORT_[A-Z0-9_]+"
)
_SILENT = re.compile(SILENT_KEYWORDS)
_KINDS: Mapping[str, PipeKind | None] = {
    "endpoint": PipeKind.ENDPOINT,
    "materialized": PipeKind.MATERIALIZED,
    "copy": PipeKind.COPY,
    "standard": None,
    "default": None,
    "": None,
    "sink": None,  # it writes to a bucket or a topic: nothing that is here
    "stream": None,
}
_ON_DEMAND = {"@on-demand", "@once", ""}


@dataclass
class _Part:
    """A node as its lines are read."""

    name: str
    line: int
    said: dict[str, Entry] = field(default_factory=dict)

    def text(self, *keywords: str) -> str:
        return next((self.said[keyword].text for keyword in keywords if keyword in self.said), "")


def read_pipes(path: Path, text: str) -> Iterator[PipeFile]:
    """One, as a rule. A classic file may have several nodes that each write a table: each becomes a pipe of its own,
    named PIPE__NODE, and what the file serves keeps its name."""
    description, granted, parts = _parts(path, text)
    if not parts:
        raise DatafileError(path, 0, "It has no NODE.")
    nodes = tuple(_node(path, part) for part in parts)
    kinds = {part.name: kind for part in parts if (kind := _kind(path, part))}
    outputs = [name for name, kind in kinds.items() if kind is PipeKind.ENDPOINT] or list(kinds)
    if sum(kind is PipeKind.ENDPOINT for kind in kinds.values()) > 1:
        raise DatafileError(path, parts[-1].line, "Only one node can be the endpoint.")
    name = resource_name(path)
    for position, part in enumerate(parts):
        if part.name in kinds:
            first = part.name == outputs[0]
            yield _pipe(
                path,
                part,
                name=name if first else f"{name}__{part.name}",
                kind=kinds[part.name],
                nodes=nodes if first else nodes[: position + 1],
                description=description,
                granted=granted if first else (),
            )
    if not kinds:
        served = path.parent.name == "endpoints" or any(t.permission is Permission.READ for t in granted)
        yield _pipe(
            path,
            parts[-1],
            name=name,
            kind=PipeKind.ENDPOINT if served and not parts[-1].text("TYPE") else PipeKind.LIBRARY,
            nodes=nodes,
            description=description,
            granted=granted,
        )


def _parts(path: Path, text: str) -> tuple[str, tuple[DatafileToken, ...], list[_Part]]:
    description, granted, parts = "", list[DatafileToken](), list[_Part]()
    for entry in entries(path, text, _KEYWORDS):
        if entry.keyword == "INCLUDE":
            refuse_include(path, entry)
        elif entry.keyword == "TOKEN":
            granted += tokens(path, entry)
        elif entry.keyword == "NODE":
            parts.append(_named(path, entry, parts))
        elif parts:
            parts[-1].said[entry.keyword] = entry
        elif entry.keyword == "DESCRIPTION":
            description = entry.text
        elif not _SILENT.fullmatch(entry.keyword):
            raise DatafileError(path, entry.line, f"{entry.keyword} belongs to a node: put a NODE before it.")
    return description, tuple(granted), parts


def _named(path: Path, entry: Entry, others: list[_Part]) -> _Part:
    name = entry.words[0] if entry.words else ""
    if not NAME.fullmatch(name):
        raise DatafileError(path, entry.line, f"{name[:80]!r} is no name: letters, digits and _, and no digit first.")
    if any(other.name == name for other in others):
        raise DatafileError(path, entry.line, f"Two nodes are named {name}.")
    return _Part(name, entry.line)


def _node(path: Path, part: _Part) -> Node:
    if not part.text("SQL"):
        raise DatafileError(path, part.line, f"Node {part.name} has no SQL.")
    return Node(part.name, part.text("SQL"), part.text("DESCRIPTION"))


def _kind(path: Path, part: _Part) -> PipeKind | None:
    kind = part.text("TYPE").lower()
    if kind not in _KINDS:
        raise DatafileError(path, part.said["TYPE"].line, f"{kind[:40]!r} is no type of a node.")
    return _KINDS[kind]


def _pipe(
    path: Path,
    part: _Part,
    *,
    name: str,
    kind: PipeKind,
    nodes: tuple[Node, ...],
    description: str,
    granted: tuple[DatafileToken, ...],
) -> PipeFile:
    writes = kind in {PipeKind.MATERIALIZED, PipeKind.COPY}
    target = part.text("DATASOURCE", "TARGET_DATASOURCE")
    if writes and not NAME.fullmatch(target):
        raise DatafileError(path, part.line, f"Node {part.name} writes, and names no datasource to write to.")
    mode = part.text("COPY_MODE", "MODE").lower() or CopyMode.APPEND
    if mode not in set(CopyMode):
        raise DatafileError(path, part.line, f"COPY_MODE is append or replace, not {mode[:40]!r}.")
    schedule = part.text("COPY_SCHEDULE")
    return PipeFile(
        name=name,
        path=path,
        nodes=nodes,
        output=part.name,
        kind=kind,
        description=description,
        tokens=granted,
        target=target if writes else None,
        engine=table_engine(part.said.values()) if writes else None,
        copy_mode=CopyMode(mode),
        copy_schedule=None if schedule.lower() in _ON_DEMAND else schedule,
    )
