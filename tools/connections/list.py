"""List the connections of the workspace."""

from tools.authority import Scope
from tools.capability import GET, Input, Listing, Rate, Toolset, read
from tools.connections.model import ConnectionRow, shown
from tools.context import Context
from tools.fields import PlatformField
from tools.targets import all_connections


class ConnectionsQuery(Input):
    platform: PlatformField | None = None


class Connections(Listing[ConnectionRow]):
    """Oldest first; a workspace has few, so one page holds all."""


@read(scope=Scope.ADS_READ, rest=GET("/connections"), toolset=Toolset.ADS, rate=Rate.CONNECTION)
async def list_connections(context: Context, query: ConnectionsQuery) -> Connections:
    """List the connected ad platforms with their ad accounts: ids, currency, time zone, status, when the credentials
    expire, when they were last used, and whether they can be decrypted. Credentials themselves are never shown."""
    held = await all_connections(context, platform=query.platform)
    return Connections(items=tuple(shown(context, connection) for connection in held))
