"""Which database it is, decided once: a file of the data directory, or PostgreSQL by its address."""

from collections.abc import Callable
from pathlib import Path

from tools.limits import Limiter, MemoryLimiter, wall_clock
from tools.secret import Secret
from tools.store.engine import Store
from tools.store.migrations import migrate
from tools.store.sqlite import SqliteStore

POOL = 10
STATEMENTS_CACHED = 500


Database = Path | Secret
"""Where it is: a file, or an address that holds a password."""


async def open_store(database: Database, *, pool: int = POOL, statements_cached: int = STATEMENTS_CACHED) -> Store:
    """Brought up to date and opened; the caller's loop owns it. Raises SchemaMismatch or StoreUnavailable."""
    if isinstance(database, Secret):
        return await _open_shared(database, pool, statements_cached)
    migrate(database)
    return await SqliteStore.open(database)


async def _open_shared(address: Secret, pool: int, statements_cached: int) -> Store:
    # Imported late: the driver and its dialect take a tenth of a second, which most commands need not wait for.
    from tools.store.migrations import postgresql as steps  # noqa: PLC0415
    from tools.store.postgresql import PostgresStore  # noqa: PLC0415

    url = address.reveal()
    await steps.migrate(url)
    return await PostgresStore.open(url, pool=pool, statements_cached=statements_cached)


def limiter_of(store: Store, clock: Callable[[], int] | None = None) -> Limiter:
    """Exact over all processes that use the store; by its own clock if none is given."""
    if not store.shared:
        return MemoryLimiter(clock or wall_clock)
    from tools.store.postgresql import PostgresStore  # noqa: PLC0415  as above
    from tools.store.windows import SharedLimiter  # noqa: PLC0415

    assert isinstance(store, PostgresStore)  # noqa: S101  there are two
    return SharedLimiter(store, clock)
