"""One process owns a data directory: the lock decides, serve.json tells the others where it answers."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.process.files import OWNER_ONLY, make_directory, not_writable, read_json, write_private
from tools.errors import Conflict, Unavailable

TOKEN_PREFIX = "adw_local_"  # noqa: S105 -- says what a token is; 256 random bits follow
_LOOK_EVERY = 0.02


class Held(Exception):
    """Another process holds the lock."""


@dataclass(frozen=True, slots=True)
class Record:
    """What serve.json says. Between two owners only the URL is left, so that the directory keeps its port."""

    url: str = ""
    token: str = field(default="", repr=False)
    pid: int = 0
    background: bool = False
    version: str = ""

    @classmethod
    def read(cls, directory: Path) -> "Record":
        known = read_json(directory / "serve.json")
        return cls(
            url=str(known.get("url", "")),
            token=str(known.get("token", "")),
            pid=int(known.get("pid", 0)),
            background=known.get("background") is True,
            version=str(known.get("version", "")),
        )

    @property
    def port(self) -> int:
        port = self.url.rpartition(":")[2]
        return int(port) if port.isdecimal() else 0


class Ownership:
    """Held from `own` until it is left, or until the kernel sees the process end."""

    def __init__(self, directory: Path, *, background: bool, version: str) -> None:
        self.directory, self.background, self.version = directory, background, version
        self.token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        self._url = Record.read(directory).url

    def announce(self, url: str) -> None:
        self._url = url
        self._write({"token": self.token, "pid": os.getpid(), "background": self.background})

    def withdraw(self) -> None:
        self._write({})

    def _write(self, more: dict[str, Any]) -> None:
        write_private(
            self.directory / "serve.json", json.dumps({"url": self._url, **more, "version": self.version}) + "\n"
        )


@contextlib.contextmanager
def own(directory: Path, *, background: bool, version: str) -> Iterator[Ownership]:
    """Raises Held where another process owns the directory."""
    make_directory(directory)
    with locked(directory / "owner.lock"):
        ownership = Ownership(directory, background=background, version=version)
        try:
            yield ownership
        finally:
            with contextlib.suppress(Unavailable):  # a disk that filled up meanwhile must not hide why we end
                ownership.withdraw()


@contextlib.contextmanager
def locked(path: Path, patience: float = 0.5) -> Iterator[None]:
    """The patience outlasts those who only look whether the lock is held: looking takes it for a moment."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    except OSError as error:
        raise not_writable(path.parent, error) from None
    try:
        give_up = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise Held(path.name) from None
                time.sleep(_LOOK_EVERY)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_free(path: Path, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while is_held(path):
        if time.monotonic() > give_up:
            return False
        time.sleep(_LOOK_EVERY)
    return True


def listen(host: str, port: int, *, remembered: int = 0) -> socket.socket:
    """A bound socket: the port asked for, else the one the directory had before, else a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port,) if port else (remembered, 0):
        try:
            listener = socket.create_server((host, candidate), family=family, backlog=1024)
        except OSError as error:
            if candidate and not port:
                continue
            raise _no_listener(host, candidate, error) from None
        listener.setblocking(False)
        # Accepted sockets inherit it: an answer in two packets must not wait 40 ms for the first one's receipt.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    raise AssertionError("port 0 either binds or raises")


def _no_listener(host: str, port: int, error: OSError) -> Exception:
    if isinstance(error, PermissionError):
        return Unavailable(f"This user may not listen on port {port}.", fix="Choose a port above 1023 with --port.")
    if port:
        return Conflict(
            f"Port {port} on {host} is taken by another program.",
            fix="Choose another with --port, or 0 for a free one.",
        )
    return Unavailable(f"Cannot listen on {host}: {error.strerror}.", fix="Choose an address of this machine: --host.")


def address(host: str, listener: socket.socket) -> str:
    """The URL a client on this machine uses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
