"""The whole product in one test: its own application on a real socket, the sandbox behind it on another, and people,
keys and connections made through the doors that everyone uses."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from server.app import create_app
from server.house import House
from server.process.serving import _lifespan
from server.sandbox.app import create_app as create_sandbox
from server.sandbox.meta.limits import POINTS_PER_HOUR
from server.settings import Settings
from tests.analytics import ADMIN_TOKEN, WORKSPACE_ID, StandInPipes, tinybird
from tests.database import settings_in
from tests.served import served
from tools import ids
from tools.authority import Scope
from tools.secret import Secret
from tools.store.sealing import generate_key
from tools.store.tables import ad_sync_logs, workspaces
from tools.store.tenant import Rows

KEYS = generate_key("k1")
LOCAL_TOKEN = "adw_local_" + "t" * 43
ALL_SCOPES = sorted(scope.value for scope in Scope)
OWNER = "owner@adwright.test"


@dataclass
class Caller:
    """One credential and the ways to use it: a person's session, an API key, or none."""

    http: httpx2.AsyncClient
    key: str = ""

    async def data(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self(method, path, body, **query)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["data"]

    async def refusal(self, expected: int, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        answer = await self(method, path, body, **query)
        assert answer.status_code == expected, answer.text
        refusal: dict[str, Any] = answer.json()
        return refusal

    async def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> httpx2.Response:
        return await self.http.request(method, f"/api/v1{path}", json=body, params=query)


@dataclass
class Product:
    url: str
    settings: Settings
    sandbox: httpx2.AsyncClient
    known: dict[str, Any]  # what the sandbox tells a client of Meta
    _stack: contextlib.AsyncExitStack
    home: str = ""  # the workspace that the first user opened
    houses: list[House] = field(default_factory=list)
    pipes: StandInPipes = field(default_factory=StandInPipes)  # the analytics store, where the product was given one

    @property
    def house(self) -> House:
        return self.houses[-1]

    def client(self, **headers: str) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        self._stack.push_async_callback(client.aclose)
        return client

    async def operate(self, method: str, path: str, body: Any = None) -> Any:
        """As the operator's commands do."""
        headers = {"authorization": f"Bearer {LOCAL_TOKEN}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False) as local:
            answer = await local.request(method, f"/local{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()["data"]

    async def user(self, email: str, role: str, workspace: str | None = None) -> dict[str, Any]:
        body = {"email": email, "role": role, "name": email} | ({"workspace": workspace} if workspace else {})
        made: dict[str, Any] = await self.operate("POST", "/users", body)
        return made

    async def person(self, email: str = OWNER, workspace: str | None = None) -> Caller:
        """Signed in by a link, in a browser that says where its requests come from."""
        body = {"email": email, "workspace": workspace or self.home}
        link = await self.operate("POST", "/login-links", body)
        client = self.client(**{"sec-fetch-site": "same-origin"})
        assert (await client.get(link["url"])).status_code == 303
        return Caller(client)

    async def key(self, scopes: Sequence[str] = ALL_SCOPES, **more: Any) -> Caller:
        made = await self.operate(
            "POST", "/keys", {"name": "Test", "scopes": list(scopes), "workspace": self.home} | more
        )
        return self.bearer(made["key"])

    def bearer(self, key: str) -> Caller:
        return Caller(self.client(authorization=f"Bearer {key}"), key)

    async def connect(self, person: Caller) -> str:
        body = {"platform": "meta", "access_token": self.known["access_token"]}
        return str((await person.data("POST", "/connections", body))["id"])

    async def second_workspace(self, email: str = "stranger@elsewhere.test") -> tuple[str, Caller]:
        """No door makes a second workspace yet; everything in it comes through the usual ones."""
        workspace = ids.new("wsp")
        rows = Rows(self.house.store, workspace)

        async def work(tx: Any) -> None:
            await tx.run(rows.insert_once(workspaces, name="Elsewhere", created_at=1))

        await self.house.store.write(work)
        await self.user(email, "owner", workspace)
        return workspace, await self.person(email, workspace)

    async def audit_rows(self, workspace: str | None = None) -> list[dict[str, Any]]:
        await self.house.audit.flush()
        rows = Rows(self.house.store, workspace or self.home)
        found = await rows.all(rows.select(ad_sync_logs).order_by(ad_sync_logs.c.seq))
        return [row.as_dict() for row in found]

    async def writes_seen(self) -> list[dict[str, Any]]:
        """What the platform accepted, in its own words."""
        seen: list[dict[str, Any]] = (await self.sandbox.get("/log")).json()
        return seen

    async def break_next(self, kind: str, target: str = "meta", times: int = 1, **more: Any) -> None:
        answer = await self.sandbox.post("/faults", json={"target": target, "kind": kind, "times": times, **more})
        assert answer.status_code == 201, answer.text


@contextlib.asynccontextmanager
async def open_product(
    directory: Path,
    *,
    limits_clock: Callable[[], int] | None = None,
    sandbox_points_per_hour: int = POINTS_PER_HOUR,
    without: Collection[str] = (),
    analytics: bool = False,
    **settings: str,
) -> AsyncIterator[Product]:
    """The same directory again is the same installation, as after a restart; settings are named as in the
    environment. With `analytics` there is a store of pipes, else none."""
    async with contextlib.AsyncExitStack() as stack:
        sandbox_url = await stack.enter_async_context(
            _served_new(create_sandbox(meta_points_per_hour=sandbox_points_per_hour))
        )
        sandbox = await stack.enter_async_context(httpx2.AsyncClient(base_url=sandbox_url, trust_env=False))
        everything = (await sandbox.get("/")).json()
        pipes = StandInPipes()
        listener = _listener()
        url = _url(listener)
        variables = {
            **settings_in(directory),
            "ENCRYPTION_KEYS": KEYS,
            "ADWRIGHT_ANALYTICS": "off",
            "PUBLIC_URL": url,
            "META_GRAPH_URL": f"{sandbox_url}/meta",
            "META_APP_ID": everything["meta"]["app_id"],
            "META_APP_SECRET": everything["meta"]["app_secret"],
            "GOOGLE_ADS_URL": everything["google"]["url"],
            "GOOGLE_TOKEN_URL": everything["google"]["token_url"],
            "GOOGLE_CLIENT_ID": everything["google"]["client_id"],
            "GOOGLE_CLIENT_SECRET": everything["google"]["client_secret"],
            "ANTHROPIC_BASE_URL": everything["anthropic"]["url"],
            "ANTHROPIC_API_KEY": everything["anthropic"]["api_key"],
        }
        if analytics:
            variables |= {
                "TINYBIRD_HOST": await stack.enter_async_context(_served_new(tinybird(pipes))),
                "TINYBIRD_ADMIN_TOKEN": ADMIN_TOKEN,
                "TINYBIRD_WORKSPACE_ID": WORKSPACE_ID,
            }
        product = Product(
            url,
            Settings.read(directory, {k: v for k, v in (variables | settings).items() if k not in without}),
            sandbox,
            everything["meta"],
            stack,
            pipes=pipes,
        )

        def extra(house: House) -> Sequence[BaseRoute]:
            product.houses.append(house)
            return ()

        app = create_app(product.settings, local_token=Secret(LOCAL_TOKEN), extra=extra, limits_clock=limits_clock)
        await stack.enter_async_context(_served(app, listener))
        if not (await product.operate("GET", "/status"))["workspaces"]:
            await product.user(OWNER, "owner")
        product.home = (await product.operate("GET", "/status"))["workspaces"][0]["id"]
        yield product


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not, for a socket it is handed
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def _served_new(app: ASGIApp) -> AsyncIterator[str]:
    listener = _listener()
    async with _served(app, listener):
        yield _url(listener)


@contextlib.asynccontextmanager
async def _served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(listener)
        await stack.enter_async_context(_lifespan(app))
        await stack.enter_async_context(served(app, listener))
        yield
