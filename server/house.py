"""The composition root: everything the product is made of, built once from settings and taken down in order."""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from server.analytics.access import pipes_of
from server.analytics.client import TinybirdClient
from server.analytics.ingest.opening import Ingest, open_ingest
from server.identity.resolver import Resolver
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore
from server.jobs.spend import SpendSync
from server.metrics import Metrics
from server.platforms.google.adapter import GoogleAdapter
from server.platforms.meta.adapter import MetaAdapter
from server.settings import Settings
from tools.analytics import ABSENT
from tools.catalog import catalog
from tools.fields import Platform
from tools.invoke import Door, Services
from tools.limits import Limiter
from tools.ports import AdsPlatform
from tools.recovery import recover, unsettled
from tools.secret import Secret
from tools.store.audit import AuditLog
from tools.store.claims import forget_expired
from tools.store.engine import Store, StoreUnavailable
from tools.store.opening import limiter_of, open_store
from tools.store.sealing import KeyRing

SWEEP_SECONDS = 30
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    settings: Settings
    store: Store
    audit: AuditLog
    limiter: Limiter
    keyring: KeyRing
    door: Door
    identity: IdentityStore
    sessions: Sessions
    resolver: Resolver
    metrics: Metrics
    pipes: TinybirdClient | None
    ingest: Ingest | None  # with an analytics store alone

    async def busy(self) -> bool:
        """Whether something waits for a person or is being applied: a background owner stays for it."""
        return await unsettled(self.store, int(utc_now().timestamp() * 1000))


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextlib.asynccontextmanager
async def open_house(
    settings: Settings, local_token: Secret, *, limits_clock: Callable[[], int] | None = None
) -> AsyncIterator[House]:
    """Migrate, open, recover; on the way out finish what is being applied, then close everything."""
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(
            settings.database, pool=settings.database_pool, statements_cached=settings.database_statement_cache
        )
        stack.push_async_callback(store.close)
        audit = AuditLog(store)
        stack.push_async_callback(audit.close)
        limiter = limiter_of(store, limits_clock)
        identity = IdentityStore(store)
        stack.push_async_callback(identity.flush)
        metrics = Metrics()
        keyring = KeyRing.parse(settings.encryption_keys.reveal())
        platforms = _platforms(settings, stack)
        pipes, ingest = await _analytics(settings, stack, store, metrics)
        door = Door(
            Services(
                registry=catalog,
                store=store,
                audit=audit,
                limiter=limiter,
                keyring=keyring,
                platforms=platforms,
                pipes=pipes or ABSENT,
                arrivals=ABSENT if ingest is None else ingest.arrivals,
                clock=utc_now,
                public_url=settings.public_url,
                report=metrics.report,
                count=metrics.guard,
                lease=dt.timedelta(seconds=settings.adwright_lease_seconds),
                chat_month_usd=settings.chat_month_usd,
            )
        )
        stack.push_async_callback(door.settle)
        sessions = Sessions(
            identity, public_url=settings.public_url, max_age_days=settings.session_max_age_days, clock=utc_now
        )
        resolver = Resolver(identity, sessions, local_token=local_token, clock=utc_now)
        metrics.expose_refusals(resolver.refusals)
        _run(stack, sweep=_sweep(door, store, audit), renew=_renew(door, store))
        if pipes is not None:
            _run(stack, spend=SpendSync(door, store, pipes).run())
        yield House(
            settings=settings,
            store=store,
            audit=audit,
            limiter=limiter,
            keyring=keyring,
            door=door,
            identity=identity,
            sessions=sessions,
            resolver=resolver,
            metrics=metrics,
            pipes=pipes,
            ingest=ingest,
        )


def _platforms(settings: Settings, stack: contextlib.AsyncExitStack) -> Mapping[Platform, AdsPlatform]:
    meta = MetaAdapter(
        settings.meta_graph_url, settings.meta_api_version, settings.meta_app_id, settings.meta_app_secret, utc_now
    )
    stack.push_async_callback(meta.aclose)
    google = GoogleAdapter(
        settings.google_ads_url,
        settings.google_ads_api_version,
        settings.google_token_url,
        settings.google_client_id,
        settings.google_client_secret,
        utc_now,
        developer_token=settings.google_developer_token,
    )
    stack.push_async_callback(google.aclose)
    return {Platform.META: meta, Platform.GOOGLE: google}


async def _analytics(
    settings: Settings, stack: contextlib.AsyncExitStack, store: Store, metrics: Metrics
) -> tuple[TinybirdClient | None, Ingest | None]:
    """The store of pipes and the way into it, where there is one."""
    if (pipes := pipes_of(settings)) is None:
        return None, None
    stack.push_async_callback(pipes.aclose)
    ingest = await stack.enter_async_context(open_ingest(settings, store, pipes))
    metrics.registry.register(ingest.metrics)
    return pipes, ingest


def _run(stack: contextlib.AsyncExitStack, **tasks: Coroutine[Any, Any, None]) -> None:
    """Beside everything else, until the house is closed."""
    for name, work in tasks.items():
        stack.push_async_callback(_stopped, asyncio.create_task(work, name=name))


async def _sweep(door: Door, store: Store, audit: AuditLog) -> None:
    """Recover at once, then look again from time to time: a store that was down may have left an outcome unwritten."""
    while True:
        try:
            recovered = await recover(door, store, audit)
            if recovered.writes or recovered.approvals:
                logger.warning("recovered %s writes and %s approvals", recovered.writes, recovered.approvals)
            await forget_expired(store, int(door.clock().timestamp() * 1000))
        except StoreUnavailable as down:
            logger.warning("cannot recover yet: %s", down)
        except Exception:  # what one row does to recovery once must not end it for good
            logger.exception("recovery failed; it is tried again in %s s", SWEEP_SECONDS)
        # What another process left is taken up soon after its lease; what this one could not note has more time.
        await asyncio.sleep(
            min(SWEEP_SECONDS, door.leases.lasts.total_seconds() / 2) if store.shared else SWEEP_SECONDS
        )


async def _renew(door: Door, store: Store) -> None:
    """Whoever no longer can is taken for dead: others settle what it began."""
    while True:
        await asyncio.sleep(door.leases.renewed_every.total_seconds())
        try:
            await door.leases.renew(store, int(door.clock().timestamp() * 1000))
        except StoreUnavailable as down:
            logger.warning("cannot renew leases: %s", down)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
