"""The fixtures of the pages' tests."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.chromium import CHROMIUM
from tests.server.web.browser import ARGUMENTS, Open, Visitor, window
from tests.server.web.site import Site, open_site, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in the browser runs on the loop of the browser, which is started once."""
    for item in items:
        ours = item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item)
        if ours and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def live(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        site.world.clock.now = dt.datetime.now(dt.UTC)  # the browser's countdown runs on the real clock
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, live: Site) -> AsyncIterator[Open]:
    """A window for whoever is signed in, or for nobody; each is a browser of its own to the site."""
    async with AsyncExitStack() as stack:

        async def visit(user: str | None = "usr_owner", workspace: str = "wsp_north", **options: Any) -> Visitor:
            visitor = await window(browser, live, user and await live.cookie(user, workspace), options)
            stack.push_async_callback(visitor.page.context.close)
            return visitor

        yield visit
