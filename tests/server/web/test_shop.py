"""The made-up shop: its pages without a browser, and a visit in one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from playwright.async_api import Route, expect

from tests.chromium import NEEDS_CHROMIUM
from tests.server.web.browser import Open
from tests.server.web.site import Site

WEBSITE = "admx_1234567890"


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(site.app), base_url=site.url) as client:
        yield client


async def test_every_page_says_that_it_is_made_up_and_carries_the_script(client: httpx2.AsyncClient) -> None:
    for path in ("", "/products/day-pack", "/cart", "/thanks"):
        page = await client.get(f"/demo/shop{path}", params={"w": WEBSITE})
        assert page.status_code == 200
        assert "made-up shop" in page.text.lower()
        assert f'<script defer data-website-id="{WEBSITE}" src="/js/p.js"></script>' in page.text


@pytest.mark.parametrize("website", ["", "admx_", 'admx_1"><script>alert(1)</script>', "con_1", "admx_" + "a" * 41])
async def test_without_a_website_nothing_is_counted(client: httpx2.AsyncClient, website: str) -> None:
    page = await client.get("/demo/shop", params={"w": website})
    assert page.status_code == 200
    assert "/js/p.js" not in page.text
    assert "alert(1)" not in page.text


async def test_a_product_that_is_not_there_is_not_found(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/demo/shop/products/moon-boots")).status_code == 404


@pytest.mark.ui
@NEEDS_CHROMIUM
async def test_a_visit_views_moves_signs_up_and_pays(visit: Open) -> None:
    sent: list[dict[str, Any]] = []

    async def receive(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        await route.fulfill(status=202)

    visitor = await visit(None)
    page = visitor.page
    await page.route("**/e", receive)

    await visitor.go(f"/demo/shop?w={WEBSITE}")
    assert await page.evaluate("document.querySelector('.brand span').offsetWidth") > 100  # whose shop it is
    assert await visitor.violations() == []
    await page.fill("#mail", "jane@example.com")
    await page.click("text=Sign up")
    await page.click("text=Day pack")
    await page.click("text=Add to cart")
    await page.click("nav >> text=Cart")
    await expect(page.locator("#total")).to_have_text("day-pack: $79")
    await page.click("#pay")
    await expect(page.locator("h1")).to_have_text("Thank you")
    await expect(page.locator("#sent li", has_text="/demo/shop/thanks → 202")).to_have_count(1)

    assert [*await visitor.violations(), *visitor.complaints, *visitor.strays()] == []

    told = [(event["k"], event.get("n") or event.get("a")) for event in sent if event["k"] != "engagement"]
    assert sorted(map(str, told)) == sorted(map(str, [
        ("pageview", None), ("custom", "newsletter"), ("pageview", None), ("custom", "add_to_cart"),
        ("pageview", None), ("payment", 79), ("pageview", None),
    ]))  # fmt: skip
    paths = [event["u"].partition("/demo/shop")[2].partition("?")[0] for event in sent if event["k"] == "pageview"]
    assert paths == ["", "/products/day-pack", "/cart", "/thanks"]
    assert "jane@example.com" not in json.dumps(sent)
