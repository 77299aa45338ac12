"""SQLite behind the store's door: group-committed writes, reads of microseconds, one process that owns the file."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from tools.store.engine import (
    PING,
    Changes,
    ConstraintViolated,
    Statement,
    Store,
    StoreUnavailable,
    Transaction,
    Work,
    refuse_reader,
)
from tools.store.statements import Call, Compiler, Prepared, Row

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
# One COMMIT is one fsync; beyond this many works the first caller waits longer than the fsync saves.
BATCH = 500

_COMPILER = Compiler(sqlite.dialect())

_UNAVAILABLE = frozenset((
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
))  # fmt: skip


class SqliteTransaction(Transaction):
    """Its methods never suspend, so a work runs to its end in one go."""

    __slots__ = ("_connection", "_writable", "touched")

    def __init__(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self.failure: Exception | None = None
        self.touched: set[str] = set()  # tables it wrote

    async def all(self, statement: Statement, **values: Any) -> list[Row]:
        call = _COMPILER.call(statement, values)
        return [call.row(found) for found in self._execute(call).fetchall()]

    async def first(self, statement: Statement, **values: Any) -> Row | None:
        call = _COMPILER.call(statement, values)
        found = self._execute(call).fetchone()
        return None if found is None else call.row(found)

    async def run(self, statement: Statement, **values: Any) -> int:
        """Execute a write; answers how many rows it touched."""
        refuse_reader(writable=self._writable)
        return self._execute(_COMPILER.call(statement, values)).rowcount

    async def run_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows; each gives every parameter of the statement, which inserts one."""
        refuse_reader(writable=self._writable)
        for call in _COMPILER.many(statement, rows):
            self._execute(call)

    def _execute(self, call: Call) -> sqlite3.Cursor:
        # After a failure SQLite may have rolled back by itself; a later statement would then commit alone.
        if self.failure is not None:
            raise self.failure
        if call.writes is not None:
            self.touched.add(call.writes)
        try:
            return self._connection.execute(call.sql, call.parameters)
        except sqlite3.Error as error:
            self.failure = translated(error)
            raise self.failure from error


class _Job(NamedTuple):
    work: Work[Any]
    future: asyncio.Future[Any]


class _Outcome(NamedTuple):
    job: _Job
    value: Any
    error: BaseException | None


