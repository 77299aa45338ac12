"""Chromium as the tests open it: at a desk or on a phone, noting what it complains of and whom it asks."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.server.web.site import Site

CHROMIUM = shutil.which("chromium")
# Any name but the site's own fails to resolve, so a page that depends on another origin breaks here.
ARGUMENTS = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1180, "height": 900}

APPROVE, DENY = "button[form$=-approve]", "button[form$=-deny]"

IN_CHROMIUM = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"),
]
"""The marks of a module whose tests open a window."""

IN_TWO_LIGHTS = pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["light-desk", "dark-phone"]
)
"""Each colour and each width once."""


@dataclass
class Visitor:
    """One browser window, and what went wrong in it."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    async def go(self, path: str) -> None:
        await self.page.goto(self.site.url + path)

    def strays(self) -> list[str]:
        """Requests that left the origin."""
        return [url for url in self.requested if not url.startswith((self.site.url + "/", "data:"))]

    async def overflow(self) -> int:
        """Pixels that stick out to the right."""
        wider: int = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return max(0, wider)

    async def violations(self) -> list[str]:
        found = await Axe().run(self.page)
        return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]


Open = Callable[..., Awaitable[Visitor]]


async def window(browser: Browser, site: Site, cookie: str | None, options: dict[str, Any]) -> Visitor:
    context: BrowserContext = await browser.new_context(**({"viewport": DESK} | options))
    context.set_default_timeout(10_000)
    if cookie is not None:
        name, _, value = cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": site.url}])
    return Visitor(await context.new_page(), site)


async def press_until(page: Page, key: str, focused: str, most: int = 40) -> None:
    for _ in range(most):
        await page.keyboard.press(key)
        if await page.locator(":focus").count() and await page.locator(":focus").evaluate(
            "(at, wanted) => at.matches(wanted)", focused
        ):
            return
    raise AssertionError(f"{focused} is not reached by {most} times {key}")
