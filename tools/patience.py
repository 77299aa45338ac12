"""A platform that said how long to wait is not called before: the port once more, with a memory for that."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import TypeVar

from tools.errors import RateLimited
from tools.fields import Platform, Status
from tools.plan import Operation
from tools.ports import (
    Account,
    AdsPlatform,
    Applied,
    CampaignPage,
    CampaignState,
    Credential,
    InsightsQuery,
    InsightsReport,
    Observed,
    Probe,
)

T = TypeVar("T")


class Patient:
    """Wraps an adapter. Waits are a connection's, kept by this process: each learns them by one refusal at most."""

    def __init__(self, port: AdsPlatform, clock: Callable[[], dt.datetime]) -> None:
        self.platform: Platform = port.platform
        self._port, self._clock = port, clock
        self._until: dict[str, dt.datetime] = {}  # by connection

    async def probe(self, credential: Credential) -> Probe:
        return await self._patiently(credential, lambda: self._port.probe(credential))

    async def campaigns(
        self, credential: Credential, account: Account, *, status: Status | None, cursor: str | None, limit: int
    ) -> CampaignPage:
        return await self._patiently(
            credential, lambda: self._port.campaigns(credential, account, status=status, cursor=cursor, limit=limit)
        )

    async def campaign(self, credential: Credential, campaign_id: str) -> CampaignState:
        return await self._patiently(credential, lambda: self._port.campaign(credential, campaign_id))

    async def insights(self, credential: Credential, account: Account, query: InsightsQuery) -> InsightsReport:
        return await self._patiently(credential, lambda: self._port.insights(credential, account, query))

    async def validate(self, credential: Credential, operation: Operation) -> None:
        await self._patiently(credential, lambda: self._port.validate(credential, operation))

    async def apply(self, credential: Credential, operation: Operation) -> str:
        return await self._patiently(credential, lambda: self._port.apply(credential, operation))

    async def apply_each(self, credential: Credential, operations: Sequence[Operation]) -> tuple[Applied, ...]:
        receipts = await self._patiently(credential, lambda: self._port.apply_each(credential, operations))
        for receipt in receipts:
            if isinstance(receipt.error, RateLimited):
                self._note(credential, receipt.error)
        return receipts

    async def observe(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        """Asked at any time: whether a write took effect is worth one call too many."""
        return await self._port.observe(credential, operation, sent_at)

    async def _patiently(self, credential: Credential, call: Callable[[], Awaitable[T]]) -> T:
        until = self._until.get(credential.connection_id)
        if until is not None and (wait := (until - self._clock()).total_seconds()) > 0:
            raise _too_early(self.platform, credential, ceil(wait))
        try:
            return await call()
        except RateLimited as error:
            self._note(credential, error)
            raise

    def _note(self, credential: Credential, error: RateLimited) -> None:
        """A limit on one thing, such as how often a budget may change, is no reason to ask nothing else."""
        if not error.retry_after or "field" in error.details:
            return
        now = self._clock()
        self._until = {connection: until for connection, until in self._until.items() if until > now}
        self._until[credential.connection_id] = now + dt.timedelta(seconds=error.retry_after)


def _too_early(platform: Platform, credential: Credential, wait: int) -> RateLimited:
    name = {Platform.META: "Meta", Platform.GOOGLE: "Google Ads"}[platform]
    return RateLimited(
        f"{name} has had too many calls and said to wait; it was not called again.",
        fix=f"Wait {wait} seconds, then try again.",
        retry_after=wait,
        connection_id=credential.connection_id,
        source="upstream",
        platform=platform.value,
        outcome="not_sent",
    )
