"""The same schema steps on PostgreSQL, where a lock of the database lets one process at a time through."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg

from tools.store.migrations import APPLIED, LEDGER, Migration, absent, check, shipped, statements
from tools.store.postgresql import CONNECT_SECONDS, translated
from tools.store.roles import is_walled, make_role, wall

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' schema', 0))"
_INSERT = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)"


async def migrate(url: str, steps: Sequence[Migration] | None = None) -> list[int]:
    """Bring the database up to date; answers the versions applied now. Raises SchemaMismatch or StoreUnavailable."""
    steps = shipped() if steps is None else steps
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, statement_cache_size=0)
        try:
            return [] if await _is_up_to_date(connection, steps) else await _brought_up(connection, steps)
        finally:
            await connection.close(timeout=CONNECT_SECONDS)
    except Exception as error:
        raise translated(error) from error


async def _is_up_to_date(connection: "asyncpg.Connection[asyncpg.Record]", steps: Sequence[Migration]) -> bool:
    """Seen without a lock, as it is so on nearly every start."""
    try:
        known = await _applied(connection)
    except asyncpg.UndefinedTableError:
        return False
    return not absent(known, steps) and await is_walled(connection)


async def _brought_up(connection: "asyncpg.Connection[asyncpg.Record]", steps: Sequence[Migration]) -> list[int]:
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError, asyncpg.UniqueViolationError):
        async with connection.transaction():  # another database of this server may be at it in this instant
            await make_role(connection)
    async with _alone(connection):
        await connection.execute(LEDGER)
        missing = absent(await _applied(connection), steps)
    applied = [step.version for step in missing if await _apply(connection, step, newest=steps[-1].version)]
    async with _alone(connection):
        await wall(connection)
    return applied


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", step: Migration, newest: int) -> bool:
    async with _alone(connection):
        applied = await _applied(connection)
        check(applied, step, newest)
        if step.version in applied:
            return False
        for statement in statements(step, "postgresql"):
            await connection.execute(statement)
        await connection.execute(_INSERT, step.version, step.name, step.checksum, int(time.time() * 1000))
        return True


async def _applied(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[int, str]:
    found = await connection.fetch(APPLIED)
    return {row["version"]: row["checksum"] for row in found}


@contextlib.asynccontextmanager
async def _alone(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    async with connection.transaction():
        await connection.execute(_LOCK)
        yield
