"""What reached the outside world: the evidence that a change happened, and how often.

Parameters are kept as they came over the wire, as strings or as the body's JSON, without credentials.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

_SECRETS = frozenset({
    "access_token", "appsecret_proof", "client_secret", "fb_exchange_token", "input_token", "refresh_token",
})  # fmt: skip
_KEPT = 20_000

Entry = dict[str, object]


class RequestLog:
    def __init__(self, writes: Iterable[Entry] = ()) -> None:
        self._writes: deque[Entry] = deque(writes, maxlen=_KEPT)
        self._requests: deque[Entry] = deque(self._writes, maxlen=_KEPT)
        last = self._writes[-1]["seq"] if self._writes else 0
        self._seq = last if isinstance(last, int) else 0

    def add(
        self,
        *,
        platform: str,
        method: str,
        path: str,
        params: Mapping[str, object],
        status: int | None,
        accepted_write: bool = False,
        fault: str | None = None,
    ) -> None:
        """Record one request; `status` is None where the connection was cut before anything was done."""
        self._seq += 1
        entry: Entry = {
            "seq": self._seq,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "platform": platform,
            "method": method,
            "path": path,
            "params": {name: value for name, value in params.items() if name not in _SECRETS},
        }
        if accepted_write:
            self._writes.append(entry)
        self._requests.append({**entry, "status": status} | ({"fault": fault} if fault else {}))

    @property
    def writes(self) -> list[Entry]:
        return list(self._writes)

    @property
    def requests(self) -> list[Entry]:
        return list(self._requests)
