"""An approval as every face shows it: its states, its wire shape, and the answer that one is needed."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tools.errors import AlreadyDecided, ApprovalExpired, CapabilityError

if TYPE_CHECKING:  # the command line reads approvals, too, and does not wait for SQLAlchemy
    from tools.store.statements import Row

LIFETIME = dt.timedelta(minutes=15)


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    EXECUTING = "executing"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALE = "stale"
    DENIED = "denied"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"

    @property
    def settled(self) -> bool:
        return self not in (ApprovalStatus.PENDING, ApprovalStatus.EXECUTING)


class ConfirmRequired(CapabilityError):
    """Not a failure: the proposal waits. REST answers 202, MCP an isError result, chat an event."""

    code, status = "confirm_required", 202

    def __init__(self, approval: dict[str, Any]) -> None:
        message, fix = _standing(approval)
        super().__init__(message, fix=fix)
        self.approval = approval

    def body(self, request_id: str) -> dict[str, Any]:
        return super().body(request_id) | {"approval": self.approval}


def _standing(approval: Mapping[str, Any]) -> tuple[str, str]:
    """What happened and what to do next, as the approval is now: asked for again, it may have been decided."""
    summary, look = approval["plan"]["summary"], f"call get_approval with {approval['id']}"
    match ApprovalStatus(approval["status"]):
        case ApprovalStatus.PENDING:
            fix = f"Ask the person to open {approval['url']} and decide, then {look}."
            return f"Nothing was changed yet: a person has to agree first. {summary}", fix
        case ApprovalStatus.EXECUTING:
            fix = f"To learn the outcome {look}; do not call this again."
            return f"A person agreed, and the change is being made. {summary}", fix
        case ApprovalStatus.DONE:
            return f"A person agreed, and the change was made. {summary}", "Go on: approval.result is what it answered."
    told = approval.get("error", {})
    if "message" in told:  # failed, unknown or stale: said when it was applied
        return told["message"], told.get("fix", "Look at list_changes before anything else.")
    refused = refusal(approval)
    return refused.message, refused.fix


def page(public_url: str, approval_id: str) -> str:
    return f"{public_url}/approvals/{approval_id}"


def view(row: "Row", public_url: str, now_ms: int) -> dict[str, Any]:
    """The wire shape of an approval; a pending one past its time reads as expired at once."""
    lapsed = row.status == ApprovalStatus.PENDING and row.expires_at <= now_ms
    shown = {
        "id": row.id,
        "status": ApprovalStatus.EXPIRED.value if lapsed else row.status,
        "capability": row.capability,
        "arguments": row.arguments,
        "plan": row.plan,
        "digest": row.digest,
        "url": page(public_url, row.id),
        "requestedBy": row.requested_by_name,
        "via": row.via,
        "createdAt": moment(row.created_at),
        "expiresAt": moment(row.expires_at),
        "decidedBy": row.decided_by,
        "decidedAt": moment(row.decided_at) if row.decided_at else None,
        "supersededBy": row.superseded_by,
        "result": row.result,
        "error": row.error,
    }
    return {k: v for k, v in shown.items() if v is not None}


def refusal(approval: Mapping[str, Any]) -> CapabilityError:
    """What a caller is told about an approval that was denied, superseded or left to expire."""
    status = ApprovalStatus(approval["status"])
    if status is ApprovalStatus.EXPIRED:
        return ApprovalExpired(
            "Nobody decided in time; nothing was changed.", fix="Ask the person whether to propose it again."
        )
    message = f"This proposal is {status}; nothing was changed by it."
    if status is ApprovalStatus.DENIED:
        reason = approval.get("error", {}).get("reason")
        message = "A person said no; nothing was changed." + (f" They said: {reason}" if reason else "")
    return AlreadyDecided(message, fix="Do not propose the same again; ask the person what they want instead.")


def moment(milliseconds: int) -> str:
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
