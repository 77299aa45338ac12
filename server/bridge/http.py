"""An HTTP/1.1 client of a few lines: the libraries that could do it take longer to import than the bridge to answer."""

import asyncio
import contextlib
import ssl
import urllib.parse
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, cast

CONNECT_SECONDS = 10.0
_HEAD_LIMIT = 64 * 1024
_CHUNK = 256 * 1024
_ASK_FIRST_ABOVE = 256 * 1024
"""A larger body is announced, so that a server that will not take it can say why before it closes the connection."""
_CONTINUE, _CONTINUE_SECONDS = 100, 1.0


_BROKEN = (OSError, EOFError, ValueError)


class NotSent(ConnectionError):
    """No byte of the request left: nothing can have happened."""


class Lost(ConnectionError):
    """The connection ended with the answer outstanding: what happened is unknown."""


class _Connection(asyncio.Protocol):
    """What arrived and is not taken yet, for one reader at a time: a relayed call spends half as much here as in
    asyncio's streams."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._ended = self._paused = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if len(self._arrived) > _CHUNK and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended makes no difference
        self._ended = True
        self._wake()

    @property
    def reusable(self) -> bool:
        return not (self._ended or self._arrived or self.transport.is_closing())

    async def line(self, mark: bytes = b"\r\n") -> bytes:
        """All up to the mark, and the mark."""
        while (end := self._arrived.find(mark)) < 0:
            if len(self._arrived) > _HEAD_LIMIT:
                raise ValueError("a line of the answer is too long")
            await self._more()
        return self._taken(end + len(mark))

    async def some(self, at_most: int) -> bytes:
        """What is there, at least one byte; nothing once the connection has ended."""
        if not self._arrived:
            with contextlib.suppress(EOFError):
                await self._more()
        return self._taken(at_most)

    async def exactly(self, size: int) -> bytes:
        while len(self._arrived) < size:
            await self._more()
        return self._taken(size)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._arrived[:size])
        del self._arrived[:size]
        return taken

    async def _more(self) -> None:
        if self._ended:
            raise EOFError("the connection ended")
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@dataclass(slots=True)
class Response:
    """Leaving it before it was read to its end closes the connection, which tells the server."""

    status: int
    headers: Mapping[str, str]
    _connection: _Connection = field(repr=False)
    _keep: Callable[[_Connection], None] = field(repr=False)
    ended: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.ended and self.headers.get("connection", "").lower() != "close":
            self._keep(self._connection)
        else:
            self._connection.transport.close()
        if isinstance(error, _BROKEN):
            raise _lost(error) from error

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self) -> bytes:
        if not self._chunked and (length := self.headers.get("content-length")) is not None:
            body = await self._connection.exactly(int(length))
            self.ended = True
            return body
        return b"".join([chunk async for chunk in self.chunks()])

    @property
    def _chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    async def chunks(self) -> AsyncIterator[bytes]:
        connection = self._connection
        if self._chunked:
            while size := int((await connection.line()).split(b";")[0], 16):
                async for piece in _exactly(connection, size):
                    yield piece
                await connection.line()
            while (await connection.line()).strip():
                pass  # trailers
        elif (length := self.headers.get("content-length")) is not None:
            async for piece in _exactly(connection, int(length)):
                yield piece
        elif self.status not in (204, 304):
            while piece := await connection.some(_CHUNK):
                yield piece
            return  # the connection's end was the answer's
        self.ended = True

    async def events(self) -> AsyncIterator[bytes]:
        """The data of each server-sent event."""
        rest, data = b"", list[bytes]()
        async for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                line = line.removesuffix(b"\r")
                if line.startswith(b"data:"):
                    data.append(line[5:].removeprefix(b" "))
                elif not line and data:
                    yield b"\n".join(data)
                    data.clear()


async def _exactly(connection: _Connection, size: int) -> AsyncIterator[bytes]:
    while size:
        if not (piece := await connection.some(min(size, _CHUNK))):
            raise Lost("the answer was cut short")
        size -= len(piece)
        yield piece


class Http:
    """One server; connections are kept for the next request."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.url, self._host, self._netloc = url, parts.hostname or "", parts.netloc
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._idle: list[_Connection] = []
        self._closed = False

    async def open(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """The head of the answer; its body is read inside `with`."""
        connection = await self._connection()
        try:
            return await self._exchange(connection, method, path, headers, body)
        except BaseException as error:
            connection.transport.close()
            if isinstance(error, _BROKEN):
                raise _lost(error) from error
            raise

    def _keep(self, connection: _Connection) -> None:
        if self._closed:
            connection.transport.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """What is being answered goes on, and is not kept afterwards."""
        self._closed = True
        self.drop_idle()

    def drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().transport.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            connection.transport.close()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, opened = await asyncio.get_running_loop().create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise NotSent(str(error) or f"no connection within {CONNECT_SECONDS:g} s") from error
        return opened

    async def _exchange(
        self, connection: _Connection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        asks_first = len(body) > _ASK_FIRST_ABOVE
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", f"host: {self._netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["expect: 100-continue", "", ""] if asks_first else ["", ""]
        head = "\r\n".join(lines).encode("latin-1")
        if asks_first:
            connection.transport.write(head)
            with contextlib.suppress(TimeoutError):  # some servers do not answer that question
                async with asyncio.timeout(_CONTINUE_SECONDS):
                    refusal = await self._head(connection)
                if refusal.status != _CONTINUE:
                    refusal.headers = {**refusal.headers, "connection": "close"}  # it still waits for the body
                    return refusal
            head = b""
        connection.transport.write(head + body)
        while (response := await self._head(connection)).status == _CONTINUE:
            pass
        return response

    async def _head(self, connection: _Connection) -> Response:
        head = (await connection.line(b"\r\n\r\n")).decode("latin-1")
        status, _, fields = head.partition("\r\n")
        _, _, code = status.partition(" ")
        split = (line.partition(":") for line in fields.split("\r\n") if line)
        return Response(int(code[:3]), {n.strip().lower(): v.strip() for n, _, v in split}, connection, self._keep)


def _lost(error: BaseException) -> Lost:
    return error if isinstance(error, Lost) else Lost(str(error) or type(error).__name__)
