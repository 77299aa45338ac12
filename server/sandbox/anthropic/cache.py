"""Prompt caching: what was written and read is computed from the true prefix, and paid for by nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.sandbox.anthropic.errors import invalid
from server.sandbox.anthropic.models import Model
from server.sandbox.anthropic.prefix import Prefix

_MOST_MARKS = 4
_LOOKBACK = 20
_SECONDS = {"5m": 300.0, "1h": 3600.0}
_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class _Mark:
    at: int
    """Position of the piece that it ends with."""
    ttl: str


@dataclass(frozen=True, slots=True)
class _Entry:
    seconds: float
    expires: float


@dataclass(frozen=True, slots=True)
class Accounting:
    uncached: int
    read: int
    written: dict[str, int]
    """Tokens a time to live."""
    entries: dict[str, float]
    """What can be read once the answer has begun: hash to seconds of life."""

    def usage(self) -> dict[str, Any]:
        return {
            "input_tokens": self.uncached,
            "cache_creation_input_tokens": sum(self.written.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {f"ephemeral_{ttl}_input_tokens": tokens for ttl, tokens in self.written.items()},
            "output_tokens": 1,
            "service_tier": "standard",
            "inference_geo": "not_available",
        }


class Cache:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: dict[tuple[str, str], _Entry] = {}

    def account(self, scope: str, model: Model, prefix: Prefix, automatic: dict[str, str] | None) -> Accounting:
        """`scope` is whose cache it is; `automatic` the request's own `cache_control`. Writes nothing yet."""
        marks = [mark for mark in _marks(prefix, automatic) if prefix.sums[mark.at] >= model.min_cacheable]
        hit = self._longest(scope, prefix, marks)
        read = prefix.sums[hit] if hit >= 0 else 0
        written = dict.fromkeys(_SECONDS, 0)
        entries = {prefix.hashes[hit]: self._entries[scope, prefix.hashes[hit]].seconds} if hit >= 0 else {}
        reached = read
        for mark in marks:
            if prefix.sums[mark.at] > reached:
                written[mark.ttl] += prefix.sums[mark.at] - reached
                reached = prefix.sums[mark.at]
                entries[prefix.hashes[mark.at]] = _SECONDS[mark.ttl]
            elif (known := self._living(scope, prefix.hashes[mark.at])) is not None:
                entries[prefix.hashes[mark.at]] = known.seconds
        return Accounting(prefix.tokens - reached, read, written, entries)

    def keep(self, scope: str, accounting: Accounting) -> None:
        """Being read prolongs an entry's life as being written does."""
        now = self._now().timestamp()
        for digest, seconds in accounting.entries.items():
            self._entries.pop((scope, digest), None)
            self._entries[scope, digest] = _Entry(seconds, now + seconds)
        while len(self._entries) > _KEPT:
            self._entries.pop(next(iter(self._entries)))

    def _longest(self, scope: str, prefix: Prefix, marks: Sequence[_Mark]) -> int:
        """From each mark the API looks back at most twenty pieces for something it has."""
        for mark in reversed(marks):
            for at in range(mark.at, max(-1, mark.at - _LOOKBACK), -1):
                if self._living(scope, prefix.hashes[at]) is not None:
                    return at
        return -1

    def _living(self, scope: str, digest: str) -> _Entry | None:
        entry = self._entries.get((scope, digest))
        return entry if entry is not None and entry.expires > self._now().timestamp() else None


def _marks(prefix: Prefix, automatic: dict[str, str] | None) -> list[_Mark]:
    found = [_Mark(at, piece.mark.get("ttl", "5m")) for at, piece in enumerate(prefix.pieces) if piece.mark]
    if automatic:
        found = _with_automatic(prefix, found, automatic.get("ttl", "5m"))
    if len(found) > _MOST_MARKS:
        raise invalid(f"A maximum of {_MOST_MARKS} blocks with cache_control may be provided. Found {len(found)}.")
    ttls = [mark.ttl for mark in found]
    if ttls != sorted(ttls):
        raise invalid(
            "cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Note that blocks are processed in the following order: `tools`, `system`, `messages`."
        )
    return found


def _with_automatic(prefix: Prefix, found: list[_Mark], ttl: str) -> list[_Mark]:
    last = max((at for at, piece in enumerate(prefix.pieces) if not piece.thought), default=None)
    if last is None:
        return found
    if found and found[-1].at == last:
        if found[-1].ttl != ttl:
            raise invalid("cache_control: the last block has a cache_control of another ttl")
        return found
    return sorted([*found, _Mark(last, ttl)], key=lambda mark: mark.at)
