"""Look at one approval."""

from tools.approvals.model import Approval, shown
from tools.authority import Scope
from tools.capability import GET, Input, Toolset, read
from tools.context import Context
from tools.fields import ApprovalId


class ApprovalQuery(Input):
    approval_id: ApprovalId


@read(scope=Scope.ADS_READ, rest=GET("/approvals/{approval_id}"), toolset=Toolset.APPROVALS)
async def get_approval(context: Context, query: ApprovalQuery) -> Approval:
    """Look at one approval: whether it is still pending, and once decided its result or error. Poll this after a
    confirm_required answer. A status of unknown means the platform's answer was lost: look before repeating it."""
    return shown(context, await context.gate.find(context, query.approval_id))
