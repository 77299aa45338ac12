"""What the spool keeps of a request: a line a row, as the store takes it, so that nobody reads it on its way there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson


def record(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> bytes:
    """Of rows and their datasources. JSON has no line ends of its own, and a datasource's name no space."""
    return b"\n".join([b"%s %s" % (datasource.encode(), orjson.dumps(row)) for datasource, row in rows])


def lines(record: bytes) -> Iterator[tuple[str, bytes]]:
    """Each row's datasource, and the row as JSON."""
    for line in record.split(b"\n"):
        datasource, _, row = line.partition(b" ")
        yield datasource.decode(), row
