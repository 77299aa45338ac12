"""List alert rules."""

from tools.approval import moment
from tools.authority import Scope
from tools.capability import GET, Listing, Output, Toolset, read
from tools.context import Context
from tools.pixel.model import OfWebsite
from tools.pixel.store import page
from tools.store.statements import Row
from tools.store.tables import alerts


class AlertRow(Output):
    id: str
    websiteId: str
    metric: str
    threshold: str
    channel: str
    created_at: str


class Alerts(Listing[AlertRow]):
    """Newest first."""


def shown(row: Row) -> AlertRow:
    return AlertRow(
        id=row.id,
        websiteId=row.website_id,
        metric=row.metric,
        threshold=row.threshold,
        channel=row.channel,
        created_at=moment(row.created_at),
    )


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/alerts"), toolset=Toolset.ANALYTICS)
async def list_alerts(context: Context, query: OfWebsite) -> Alerts:
    """List the rules that watch a website's figures: the metric, the threshold, and the channel that is told. There is
    no tool that creates or changes one."""
    items, following = await page(context, alerts, query, shown)
    return Alerts(items=items, next_cursor=following)
