"""List campaigns over all connected accounts."""

from typing import Annotated, Any

from pydantic import Field

from tools import cursors, insights_cache
from tools.authority import Scope
from tools.campaigns.model import Campaign, row
from tools.capability import GET, Input, Listing, Toolset, read
from tools.context import Context
from tools.errors import CapabilityError, InvalidArguments
from tools.fields import AccountId, ConnectionId, Cursor, PlatformField, StatusField
from tools.insights_cache import Part, Rows, freshness
from tools.targets import Target, seniority, targets
from tools.together import Freshness, Gap, each, gaps


class CampaignsQuery(Input):
    platform: PlatformField | None = None
    connectionId: ConnectionId | None = None
    account_id: AccountId | None = None
    status: (
        Annotated[StatusField, Field(description="Only campaigns of this status; left out: all, archived ones too.")]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=5000, description="Rows a page, at most 5000.")] = 100


class Campaigns(Listing[Campaign]):
    """Account after account, newest first in each. `gaps` name what this page could not read."""

    gaps: tuple[Gap, ...] = ()
    cache: Freshness


class _Page:
    """Takes the accounts' rows in order until it is full, and knows where it stopped."""

    def __init__(self, room: int, below: str | None) -> None:
        self.room, self.below = room, below  # rows still to come; of the first account only those older than this id
        self.rows: list[bytes | memoryview] = []
        self.parts: list[Part[Rows]] = []
        self.failed: list[tuple[Target, CapabilityError]] = []
        self.last: tuple[Target, str] | None = None  # the account left in the middle, and its last row shown

    @property
    def done(self) -> int:
        """Accounts that need not be asked again."""
        return len(self.parts) + len(self.failed) - (self.last is not None)

    def take(self, target: Target, answer: Part[Rows] | CapabilityError) -> bool:
        below, self.below = self.below, None
        if isinstance(answer, CapabilityError):
            self.failed.append((target, answer))
            return True
        self.parts.append(answer)
        if not answer.value.count:
            return True
        if below is None and answer.value.count <= self.room:
            self._show(answer.value)
        else:
            self._show_some(target, bytes(answer.value.text).split(_BETWEEN), below)
        return self.room > 0

    def _show(self, rows: Rows) -> None:
        self.rows.append(rows.text)
        self.room -= rows.count

    def _show_some(self, target: Target, rows: list[bytes], below: str | None) -> None:
        if below is not None:
            rows = [row for row in rows if seniority(_id(row)) < seniority(below)]
        if len(rows) > self.room:
            rows = rows[: self.room]
            self.last = target, _id(rows[-1])
        if rows:
            self._show(Rows(len(rows), _BETWEEN.join(rows)))


@read(scope=Scope.ADS_READ, rest=GET("/ads/campaigns"), toolset=Toolset.ADS)
async def list_campaigns(context: Context, query: CampaignsQuery) -> Campaigns:
    """List campaigns of the connected ad accounts: which are active or running, which paused, their budgets. Rows have
    id, name, status, objective, daily budget and currency. What was changed on the platform itself shows within 15
    minutes, what was changed here at once. Filter by platform, connection, account or status. Pages with next_cursor;
    none is left out or shown twice, and gaps name accounts that could not be read."""
    held = await targets(
        context, platform=query.platform, connection_id=query.connectionId, account_id=query.account_id
    )
    same = query.model_dump(mode="json", exclude={"cursor", "limit"})
    start, below = _position(cursors.decode(same, query.cursor), held)
    page = await _filled(context, query, held[start:], below)
    at = start + page.done
    if page.failed and not page.parts and query.cursor is None:
        raise page.failed[0][1]
    following = cursors.encode(same, [_key(held[at]), page.last[1] if page.last else None]) if at < len(held) else None
    return Campaigns.of_json(
        page.rows,
        next_cursor=following,
        gaps=gaps(page.failed),
        cache=freshness(page.parts),
    )


async def _filled(context: Context, query: CampaignsQuery, held: tuple[Target, ...], below: str | None) -> _Page:
    kept = insights_cache.campaigns(context, held, query.status, row)
    page = _Page(query.limit, below)
    await each(context, held, kept.of, page.take)
    return page


_BETWEEN = b",\n"
_BEFORE_ID = len(b'{"campaign_id":"')


def _id(row: bytes) -> str:
    """Of a row as it is kept: its first member, which has no character that JSON would escape."""
    return row[_BEFORE_ID : row.index(b'"', _BEFORE_ID)].decode()


def _key(target: Target) -> list[str]:
    return [target.connection.id, target.account.account_id]


def _position(position: Any, held: tuple[Target, ...]) -> tuple[int, str | None]:
    """The account to go on with, and the id below which: what came or went meanwhile shifts nothing."""
    if position is None:
        return 0, None
    key, below = position
    for at, target in enumerate(held):
        if _key(target) == key:
            return at, below
    raise InvalidArguments(
        "The account this page would start in is no longer connected.",
        fix="Leave the cursor out to start over.",
        problems=[{"field": "cursor", "problem": "its account is gone"}],
    )
