"""From the browser to the answer: what a visitor does in Chromium is what every reader of the analytics is told."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize, async_playwright, expect

from server.process.files import read_json
from tests.app import Caller, Product, open_product
from tests.chromium import CHROMIUM, IN_CHROMIUM
from tests.faces.faces import FACES
from tests.server.analytics.test_process import until
from tests.server.web.browser import ARGUMENTS, PHONE

pytestmark = [pytest.mark.slow, *IN_CHROMIUM]

PATIENCE = 60.0
PATHS = {"/demo/shop": 1, "/demo/shop/products/day-pack": 1, "/demo/shop/cart": 1, "/demo/shop/thanks": 1}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Path]:
    """The data directory, beside which the process of the analytics store runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server.analytics", "--data", str(tmp_path)],
        cwd=Path(__file__).parents[3],
        env={name: value for name, value in os.environ.items() if not name.startswith(("ADWRIGHT_", "CLICKHOUSE_"))},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: process.poll() is not None or read_json(tmp_path / "analytics.json").get("pid") == process.pid)
        assert process.poll() is None, process.communicate()[1]
        yield tmp_path
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@dataclass
class Readers:
    """Everyone who may ask, with one key."""

    product: Product
    key: Caller
    website: str

    async def told(self, pipe: str, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of its rows, over each face and by a token, which must say the same. How long something took
        is none of them: it grows while it is asked."""
        asked = {"pipe": pipe, "websiteId": self.website}
        answers = {name: await call(self.key, "query_metrics", asked) for name, call in FACES.items()}
        assert {name: answer.kind for name, answer in answers.items()} == dict.fromkeys(FACES, "ok")
        rows = {name: _of(answer.data["rows"], columns) for name, answer in answers.items()}
        rows["a minted token"] = _of(await self.minted(pipe), columns)
        assert rows == dict.fromkeys(rows, rows["REST"])
        return rows["REST"]

    async def minted(self, pipe: str) -> list[dict[str, Any]]:
        """As a dashboard in a browser asks: with a token that was minted for it, on our own origin."""
        told = await self.key.data("GET", f"/pixel/metrics/{pipe}", website_id=self.website)
        answer = await self.product.client().get(told["url"], headers={"authorization": f"Bearer {told['token']}"})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    async def until_counted(self, pipe: str, **expected: Any) -> None:
        """Rows of several datasources come to the store one after another."""
        path, site = f"/analytics/metrics/{pipe}/rows", self.website
        async with asyncio.timeout(PATIENCE):
            while not expected.items() <= (await self.key.data("GET", path, website_id=site))["rows"][0].items():
                continue


def _of(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


async def shopping(page: Page, address: str) -> None:
    """A view, three moves without a new page, two goals by mark, a payment by call."""
    await page.goto(address)
    await page.fill("#mail", "jane@example.com")
    await page.click("text=Sign up")
    await page.click("text=Day pack")
    await page.click("text=Add to cart")
    await page.click("nav >> text=Cart")
    await page.click("#pay")
    await expect(page.locator("#sent li", has_text="→ 202").filter(has_text="/demo/shop/thanks")).to_have_count(1)
    await expect(page.locator("#sent li", has_text="payment 79 USD").filter(has_text="→ 202")).to_have_count(1)


async def test_what_a_visitor_does_in_the_shop_is_told_by_rest_mcp_the_command_line_and_a_minted_token(
    owner: Path,
) -> None:
    async with AsyncExitStack() as stack:
        product = await stack.enter_async_context(open_product(owner, ADWRIGHT_ANALYTICS="on"))
        person, key = await product.person(), await product.key(rate=6000)
        asked = {"domain": "shop.example.com", "currency": "USD", "allow_localhost": True}
        website = str((await person.data("POST", "/pixel/websites", asked))["id"])
        readers = Readers(product, key, website)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        stack.push_async_callback(browser.close)
        page = await browser.new_page(
            viewport=ViewportSize(width=PHONE["width"], height=PHONE["height"]), color_scheme="dark", locale="de-DE"
        )

        await shopping(page, f"{product.url}/demo/shop?w={website}&utm_source=news&utm_medium=email")
        await readers.until_counted("p_visitors_summary", pageviews=4, goals=2, payments=1)
        await page.reload()
        await readers.until_counted("p_visitors_summary", pageviews=5)

        figures = "visitors", "sessions", "goals", "payments", "revenue", "currency"
        assert await readers.told("p_visitors_summary", *figures) == [(1, 1, 2, 1, 79, "USD")]
        assert dict(await readers.told("p_top_pages", "path", "pageviews")) == PATHS | {"/demo/shop/thanks": 2}
        assert dict(await readers.told("p_goal_conversions", "goal", "completions")) == {
            "newsletter": 1,
            "add_to_cart": 1,
        }
        session = "entry_page", "exit_page", "channel", "source", "goals", "revenue"
        seen = [("/demo/shop", "/demo/shop/thanks", "email", "news", 2, 79)]
        assert await readers.told("p_sessions_list", *session) == seen
        assert await readers.told("p_attributed_revenue", "channel", "payments", "revenue") == [("email", 1, 79)]

        checked = await key.data("GET", f"/pixel/websites/{website}/installation")
        assert checked["status"] == "receiving"
