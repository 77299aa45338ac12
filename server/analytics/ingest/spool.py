"""Where events wait for the store, on disk: many that arrive at once share one sync, and a kill loses none of them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from server.analytics.ingest.segments import SUFFIX, Segment, framed
from server.process.files import make_directory
from tools.errors import IngestUnavailable

MOST_WAITING_BYTES = 1 << 30
SEGMENT_BYTES = 8 << 20
EMPTIED_BYTES = 1 << 20
"""A segment that the store has all of is left at this size already: what a restart would send again is short."""
RETRY_AFTER = 5
P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Spool:
    """Each process has segments of its own; those of processes that are no more are adopted."""

    def __init__(
        self, directory: Path, *, most_waiting: int = MOST_WAITING_BYTES, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.directory = directory
        self.arrived = asyncio.Event()
        self.segments: list[Segment] = []  # oldest first
        self.commits = self.records = self.failures = self.refused = 0
        self._most_waiting, self._segment_bytes = most_waiting, segment_bytes
        self._active: Segment | None = None
        self._queue: list[tuple[bytes, asyncio.Future[None]]] = []
        self._queued = 0
        self._committing: asyncio.Task[None] | None = None
        self._closed = False
        # One thread: a segment is written by nobody else, and a slow disk does not stop the loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest-spool")

    async def open(self) -> None:
        await self._run(make_directory, self.directory)

    @property
    def waiting(self) -> int:
        """Bytes that the store has not got yet."""
        return sum(segment.waiting for segment in self.segments) + self._queued

    async def append(self, record: bytes) -> None:
        """Durable when it returns. Raises IngestUnavailable; whoever stops waiting does not stop the writing."""
        data = framed(record)
        if self._closed or self.waiting + len(data) > self._most_waiting:
            self.refused += 1
            raise _unavailable("is ending" if self._closed else "has as many events waiting as it may")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((data, future))
        self._queued += len(data)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit(), name="ingest-commit")
        await future

    async def _commit(self) -> None:
        try:
            while self._queue:
                group, self._queue = self._queue, []
                data = b"".join(data for data, _ in group)
                problem = await self._written(data)
                self._queued -= len(data)
                for _, future in group:
                    if future.done():
                        continue
                    if problem is None:
                        future.set_result(None)
                    else:
                        future.set_exception(_unavailable(f"cannot write events to its disk: {problem.strerror}"))
                if problem is None:
                    self.commits += 1
                    self.records += len(group)
                    self.arrived.set()
                else:
                    self.refused += len(group)
        finally:
            self._committing = None

    async def _written(self, data: bytes) -> OSError | None:
        active = self._active
        if active is not None and (active.durable >= self._segment_bytes or _emptied(active)):
            active = self._active = None  # the flusher removes it
        try:
            if active is None:
                active = await self._run(Segment.create, self.directory)
                self.segments.append(active)
                self._active = active
            await self._run(active.write, data)
        except OSError as problem:
            self.failures += 1
            self._active = None  # after a failed sync nobody knows what the file holds beyond what was synced before
            logger.warning("events cannot be made durable: %s", problem.strerror)
            return problem
        active.durable += len(data)
        return None

    async def adopt(self) -> None:
        ours = {segment.path for segment in self.segments}
        found = await self._run(_adopted, self.directory, ours)
        if found:
            self.segments[:0] = found
            self.arrived.set()
            logger.info("%s segments of events left by an earlier process", len(found))

    async def read(self, segment: Segment, start: int) -> list[tuple[bytes, int]]:
        return await self._run(segment.read, start)

    async def release(self) -> None:
        """Remove the segments that the store has all of, but for the one being written."""
        for segment in [each for each in self.segments if each is not self._active and not each.waiting]:
            self.segments.remove(segment)
            with contextlib.suppress(OSError):
                await self._run(segment.remove)

    async def close(self) -> None:
        """What the store has is removed, what it has not stays for whoever opens the directory next."""
        self._closed = True
        while self._committing is not None:
            await asyncio.shield(self._committing)
        self._active = None
        await self.release()
        for segment in self.segments:
            segment.close()
        self.segments.clear()
        self._thread.shutdown()

    async def _run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments, **named))


def _adopted(directory: Path, ours: set[Path]) -> list[Segment]:
    found = (Segment.adopt(path) for path in sorted(directory.glob(f"*{SUFFIX}")) if path not in ours)
    return [segment for segment in found if segment is not None]


def _emptied(segment: Segment) -> bool:
    return not segment.waiting and segment.durable >= EMPTIED_BYTES


def _unavailable(why: str) -> IngestUnavailable:
    return IngestUnavailable(f"This server {why}.", fix="Keep the event and send it again.", retry_after=RETRY_AFTER)
