"""The embedded ClickHouse behind the engine's port."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson

from server.analytics.chdb.sessions import Readers, Writer, insert, run
from server.analytics.engine import (
    COMMANDING,
    READING,
    WRITING,
    EngineError,
    EngineUnavailable,
    Format,
    Limits,
    escaped,
)
from server.process.ownership import Held, locked
from tools.errors import Unavailable

T = TypeVar("T")
READERS = 4
_STOP_EVERY = 0.05
_DEFAULT = Limits()


class ChdbEngine:
    """One a process. Reads run `readers` at a time; inserts one after the other, and so do commands."""

    sole = True

    def __init__(self, path: str, guard: contextlib.ExitStack, *, readers: int, reserve_bytes: int) -> None:
        self._guard = guard
        writing = {**READING, **WRITING, "min_free_disk_bytes_to_perform_insert": str(reserve_bytes)}
        self._inserter, self._control = Writer(path, writing), Writer(path, writing)
        self._commander = Writer(path, {**writing, **COMMANDING})
        self._readers = Readers(path, keep=readers)
        self._reading = ThreadPoolExecutor(readers, "chdb-read")
        self._inserting, self._commanding, self._controlling = (
            ThreadPoolExecutor(1, f"chdb-{work}") for work in ("insert", "command", "control")
        )
        self._prefix = f"/*adwright:{secrets.token_hex(8)}:"
        self._marks = (f"{self._prefix}{number}*/" for number in itertools.count())
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    @staticmethod
    async def open(path: Path | None, *, readers: int = READERS, reserve_bytes: int = 0) -> "ChdbEngine":
        """Without a path it lives in memory. An insert that would leave less than `reserve_bytes` free is refused."""

        def opened() -> ChdbEngine:
            with contextlib.ExitStack() as guard:
                if path is not None:
                    guard.enter_context(_sole_owner(path))
                return ChdbEngine(
                    str(path or ":memory:"), guard.pop_all(), readers=readers, reserve_bytes=reserve_bytes
                )

        return await asyncio.to_thread(opened)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def query(
        self, sql: str, *, output: Format, limits: Limits = _DEFAULT, parameters: Mapping[str, str] | None = None
    ) -> bytes:
        mark = next(self._marks)
        bound = {name: escaped(value) for name, value in (parameters or {}).items()}

        def read() -> bytes:
            with self._readers.session(limits) as session:
                return run(session, mark + sql, output.value, bound)

        return await self._stoppable(self._submit(self._reading, read), mark)

    async def inspect(self, sql: str, parameters: Mapping[str, str] | None = None) -> Sequence[Mapping[str, Any]]:
        bound = {name: escaped(value) for name, value in (parameters or {}).items()}
        answer = await self._ended(self._submit(self._controlling, lambda: _run(self._control, sql, "JSON", bound)))
        rows: list[Mapping[str, Any]] = orjson.loads(answer)["data"] if answer.strip() else []
        return rows

    async def command(self, sql: str) -> None:
        mark = next(self._marks)
        await self._stoppable(self._submit(self._commanding, lambda: _run(self._commander, mark + sql)), mark)

    async def insert(self, table: str, rows: bytes, *, columns: Sequence[str]) -> None:
        def write() -> None:
            with self._inserter.session() as session:
                insert(session, table, rows, columns)

        if rows:
            await self._ended(self._submit(self._inserting, write))

    async def close(self) -> None:
        """What reads is stopped; an insert under way is written first."""
        if self._closed:
            return
        self._closed = True
        pools = (self._reading, self._commanding, self._inserting)
        ends = asyncio.gather(*(asyncio.to_thread(pool.shutdown, cancel_futures=True) for pool in pools))
        while not ends.done():
            await asyncio.to_thread(self._kill, self._prefix)
            await asyncio.wait([ends], timeout=_STOP_EVERY)
        await asyncio.to_thread(self._controlling.shutdown, cancel_futures=True)
        self._readers.close()
        for writer in (self._inserter, self._commander, self._control):
            writer.close()
        self._guard.close()

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
        if self._closed:
            raise EngineUnavailable("The analytics engine is closed.")
        return pool.submit(work)

    async def _ended(self, work: "Future[T]") -> T:
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            self._refuse_when_closed(work)
            raise

    async def _stoppable(self, work: "Future[T]", mark: str) -> T:
        answer = asyncio.wrap_future(work)
        answer.add_done_callback(_seen)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            self._refuse_when_closed(work)
            stopping = asyncio.create_task(self._stop(work, mark))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)
            await asyncio.shield(stopping)
            raise

    def _refuse_when_closed(self, work: "Future[T]") -> None:
        if self._closed and work.cancelled():  # it waited for its turn and nobody cancelled the one who waits
            raise EngineUnavailable("The analytics engine was closed.") from None

    async def _stop(self, work: "Future[T]", mark: str) -> None:
        """A query that has a thread but is not in the engine yet cannot be found there: hence again and again."""
        while not work.cancel() and not work.done() and not self._closed:
            await asyncio.wrap_future(self._controlling.submit(self._kill, mark))
            await asyncio.to_thread(wait, [work], _STOP_EVERY)

    def _kill(self, mark: str) -> None:
        with contextlib.suppress(EngineError):
            _run(self._control, f"KILL QUERY WHERE startsWith(query, '{mark}') ASYNC")


def _run(writer: Writer, sql: str, output: str = "CSV", parameters: Mapping[str, str] | None = None) -> bytes:
    with writer.session() as session:
        return run(session, sql, output, parameters)


def _seen(answer: "asyncio.Future[Any]") -> None:
    """That of a query stopped because nobody waits for it is nobody's to look at."""
    if not answer.cancelled():
        answer.exception()


@contextlib.contextmanager
def _sole_owner(path: Path) -> Iterator[None]:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path / "engine.lock"):
            yield
    except Held:
        raise EngineUnavailable(f"Another process has the analytics data of {path} open. Only one can.") from None
    except OSError as error:
        raise EngineUnavailable(f"The analytics data cannot be kept in {path}: {error.strerror}.") from None
    except Unavailable as error:
        raise EngineUnavailable(str(error)) from None
