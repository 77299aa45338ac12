"""A server that says exactly what a test tells it to, byte for byte where that matters."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter = field(repr=False)
    gone: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    async def raw(self, sent: bytes) -> None:
        self.writer.write(sent)
        await self.writer.drain()

    async def answer(self, status: int, body: Any = b"", **headers: str) -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(sent)}", "content-type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join([*lines, "", ""]).encode() + sent)

    async def result(self, content: Any, **headers: str) -> None:
        await self.answer(200, {"jsonrpc": "2.0", "id": self.message["id"], "result": content}, **headers)

    async def stream(self) -> None:
        await self.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    async def event(self, message: Any) -> None:
        data = f"event: message\r\ndata: {json.dumps(message)}\r\n\r\n".encode()
        await self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")


Answer = Callable[[Request], Awaitable[None]]


class Wire:
    def __init__(self, answer: Answer) -> None:
        self.answer, self.requests, self.url = answer, list[Request](), ""
        self._connections: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.strip().split("\r\n")
                headers = {n.strip().lower(): v.strip() for n, _, v in (field.partition(":") for field in fields)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                request = Request(line.split()[0], line.split()[1], headers, body, writer)
                self.requests.append(request)
                await self._until_gone(request, reader)
        writer.close()

    async def _until_gone(self, request: Request, reader: asyncio.StreamReader) -> None:
        """Answers, and notices meanwhile when the client closes."""
        answering = asyncio.create_task(self._answered(request))
        while not answering.done():
            if reader.at_eof():
                request.gone.set()
                break
            await asyncio.wait((answering,), timeout=0.01)
        await answering

    async def _answered(self, request: Request) -> None:
        await self.answer(request)

    async def stop(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


@contextlib.asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[Wire]:
    wire = Wire(answer)
    server = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        await wire.stop()
