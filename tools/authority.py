"""Who is asking, through which face, and what they may do."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Scope(StrEnum):
    ADS_READ = "ads:read"
    ADS_WRITE = "ads:write"
    PIXEL_READ = "pixel:read"
    PIXEL_WRITE = "pixel:write"
    ANALYTICS_READ = "analytics:read"
    CONNECTIONS_WRITE = "connections:write"
    WORKSPACE_ADMIN = "workspace:admin"


_READ = frozenset({Scope.ADS_READ, Scope.PIXEL_READ, Scope.ANALYTICS_READ})
_ACT = _READ | {Scope.ADS_WRITE, Scope.PIXEL_WRITE}


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def scopes(self) -> frozenset[Scope]:
        return {
            Role.OWNER: frozenset(Scope),
            Role.ADMIN: frozenset(Scope),
            Role.MEMBER: _ACT,
            Role.VIEWER: _READ,
        }[self]


class Via(StrEnum):
    """The face a call came through, as audit rows and approvals name it."""

    SESSION = "session"
    KEY = "key"
    MCP = "mcp"
    AGENT = "agent"
    CLI = "cli"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """One authenticated caller. `scopes` is already what its role allows of what it was granted."""

    id: str  # usr_… for a session or the local token, key_… for an API key
    name: str
    user: str  # the person behind it; limits per user count here
    workspace: str
    role: Role
    scopes: frozenset[Scope]
    via: Via
    direct: bool = False  # an API key that an owner allowed to act without asking
    rate: int | None = None  # calls a minute, where the key has its own
    workspace_name: str = ""
    plan: str = "free"
    client: str | None = None  # what an MCP client calls itself

    @property
    def human(self) -> bool:
        """Only a signed-in session is a person."""
        return self.via is Via.SESSION

    @property
    def gated(self) -> bool:
        return not self.human and not (self.via is Via.KEY and self.direct)

    def through(self, via: Via, client: str | None = None) -> "Principal":
        return replace(self, via=via, client=client)
