"""List approvals."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from tools import cursors
from tools.approval import ApprovalStatus
from tools.approvals.model import Approval, shown
from tools.authority import Scope, Via
from tools.capability import GET, Input, Listing, Toolset, read
from tools.context import Context
from tools.fields import Cursor, Limit, member
from tools.store.tables import approvals


class ApprovalsQuery(Input):
    status: (
        Annotated[
            ApprovalStatus, BeforeValidator(member(ApprovalStatus)), Field(description="Only approvals in this state.")
        ]
        | None
    ) = None
    via: (
        Annotated[Via, BeforeValidator(member(Via)), Field(description="Only those asked for through this face.")]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Approvals(Listing[Approval]):
    """Newest first."""


@read(scope=Scope.ADS_READ, rest=GET("/approvals"), toolset=Toolset.APPROVALS)
async def list_approvals(context: Context, query: ApprovalsQuery) -> Approvals:
    """List approvals from every face, newest first: what waits for a person, and what became of earlier proposals.
    Filter by status, e.g. pending, and by face, e.g. mcp. Deciding is for a signed-in person only."""
    same = query.model_dump(mode="json", include={"status", "via"})
    statement = context.rows.select(approvals)
    now = context.now_ms()
    if query.status is ApprovalStatus.PENDING:
        statement = statement.where(approvals.c.status == query.status, approvals.c.expires_at > now)
    elif query.status is ApprovalStatus.EXPIRED:
        lapsed = (approvals.c.status == ApprovalStatus.PENDING) & (approvals.c.expires_at <= now)
        statement = statement.where((approvals.c.status == query.status) | lapsed)
    elif query.status:
        statement = statement.where(approvals.c.status == query.status)
    if query.via:
        statement = statement.where(approvals.c.via == query.via)
    rows, following = await context.rows.newest(
        approvals, statement, after=cursors.decode(same, query.cursor), limit=query.limit
    )
    return Approvals(
        items=tuple(shown(context, row) for row in rows),
        next_cursor=cursors.encode(same, following) if following else None,
    )
