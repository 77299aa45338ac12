"""When an event counts: by its sender's clock, where that can be right."""

import time
from functools import lru_cache

AHEAD_MS = 5 * 60_000
"""A clock may run ahead by as much; what claims to be later is from a wrong clock, and counts now."""
BEHIND_MS = 24 * 3_600_000
"""A browser may have kept an event for as long; what claims to be older counts now. A server may tell of any past
since EARLIEST_MS: it imports what was."""
EARLIEST_MS = 946_684_800_000  # 2000-01-01
_REST = tuple(f".{ms:03d}" for ms in range(1000))


def believed(at_ms: int, now_ms: int, *, behind_ms: int | None = None) -> bool:
    earliest = EARLIEST_MS if behind_ms is None else now_ms - behind_ms
    return earliest <= at_ms <= now_ms + AHEAD_MS


def minted_ms(event_id: str) -> int | None:
    """When a version 7 UUID was made."""
    if len(event_id) == 36 and event_id[14] == "7" and event_id[8] == event_id[13] == "-":
        try:
            return int(event_id[:8] + event_id[9:13], 16)
        except ValueError:
            return None
    return None


def stamp(ms: int) -> str:
    """As a DateTime64(3, 'UTC') is written."""
    seconds, rest = divmod(ms, 1000)
    return _second(seconds) + _REST[rest]


@lru_cache(1024)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
