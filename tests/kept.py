"""Connections to the tests' server outlive the test that made them: the next finds a session that was reset."""

import asyncio
import atexit
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import asyncpg

ANSWER_SECONDS = 5
IDLE = 8
_QUERY = b"DISCARD ALL\0"
_RESET = b"Q" + struct.pack("!i", 4 + len(_QUERY)) + _QUERY
_READY = b"Z\0\0\0\5I"  # and in no transaction
_SIGNED_IN = b"R\0\0\0\x08\0\0\0\0"
_FAILED, _TERMINATE = b"E", b"X"
_connect = asyncio.BaseEventLoop.create_connection


class _Kept(NamedTuple):
    startup: bytes  # who entered where and with which settings
    greeting: bytes  # what the server answered, after it knew who it is
    socket: socket.socket

    def is_reset(self) -> bool:
        self.socket.settimeout(ANSWER_SECONDS)
        said = b""
        try:
            while not said.endswith(_READY) and (more := self.socket.recv(4096)):
                said += more
        except OSError:
            return False
        return said.endswith(_READY) and not said.startswith(_FAILED)


class _Idle:
    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._lock = threading.Lock()  # the schemas have a loop and a thread of their own
        atexit.register(self._close)

    def give(self, kept: _Kept) -> None:
        with self._lock:
            self._kept.append(kept)
            if len(self._kept) > IDLE:
                self._kept.pop(0).socket.close()

    def take(self, startup: bytes) -> _Kept | None:
        with self._lock:
            for kept in [kept for kept in reversed(self._kept) if kept.startup == startup]:
                self._kept.remove(kept)
                if kept.is_reset():
                    return kept
                kept.socket.close()
        return None

    def _close(self) -> None:
        for kept in self._kept:
            kept.socket.close()


class _Wire(asyncio.Protocol):
    """Between the driver, whose transport it is, and the loop, whose protocol it is."""

    def __init__(self, driver: asyncio.Protocol, idle: _Idle, only: bytes) -> None:
        self._driver, self._idle, self._only = driver, idle, only
        self._transport: asyncio.Transport | None = None
        self._ready = False
        self._greeting = b""
        self.startup = b""
        driver.connection_made(cast("asyncio.Transport", self))  # it says at once how it enters

    def begin(self, kept: _Kept | None) -> None:
        if kept is None:
            self._sent(self.startup)
        else:
            self.data_received(kept.greeting)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if self._transport is None else self._transport.get_extra_info(name, default)

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self.startup += data
        elif self._ready and data[:1] == _TERMINATE and self._only in self.startup:
            self._give_back(self._transport)
        else:
            self._sent(data)

    def writelines(self, buffers: list[bytes]) -> None:
        self._sent(b"".join(buffers))

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    close = abort

    def pause_reading(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        assert self._transport is not None
        self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._ready = data.endswith(_READY)
        if not self._greeting.endswith(_READY):
            self._greeting += data
        self._driver.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ready = False
        self._driver.connection_lost(exc)

    def pause_writing(self) -> None:
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        self._driver.resume_writing()

    def _sent(self, data: bytes) -> None:
        assert self._transport is not None
        self._ready = False
        self._transport.write(data)

    def _give_back(self, transport: asyncio.Transport) -> None:
        self._ready = False
        with contextlib.suppress(OSError):  # the server went away
            ours: socket.socket = transport.get_extra_info("socket").dup()
            ours.send(_RESET)
            greeting = self._greeting[self._greeting.index(_SIGNED_IN) :]
            self._idle.give(_Kept(self.startup, greeting, ours))
        transport.abort()  # closes one of the two ends that this process has


def keep_connections(server: str, only: bytes) -> None:
    """From now on, in this process, those to this server that named `only` when they entered."""
    parts, idle = urlsplit(server), _Idle()
    ours = (parts.hostname, parts.port or 5432)

    async def connect(
        loop: asyncio.BaseEventLoop, factory: Callable[[], Any], host: Any = None, port: Any = None, **more: Any
    ) -> tuple[Any, Any]:
        if (host, port) != ours or not isinstance(driver := factory(), asyncpg.protocol.Protocol):
            return await _connect(loop, factory, host, port, **more)
        wire = _Wire(driver, idle, only)
        kept = idle.take(wire.startup)
        where = {"host": host, "port": port} if kept is None else {"sock": kept.socket}
        await _connect(loop, lambda: wire, **where)
        wire.begin(kept)
        return wire, driver

    asyncio.BaseEventLoop.create_connection = connect  # type: ignore[method-assign,assignment]  # no driver offers it
