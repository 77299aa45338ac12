"""An approval, as every face shows it."""

from typing import Any

from pydantic import JsonValue

from tools.approval import ApprovalStatus, view
from tools.capability import Output
from tools.context import Context
from tools.fields import Number
from tools.plan import Change, MoneyEffect
from tools.store.statements import Row


class ShownPlan(Output):
    summary: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    reversible: bool
    money: MoneyEffect | None = None
    amountRequired: Number | None = None
    evidence: dict[str, JsonValue] | None = None


class Approval(Output):
    id: str
    status: ApprovalStatus
    capability: str
    arguments: dict[str, JsonValue]
    plan: ShownPlan
    digest: str
    url: str
    requestedBy: str
    via: str
    createdAt: str
    expiresAt: str
    decidedBy: str | None = None
    decidedAt: str | None = None
    supersededBy: str | None = None
    result: dict[str, JsonValue] | None = None
    error: dict[str, JsonValue] | None = None


def shown(context: Context, row: Row) -> Approval:
    fields: dict[str, Any] = view(row, context.public_url, context.now_ms())
    return Approval.model_validate(fields)
