"""Brings what the ad accounts spent, by campaign and day, to the analytics store, where it meets what visitors did."""

import asyncio
import datetime as dt
import logging
from collections.abc import Iterator

from sqlalchemy import select

from tools import ids
from tools.analytics import PipeStore
from tools.authority import Principal, Role, Via
from tools.context import Context
from tools.errors import CapabilityError
from tools.fields import Platform, number
from tools.invoke import Door
from tools.ports import InsightsQuery, InsightsReport
from tools.store.engine import Store, StoreUnavailable, Transaction
from tools.store.tables import connections, spend_syncs
from tools.targets import Target, spending, targets

LOOK_SECONDS = 15.0
"""How soon a new connection is noticed."""
EVERY = dt.timedelta(hours=1)
AGAIN = dt.timedelta(minutes=5)
"""After a failure; a platform that said when to come back is not asked before then anyway."""
HISTORY = dt.timedelta(days=400)
UNSETTLED = dt.timedelta(days=8)
"""Days told again every time: a click of last week may still become a sale."""
ROWS_AT_ONCE = 5_000
_CHANNELS = {Platform.META: "paid_social", Platform.GOOGLE: "paid_search"}
logger = logging.getLogger(__name__)


class SpendSync:
    """One a process; a row says which of several has an account in hand."""

    def __init__(self, door: Door, store: Store, pipes: PipeStore, history: dt.timedelta = HISTORY) -> None:
        self._door, self._store, self._pipes, self._history = door, store, pipes, history

    async def run(self) -> None:
        while True:
            try:
                await self.once()
            except StoreUnavailable as down:
                logger.warning("cannot look for ad spend: %s", down)
            except Exception:  # what one workspace does to it once must not end it for all
                logger.exception("bringing ad spend failed; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> int:
        """Everything that is due now; answers how many accounts were brought over."""
        brought = 0
        for workspace in await self._workspaces():
            context = self._door.context(_adwright(workspace), ids.request_id())
            resting = await self._resting(context)
            for target in spending(await targets(context)):
                if tuple(_about(target).values()) not in resting and await self._claimed(context, target):
                    brought += await self._bring(context, target)
        return brought

    async def _workspaces(self) -> list[str]:
        live = select(connections.c.workspace_id).where(connections.c.deleted_at.is_(None)).distinct()
        return [row.workspace_id for row in await self._store.scan(lambda tx: tx.all(live))]

    async def _resting(self, context: Context) -> set[tuple[str, str]]:
        """Accounts that are not due yet, without taking the writer's time."""
        rows = context.rows
        found = await rows.all(rows.select(spend_syncs).where(spend_syncs.c.next_at > self._now_ms()))
        return {(row.connection_id, row.account_id) for row in found}

    async def _claimed(self, context: Context, target: Target) -> bool:
        """Whether it is due and nobody else has it in hand. A process that dies with it leaves it for the next hour."""
        now, rows, about = self._now_ms(), context.rows, _about(target)
        mine = rows.update(spend_syncs, next_at=now + _ms(EVERY)).where(
            *(spend_syncs.c[name] == value for name, value in about.items()), spend_syncs.c.next_at <= now
        )

        async def work(tx: Transaction) -> bool:
            await tx.run(rows.insert_once(spend_syncs, **about, through=None, next_at=now))
            return await tx.run(mine) == 1

        return await context.store.write(work)

    async def _bring(self, context: Context, target: Target) -> bool:
        """Days that settled meanwhile and those that did not; told again they replace what was told."""
        rows, about = context.rows, _about(target)
        here = [spend_syncs.c[name] == value for name, value in about.items()]
        known = await rows.first(rows.select(spend_syncs, spend_syncs.c.through).where(*here))
        today = self._door.clock().date()
        through = dt.date.fromisoformat(known.through) if known is not None and known.through else today - self._history
        query = InsightsQuery(
            since=through - UNSETTLED, until=today + dt.timedelta(days=1), by_day=True, by_campaign=True
        )
        try:
            report = await target.port.insights(target.credential, target.account, query)
            told = list(_rows(context.principal.workspace, target, report))
            for at in range(0, len(told), ROWS_AT_ONCE):
                await self._pipes.append("ad_spend_daily", told[at : at + ROWS_AT_ONCE])
        except CapabilityError as error:
            logger.warning("the spend of %s is not brought over: %s", target.account.account_id, error.message)
            again = rows.update(spend_syncs, next_at=self._now_ms() + _ms(AGAIN)).where(*here)
            await context.store.write(lambda tx: tx.run(again))
            return False
        done = rows.update(spend_syncs, through=today.isoformat()).where(*here)
        await context.store.write(lambda tx: tx.run(done))
        return True

    def _now_ms(self) -> int:
        return int(self._door.clock().timestamp() * 1000)


def _about(target: Target) -> dict[str, str]:
    return {"connection_id": target.connection.id, "account_id": target.account.account_id}


def _rows(workspace: str, target: Target, report: InsightsReport) -> Iterator[dict[str, object]]:
    """As the datasource has them; days are those of the account's time zone."""
    platform, account = target.connection.platform, target.account
    for row in report.rows:
        if row.day is None or row.campaign_id is None:
            raise ValueError("insights by day and campaign lack one of them")
        yield {
            "workspace_id": workspace,
            "date": row.day.isoformat(),
            "platform": platform.value,
            "account_id": account.account_id,
            "campaign_id": row.campaign_id,
            "campaign_name": row.campaign_name or "",
            "channel": _CHANNELS[platform],
            "currency": account.currency,
            "spend": number(row.spend),
            "impressions": row.impressions,
            "clicks": row.clicks,
            "conversions": number(row.conversions),
            "conversion_value": number(row.conversion_value),
        }


def _adwright(workspace: str) -> Principal:
    return Principal(
        id="operator", name="Adwright", user="operator", workspace=workspace, role=Role.OWNER,
        scopes=Role.OWNER.scopes, via=Via.OPERATOR,
    )  # fmt: skip


def _ms(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)
