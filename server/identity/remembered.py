"""Answers kept until a commit changes what they were read from, so that a revocation counts from its answer on."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from tools.store.engine import Changes

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

KEPT = 10_000


class Remembered(Generic[Key, Value]):
    """What is not there (None) and refusals (whatever the reading raises) are not kept; nothing is where `changes` is
    None."""

    def __init__(self, changes: Changes | None) -> None:
        self._changes = changes
        self._as_of = -1
        self._known: dict[Key, Value] = {}

    async def get(self, key: Key, read: Callable[[], Awaitable[Value]]) -> Value:
        if self._changes is None:
            return await read()
        as_of = self._changes.count  # before the reading: what is committed meanwhile makes its answer an old one
        if as_of != self._as_of or len(self._known) >= KEPT:
            self._as_of = as_of
            self._known.clear()
        value = self._known.get(key)
        if value is None:
            value = await read()
            if value is not None and as_of == self._as_of:
                self._known[key] = value
        return value
