"""The pages and the public API in front of the real door, with people who are signed in."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from api.routes import rest_routes
from server.identity.requests import Scope
from server.identity.resolver import Resolver
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore
from server.web.headers import SecurityHeaders
from server.web.pages import web_routes
from server.web.rendering import Renderer
from tests.world import AGENT, World, open_world
from tools.secret import Secret

NOBODY: Scope = {"method": "GET", "headers": []}


def text_of(answer: httpx2.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@dataclass
class Site:
    world: World
    url: str = "http://127.0.0.1:8000"
    identity: IdentityStore = field(init=False)

    def __post_init__(self) -> None:
        clock, door = self.world.clock, self.world.door
        self.identity = IdentityStore(self.world.store)
        self.sessions = Sessions(self.identity, public_url=self.url, max_age_days=30, clock=clock)
        resolver = Resolver(self.identity, self.sessions, local_token=Secret("adw_local_" + "t" * 43), clock=clock)
        self.resolve = resolver.resolve
        renderer = Renderer(clock)
        api = rest_routes(door.registry, door, resolver.resolve, public_url=self.url, version="1")
        self.app = SecurityHeaders(
            Starlette(
                routes=[*api, *web_routes(door, self.sessions, renderer)],
                exception_handlers={HTTPException: renderer.error, Exception: renderer.error},
            )
        )

    async def cookie(self, user: str = "usr_owner", workspace: str = "wsp_north") -> str:
        link = await self.sessions.mint_link(user, workspace)
        opened = await self.sessions.sign_in(NOBODY, link.url.partition("token=")[2])
        assert opened is not None
        return opened.cookie.partition(";")[0]

    def browser(self, cookie: str = "", **headers: str) -> httpx2.AsyncClient:
        """What a browser sends from our own pages; redirects are not followed."""
        sent = {"accept": "text/html", "sec-fetch-site": "same-origin"} | headers
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(
            transport=transport, base_url=self.url, headers=sent | ({"cookie": cookie} if cookie else {})
        )

    async def proposal(self, **change: Any) -> dict[str, Any]:
        """An agent's wish about a running campaign of 150 USD a day."""
        campaign = await self.world.campaign(status="ACTIVE", daily_budget=150)
        return await self.world.propose(AGENT, "update_campaign", campaign_id=campaign["campaign_id"], **change)


@contextlib.asynccontextmanager
async def open_site(path: Path, url: str = "http://127.0.0.1:8000") -> AsyncIterator[Site]:
    async with open_world(path) as world:
        site = Site(world, url)
        yield site
        await site.identity.flush()


@contextlib.asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Site]:
    """The site on a port of this machine, for a real browser."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with open_site(path, url) as site:
            config = uvicorn.Config(site.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve(sockets=[listening]))
            yield site
            server.should_exit = True
            await running
