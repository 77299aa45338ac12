"""A change, as every face shows it."""

from pydantic import JsonValue

from tools.approval import moment
from tools.capability import Output
from tools.fields import Platform
from tools.journal import WriteStatus
from tools.store.statements import Row


class ChangeRow(Output):
    id: str
    at: str
    kind: str
    status: WriteStatus
    platform: Platform
    connectionId: str
    account_id: str
    fields: dict[str, JsonValue]
    before: dict[str, JsonValue]
    requestedBy: str
    via: str
    undoable: bool
    campaign_id: str | None = None
    approvalId: str | None = None
    undoneBy: str | None = None
    outcome: dict[str, JsonValue] | None = None


def undoable(row: Row) -> bool:
    return row.status == WriteStatus.DONE and bool(row.inverse) and row.undone_by is None


def shown(row: Row) -> ChangeRow:
    return ChangeRow(
        id=row.id,
        at=moment(row.created_at),
        kind=row.kind,
        status=row.status,
        platform=Platform(row.platform),
        connectionId=row.connection_id,
        account_id=row.account_id,
        fields=row.fields,
        before=row.before or {},
        requestedBy=row.principal_id,
        via=row.via,
        undoable=undoable(row),
        campaign_id=row.campaign_id,
        approvalId=row.approval_id,
        undoneBy=row.undone_by,
        outcome=row.outcome,
    )
