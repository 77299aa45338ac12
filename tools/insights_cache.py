"""What the platforms reported, kept for 15 minutes: asking twice costs one call upstream.

For reading only. Planning, applying and undoing look at the platform itself, and a write drops its account's entries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

import orjson
from pydantic import TypeAdapter

from tools.context import Context
from tools.fields import Status
from tools.ports import CampaignState, InsightsQuery, InsightsReport
from tools.store.cached import LOOKED_UP, written_since
from tools.store.engine import Transaction, Work
from tools.store.tables import insights_cache
from tools.targets import Target, every_campaign, sighting
from tools.together import Freshness

LIFETIME_MS = 15 * 60 * 1000
_REPORT = TypeAdapter(InsightsReport)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What one account answered, or had answered so many milliseconds ago."""

    value: T
    age_ms: int | None = None  # None: asked just now


def freshness(parts: Iterable[Part[Any]]) -> Freshness:
    ages = [part.age_ms for part in parts]
    kept = [age for age in ages if age is not None]
    return Freshness(hit=bool(ages) and len(kept) == len(ages), ageSeconds=max(kept, default=0) // 1000)


class Cache(Generic[T]):
    """One question to many accounts. `keep` makes of an answer the JSON that is kept, `back` what was answered."""

    def __init__(
        self,
        context: Context,
        held: Iterable[Target],
        shape: Mapping[str, Any],
        ask: Callable[[Target], Awaitable[T]],
        keep: Callable[[T], bytes],
        back: Callable[[bytes], T],
    ) -> None:
        self._context, self._ask, self._keep, self._back = context, ask, keep, back
        self._shape = sha256(orjson.dumps(shape, option=orjson.OPT_SORT_KEYS)).hexdigest()
        self._to_come = [self._key(target) for target in held]
        self._kept: dict[str, Part[T] | None] = {}
        self._looking = asyncio.Lock()
        self._swept = False  # what has expired goes with the first that is kept

    async def of(self, target: Target) -> Part[T]:
        """One of the accounts `held`, which are looked up several at a time, in their order."""
        context, key = self._context, self._key(target)
        context.cache_keys.add(key)
        if key not in self._kept:
            async with self._looking:
                while key not in self._kept:
                    await self._look_up(self._to_come[:LOOKED_UP])
                    del self._to_come[:LOOKED_UP]  # not before: what failed or was cancelled is looked up again
        return self._kept[key] or await self._asked(target, key)

    async def _look_up(self, keys: list[str]) -> None:
        await self._context.keeping.settled()
        now = self._context.now_ms()
        found = await self._context.keeping.entries(self._context.rows, keys, now)
        self._kept |= {
            key: Part(self._back(found[key].value), now - found[key].created_at) if key in found else None
            for key in keys
        }

    async def _asked(self, target: Target, key: str) -> Part[T]:
        context = self._context
        asked_at = context.now_ms()
        answer = await self._ask(target)
        context.rows.beside.append(self._entry(target, key, self._keep(answer), asked_at))
        return Part(answer)

    def _entry(self, target: Target, key: str, value: bytes, asked_at: int) -> Work[int]:
        rows = self._context.rows
        about = {"connection_id": target.connection.id, "account_id": target.account.account_id}
        kept = {"created_at": asked_at, "expires_at": asked_at + LIFETIME_MS, "value": value}
        entry = rows.upsert(insights_cache, {"cache_key": key, "platform": target.connection.platform, **about, **kept})
        expired = rows.delete(insights_cache).where(insights_cache.c.expires_at <= asked_at)
        sweeps, self._swept = not self._swept, True

        async def work(transaction: Transaction) -> int:
            if sweeps:
                await transaction.run(expired)
            if await written_since(transaction, rows, about, asked_at):
                return 0
            return await transaction.run(entry)

        return work

    def _key(self, target: Target) -> str:
        """Of the platform, the account and the question with its dates; the workspace is the row's own."""
        held = target.connection
        return f"{held.platform}:{held.id}:{target.account.account_id}:{self._shape}"


@dataclass(frozen=True, slots=True)
class Rows:
    """An account's campaigns as JSON rows, one a line, with commas between: ready to be sent on."""

    count: int
    text: bytes | memoryview


def campaigns(
    context: Context, held: Iterable[Target], status: Status | None, shown: Callable[[Target, CampaignState], bytes]
) -> Cache[Rows]:
    """Every campaign of an account, newest first."""

    async def ask(target: Target) -> Rows:
        states = await every_campaign(target, status)
        if states:
            context.rows.beside.append(sighting(context, target, states))
        return Rows(len(states), b",\n".join([shown(target, state) for state in states]))

    return Cache(context, held, {"of": "campaigns", "status": status}, ask, keep=_kept, back=_back)


def _kept(rows: Rows) -> bytes:
    """An array of how many there are, and they."""
    return b"".join((b"[%d,\n" % rows.count, rows.text, b"]")) if rows.count else b"[0]"


def _back(kept: bytes) -> Rows:
    if kept == b"[0]":
        return Rows(0, b"")
    ends = kept.index(b",\n")
    return Rows(int(kept[1:ends]), memoryview(kept)[ends + 2 : -1])  # a slice would copy an account's campaigns


def insights(context: Context, held: Iterable[Target], query: InsightsQuery) -> Cache[InsightsReport]:
    async def ask(target: Target) -> InsightsReport:
        return await target.port.insights(target.credential, target.account, query)

    shape = {"of": "insights", **asdict(query)}
    return Cache(context, held, shape, ask, keep=_REPORT.dump_json, back=_REPORT.validate_json)
