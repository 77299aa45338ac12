"""PostgreSQL behind the store's door: a transaction a work, and a workspace's writes in turn over all processes."""

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Self, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import asyncpg as dialect

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
from tools.store.roles import as_workspace, is_walled
from tools.store.statements import Call, Compiler, Prepared, Row

T = TypeVar("T")

CONNECT_SECONDS = 5
ANSWER_SECONDS = 60
ATTEMPTS = 5
CLOSE_SECONDS = 3
# Whoever stops in the middle of a transaction (a paused process) gives its locks back; who waits gives up before that.
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL lock_timeout = '10s'"

_COMPILER = Compiler(dialect.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

_UNAVAILABLE = (
    OSError,  # a timeout is one too
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # said too where the connection breaks in the middle of an answer
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.LockNotAvailableError,
)
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class Connection(asyncpg.Connection):
    """Nothing is ever set for longer than a transaction: there is nothing to reset, and a pooler may stand between."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"  # in quotes: only the stubs know it as generic
Wire: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class PostgresTransaction(Transaction):
    __slots__ = ("_connection", "_writable")

    def __init__(self, connection: Wire, *, writable: bool) -> None:
        self._connection, self._writable = connection, writable
        self.failure: Exception | None = None

    async def all(self, statement: Statement, **values: Any) -> list[Row]:
        call = _COMPILER.call(statement, values)
        return [call.row(found) for found in await self._answer(self._connection.fetch, call)]

    async def first(self, statement: Statement, **values: Any) -> Row | None:
        call = _COMPILER.call(statement, values)
        found = await self._answer(self._connection.fetchrow, call)
        return None if found is None else call.row(found)

    async def run(self, statement: Statement, **values: Any) -> int:
        call = _COMPILER.call(statement, values)
        status = await self._answer(self._connection.execute, call, writes=True)
        return int(status.rpartition(" ")[2])

    async def run_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        call, parameters = _COMPILER.each(statement, rows)

        async def send(sql: str) -> None:
            await self._connection.executemany(sql, [_spelled(row) for row in parameters])

        await self._answer(send, call, writes=True)

    async def _answer(self, send: Callable[..., Awaitable[T]], call: Call, *, writes: bool = False) -> T:
        if writes or call.writes:
            refuse_reader(writable=self._writable)
        if self.failure is not None:  # the database refuses what follows too, in words that tell nothing
            raise self.failure
        try:
            return await send(call.sql, *_spelled(call.parameters))
        except Exception as error:
            self.failure = translated(error)
            raise self.failure from error


class PostgresStore(Store):
    """`of` gives the view of one workspace, in which row-level security shows no other; the store itself sees all."""

    shared = True

    def __init__(self, pool: Pool, *, walled: bool) -> None:
        self.pool = pool
        self.walled = walled  # whether row-level security stands; doctor tells where it could not be set up
        self._running: set[asyncio.Task[Any]] = set()
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._closed = False
        self._workspace = self._turn = ""

    @classmethod
    async def open(cls, url: str, *, pool: int, statements_cached: int) -> Self:
        """Open a migrated database; the caller's loop owns the store. No statement is kept on a connection where
        `statements_cached` is 0, as a pooler that hands connections on between transactions wants it."""
        try:
            opened = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=pool,
                timeout=CONNECT_SECONDS,
                command_timeout=ANSWER_SECONDS,
                statement_cache_size=statements_cached,
                connection_class=Connection,
            )
            async with opened.acquire() as connection:
                walled = await is_walled(connection)
        except Exception as error:
            raise translated(error) from error
        return cls(opened, walled=walled)

    def of(self, workspace_id: str) -> Self:
        return self._view(workspace_id, workspace_id)

    def turn(self, workspace_id: str) -> Self:
        return self._view("", workspace_id)

    def _view(self, workspace_id: str, turn: str) -> Self:
        view = object.__new__(type(self))
        view.__dict__ = self.__dict__ | {"_workspace": workspace_id, "_turn": turn}
        return view

    async def write(self, work: Work[T]) -> T:
        """A caller that goes away leaves the work to its end, as it may be committed already."""
        return await asyncio.shield(self.submit(work))

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        if self._closed or self.pool.is_closing():
            raise StoreUnavailable("the store is closed")
        task = asyncio.create_task(self._write(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def read(self, work: Work[T]) -> T:
        """Each statement sees the newest commit."""
        if not self._workspace:
            async with self._borrowed() as connection:
                return await self._outcome(work, connection, writable=False)
        return await self._within(f"BEGIN READ ONLY; {self._role()}", work, writable=False)

    async def scan(self, work: Work[T]) -> T:
        begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._role()}"
        return await self._within(begin, work, writable=False)

    async def fetch(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement of this database's own, committed at once."""
        async with self._borrowed() as connection:
            try:
                return [tuple(row) for row in await connection.fetch(sql, *values)]
            except Exception as error:
                raise translated(error) from error

    def changes_to(self, *tables: Table) -> Changes | None:  # noqa: ARG002  other processes write any of them
        return None

    async def ping(self) -> None:
        await self.read(lambda transaction: transaction.first(PING))

    async def close(self) -> None:
        """Let works end, then release everything."""
        self._closed = True
        await asyncio.gather(*self._running, return_exceptions=True)
        try:
            await asyncio.wait_for(self.pool.close(), CLOSE_SECONDS)
        except TimeoutError:
            self.pool.terminate()

    def _role(self) -> str:
        return as_workspace(self._workspace) if self._workspace and self.walled else ""

    async def _write(self, work: Work[T]) -> T:
        turn = self._turns.setdefault(self._turn, asyncio.Lock())
        lock = f"SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || {_quoted(self._turn)}, 0))"
        async with turn:  # in the order of submission, which the database would not keep
            for _ in range(ATTEMPTS):
                try:
                    return await self._within(f"BEGIN; {_PATIENCE}; {lock}; {self._role()}", work, writable=True)
                except _AGAIN as clash:
                    told = clash
        raise StoreUnavailable(f"nothing was written: {told}")

    async def _within(self, begin: str, work: Work[T], *, writable: bool) -> T:
        async with self._borrowed() as connection:
            try:
                await _say(connection, begin)
                value = await self._outcome(work, connection, writable=writable)
                await _say(connection, "COMMIT")
                return value
            finally:
                await _roll_back(connection)

    async def _outcome(self, work: Work[T], connection: Wire, *, writable: bool) -> T:
        transaction = PostgresTransaction(connection, writable=writable)
        value = await work(transaction)
        if transaction.failure is not None:  # a swallowed failure still fails: half a work is not committed
            raise transaction.failure
        return value

    @contextlib.asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Wire]:
        try:
            connection = await self.pool.acquire(timeout=CONNECT_SECONDS)
        except Exception as error:
            raise translated(error) from error
        try:
            yield connection
        finally:
            await self.pool.release(connection)


async def _say(connection: Wire, words: str) -> None:
    try:
        await connection.execute(words)
    except Exception as error:
        raise translated(error) from error


async def _roll_back(connection: Wire) -> None:
    """What was not committed; a connection that cannot say so any more is given up."""
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=CONNECT_SECONDS)
    except BaseException:  # noqa: BLE001  whatever it is, what we came here for matters more
        with contextlib.suppress(asyncpg.InterfaceError):  # it broke, and the pool has it back already
            connection.terminate()


def _spelled(parameters: Sequence[Any]) -> list[Any]:
    """The one character that PostgreSQL's text cannot hold is replaced: what is asked for by it is then not found."""
    return [value.replace("\0", "\ufffd") if type(value) is str and "\0" in value else value for value in parameters]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def translated(error: Exception) -> Exception:
    """The driver's error in the store's words; what neither word fits is a mistake of ours and stays as it is."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintViolated(str(error))
    return StoreUnavailable(str(error) or type(error).__name__) if isinstance(error, _UNAVAILABLE) else error
