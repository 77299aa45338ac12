"""List campaigns over all connected accounts."""

from typing import Annotated, Any

from pydantic import Field

from tools import cursors, insights_cache
from tools.authority import Scope
from tools.campaigns.model import Campaign, shown
from tools.capability import GET, Input, Listing, Toolset, read
from tools.context import Context
from tools.errors import InvalidArguments
from tools.fields import AccountId, ConnectionId, Cursor, Limit, PlatformField, StatusField
from tools.targets import Target, remember, targets


class CampaignsQuery(Input):
    platform: PlatformField | None = None
    connectionId: ConnectionId | None = None
    account_id: AccountId | None = None
    status: (
        Annotated[StatusField, Field(description="Only campaigns of this status; left out: all, archived ones too.")]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: Limit = 100


class Campaigns(Listing[Campaign]):
    """Campaigns account after account, in the platform's order."""


@read(scope=Scope.ADS_READ, rest=GET("/ads/campaigns"), toolset=Toolset.ADS)
async def list_campaigns(context: Context, query: CampaignsQuery) -> Campaigns:
    """List campaigns of the connected ad accounts: id, name, status, objective, daily budget and currency. What was
    changed on the platform itself shows within 15 minutes, what was changed here at once. Filter by platform,
    connection, account or status. Pages with next_cursor; none is left out."""
    held = await targets(
        context, platform=query.platform, connection_id=query.connectionId, account_id=query.account_id
    )
    same = query.model_dump(mode="json", exclude={"cursor", "limit"})
    at, inner = _position(cursors.decode(same, query.cursor), held)
    rows: list[Campaign] = []
    while at < len(held) and len(rows) < query.limit:
        page = await insights_cache.campaigns(
            context, held[at], status=query.status, cursor=inner, limit=query.limit - len(rows)
        )
        await remember(context, held[at], page.campaigns)
        rows += [shown(held[at], state) for state in page.campaigns if query.status in (None, state.status)]
        inner = page.next_cursor
        at += inner is None
        await context.progress(at, len(held), f"{len(rows)} campaigns")
    following = cursors.encode(same, [_key(held[at]), inner]) if at < len(held) else None
    return Campaigns(items=tuple(rows), next_cursor=following)


def _key(target: Target) -> list[str]:
    return [target.connection.id, target.account.account_id]


def _position(position: Any, held: tuple[Target, ...]) -> tuple[int, str | None]:
    if position is None:
        return 0, None
    key, inner = position
    for at, target in enumerate(held):
        if _key(target) == key:
            return at, inner
    raise InvalidArguments(
        "The account this page would start in is no longer connected.",
        fix="Leave the cursor out to start over.",
        problems=[{"field": "cursor", "problem": "its account is gone"}],
    )
