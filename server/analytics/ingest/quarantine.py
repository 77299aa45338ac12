"""Rows the store refuses for what they are: kept in a file, so that they hold up nobody and are not lost."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from server.process.files import OWNER_ONLY

MOST_BYTES = 256 << 20
NAME = "quarantine.ndjson"


class Quarantine:
    """Lines `{datasource, why, row}`; several processes may add to the file."""

    def __init__(self, directory: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = directory / NAME
        self.rows = 0  # since the start
        self._most_bytes = most_bytes

    def put(self, datasource: str, row: Mapping[str, Any], why: str) -> None:
        """On disk when it returns. Raises OSError, for a full file too: then the row is one that waits."""
        line = orjson.dumps({"datasource": datasource, "why": why, "row": row}) + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
        try:
            if os.fstat(descriptor).st_size + len(line) > self._most_bytes:
                raise OSError(f"{self.path.name} is full: look into it, then move it away")
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.rows += 1
