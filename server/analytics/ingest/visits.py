"""What is remembered of visitors and events for a while, in memory and within bounds."""

from collections import OrderedDict
from hashlib import blake2b

IDLE_MS = 30 * 60_000
"""A visit ends when nothing was heard for so long."""
MOST_VISITORS = 100_000
MOST_EVENTS = 100_000


class Visits:
    """The session an event belongs to where its sender names none: the visitor's last within half an hour, else a new
    one. Which new one follows from visitor and time, so that a retry, a restart or another process finds it too."""

    def __init__(self, most: int = MOST_VISITORS) -> None:
        self._most = most
        self._last: OrderedDict[tuple[str, str], tuple[str, int]] = OrderedDict()

    def session(self, website_id: str, visitor_id: str, said: str, at_ms: int) -> str:
        key = website_id, visitor_id
        known = self._last.get(key)
        if said:
            session = said
        elif known is not None and abs(at_ms - known[1]) <= IDLE_MS:
            session = known[0]
        else:
            told = f"{website_id}|{visitor_id}|{at_ms // IDLE_MS}".encode("utf-8", "replace")
            session = blake2b(told, digest_size=12).hexdigest()
        if known is None or at_ms >= known[1]:  # what is told of the past later moves nobody's present
            self._last[key] = session, at_ms
            self._last.move_to_end(key)
            if len(self._last) > self._most:
                self._last.popitem(last=False)
        return session


class FirstTimes:
    """When an event came first that does not say itself when it was: sent again, it keeps that time, and so its key."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self._most = most
        self._first: OrderedDict[tuple[str, str], int] = OrderedDict()

    def known(self, website_id: str, event_id: str) -> int | None:
        return self._first.get((website_id, event_id)) if self._first else None

    def keep(self, website_id: str, event_id: str, at_ms: int) -> None:
        self._first[website_id, event_id] = at_ms
        if len(self._first) > self._most:
            self._first.popitem(last=False)
