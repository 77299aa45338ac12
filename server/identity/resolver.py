"""The one way from a request to a Principal; every face asks here first."""

import datetime as dt
import hmac
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from server.identity.members import choose_member
from server.identity.remembered import Remembered
from server.identity.requests import Scope, from_this_machine, header, peer
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore
from tools.authority import Principal, Role, Via
from tools.errors import (
    ApiKeyExpired,
    ApiKeyRevoked,
    CapabilityError,
    DirectKeyRefused,
    InvalidApiKey,
    InvalidAuthorizationFormat,
    MissingAuthorization,
)
from tools.keys import format as keys
from tools.secret import Secret

LOCAL_PREFIX = "adw_local_"
USED_EVERY_MS = 60_000
_LOCAL_FIX = "Let the adwright command on this machine connect by itself; from elsewhere use an API key."
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """A key that opened something, as its row told it."""

    principal: Principal
    expires_at: int | None
    used_at: int


class Resolver:
    """`refusals` counts what was turned away, by error code, for /metrics; the log says from where."""

    def __init__(
        self, store: IdentityStore, sessions: Sessions, *, local_token: Secret, clock: Callable[[], dt.datetime]
    ) -> None:
        self._store, self._sessions, self._clock = store, sessions, clock
        self._local_token = local_token
        self._keys = Remembered[tuple[str, bytes], _Known](store.keys_changed)
        self.refusals: Counter[str] = Counter()

    async def resolve(self, scope: Scope, *, face: str) -> Principal:
        """`face` is where the request arrived: rest or mcp."""
        try:
            authorization = header(scope, b"authorization")
            if authorization is not None:
                token = _bearer(authorization)
                if token.startswith(LOCAL_PREFIX):
                    return await self._local(scope, token, face)
                return await self._key(token, face)
            if face == "rest":
                return await self._sessions.principal(scope)
            raise MissingAuthorization(
                "An MCP request needs an API key.",
                fix="Send `Authorization: Bearer <API key>`; `adwright keys create` makes one.",
            )
        except CapabilityError as error:
            self._count(error, scope)
            raise

    def require_local_token(self, scope: Scope) -> None:
        """Refuse whoever does not hold this data directory's local token, on this machine."""
        try:
            authorization = header(scope, b"authorization")
            if authorization is None:
                raise MissingAuthorization("This needs the local token.", fix=_LOCAL_FIX)
            self._check_local(scope, _bearer(authorization))
        except CapabilityError as error:
            self._count(error, scope)
            raise

    async def _key(self, token: str, face: str) -> Principal:
        known = await self._keys.get((face, _digest(token)), lambda: self._opened(token, face))
        now = int(self._clock().timestamp() * 1000)
        if known.expires_at is not None and now >= known.expires_at:
            raise ApiKeyExpired("This API key has expired.", fix="Create a new one and replace it where it is used.")
        if now - known.used_at >= USED_EVERY_MS:
            known.used_at = now
            self._store.keys_used.note(known.principal.id, now)
        return known.principal

    async def _opened(self, token: str, face: str) -> _Known:
        key = keys.parse(token)
        row = await self._store.api_key(key.lookup) if key else None
        # An unknown id is compared too: how long a refusal takes tells nothing about which ids exist.
        if key is None or not key.opens(row.key_hash if row else None) or row is None:
            raise InvalidApiKey(
                "This API key does not exist.", fix="Check that it was copied whole, or create a new one."
            )
        if row.revoked_at is not None:
            raise ApiKeyRevoked("This API key was revoked.", fix="Create a new one and replace it where it is used.")
        if row.role is None:
            raise ApiKeyRevoked(
                "Whoever created this API key is no longer a member of its workspace.",
                fix="Ask a member to create a new one.",
            )
        if row.policy == "direct" and face == "mcp":
            raise DirectKeyRefused(
                "A key that acts without asking is not for agents.",
                fix="Create a gated key for MCP: leave out --direct.",
            )
        role = Role(row.role)
        granted = orjson.loads(row.scopes)
        principal = Principal(
            id=row.id,
            name=row.name,
            user=row.created_by,
            workspace=row.workspace_id,
            workspace_name=row.workspace_name,
            plan=row.plan,
            role=role,
            scopes=frozenset(scope for scope in role.scopes if scope.value in granted),
            via=Via.MCP if face == "mcp" else Via.KEY,
            # Whoever let it act without asking was an owner; when that ends, it asks.
            direct=row.policy == "direct" and role is Role.OWNER,
            rate=row.rate,
        )
        return _Known(principal, row.expires_at, row.last_used_at or 0)

    async def _local(self, scope: Scope, token: str, face: str) -> Principal:
        """The directory's first owner, acting from a terminal or an MCP client of this machine: never a person."""
        self._check_local(scope, token)
        member = choose_member(await self._store.first_owner(), header(scope, b"x-adwright-workspace"))
        role = Role(member.role)
        return Principal(
            id=member.user_id,
            name=member.name or member.email,
            user=member.user_id,
            workspace=member.workspace_id,
            workspace_name=member.workspace_name,
            plan=member.plan,
            role=role,
            scopes=role.scopes,
            via=Via.MCP if face == "mcp" else Via.CLI,
        )

    def _check_local(self, scope: Scope, token: str) -> None:
        known = hmac.compare_digest(token.encode(), self._local_token.reveal().encode())
        if not known or not from_this_machine(scope):
            raise InvalidApiKey("This is not the local token of this data directory.", fix=_LOCAL_FIX)

    def _count(self, error: CapabilityError, scope: Scope) -> None:
        self.refusals[error.code] += 1
        if error.status == 401:
            logger.warning("refused %s %s from %s: %s", scope["method"], scope["path"], peer(scope) or "?", error.code)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or " " in token:
        raise InvalidAuthorizationFormat(
            "The Authorization header cannot be read.", fix="Send exactly `Authorization: Bearer <API key>`."
        )
    return token


def _digest(token: str) -> bytes:
    """What a key is remembered by: the key itself is kept nowhere."""
    return sha256(token.encode()).digest()
