"""List API keys."""

from tools.authority import Scope
from tools.capability import GET, Listing, Nothing, Toolset, read
from tools.context import Context
from tools.keys.model import ApiKeyRow, shown
from tools.store.tables import api_keys


class ApiKeys(Listing[ApiKeyRow]):
    """Newest first, revoked ones included."""


@read(scope=Scope.WORKSPACE_ADMIN, rest=GET("/api-keys"), toolset=Toolset.WORKSPACE)
async def list_api_keys(context: Context, _: Nothing) -> ApiKeys:
    """List the workspace's API keys: name, prefix, scopes, expiry, last use, and whether a key acts without asking a
    person (policy direct). The keys themselves are never shown again."""
    statement = context.rows.select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    return ApiKeys(items=tuple(shown(row) for row in await context.rows.all(statement)))
