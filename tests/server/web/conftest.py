"""The fixtures of the pages' tests."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.server.web.browser import ARGUMENTS, CHROMIUM, Open, Visitor, window
from tests.server.web.site import Site, open_site, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        site.world.clock.now = dt.datetime.now(dt.UTC)  # the browser's countdown runs on the real clock
        yield site


@pytest.fixture
async def visit(live: Site) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        stack.push_async_callback(browser.close)

        async def visit(user: str | None = "usr_owner", workspace: str = "wsp_north", **options: Any) -> Visitor:
            return await window(browser, live, user and await live.cookie(user, workspace), options)

        yield visit
