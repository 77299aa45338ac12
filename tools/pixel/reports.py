"""List scheduled reports."""

from tools.approval import moment
from tools.authority import Scope
from tools.capability import GET, Listing, Output, Toolset, read
from tools.context import Context
from tools.pixel.model import OfWebsite
from tools.pixel.store import page
from tools.store.statements import Row
from tools.store.tables import reports


class ReportRow(Output):
    id: str
    websiteId: str
    cadence: str
    recipients: tuple[str, ...]
    created_at: str
    last_sent_at: str | None = None  # left out: not sent yet


class Reports(Listing[ReportRow]):
    """Newest first."""


def shown(row: Row) -> ReportRow:
    return ReportRow(
        id=row.id,
        websiteId=row.website_id,
        cadence=row.cadence,
        recipients=tuple(row.recipients),
        created_at=moment(row.created_at),
        last_sent_at=moment(row.last_sent_at) if row.last_sent_at else None,
    )


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/reports"), toolset=Toolset.ANALYTICS)
async def list_reports(context: Context, query: OfWebsite) -> Reports:
    """List the reports that are sent by e-mail or to Slack: how often, to whom, and when each was last sent. There is
    no tool that creates or changes one."""
    items, following = await page(context, reports, query, shown)
    return Reports(items=items, next_cursor=following)
