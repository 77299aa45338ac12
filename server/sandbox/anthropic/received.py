"""Every request as it came, byte for byte, and what became of it: the evidence on a client's transcripts."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

_MOST_BYTES = 64 * 1024 * 1024


@dataclass
class Received:
    seq: int
    path: str
    text: str
    """The body, exactly."""
    request_id: str
    status: int | None = None
    """None until something was answered."""
    ended: str | None = None
    """complete, cut, or aborted where the client went away before the end."""
    usage: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "path": self.path,
            "request_id": self.request_id,
            "status": self.status,
            "ended": self.ended,
            "usage": self.usage,
            "text": self.text,
        }


class Inbox:
    """Keeps the newest requests, up to 64 MB of them."""

    def __init__(self) -> None:
        self._kept: deque[Received] = deque()
        self._bytes = 0
        self._seq = 0

    def add(self, path: str, text: str, request_id: str) -> Received:
        self._seq += 1
        received = Received(self._seq, path, text, request_id)
        self._kept.append(received)
        self._bytes += len(text)
        while self._bytes > _MOST_BYTES and len(self._kept) > 1:
            self._bytes -= len(self._kept.popleft().text)
        return received

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = 0

    def to_json(self) -> list[dict[str, object]]:
        return [received.to_json() for received in self._kept]
