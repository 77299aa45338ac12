"""An API key, as every face shows it: never the key itself."""

from typing import Annotated, Literal

from pydantic import Field

from tools.approval import moment
from tools.authority import Scope
from tools.capability import Output
from tools.store.statements import Row

KeyId = Annotated[str, Field(pattern=r"^key_[A-Za-z0-9]{1,40}$", description="Key id, from list_api_keys.")]


class ApiKeyRow(Output):
    id: str
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    policy: Literal["gated", "direct"]  # direct: acts without asking a person
    createdAt: str
    rate: int | None = None  # calls a minute, where it has its own
    expiresAt: str | None = None
    lastUsedAt: str | None = None
    revokedAt: str | None = None


def shown(row: Row) -> ApiKeyRow:
    return ApiKeyRow(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        policy=row.policy,
        createdAt=moment(row.created_at),
        rate=row.rate,
        expiresAt=moment(row.expires_at) if row.expires_at else None,
        lastUsedAt=moment(row.last_used_at) if row.last_used_at else None,
        revokedAt=moment(row.revoked_at) if row.revoked_at else None,
    )
