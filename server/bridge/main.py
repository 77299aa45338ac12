"""The bridge as a process: lines in, lines out, and nothing but the protocol on stdout."""

import asyncio
import contextlib
import os
import select
import threading
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from server.bridge import messages
from server.bridge.confirming import Confirming
from server.bridge.relay import Relay
from server.bridge.snapshot import Snapshot
from server.bridge.upstream import Local, Remote, Upstream
from server.process.environment import data_directory, remote

try:
    from uvloop import run as run_loop
except ImportError:  # in Claude Desktop's bundle, which carries nothing compiled
    from asyncio import run as run_loop  # type: ignore[assignment]  # called alike

LINE_LIMIT = 10 * 1024 * 1024
_READ = 256 * 1024
_TOO_LONG = f"Parse error: a line is longer than {LINE_LIMIT} bytes."


def run(arguments: Namespace) -> int:
    directory = data_directory(arguments.data)
    there = remote(directory, beside=False)
    # What else writes to stdout, here or in a child, lands on stderr: the protocol has a descriptor of its own.
    out = os.dup(1)
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the client is gone: as good as its input's end
        run_loop(_bridge(arguments, directory, there, out))
    return 0


async def _bridge(arguments: Namespace, directory: Path, there: tuple[str, str] | None, out: int) -> None:
    upstream: Upstream = Remote(*there) if there else Local(directory)
    surface = arguments.toolset or ("readonly" if arguments.read_only else "all")
    relay = Relay(
        upstream,
        lambda message: _write(out, message),
        path={"all": "/mcp", "readonly": "/mcp/readonly"}.get(surface, f"/mcp/x/{surface}"),
        headers={"x-adwright-workspace": arguments.workspace} if arguments.workspace else {},
        snapshot=Snapshot.load(surface),
        discovers=there is None,
        confirming=Confirming(enabled=not arguments.no_open),
    )
    ended = asyncio.Event()
    lines = Lines(relay.receive, lambda: _write(out, messages.error(messages.PARSE_ERROR, _TOO_LONG)))
    _read_from(0, lines, ended)
    starting = asyncio.create_task(_start(upstream))
    await ended.wait()
    starting.cancel()
    await relay.close()
    upstream.close()


async def _start(upstream: Upstream) -> None:
    """Ahead of the first call; why it failed is told to the calls that need it."""
    await asyncio.gather(upstream.ready(), return_exceptions=True)


class Lines:
    """Cuts what arrives into lines; one that is too long is reported once and skipped to its end."""

    def __init__(self, line: Callable[[bytes], None], too_long: Callable[[], None]) -> None:
        self._line, self._too_long = line, too_long
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    def feed(self, received: bytes) -> None:
        *whole, rest = received.split(b"\n")
        for part in whole:
            self._add(part)
            self.end()
        self._add(rest)

    def end(self) -> None:
        line = b"".join(self._parts).strip()
        if line and not self._skipping:
            self._line(line)
        self._parts, self._size, self._skipping = [], 0, False

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LINE_LIMIT and not self._skipping:
            self._parts, self._skipping = [], True
            self._too_long()
        if part and not self._skipping:
            self._parts.append(part)


def _read_from(descriptor: int, lines: Lines, ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def take(received: bytes) -> None:
        if received:
            lines.feed(received)
        else:
            lines.end()
            ended.set()

    def readable() -> None:
        received = _receive(descriptor)
        if not received:
            loop.remove_reader(descriptor)
        take(received)

    try:
        loop.add_reader(descriptor, readable)
    except PermissionError:  # a file: always readable, and nothing that can be waited for
        _in_thread(loop, descriptor, take)


def _in_thread(loop: asyncio.AbstractEventLoop, descriptor: int, take: Callable[[bytes], None]) -> None:
    def read() -> None:
        received = b"?"
        while received:
            received = _receive(descriptor)
            loop.call_soon_threadsafe(take, received)

    threading.Thread(target=read, daemon=True).start()


def _receive(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ)
    except BlockingIOError:
        select.select([descriptor], [], [])
        return os.read(descriptor, _READ)
    except OSError:
        return b""


def _write(descriptor: int, message: bytes) -> None:
    """Waits for a client that reads slowly: that is its back pressure."""
    rest = memoryview(message.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
