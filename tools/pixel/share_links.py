"""Share links: who holds one sees one website's figures without signing in, so a person alone hands them out."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tools import ids
from tools.approval import moment
from tools.authority import Scope
from tools.capability import (
    DELETE,
    GET,
    PATCH,
    POST,
    Effect,
    Input,
    Listing,
    Output,
    Rate,
    Toolset,
    human,
    read,
    write,
)
from tools.context import Context
from tools.pixel import plan as plans
from tools.pixel.format import hash_password, mint
from tools.pixel.model import Name, OfWebsite, ShareLinkId, WebsiteId
from tools.pixel.store import found, page, stage_removal, stage_update, website
from tools.plan import Plan
from tools.secret import Secret
from tools.store.statements import Row
from tools.store.tables import share_links

DAY_MS = 86_400_000
SHORTEST, LONGEST = 8, 200

Days = Annotated[int, Field(ge=1, le=3650, description="Days until it expires; never if left out.")]
Password = Annotated[Secret | None, Field(description="Asked of whoever opens the link; 8 to 200 characters.")]


class ShareLinkRow(Output):
    id: str
    websiteId: str
    name: str
    token_prefix: str
    password_protected: bool
    created_at: str
    expires_at: str | None = None  # left out: does not expire


class CreatedShareLink(ShareLinkRow):
    shown_once = frozenset({"token"})
    token: str | None = None
    withheld: str | None = None  # why a repeated answer has no token


class DeletedShareLink(Output):
    id: str
    status: Literal["deleted"]


class ShareLinks(Listing[ShareLinkRow]):
    """Newest first, expired ones included."""


def _long_enough(password: Secret | None) -> Secret | None:
    if password is not None and not SHORTEST <= len(password.reveal()) <= LONGEST:
        raise ValueError(f"needs {SHORTEST} to {LONGEST} characters")
    return password


class NewShareLink(Input):
    name: Annotated[Name, Field(description="Whom or what the link is for.")]
    websiteId: WebsiteId | None = None
    password: Password = None
    expires_days: Days | None = None

    _checked = field_validator("password")(_long_enough)


class ShareLinkChange(Input):
    share_link_id: ShareLinkId
    name: Name | None = None
    password: Password = None
    expires_days: Annotated[Days, Field(description="Days from now until it expires.")] | None = None
    remove_password: Annotated[bool, Field(description="Let whoever has the link in without one.")] = False
    remove_expiry: Annotated[bool, Field(description="Let it never expire.")] = False

    _checked = field_validator("password")(_long_enough)

    @model_validator(mode="after")
    def _asks_for_one_thing_each(self) -> "ShareLinkChange":
        if not self.model_dump(exclude_defaults=True, exclude={"share_link_id"}):
            raise ValueError("nothing to change: send name, password, expires_days, remove_password or remove_expiry")
        if self.password is not None and self.remove_password:
            raise ValueError("send password or remove_password, not both")
        if self.expires_days is not None and self.remove_expiry:
            raise ValueError("send expires_days or remove_expiry, not both")
        return self


class ShareLinkRemoval(Input):
    share_link_id: ShareLinkId


def shown(row: Row) -> ShareLinkRow:
    return ShareLinkRow(**_fields(row.as_dict()))


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "websiteId": row["website_id"],
        "name": row["name"],
        "token_prefix": row["token_prefix"],
        "password_protected": row["password_hash"] is not None,
        "created_at": moment(row["created_at"]),
        "expires_at": moment(row["expires_at"]) if row["expires_at"] else None,
    }


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/share-links"), toolset=Toolset.ANALYTICS)
async def list_share_links(context: Context, query: OfWebsite) -> ShareLinks:
    """List the links that show a website's figures to whoever has them: name, the token's first characters, when each
    expires, and whether a password protects it. The tokens themselves are never shown again."""
    items, following = await page(context, share_links, query, shown)
    return ShareLinks(items=items, next_cursor=following)


@human(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/pixel/share-links", status=201),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
)
async def create_share_link(context: Context, new: NewShareLink) -> CreatedShareLink:
    """Create a token that shows one website's figures to whoever has it, without signing in; with a password and an
    expiry where given. The token is in this answer and never again."""
    site, token, now = await website(context, new.websiteId), mint(), context.now_ms()
    row = {
        "id": ids.new("shl"),
        "website_id": site.id,
        "name": new.name,
        "token_prefix": token.prefix,
        "token_hash": token.hash,
        "password_hash": await _hashed(new.password),
        "expires_at": now + new.expires_days * DAY_MS if new.expires_days else None,
        "created_by": context.principal.user,
        "created_at": now,
    }
    context.rows.stage(context.rows.insert(share_links, **row))
    return CreatedShareLink(**_fields(row), token=token.text)


@human(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/pixel/share-links/{share_link_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
)
async def update_share_link(context: Context, change: ShareLinkChange) -> ShareLinkRow:
    """Change a share link's name, its password or when it expires. Fields left out stay as they are, and so does the
    token."""
    row = await found(context, share_links, change.share_link_id, "share link")
    values: dict[str, Any] = {}
    if change.name is not None:
        values["name"] = change.name
    if change.password is not None or change.remove_password:
        values["password_hash"] = await _hashed(change.password)
    if change.expires_days is not None or change.remove_expiry:
        days = change.expires_days
        values["expires_at"] = context.now_ms() + days * DAY_MS if days else None
    stage_update(context, share_links, row.id, values)
    return ShareLinkRow(**_fields(row.as_dict() | values))


async def plan_removal(context: Context, gone: ShareLinkRemoval) -> Plan[ShareLinkRemoval]:
    row = await found(context, share_links, gone.share_link_id, "share link")
    warnings = ("Whoever has the link sees nothing any more.",)
    return plans.removal(
        gone, "delete_share_link", row.id, summary=f"Delete the share link {row.name}", warnings=warnings
    )


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/pixel/share-links/{share_link_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_removal,
    idempotent=True,
)
async def delete_share_link(context: Context, plan: Plan[ShareLinkRemoval]) -> DeletedShareLink:
    """Delete a share link: its token opens nothing any more. A person agrees first; no tool brings it back."""
    stage_removal(context, share_links, plan.input.share_link_id)
    return DeletedShareLink(id=plan.input.share_link_id, status="deleted")


async def _hashed(password: Secret | None) -> str | None:
    return None if password is None else await asyncio.to_thread(hash_password, password.reveal())
