"""A client that costs the server nothing but its requests: raw keep-alive sockets, one question at a time each."""

import socket
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP/1.1 request as bytes, and the statuses that are right for it."""

    wire: bytes
    statuses: frozenset[int] = frozenset({200})

    @classmethod
    def of(
        cls, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", statuses: Iterable[int] = (200,)
    ) -> "Request":
        sent = {"host": "127.0.0.1", **headers} | ({"content-length": str(len(body))} if body else {})
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        return cls(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body, frozenset(statuses))


class Load:
    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        parts = urllib.parse.urlsplit(url)
        self._sockets = [socket.create_connection((parts.hostname, parts.port)) for _ in range(connections)]
        for each in self._sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = dict.fromkeys(self._sockets, b"")

    def send(self, requests: Iterable[Request]) -> int:
        """All of them, as many at once as there are connections; how many there were."""
        waiting: list[tuple[socket.socket, Request]] = []
        idle, sent = list(self._sockets), 0
        for request in requests:
            if not idle:
                each, asked = waiting.pop(0)
                self._receive(each, asked)
                idle.append(each)
            each = idle.pop()
            each.sendall(request.wire)
            waiting.append((each, request))
            sent += 1
        for each, asked in waiting:
            self._receive(each, asked)
        return sent

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    def _receive(self, each: socket.socket, asked: Request) -> bytes:
        received = self._unread[each]
        while b"\r\n\r\n" not in received:
            received += self._more(each)
        head, _, rest = received.partition(b"\r\n\r\n")
        status = int(head[9:12])
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        while len(rest) < length:
            rest += self._more(each)
        self._unread[each] = rest[length:]
        if status not in asked.statuses:
            raise RuntimeError(f"unexpected answer {status}: {rest[:500].decode(errors='replace')}")
        return rest[:length]

    def one(self, request: Request) -> bytes:
        """One request and the body of its answer."""
        each = self._sockets[0]
        each.sendall(request.wire)
        return self._receive(each, request)

    def _more(self, each: socket.socket) -> bytes:
        if not (received := each.recv(65536)):
            raise ConnectionError("the server closed a connection that was in use")
        return received
