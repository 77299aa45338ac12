"""Create an API key."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tools import ids
from tools.approval import moment
from tools.authority import Role, Scope
from tools.capability import POST, Effect, Input, Toolset, human
from tools.context import Context
from tools.errors import InsufficientScope
from tools.fields import member
from tools.keys.format import mint
from tools.keys.model import ApiKeyRow
from tools.store.tables import api_keys

ScopeField = Annotated[Scope, BeforeValidator(member(Scope))]
DAY_MS = 86_400_000


class NewApiKey(Input):
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S", description="What the key is for.")]
    scopes: Annotated[
        tuple[ScopeField, ...],
        Field(strict=False, min_length=1, max_length=7, description="What it may do, within your own role."),
    ]
    rate: Annotated[int, Field(ge=1, le=100_000, description="Calls a minute; 600 if left out.")] | None = None
    expires_days: (
        Annotated[int, Field(ge=1, le=3650, description="Days until it expires; never if left out.")] | None
    ) = None
    policy: Annotated[
        Literal["gated", "direct"],
        Field(
            description="gated: changes wait for a person. direct: it acts without asking; owners only, not over MCP."
        ),
    ] = "gated"


class CreatedApiKey(ApiKeyRow):
    shown_once = frozenset({"key"})
    key: str | None = None
    withheld: str | None = None  # why a repeated answer has no key


@human(scope=Scope.WORKSPACE_ADMIN, effect=Effect.CHANGE, rest=POST("/api-keys", status=201), toolset=Toolset.WORKSPACE)
async def create_api_key(context: Context, new: NewApiKey) -> CreatedApiKey:
    """Create an API key. The key is in this answer and never again. A gated key proposes changes that a person agrees
    to; a direct key acts by itself, and only an owner creates one."""
    principal, now = context.principal, context.now_ms()
    if new.policy == "direct" and principal.role is not Role.OWNER:
        raise InsufficientScope(
            "Only an owner creates a direct key.", fix="Create a gated key, or ask an owner.", required="role:owner"
        )
    if beyond := sorted(set(new.scopes) - principal.scopes):
        raise InsufficientScope(
            "A key cannot do more than you.",
            fix="Leave these scopes out.",
            required=beyond,
            available=sorted(principal.scopes),
        )
    key, key_id, scopes = mint(), ids.new("key"), tuple(dict.fromkeys(new.scopes))
    expires_at = now + new.expires_days * DAY_MS if new.expires_days else None
    context.rows.stage(
        context.rows.insert(
            api_keys,
            id=key_id,
            lookup=key.lookup,
            key_hash=key.hash,
            prefix=key.prefix,
            name=new.name,
            scopes=list(scopes),
            policy=new.policy,
            rate=new.rate,
            created_by=principal.user,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return CreatedApiKey(
        id=key_id,
        name=new.name,
        prefix=key.prefix,
        scopes=scopes,
        policy=new.policy,
        createdAt=moment(now),
        rate=new.rate,
        expiresAt=moment(expires_at) if expires_at else None,
        key=key.text,
    )
