"""One small HTTP request by hand: asking the owner, or the owner its children, must not slow the start of a command."""

import socket
import urllib.parse


def ask(url: str, method: str, path: str, token: str = "", *, seconds: float = 5.0) -> tuple[int, socket.socket]:
    """The status, and the connection left open behind it. Raises ConnectionError."""
    parts = urllib.parse.urlsplit(url)
    lines = [f"{method} {path} HTTP/1.1", f"host: {parts.netloc}", "content-length: 0"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    try:
        connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds)
    except OSError as error:
        raise ConnectionError(str(error)) from error
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n" not in answer:
            if not (more := connection.recv(4096)):
                raise ConnectionResetError("closed without an answer")
            answer += more
        return int(answer.split(b" ", 2)[1]), connection
    except (OSError, ValueError, IndexError) as error:
        connection.close()
        raise ConnectionError(str(error)) from error
