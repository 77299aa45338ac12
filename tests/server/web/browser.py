"""Chromium as the tests open it: what it complains of, whom it asks, and how a page looks in each light and width."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, ViewportSize
from playwright.sync_api import Page as SyncPage

from tests.server.web.site import Site

# Any name but the site's own fails to resolve, so a page that depends on another origin breaks here.
# axe leaves much behind: to collect it seldom and by one thread takes a sixth less of the CPU.
ARGUMENTS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--js-flags=--min-semi-space-size=64,--single-threaded-gc",
]
PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1180, height=900)
SHEET = ViewportSize(width=720, height=1000)  # what margins leave of A4

APPROVE, DENY = "button[form$=-approve]", "button[form$=-deny]"

LIGHT: Literal["light"] = "light"
DARK: Literal["dark"] = "dark"
LOOKS = (DESK, LIGHT, True), (DESK, DARK, False), (PHONE, DARK, True), (PHONE, LIGHT, False)
"""Each colour at each width: a page that is open follows. What is no colour is judged once a width."""

_JUDGES = Path(__file__).with_name("judges.js").read_text(encoding="utf-8").strip()
LOOK = f"(given) => {_JUDGES}.look(...given)"
PAPER, BESIDE, LINES, MOTION = (f"{_JUDGES}.{name}()" for name in ("paper", "beside", "lines", "motion"))
JUDGED = "'axe' in window"


def told(seen: dict[str, tuple[str, list[str]]]) -> list[str]:
    """What is wrong and where, of a page that did look different in the two lights."""
    assert len({colour for colour, _ in seen.values()}) == 2, seen
    return [f"{look}: {fault}" for look, (_, faults) in seen.items() for fault in faults]


Tab = TypeVar("Tab", Page, SyncPage)


@dataclass
class Watched(Generic[Tab]):
    """A page of this origin, and what goes wrong in it."""

    expected: ClassVar[tuple[str, ...]] = ()

    page: Tab
    url: str
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._noted(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def _noted(self, kind: str, said: str) -> None:
        if kind in {"error", "warning"} and not any(each in said for each in self.expected):
            self.complaints.append(said)

    def strays(self) -> list[str]:
        """Requests that left the origin."""
        return [url for url in self.requested if not url.startswith((self.url + "/", "data:"))]


class Visitor(Watched[Page]):
    """One browser window."""

    async def go(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def violations(self) -> list[str]:
        """What axe finds and what sticks out, in every look; the last remains."""
        if not await self.page.evaluate(JUDGED):
            await self.page.evaluate(AXE_SCRIPT)
        seen = {}
        for size, scheme, whole in LOOKS:
            await self.page.emulate_media(color_scheme=scheme)
            await self.page.set_viewport_size(size)
            given = [scheme, size["width"], whole]
            seen[f"{scheme}, {size['width']} px"] = await self.page.evaluate(LOOK, given)
        return told(seen)


Open = Callable[..., Awaitable[Visitor]]


async def window(browser: Browser, site: Site, cookie: str | None, options: dict[str, Any]) -> Visitor:
    context = await browser.new_context(**({"viewport": DESK} | options))
    context.set_default_timeout(10_000)
    if cookie is not None:
        name, _, value = cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": site.url}])
    return Visitor(await context.new_page(), site.url)


async def press_until(page: Page, key: str, focused: str, most: int = 40) -> None:
    for _ in range(most):
        await page.keyboard.press(key)
        if await page.locator(":focus").count() and await page.locator(":focus").evaluate(
            "(at, wanted) => at.matches(wanted)", focused
        ):
            return
    raise AssertionError(f"{focused} is not reached by {most} times {key}")
