"""The sliding windows of the rate limits as rows, for all processes of one PostgreSQL database."""

from collections.abc import Callable

from tools.limits import Hit, check
from tools.store.engine import StoreUnavailable
from tools.store.postgresql import PostgresStore

_PRUNE_EVERY = 4096
_TRIES = 3
KEPT_MS = 3_600_000
"""Longer than any window."""

# `hits` is a ring: the slot that comes next holds the oldest time, or none yet. The clock is the database's, read after
# the wait for the row, so that what another process admitted meanwhile is not in the future.
_NOW = "coalesce($4, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
_SEEN = """
SELECT newest - now, count(hit) FILTER (WHERE hit > now - $3), min(hit) FILTER (WHERE hit > now - $3) + $3 - now
"""
_HIT = f"""
WITH admitted AS (
    INSERT INTO rate_limits AS w (key, hits, admitted, newest) VALUES ($1, ARRAY[{_NOW}], 1, {_NOW})
    ON CONFLICT (key) DO UPDATE SET hits[w.admitted % $2 + 1] = {_NOW}, admitted = w.admitted + 1, newest = {_NOW}
    WHERE coalesce(w.hits[w.admitted % $2 + 1] <= {_NOW} - $3, true) AND w.newest <= {_NOW}
    RETURNING newest, hits, {_NOW} AS now
)
{_SEEN}, true FROM admitted, unnest(hits) hit GROUP BY newest, now
UNION ALL
{_SEEN}, false FROM (SELECT *, {_NOW} AS now FROM rate_limits WHERE key = $1) refused, unnest(hits) hit
WHERE NOT EXISTS (SELECT FROM admitted) GROUP BY newest, now
"""  # noqa: S608  the pieces are the constants above
_SET_BACK = f"""
UPDATE rate_limits SET newest = {_NOW}, hits = ARRAY(
    SELECT hit - newest + {_NOW} FROM unnest(hits) WITH ORDINALITY AS each (hit, slot) ORDER BY slot
)
WHERE key = $1 AND newest > {_NOW} AND $2 > 0 AND $3 > 0
"""  # noqa: S608  the pieces are the constants above


class SharedLimiter:
    """One statement a hit: exact over all processes. What is refused writes nothing, so that a flood stays cheap."""

    def __init__(self, store: PostgresStore, clock: Callable[[], int] | None = None) -> None:
        self._store, self._clock = store, clock
        self._hits = 0

    async def hit(self, key: str, limit: int, window_ms: int = 60_000) -> Hit:
        """Count one try of `key`, if fewer than `limit` were admitted in the last `window_ms`."""
        check(limit, window_ms)
        await self._prune()
        now = self._clock() if self._clock else None
        given = (f"{key}|{limit}|{window_ms}", limit, window_ms, now)
        for _ in range(_TRIES):
            for ahead, used, wait, allowed in await self._store.fetch(_HIT, *given):
                if not allowed and ahead > 0:  # the clock was set back since: the hits go back by as much
                    await self._store.fetch(_SET_BACK, *given)
                    break
                seconds = -(-(window_ms if wait is None else wait) // 1000)
                return Hit(allowed, limit - used if allowed else 0, 0 if allowed else seconds, seconds)
        raise StoreUnavailable(f"the window of {key} cannot be read")  # nothing seen: another process's first hit

    async def _prune(self) -> None:
        """Forget keys whose every hit has left its window."""
        self._hits += 1
        if self._hits % _PRUNE_EVERY == 0 and self._clock is None:
            await self._store.fetch(
                "DELETE FROM rate_limits WHERE newest < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1",
                KEPT_MS,
            )
