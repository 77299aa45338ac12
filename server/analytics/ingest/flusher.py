"""From the spool to the store in batches, again and again until the store has them; what it refuses holds up nobody."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from server.analytics.ingest.drops import Drops
from server.analytics.ingest.quarantine import Quarantine
from server.analytics.ingest.records import lines
from server.analytics.ingest.segments import Segment
from server.analytics.ingest.spool import Spool
from tools.analytics import PipeStore
from tools.errors import CapabilityError, InvalidArguments, InvalidRequest, TooLarge

ROWS = 1_000
"""Of one datasource in one request, at most."""
ROWS_AT_ONCE = 4 * ROWS
LINGER_SECONDS = 0.2
ENOUGH_BYTES = 1 << 20
"""Waiting, and nothing more is waited for."""
ADOPT_SECONDS = 15.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0

Rows = Sequence[bytes]
"""Each as JSON; what is in one is looked at where the store does not want it."""
logger = logging.getLogger(__name__)


class Flusher:
    """The store may get a row twice, after a lost answer or a kill: its tables keep one a key."""

    def __init__(
        self,
        spool: Spool,
        store: PipeStore,
        quarantine: Quarantine,
        drops: Drops,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self.flushed: Counter[str] = Counter()  # rows by datasource
        self.batches = self.retries = 0
        self.healthy = True
        self.problem = ""  # why the store takes nothing now
        self._spool, self._store, self._quarantine, self._drops = spool, store, quarantine, drops
        self._pause, self._linger = pause, linger

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        adopted = loop.time() - ADOPT_SECONDS  # what an earlier process left comes first
        while True:
            try:
                if loop.time() >= adopted + ADOPT_SECONDS:
                    adopted = loop.time()
                    await self._spool.adopt()
                async with asyncio.timeout(ADOPT_SECONDS):
                    await self._spool.arrived.wait()
                if self._spool.waiting < ENOUGH_BYTES:
                    await asyncio.sleep(self._linger)
                self._spool.arrived.clear()
                await self._batch()
                if any(segment.waiting for segment in self._spool.segments):
                    self._spool.arrived.set()
            except TimeoutError:
                continue
            except Exception:  # a disk that cannot be read now must not end what empties it
                logger.exception("events cannot be brought from the spool to the store; it is tried again")
                self._spool.arrived.set()
                await self._pause(FIRST_PAUSE)

    async def drain(self) -> None:
        """Until the store has everything that is durable."""
        while any(segment.waiting for segment in self._spool.segments):
            await self._batch()

    async def _batch(self) -> None:
        rows: dict[str, list[bytes]] = defaultdict(list)
        ends: dict[Segment, int] = {}
        count = 0
        for segment in tuple(self._spool.segments):
            if count >= ROWS_AT_ONCE:
                break
            if segment.waiting:
                taken, ends[segment] = await self._records(segment, ROWS_AT_ONCE - count)
                count += len(taken)
                for datasource, row in taken:
                    rows[datasource].append(row)
        async with asyncio.TaskGroup() as group:
            for datasource, of in rows.items():
                group.create_task(self._all(datasource, of))
        for segment, end in ends.items():
            segment.taken = end
        await self._spool.release()

    async def _records(self, segment: Segment, most: int) -> tuple[list[tuple[str, bytes]], int]:
        """Whole records, of `most` rows or a few more, and where the last ends."""
        rows: list[tuple[str, bytes]] = []
        end = segment.taken
        while end < segment.durable and len(rows) < most:
            found = await self._spool.read(segment, end)
            if not found:
                logger.error("%s cannot be read on after byte %s", segment.path.name, end)
                return rows, segment.durable
            for record, after in found:
                rows.extend(lines(record))
                end = after
                if len(rows) >= most:
                    break
        return rows, end

    async def _all(self, datasource: str, rows: Rows) -> None:
        for start in range(0, len(rows), ROWS):
            await self._deliver(datasource, rows[start : start + ROWS])

    async def _deliver(self, datasource: str, rows: Rows) -> None:
        wait = FIRST_PAUSE
        while True:
            try:
                aside = await self._store.append_lines(datasource, rows)
            except (InvalidArguments, InvalidRequest, TooLarge) as refusal:
                await self._refused(datasource, rows, refusal)
                return
            except CapabilityError as problem:
                self._failed(datasource, problem)
                wait = max(wait, min(float(problem.retry_after or 0), LONGEST_PAUSE))
            except Exception as problem:  # noqa: BLE001 - whatever it is, these rows are not in the store
                self._failed(datasource, problem)
            else:
                self.healthy, self.problem = True, ""
                self.batches += 1
                await self._stored(datasource, rows, aside)
                return
            await self._pause(wait)
            wait = min(2 * wait, LONGEST_PAUSE)

    async def _stored(self, datasource: str, rows: Rows, aside: int) -> None:
        """Whose rows it set aside the store does not say. It keeps one row a key, so each website's go once more."""
        if aside:
            by_website: dict[tuple[Any, Any], list[bytes]] = defaultdict(list)
            for line in rows:
                row = orjson.loads(line)
                by_website[row.get("workspace_id"), row.get("website_id")].append(line)
            if len(by_website) > 1:
                for of in by_website.values():
                    await self._deliver(datasource, of)
                return
            self._drops.quarantined(datasource, orjson.loads(rows[0]), aside)
        self.flushed[datasource] += len(rows) - aside

    def _failed(self, datasource: str, problem: Exception) -> None:
        if self.healthy:  # once, and not for every try of a long outage
            logger.warning("the store does not take %s now, it is tried again: %s", datasource, problem)
        self.healthy, self.problem = False, str(problem)
        self.retries += 1

    async def _refused(self, datasource: str, rows: Rows, why: CapabilityError) -> None:
        """The bad one among them is found by halves."""
        if len(rows) > 1:
            middle = len(rows) // 2
            await self._deliver(datasource, rows[:middle])
            await self._deliver(datasource, rows[middle:])
            return
        row, wait = orjson.loads(rows[0]), FIRST_PAUSE
        while True:
            try:
                await asyncio.to_thread(self._quarantine.put, datasource, row, why.message)
            except OSError as problem:
                logger.error("a refused row of %s cannot be set aside: %s", datasource, problem)
                await self._pause(wait)
                wait = min(2 * wait, LONGEST_PAUSE)
            else:
                self._drops.quarantined(datasource, row)
                logger.error("the store refuses a row of %s, which is set aside: %s", datasource, why.message)
                return
