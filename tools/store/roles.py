"""The second layer under the tenant filter: whom PostgreSQL shows which rows, by roles named in this module alone."""

from typing import Any, Protocol

from sqlalchemy import Table

from tools.store.tables import ad_sync_logs, audit_heads, metadata, workspaces

# A workspace's works run as APP, which owns nothing, and see the rows of the workspace set for their transaction.
# Identity, limits, recovery, operators and the audit log run as the role of DATABASE_URL, which owns the tables.
APP = "adwright_app"
_SETTING = "app.ws"
_ONLY_READ = frozenset({ad_sync_logs.name, audit_heads.name})  # the log is written beside the works, never by one


class Connection(Protocol):
    async def execute(self, query: str, /) -> Any: ...

    async def fetchval(self, query: str, /, *values: Any) -> Any: ...


def as_workspace(workspace_id: str) -> str:
    """What a transaction of a workspace begins with; it ends with the transaction."""
    quoted = workspace_id.replace("'", "''")
    return f"SET LOCAL ROLE {APP}; SET LOCAL {_SETTING} = '{quoted}'"


async def wall(connection: Connection) -> None:
    """Have the policies stand, on tables that came since too; inside a transaction that nobody else is in."""
    if not await is_member(connection) or await is_walled(connection):
        return
    owner = await connection.fetchval("SELECT quote_ident(current_user)")
    schema = await connection.fetchval("SELECT quote_ident(current_schema())")
    statements = [f"GRANT USAGE ON SCHEMA {schema} TO {APP}"]
    for table in tenants():
        walled = await connection.fetchval(
            "SELECT relforcerowsecurity FROM pg_class WHERE oid = to_regclass(quote_ident($1))", table.name
        )
        if walled is False:
            statements += _policies(table, owner)
    await connection.execute("; ".join(statements))


def tenants() -> list[Table]:
    return [table for table in metadata.sorted_tables if table is workspaces or "workspace_id" in table.c]


async def make_role(connection: Connection) -> None:
    """In a transaction of its own, which may fail: a database whose role may not do this works without the wall."""
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APP):
        await connection.execute(f"CREATE ROLE {APP} NOLOGIN")
    if not await is_member(connection):
        await connection.execute(f"GRANT {APP} TO CURRENT_USER")


async def is_member(connection: Connection) -> bool:
    """Whether works can run as `APP`."""
    found = await connection.fetchval(
        "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", APP
    )
    return found is True


async def is_walled(connection: Connection) -> bool:
    """Whether every tenant table shows `APP` a workspace's own rows only, and works can run as it."""
    walled = await connection.fetchval(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relrowsecurity AND c.relforcerowsecurity"
        " AND c.relname = ANY (string_to_array($1, ','))",  # as text: of an array the driver first asks for the type
        ",".join(table.name for table in tenants()),
    )
    return walled == len(tenants()) and await is_member(connection)


def _policies(table: Table, owner: str) -> list[str]:
    column = "id" if table is workspaces else "workspace_id"
    allowed = "SELECT" if table.name in _ONLY_READ else "SELECT, INSERT, UPDATE, DELETE"
    return [
        f"GRANT {allowed} ON {table.name} TO {APP}",
        f"CREATE POLICY own_rows ON {table.name} TO {APP} USING ({column} = current_setting('{_SETTING}', true))",
        f"CREATE POLICY all_rows ON {table.name} TO {owner} USING (true)",
        f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
    ]
