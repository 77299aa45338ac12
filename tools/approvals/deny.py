"""Say no to a proposal."""

from typing import Annotated

from pydantic import Field

from tools.approvals.model import Approval, shown
from tools.authority import Scope
from tools.capability import POST, Effect, Input, Toolset, human
from tools.context import Context
from tools.fields import ApprovalId


class Denying(Input):
    approval_id: ApprovalId
    reason: Annotated[str, Field(min_length=1, max_length=1000, description="Why; whoever asked is told.")] | None = (
        None
    )


@human(
    scope=Scope.ADS_READ, effect=Effect.CHANGE, rest=POST("/approvals/{approval_id}/deny"), toolset=Toolset.APPROVALS
)
async def deny(context: Context, denying: Denying) -> Approval:
    """Refuse a proposal; nothing is changed, and whoever asked is told the reason. Only a signed-in person with the
    change's own scope."""
    return shown(context, await context.gate.deny(context, denying.approval_id, denying.reason))
