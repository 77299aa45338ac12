"""An HTTP/1.1 client of a few lines: the libraries that could do it take longer to import than the bridge to answer."""

import asyncio
import contextlib
import ssl
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

CONNECT_SECONDS = 10.0
_HEAD_LIMIT = 64 * 1024
_CHUNK = 256 * 1024
_ASK_FIRST_ABOVE = 256 * 1024
"""A larger body is announced, so that a server that will not take it can say why before it closes the connection."""
_CONTINUE, _CONTINUE_SECONDS = 100, 1.0


class NotSent(ConnectionError):
    """No byte of the request left: nothing can have happened."""


class Lost(ConnectionError):
    """The connection ended with the answer outstanding: what happened is unknown."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    _connection: _Connection = field(repr=False)
    ended: bool = False

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        reader = self._connection.reader
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            while size := int((await reader.readline()).split(b";")[0], 16):
                async for piece in _exactly(reader, size):
                    yield piece
                await reader.readexactly(2)
            while (await reader.readline()).strip():
                pass  # trailers
        elif (length := self.headers.get("content-length")) is not None:
            async for piece in _exactly(reader, int(length)):
                yield piece
        elif self.status not in (204, 304):
            while piece := await reader.read(_CHUNK):
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


async def _exactly(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    while size:
        if not (piece := await reader.read(min(size, _CHUNK))):
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

    @contextlib.asynccontextmanager
    async def open(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> AsyncIterator[Response]:
        """Leaving it before the answer was read to its end closes the connection, which tells the server."""
        connection = await self._connection()
        response: Response | None = None
        try:
            response = await self._exchange(connection, method, path, headers, body)
            yield response
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise error if isinstance(error, Lost) else Lost(str(error) or type(error).__name__) from error
        finally:
            keeps = response is not None and response.headers.get("connection", "").lower() != "close"
            if response is not None and response.ended and keeps and not self._closed:
                self._idle.append(connection)
            else:
                connection.writer.close()

    def close(self) -> None:
        """What is being answered goes on, and is not kept afterwards."""
        self._closed = True
        self.drop_idle()

    def drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().writer.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                opened = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_HEAD_LIMIT)
        except (OSError, TimeoutError) as error:
            raise NotSent(str(error) or f"no connection within {CONNECT_SECONDS:g} s") from error
        return _Connection(*opened)

    async def _exchange(
        self, connection: _Connection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        asks_first = len(body) > _ASK_FIRST_ABOVE
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", f"host: {self._netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["expect: 100-continue", "", ""] if asks_first else ["", ""]
        head = "\r\n".join(lines).encode("latin-1")
        if asks_first:
            connection.writer.write(head)
            with contextlib.suppress(TimeoutError):  # some servers do not answer that question
                async with asyncio.timeout(_CONTINUE_SECONDS):
                    refusal = await _head(connection)
                if refusal.status != _CONTINUE:
                    refusal.headers = {**refusal.headers, "connection": "close"}  # it still waits for the body
                    return refusal
            head = b""
        connection.writer.write(head + body)
        await connection.writer.drain()
        while (response := await _head(connection)).status == _CONTINUE:
            pass
        return response


async def _head(connection: _Connection) -> Response:
    head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, _, fields = head.partition("\r\n")
    _, _, code = status.partition(" ")
    split = (line.partition(":") for line in fields.split("\r\n") if line)
    return Response(int(code[:3]), {n.strip().lower(): v.strip() for n, _, v in split}, connection)
