"""What the analytics store of the tasks holds: 120 days of a made-up shop, in the product's own process and pipes."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from server.analytics.client import Address, TinybirdClient
from server.process.files import read_json
from server.sandbox.delivery import HISTORY_DAYS
from server.sandbox.google.world import World as GoogleWorld
from server.sandbox.meta.world import World as MetaWorld
from server.sandbox.visits.days import Days
from server.sandbox.visits.sources import Flow, Sources
from tests.bench.processes import started
from tests.world import NOON
from tools.secret import Secret

SITE, DOMAIN, ZONE = "admx_shop", "outlet.northwind.example", "America/Los_Angeles"
WORKSPACE = "wsp_north"
SHARE = 10
"""One in so many of the demo's sessions: the same shape, and loaded in a second or two."""
_ROWS_AT_ONCE = 5_000


class Fewer(Sources):
    def of(self, day: date, today: date) -> Iterator[Flow]:
        for flow in super().of(day, today):
            yield Flow(flow.source, flow.sessions / SHARE)


@contextlib.contextmanager
def shop_at(directory: Path) -> Iterator[Address]:
    """The store, filled. Not from within a running event loop."""
    with started(["tests.evals.owner", str(directory)]) as serving:
        kept = read_json(directory / "analytics.json")
        address = Address(serving.url, Secret(kept["admin_token"]), kept["workspace_id"])
        asyncio.run(_fill(address))
        yield address


@contextlib.asynccontextmanager
async def pipes_of(address: Address) -> AsyncIterator[TinybirdClient]:
    client = TinybirdClient(lambda: address, url="http://adwright.test")
    try:
        yield client
    finally:
        await client.aclose()


async def _fill(address: Address) -> None:
    async with pipes_of(address) as pipes:
        for datasource, rows in _history().items():
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                await pipes.append(datasource, rows[start : start + _ROWS_AT_ONCE])


def _history() -> dict[str, list[dict[str, Any]]]:
    """Up to the noon at which every world stands."""
    days = Days(Fewer(MetaWorld(lambda: NOON), GoogleWorld(lambda: NOON)), SITE, DOMAIN)
    today = NOON.astimezone(ZoneInfo(ZONE)).date()
    owner = {"workspace_id": WORKSPACE, "website_id": SITE}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for ago in range(HISTORY_DAYS, -1, -1):
        for datasource, at, row in days.of(today - timedelta(days=ago), today):
            if at <= NOON:
                stamp = at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"
                found[datasource].append(owner | {"ts": stamp} | row)
    return found
