"""Who may do what at the wire: the admin token, the tokens that datafiles name, and JSON Web Tokens signed with the
admin token, whose fixed parameters their bearer cannot change."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import jwt

from server.analytics.datafiles.model import Permission, Project
from server.analytics.wire.refusals import forbidden

MOST_TOKEN_CHARACTERS = 16_384
ADMIN_NAME = "workspace admin token"
_CLAIMS = ["exp", "name", "scopes", "workspace_id"]


class ScopeType(StrEnum):
    PIPES_READ = "PIPES:READ"
    DATASOURCES_READ = "DATASOURCES:READ"
    DATASOURCES_APPEND = "DATASOURCES:APPEND"


@dataclass(frozen=True, slots=True)
class Scope:
    type: ScopeType
    resource: str  # a name, or the id that the lists show
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, told: object) -> Self | None:
        """None where it is none that a JSON Web Token may carry."""
        if not isinstance(told, dict) or told.get("type") not in set(ScopeType):
            return None
        resource, fixed = told.get("resource"), told.get("fixed_params") or {}
        if not isinstance(resource, str) or not isinstance(fixed, dict):
            return None
        return cls(ScopeType(told["type"]), resource, fixed)


@dataclass(frozen=True, slots=True)
class Token:
    name: str
    scopes: tuple[Scope, ...] = ()
    admin: bool = False
    rps: int | None = None

    def scope(self, kind: ScopeType, name: str) -> Scope | None:
        """Of several for one resource the first counts, as it was signed."""
        return next((each for each in self.scopes if each.type is kind and each.resource in (name, id_of(name))), None)

    def fixed_for(self, kind: ScopeType, name: str) -> Mapping[str, Any]:
        """Raises a Refusal where the token does not reach."""
        if self.admin:
            return {}
        if (scope := self.scope(kind, name)) is None:
            raise forbidden(f"The token has no {kind} scope for '{name}'")
        return scope.fixed

    def as_admin(self) -> None:
        if not self.admin:
            raise forbidden("This needs the workspace's admin token")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the owner of a data directory keeps for good: tokens in use stay valid over a restart."""

    workspace_id: str
    admin_token: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        return cls(str(uuid.uuid4()), f"p.{secrets.token_urlsafe(48)}")


def id_of(name: str) -> str:
    """Tinybird's resources have an id beside their name; ours follows from it."""
    return f"t_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


class Tokens:
    def __init__(self, identity: Identity, project: Project) -> None:
        self._identity = identity
        self._static: dict[str, Token] = {}
        for name, scopes in _named(project).items():
            self._static[self._derived(name)] = Token(name, tuple(scopes))

    def authenticate(self, given: str | None) -> Token:
        """Raises a Refusal."""
        if not given or len(given) > MOST_TOKEN_CHARACTERS:
            raise forbidden("There is no token in this request" if not given else "Invalid token")
        if hmac.compare_digest(given.encode(), self._identity.admin_token.encode()):
            return Token(ADMIN_NAME, admin=True)
        if (found := self._static.get(given)) is not None:
            return found
        return self._signed(given)

    def mint(self, name: str, scopes: list[dict[str, Any]], expires_at: int, rps: int | None) -> str:
        claims = {"workspace_id": self._identity.workspace_id, "name": name, "exp": expires_at, "scopes": scopes}
        limits = {} if rps is None else {"limits": {"rps": rps}}
        return jwt.encode(claims | limits, self._identity.admin_token, algorithm="HS256")

    def listed(self) -> Iterator[dict[str, Any]]:
        admin = {"type": "ADMIN"}
        yield _shown(ADMIN_NAME, self._identity.admin_token, [admin])
        for text, token in self._static.items():
            yield _shown(token.name, text, [{"type": str(s.type), "resource": s.resource} for s in token.scopes])

    def _derived(self, name: str) -> str:
        """A datafile's token, from the admin token and its name: the same after each start, and kept nowhere."""
        digest = hmac.digest(self._identity.admin_token.encode(), f"token {name}".encode(), "sha256")
        return f"p.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def _signed(self, given: str) -> Token:
        try:
            claims = jwt.decode(
                given,
                self._identity.admin_token,
                algorithms=["HS256"],
                options={"require": _CLAIMS, "verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise forbidden("The token has expired") from None
        except jwt.InvalidTokenError:
            raise forbidden() from None
        if claims["workspace_id"] != self._identity.workspace_id:
            raise forbidden("The token is of another workspace")
        return _token(claims)


def _token(claims: Mapping[str, Any]) -> Token:
    name, told = claims["name"], claims["scopes"]
    scopes = [Scope.read(each) for each in told] if isinstance(told, list) else [None]
    limits = claims.get("limits") or {}
    rps = limits.get("rps") if isinstance(limits, dict) else 0
    if not isinstance(name, str) or None in scopes or not _is_rate(rps):
        raise forbidden()
    return Token(name, tuple(scope for scope in scopes if scope is not None), rps=rps)


def _is_rate(rps: object) -> bool:
    return rps is None or (isinstance(rps, int) and not isinstance(rps, bool) and rps > 0)


def _named(project: Project) -> dict[str, list[Scope]]:
    """The tokens that datafiles name; one name may open several."""
    found: dict[str, list[Scope]] = {}
    for pipe in project.pipes.values():
        for token in pipe.tokens:
            found.setdefault(token.name, []).append(Scope(ScopeType.PIPES_READ, pipe.name))
    for source in project.datasources.values():
        for token in source.tokens:
            kind = ScopeType.DATASOURCES_APPEND if token.permission is Permission.APPEND else ScopeType.DATASOURCES_READ
            found.setdefault(token.name, []).append(Scope(kind, source.name))
    return found


def _shown(name: str, text: str, scopes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, text)), "name": name, "token": text, "scopes": scopes}
