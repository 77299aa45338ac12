"""The rows of the slice: finding what is not deleted, pages of it, and one plan's worth of changes to it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import JsonValue
from sqlalchemy import Select, Table, Update, UpdateBase, func

from tools import cursors
from tools.capability import Output
from tools.context import Context
from tools.errors import Conflict, InvalidArguments, NotFound
from tools.pixel.model import OfWebsite
from tools.store.engine import Transaction
from tools.store.statements import Row
from tools.store.tables import alerts, funnels, goals, reports, share_links, websites

R = TypeVar("R", bound=Output)

BELONGING = (goals, funnels, share_links, alerts, reports)
"""What a website takes with it."""


async def found(context: Context, table: Table, identifier: str, what: str) -> Row:
    """The row of this id, or 404: a stranger's and a deleted one are not there."""
    statement = context.rows.select(table).where(table.c.id == identifier, table.c.deleted_at.is_(None))
    row = await context.rows.first(statement)
    if row is None:
        raise NotFound(f"There is no {what} {identifier}.", fix=f"Take an id from list_{what.replace(' ', '_')}s.")
    return row


async def website(context: Context, website_id: str | None) -> Row:
    """The website meant; where none is named and the workspace has one, it is that one."""
    if website_id is not None:
        return await found(context, websites, website_id, "website")
    held = await context.rows.all(context.rows.select(websites).where(websites.c.deleted_at.is_(None)).limit(50))
    if len(held) == 1:
        return held[0]
    raise InvalidArguments(
        "Say which website." if held else "There is no website yet.",
        fix="Send the websiteId of one in details.choices." if held else "Create one with create_website.",
        problems=[{"field": "websiteId", "problem": "is required here"}],
        choices=[{"websiteId": row.id, "domain": row.domain} for row in held],
    )


async def page(
    context: Context, table: Table, query: OfWebsite, shown: Callable[[Row], R]
) -> tuple[tuple[R, ...], str | None]:
    """Rows that are not deleted, newest first, and the cursor of the next page."""
    if query.websiteId is not None:
        await website(context, query.websiteId)
    statement = context.rows.select(table).where(table.c.deleted_at.is_(None))
    if query.websiteId is not None:
        statement = statement.where(table.c.website_id == query.websiteId)
    same = {"list": str(table.name), "websiteId": query.websiteId}
    after = cursors.decode(same, query.cursor)
    rows, following = await context.rows.newest(table, statement, after=after, limit=query.limit)
    return tuple(map(shown, rows)), cursors.encode(same, following) if following else None


async def held_by(context: Context, table: Table, website_id: str) -> int:
    """How many rows of it belong to the website."""
    counted = context.rows.select(table, func.count(table.c.id).label("held"))
    row = await context.rows.first(counted.where(table.c.website_id == website_id, table.c.deleted_at.is_(None)))
    return int(row.held) if row else 0


async def refuse_taken(context: Context, domain: str, first: Callable[[Select[Any]], Awaitable[Row | None]]) -> None:
    """Two websites of a workspace do not share a domain."""
    same = context.rows.select(websites).where(websites.c.domain == domain, websites.c.deleted_at.is_(None))
    if (row := await first(same)) is not None:
        raise Conflict(f"{domain} is {row.id} already.", fix="Use that website, or change it.", websiteId=row.id)


def stage_unless_taken(context: Context, domain: str, statement: UpdateBase) -> None:
    """Looked at again where it is written: a workspace's writes go one after another, so no two take one domain."""

    async def work(tx: Transaction) -> int:
        await refuse_taken(context, domain, tx.first)
        return await tx.run(statement)

    context.rows.staged.append(work)


def updating(context: Context, table: Table, identifier: str, values: Mapping[str, JsonValue]) -> Update:
    of_it = context.rows.update(table).where(table.c.id == identifier, table.c.deleted_at.is_(None))
    return of_it.values(**values)


def stage_update(context: Context, table: Table, identifier: str, values: Mapping[str, JsonValue]) -> None:
    context.rows.stage(updating(context, table, identifier, values))


def stage_removal(context: Context, table: Table, identifier: str) -> None:
    """Soft: it leaves every list, its row stays."""
    stage_update(context, table, identifier, {"deleted_at": context.now_ms()})
