"""How a command reaches the owner of its directory: found where one runs, started where none does."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from server.process.asking import ask
from server.process.background import LOST
from server.process.files import make_directory, size, tail
from server.process.ownership import Record, is_held, wait_until_free
from server.process.spawning import forget, module, spawn
from server.version import VERSION
from tools.errors import Conflict, Unavailable

START_SECONDS = 30.0
DRAIN_SECONDS = 6.0
_LOOK_EVERY = 0.02
BACKGROUND = module("server.process.background")


@dataclass(slots=True)
class Owner:
    """The owner, held: a background owner stays as long as `hold` is open. Readable `hold` means that it left."""

    url: str
    token: str = field(repr=False)
    hold: socket.socket
    process: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.hold.close()
        if self.process is not None:
            forget(self.process)


def connect(directory: Path, *, command: Sequence[str] = BACKGROUND, seconds: float = START_SECONDS) -> Owner:
    """Of several starters the lock decides; the losers wait for the winner."""
    make_directory(directory)
    log = directory / "owner.log"
    since = size(log)
    give_up = time.monotonic() + seconds
    started: subprocess.Popen[bytes] | None = None
    while time.monotonic() < give_up:
        if is_held(directory / "owner.lock"):
            record = Record.read(directory)
            hold = _hold(record)
            if hold is not None and record.background and record.version != VERSION:
                hold.close()
                drain(directory, record)
            elif hold is not None:
                return Owner(record.url, record.token, hold, started)
        elif started is None:
            started = spawn([*command, "--data", str(directory)], log)
        elif (status := started.poll()) is not None:
            if status != LOST:
                raise Unavailable(
                    f"Adwright could not start in the background.\n{tail(log, since=since)}", fix=f"See {log}."
                )
            started = None
        time.sleep(_LOOK_EVERY)
    if started is not None:
        forget(started)
    raise Unavailable(
        f"No answer from Adwright within {seconds:g} s.\n{tail(log, since=since)}", fix=f"See {log}.", retry_after=5
    )


def running(directory: Path) -> Record | None:
    """The owner that runs now, if one does and answers."""
    record = Record.read(directory)
    if not is_held(directory / "owner.lock") or (hold := _hold(record)) is None:
        return None
    hold.close()
    return record


def take_over(directory: Path) -> None:
    """Make way for an owner in the foreground: a background owner is asked to drain, another's is left alone."""
    give_up = time.monotonic() + START_SECONDS
    while is_held(directory / "owner.lock"):
        record = Record.read(directory)
        if record.token and not record.background:
            raise already_served(directory, record)
        if record.token and drain(directory, record):
            return
        if time.monotonic() > give_up:
            raise already_served(directory, record)
        time.sleep(_LOOK_EVERY)


def already_served(directory: Path, record: Record) -> Conflict:
    return Conflict(
        f"Another Adwright (pid {record.pid}) serves {directory} at {record.url}.",
        fix=f"Use that one, stop it (kill {record.pid}), or choose another directory with --data DIR.",
    )


def drain(directory: Path, record: Record) -> bool:
    """Ask a background owner to end; whether it did in time."""
    with contextlib.suppress(ConnectionError):
        ask(record.url, "POST", "/local/drain", record.token)[1].close()
    return wait_until_free(directory / "owner.lock", DRAIN_SECONDS)


def _hold(record: Record) -> socket.socket | None:
    if not record.token:
        return None
    try:
        status, connection = ask(record.url, "GET", "/local/hold", record.token)
    except ConnectionError:
        return None
    if status == 200:
        connection.settimeout(None)
        return connection
    connection.close()
    return None
