"""Revoke an API key."""

from tools.approval import moment
from tools.authority import Scope
from tools.capability import DELETE, Effect, Input, Toolset, human
from tools.context import Context
from tools.errors import NotFound
from tools.keys.model import ApiKeyRow, KeyId, shown
from tools.store.tables import api_keys


class ApiKeyRevocation(Input):
    key_id: KeyId


@human(scope=Scope.WORKSPACE_ADMIN, effect=Effect.DESTROY, rest=DELETE("/api-keys/{key_id}"), toolset=Toolset.WORKSPACE)
async def revoke_api_key(context: Context, revocation: ApiKeyRevocation) -> ApiKeyRow:
    """Revoke an API key at once. Revoking one that is revoked changes nothing."""
    row = await context.rows.first(context.rows.select(api_keys).where(api_keys.c.id == revocation.key_id))
    if row is None:
        raise NotFound(f"There is no key {revocation.key_id}.", fix="Take an id from list_api_keys.")
    if row.revoked_at is not None:
        return shown(row)
    now = context.now_ms()
    context.rows.stage(
        context.rows.update(api_keys)
        .where(api_keys.c.id == row.id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return shown(row).model_copy(update={"revokedAt": moment(now)})
