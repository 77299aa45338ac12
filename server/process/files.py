"""Files of the data directory that others may be reading: replaced whole, and for their owner's eyes only."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from tools.errors import Unavailable

OWNER_ONLY = 0o600


def make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(directory, error) from None


def not_writable(directory: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The data directory {directory} cannot be written: {error.strerror}.",
        fix="Make it writable, free some space, or choose another with --data DIR.",
    )


def write_private(path: Path, text: str) -> None:
    """A reader sees the old content or the new, and after a power cut too."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise not_writable(path.parent, error) from None


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; nothing where there is none, or one that another program cut short."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def tail(path: Path, *, since: int = 0, lines: int = 8) -> str:
    """The last lines of what was written after the byte `since`."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= end else 0, end - 8192))  # beyond the end: set aside meanwhile
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
