"""A real database with one workspace, its owner, and a clock that stands still until told."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from server.identity.resolver import Resolver
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore, key_added
from tests.database import database_in
from tools.authority import Role
from tools.keys import format as keys
from tools.secret import Secret
from tools.store.engine import Store
from tools.store.opening import open_store
from tools.store.statements import Row
from tools.store.tables import memberships, users, workspaces

LOCAL_TOKEN = "adw_local_" + "t" * 43
PUBLIC_URL = "http://127.0.0.1:8000"
ADS = ("ads:read", "ads:write")


@dataclass
class Clock:
    now: dt.datetime = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += dt.timedelta(**span)

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)


@dataclass
class Directory:
    store: Store
    clock: Clock = field(default_factory=Clock)
    public_url: str = PUBLIC_URL

    def __post_init__(self) -> None:
        self.identity = IdentityStore(self.store)
        self.sessions = Sessions(self.identity, public_url=self.public_url, max_age_days=30, clock=self.clock)
        self.resolver = Resolver(self.identity, self.sessions, local_token=Secret(LOCAL_TOKEN), clock=self.clock)

    async def workspace(self, name: str) -> str:
        await self._insert(workspaces, id=f"wsp_{name}", name=name, created_at=self.clock.ms)
        return f"wsp_{name}"

    async def user(self, name: str, role: Role, workspace: str = "wsp_main") -> str:
        await self._insert(users, id=f"usr_{name}", email=f"{name}@example.com", name=name, created_at=self.clock.ms)
        await self.member(name, role, workspace)
        return f"usr_{name}"

    async def member(self, name: str, role: Role, workspace: str) -> None:
        row = {"workspace_id": workspace, "user_id": f"usr_{name}", "role": role}
        await self._insert(memberships, **row, created_at=self.clock.ms)

    async def dismiss(self, user: str) -> None:
        await self.store.write(lambda tx: tx.run(delete(memberships).where(memberships.c.user_id == user)))

    async def key(self, user: str = "usr_ada", scopes: tuple[str, ...] = ADS, **columns: Any) -> keys.ApiKey:
        key = keys.mint()
        row = {"workspace_id": "wsp_main", "name": "agent", "scopes": list(scopes), "policy": "gated"} | columns
        row |= {"id": f"key_{key.lookup}", "created_by": user, "created_at": self.clock.ms}
        await self.store.write(lambda tx: tx.run(key_added(key, **row)))
        return key

    async def sign_in(self, user: str = "usr_ada", workspace: str = "wsp_main", cookie: str = "") -> str:
        """The Cookie header of a new session."""
        link = await self.sessions.mint_link(user, workspace)
        opened = await self.sessions.sign_in(request(cookie=cookie), link.url.partition("token=")[2])
        assert opened is not None
        return opened.cookie.partition(";")[0]

    async def rows(self, table: Any) -> list[Row]:
        from_table = table.select()
        return await self.store.read(lambda tx: tx.all(from_table))

    async def _insert(self, table: Any, **values: Any) -> None:
        await self.store.write(lambda tx: tx.run(insert(table).values(**values)))


def request(
    method: str = "GET", path: str = "/api/v1/me", *, peer: str = "127.0.0.1", **headers: str
) -> Mapping[str, Any]:
    """An ASGI scope; header names are written with underscores, empty ones are not sent."""
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items() if value]
    return {"type": "http", "method": method, "path": path, "headers": sent, "client": (peer, 50000)}


def bearer(token: str) -> str:
    return f"Bearer {token}"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database_in(tmp_path))
    yield opened
    await opened.close()


@pytest.fixture
async def directory(store: Store) -> Directory:
    made = Directory(store)
    await made.workspace("main")
    await made.user("ada", Role.OWNER)
    return made
