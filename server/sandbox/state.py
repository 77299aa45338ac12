"""What survives a restart of the sandbox: one JSON document, replaced whole so that a kill never leaves half of it."""

import os
from pathlib import Path
from typing import cast

import orjson

Document = dict[str, object]


class StateFile:
    def __init__(self, path: Path | None) -> None:
        """Without a path nothing is kept."""
        self._path = path

    def load(self) -> Document:
        if self._path is None or not self._path.exists():
            return {}
        try:
            return cast("Document", orjson.loads(self._path.read_bytes()))
        except orjson.JSONDecodeError as error:
            raise SystemExit(f"{self._path} is not readable as JSON ({error}); delete it to start afresh") from error

    def save(self, document: Document) -> None:
        if self._path is not None:
            write_private(self._path, orjson.dumps(document))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)
