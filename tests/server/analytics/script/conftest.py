"""A website on one origin, the script and its receiver on another, and one browser for all of these tests."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from server.analytics.script.serving import script_routes
from tests.chromium import BROWSER, CHROMIUM

SECONDS = 10
ARGUMENTS = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost"]
_PAGE = """<!doctype html><title>Page {path}</title>
<script>window.adwright = window.adwright || function () {{ (adwright.q = adwright.q || []).push(arguments) }};
{early}</script>
<script defer data-website-id="admx_1" {attributes} src="http://127.0.0.1:{port}/js/p.js"></script>
<body style="height: 4000px"><a id="next" href="/next">next</a>
<a id="out" href="https://elsewhere.test/x" onclick="return false">out</a>
<a id="file" href="/price-list.pdf" onclick="return false">file</a>
<button id="buy" data-goal="buy" data-goal-plan="pro" data-goal-value="9.5"><b id="inner">Buy</b></button>
<form id="form" data-goal="letters" onsubmit="return false"><button id="sign-up">Sign up</button></form>"""


@dataclass
class Receiver:
    """What arrived at /e, and how it was asked for."""

    port: int = 0
    attributes: str = ""
    early: str = ""
    fail: int = 0  # so many answers are 503
    events: list[dict[str, Any]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def page(self, request: Request) -> Response:
        filled = {"path": request.url.path, "port": self.port, "attributes": self.attributes, "early": self.early}
        return HTMLResponse(_PAGE.format(**filled))

    async def receive(self, request: Request) -> Response:
        self.methods.append(request.method)
        if self.fail:
            self.fail -= 1
            return PlainTextResponse("", 503, {"access-control-allow-origin": "*"})
        event = json.loads(await request.body()) | {"type": request.headers.get("content-type")}
        async with self.arrived:
            self.events.append(event)
            self.arrived.notify_all()
        return PlainTextResponse("", 202, {"access-control-allow-origin": "*"})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["k"] == kind]

    async def wait(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The first so many of a kind, as soon as they are here."""
        async with asyncio.timeout(SECONDS), self.arrived:
            await self.arrived.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def app(self) -> Starlette:
        methods = ["GET", "POST", "OPTIONS"]
        return Starlette(
            routes=[*script_routes(), Route("/e", self.receive, methods=methods), Route("/{path:path}", self.page)]
        )


@dataclass
class Window:
    page: Page
    url: str

    async def go(self, path: str) -> None:
        await self.page.goto(self.url + path)


Open = Callable[..., Awaitable[Window]]


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    async with await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="package")
async def whole_browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """One that keeps the pages to come back to, which costs too much for every test."""
    kept = ["--disable-back-forward-cache"]
    async with await playwright.chromium.launch(
        executable_path=BROWSER, args=ARGUMENTS, ignore_default_args=kept
    ) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="package")
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = socket.create_server(("127.0.0.1", 0))
    receiver.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(receiver.app(), log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield receiver
    server.should_exit = server.force_exit = True
    await serving


@contextlib.asynccontextmanager
async def opening(browser: Browser, receiver: Receiver) -> AsyncIterator[Open]:
    """Opens a window of a new visitor on the website, whose pages have these attributes on the script."""
    async with contextlib.AsyncExitStack() as stack:

        async def visit(path: str = "/", attributes: str = "", early: str = "", prepare: str = "") -> Window:
            receiver.attributes, receiver.early = attributes, early
            context: BrowserContext = await browser.new_context()
            stack.push_async_callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            if prepare:
                await context.add_init_script(prepare)
            window = Window(await context.new_page(), f"http://localhost:{receiver.port}")
            await window.go(path)
            return window

        yield visit


@pytest_asyncio.fixture(loop_scope="package")
async def visit(browser: Browser, receiver: Receiver) -> AsyncIterator[Open]:
    async with opening(browser, receiver) as visit:
        yield visit


@pytest_asyncio.fixture(loop_scope="package")
async def visit_whole(whole_browser: Browser, receiver: Receiver) -> AsyncIterator[Open]:
    async with opening(whole_browser, receiver) as visit:
        yield visit
