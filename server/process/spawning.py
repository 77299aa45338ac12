"""How Adwright starts processes of its own that may outlive whoever started them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.process.files import OWNER_ONLY, not_writable, size

LOG_LIMIT = 8 * 1024 * 1024
"""What a log may reach before the next start sets it aside; one older one is kept."""


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """In a session of its own, where no signal of our terminal reaches it; it inherits none of our locks. It starts
    beside its log, in the data directory: an .env where the user happens to be is not its own."""
    try:
        if size(log) > LOG_LIMIT:
            log.replace(log.with_name(f"{log.name}.1"))
        log.touch(OWNER_ONLY)
        output = log.open("ab")
    except OSError as error:
        raise not_writable(log.parent, error) from None
    with output:
        return subprocess.Popen(  # noqa: S603 -- our own interpreter and modules
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip


def forget(process: "subprocess.Popen[bytes]") -> None:
    """It lives on without us, which Popen would otherwise warn about."""
    if process.poll() is None:
        process.returncode = 0


def module(name: str, *arguments: str) -> list[str]:
    """-P: a directory called `server` where the user happens to be is not ours."""
    return [sys.executable, "-P", "-m", name, *arguments]
