"""Say yes to a proposal."""

from typing import Annotated

from pydantic import Field

from tools.approvals.model import Approval, shown
from tools.authority import Scope
from tools.capability import POST, Effect, Input, Toolset, human
from tools.context import Context
from tools.fields import Amount, ApprovalId


class Approving(Input):
    approval_id: ApprovalId
    amount: Annotated[
        Amount | None,
        Field(description="The daily budget in force afterwards, typed, where plan.amountRequired is set."),
    ] = None


@human(
    scope=Scope.ADS_READ, effect=Effect.CHANGE, rest=POST("/approvals/{approval_id}/approve"), toolset=Toolset.APPROVALS
)
async def approve(context: Context, approving: Approving) -> Approval:
    """Agree to a proposal and apply exactly what it shows, once. The state is read again first: if it changed since,
    nothing is applied and a fresh proposal stands in its place. Only a signed-in person with the change's own scope."""
    return shown(context, await context.gate.approve(context, approving.approval_id, approving.amount))