class _Thread:
    """A daemon thread that runs jobs in batches on its connection until it is told to stop.

    Not a ThreadPoolExecutor: the interpreter joins its threads at exit, which hangs a server that was not closed.
    """

    def __init__(self, name: str, run: Callable[[list[_Job]], list[_Outcome]], batch: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._run = run
        self._batch = batch
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, future))
        return future

    async def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await self._stopped.wait()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next():
            self._notify(_settle, self._run(batch))
        self._notify(self._stopped.set)

    def _next(self) -> list[_Job]:
        """Wait for a job and take what else is there already; nothing once stopped."""
        batch: list[_Job] = []
        while len(batch) < self._batch and not (batch and self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)  # for the next call
                break
            batch.append(job)
        return batch

    def _notify(self, callback: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it everyone who waited
            self._loop.call_soon_threadsafe(callback, *arguments)


def _settle(outcomes: list[_Outcome]) -> None:
    for job, value, error in outcomes:
        if job.future.done():  # the caller was cancelled; the work stands
            continue
        if error is None:
            job.future.set_result(value)
        else:
            job.future.set_exception(error)


class SqliteStore(Store):
    """One SQLite database: a writer thread, a connection for short reads on the loop, a thread for long ones."""

    shared = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._watched: list[Changes] = []
        self._writing = connect(path)
        _use_write_ahead_log(self._writing)
        self._reading = connect(path, writable=False)
        self._scanning = connect(path, writable=False)
        self._writer = _Thread("store-writer", self._commit, BATCH)
        self._scanner = _Thread("store-scanner", self._scan, 1)

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Open a migrated database; the caller's loop owns the store."""
        try:
            return cls(Path(path))
        except (sqlite3.Error, OSError) as error:
            raise translated(error) from error

    def of(self, workspace_id: str) -> Self:  # noqa: ARG002  there is no second layer: the file is one process's
        return self

    turn = of

    async def write(self, work: Work[T]) -> T:
        """Run a work that only awaits its transaction; answers after its commit is on disk."""
        return await self.submit(work)

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Queue a work now and answer its future: works commit in the order of submission, awaited or not."""
        return self._writer.submit(work)

    async def read(self, work: Work[T]) -> T:
        """Short indexed lookups, on the loop: a thread hop costs ten of them. Each statement sees the newest commit."""
        return _drive(work(SqliteTransaction(self._reading, writable=False)))

    def changes_to(self, *tables: Table) -> Changes | None:
        """What was read of these tables is true until its count moves, as one process owns the file; None where others
        write too."""
        changes = Changes(frozenset(table.name for table in tables))
        self._watched.append(changes)
        return changes

    async def ping(self) -> None:
        """Answers when the database does; raises StoreUnavailable."""
        await self.read(lambda transaction: transaction.first(PING))

    async def scan(self, work: Work[T]) -> T:
        """Long reads, on a thread and in one snapshot."""
        return await self._scanner.submit(work)

    async def close(self) -> None:
        """Commit what is queued, fold the log into the file, release everything."""
        await self._writer.stop()
        await self._scanner.stop()
        self._scanning.close()
        self._reading.close()
        with contextlib.suppress(sqlite3.Error):  # the log stays and is read at the next start
            self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writing.close()

    def _commit(self, batch: list[_Job]) -> list[_Outcome]:
        touched: set[str] = set()
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(job, touched) for job in batch]
            self._writing.execute("COMMIT")
            for changes in self._watched:  # before anybody is told: who was told of a write finds nothing older kept
                changes.count += not changes.tables.isdisjoint(touched)
        except (sqlite3.Error, StoreUnavailable) as error:
            _roll_back(self._writing)
            return [_Outcome(job, None, StoreUnavailable(f"nothing was written: {error}")) for job in batch]
        return outcomes

    def _attempt(self, job: _Job, touched: set[str]) -> _Outcome:
        """One work in its savepoint: its failure undoes itself and nothing else."""
        self._writing.execute("SAVEPOINT work")
        transaction = SqliteTransaction(self._writing, writable=True)
        outcome = _outcome(job, transaction)
        touched |= transaction.touched
        if not self._writing.in_transaction:
            raise StoreUnavailable(f"the database rolled back: {outcome.error}")
        if outcome.error is not None:
            self._writing.execute("ROLLBACK TO work")
        self._writing.execute("RELEASE work")
        return outcome

    def _scan(self, batch: list[_Job]) -> list[_Outcome]:
        try:
            self._scanning.execute("BEGIN")
            return [_outcome(job, SqliteTransaction(self._scanning, writable=False)) for job in batch]
        except sqlite3.Error as error:
            return [_Outcome(job, None, translated(error)) for job in batch]
        finally:
            _roll_back(self._scanning)


def _drive(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise TypeError("a work awaits its transaction and nothing else")


def _outcome(job: _Job, transaction: SqliteTransaction) -> _Outcome:
    try:
        value = _drive(job.work(transaction))
    except BaseException as error:  # noqa: BLE001  whatever a work raises belongs to its caller; the thread serves the others
        return _Outcome(job, None, error)
    return _Outcome(job, value, transaction.failure)  # a swallowed failure still fails: half a work is not committed


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def translated(error: sqlite3.Error | OSError) -> Exception:
    """The driver's error in the store's words; what neither word fits is a mistake of ours and stays as it is."""
    if isinstance(error, OSError):
        return StoreUnavailable(f"{error.strerror}: {error.filename}")
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintViolated(str(error))
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return StoreUnavailable(str(error)) if code & 0xFF in _UNAVAILABLE else error


def connect(path: Path, *, writable: bool = True) -> sqlite3.Connection:
    """A connection as the store uses it; for others only where no loop runs (migrations)."""
    path.touch(mode=0o600)  # rows hold hashes and sealed secrets; nobody else on the machine reads them
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows the letters of ASCII alone
    if not writable:
        connection.execute("PRAGMA query_only=ON")
    return connection


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Readers never wait for the writer. The mode is kept in the file; changing it ignores the busy timeout."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while not _switched(connection, until):
        time.sleep(0.01)


def _switched(connection: sqlite3.Connection, until: float) -> bool:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
            raise
        return False
    return True
