"""List changes."""

from tools import cursors
from tools.authority import Scope
from tools.capability import GET, Input, Listing, Toolset, read
from tools.changes.model import ChangeRow, shown
from tools.context import Context
from tools.fields import CampaignId, Cursor, Limit
from tools.store.tables import platform_writes


class ChangesQuery(Input):
    campaign_id: CampaignId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Changes(Listing[ChangeRow]):
    """Newest first."""


@read(scope=Scope.ADS_READ, rest=GET("/changes"), toolset=Toolset.ADS)
async def list_changes(context: Context, query: ChangesQuery) -> Changes:
    """List what Adwright wrote to the ad platforms, newest first: fields before and after, who asked, under which
    approval, the outcome, and whether undo_change can set it back. Changes made elsewhere are not in it."""
    same = query.model_dump(mode="json", include={"campaign_id"})
    statement = context.rows.select(platform_writes)
    if query.campaign_id:
        statement = statement.where(platform_writes.c.campaign_id == query.campaign_id)
    rows, following = await context.rows.newest(
        platform_writes, statement, after=cursors.decode(same, query.cursor), limit=query.limit
    )
    return Changes(
        items=tuple(shown(row) for row in rows), next_cursor=cursors.encode(same, following) if following else None
    )
