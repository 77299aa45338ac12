"""What the platforms reported, kept for 15 minutes: asking twice costs one call upstream.

For reading only. Planning, applying and undoing look at the platform itself, and a write drops its account's entries.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from tools.context import Context
from tools.fields import Status
from tools.ports import CampaignPage, InsightsQuery, InsightsReport
from tools.store.tables import insights_cache, platform_writes
from tools.targets import Target

LIFETIME_MS = 15 * 60 * 1000

_PAGE = TypeAdapter(CampaignPage)
_REPORT = TypeAdapter(InsightsReport)
T = TypeVar("T")


async def campaigns(
    context: Context, target: Target, *, status: Status | None, cursor: str | None, limit: int
) -> CampaignPage:
    async def ask() -> CampaignPage:
        return await target.port.campaigns(target.credential, target.account, status=status, cursor=cursor, limit=limit)

    shape = {"of": "campaigns", "status": status, "cursor": cursor, "limit": limit}
    return await _kept(context, target, shape, _PAGE, ask)


async def insights(context: Context, target: Target, query: InsightsQuery) -> InsightsReport:
    async def ask() -> InsightsReport:
        return await target.port.insights(target.credential, target.account, query)

    return await _kept(context, target, {"of": "insights", **asdict(query)}, _REPORT, ask)


async def _kept(
    context: Context, target: Target, shape: Mapping[str, Any], form: TypeAdapter[T], ask: Callable[[], Awaitable[T]]
) -> T:
    rows, now = context.rows, context.now_ms()
    key = _key(target, shape)
    kept = await rows.first(
        rows.select(insights_cache, insights_cache.c.value).where(
            insights_cache.c.cache_key == key, insights_cache.c.expires_at > now
        )
    )
    if kept is not None:
        return form.validate_python(kept.value)
    found = await ask()
    if not await _written_since(context, target, now):
        rows.stage(rows.delete(insights_cache).where(insights_cache.c.expires_at <= now))
        rows.stage(
            rows.upsert(
                insights_cache,
                {
                    "cache_key": key,
                    "platform": target.connection.platform,
                    "connection_id": target.connection.id,
                    "account_id": target.account.account_id,
                    "value": form.dump_python(found, mode="json"),
                    "created_at": now,
                    "expires_at": now + LIFETIME_MS,
                },
            )
        )
    return found


async def _written_since(context: Context, target: Target, asked_at: int) -> bool:
    """A write in between has dropped this account's entries; what was read beside it may be older than the write."""
    open_or_new = platform_writes.c.finished_at.is_(None) | (platform_writes.c.finished_at >= asked_at)
    return None is not await context.rows.first(
        context.rows.select(platform_writes, platform_writes.c.id)
        .where(
            platform_writes.c.connection_id == target.connection.id,
            platform_writes.c.account_id == target.account.account_id,
            open_or_new,
        )
        .limit(1)
    )


def _key(target: Target, shape: Mapping[str, Any]) -> str:
    """Of the platform, the account and the query with its dates; the workspace is the row's own."""
    named = [target.connection.platform, target.connection.id, target.account.account_id, shape]
    return sha256(orjson.dumps(named, option=orjson.OPT_SORT_KEYS)).hexdigest()
