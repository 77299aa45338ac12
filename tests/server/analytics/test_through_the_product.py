"""What servers tell and what is asked, through the product's own faces and the real store behind them."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.wire.app import create_app
from server.analytics.wire.tokens import Identity
from tests.app import Caller, Product, _served_new, open_product
from tests.faces.faces import FACES
from tests.promises import promise
from tools.pipes import PIPE_ALLOWLIST
from tools.pixel.query import MetricQuery

PATIENCE = 60.0
IDENTITY = Identity("9a1d7e4e-0000-4000-8000-000000000002", "p.admin-token-of-forty-characters-or-more-4567")


@dataclass
class Shop:
    """A website with events on the day before yesterday, so that the day is over wherever the test runs."""

    product: Product
    key: Caller
    website: str
    day: dt.date

    @property
    def days(self) -> dict[str, str]:
        return {"since": str(self.day), "until": str(self.day)}

    async def tell(self, visitor: str, name: str, second: int, **more: Any) -> None:
        moment = dt.datetime.combine(self.day, dt.time(12, 0, second), dt.UTC).isoformat()
        sent = {"website_id": self.website, "name": name, "visitor_id": visitor, "timestamp": moment} | more
        await self.key.data("POST", "/pixel/events", sent)

    async def asked(self, pipe: str, **sent: Any) -> dict[str, Any]:
        query = self.days | sent
        answer = await self.key.http.get(f"/api/v1/analytics/metrics/{pipe}/rows", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found

    async def until_told(self, payments: int) -> None:
        """Until the batch with the last of them is in the store."""
        async with asyncio.timeout(PATIENCE):
            while (await self.asked("p_revenue_summary"))["rows"][0]["payments"] < payments:
                continue


@pytest.fixture(scope="session")
def store(project: Project, engine: ChdbEngine) -> Deployed:
    """One for all of them: each has a workspace of its own in it, as customers have."""
    return asyncio.run(Deployed.open(project, engine, database="product"))


@pytest.fixture
async def shop(store: Deployed, tmp_path: Path) -> AsyncIterator[Shop]:
    async with _served_new(create_app(store, IDENTITY)) as url:
        announced = {"url": url, "admin_token": IDENTITY.admin_token, "workspace_id": IDENTITY.workspace_id}
        (tmp_path / "analytics.json").write_text(json.dumps(announced), encoding="utf-8")
        async with open_product(tmp_path, ADWRIGHT_ANALYTICS="on") as product:
            person = await product.person()
            made = await person.data("POST", "/pixel/websites", {"domain": "shop.example.com", "currency": "EUR"})
            day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2)
            shop = Shop(product, await product.key(), made["id"], day)
            page = "https://shop.example.com"
            await shop.tell("v_ann", "pageview", 1, url=f"{page}/?utm_source=chatgpt.com", session_id="s_ann")
            await shop.tell("v_ann", "pageview", 2, url=f"{page}/pricing", session_id="s_ann")
            await shop.tell("v_bob", "pageview", 3, url=f"{page}/pricing", session_id="s_bob")
            await shop.tell("v_ann", "custom", 4, event_name="signup", value=5, session_id="s_ann")
            for _ in range(2):  # a retry
                sale = {"amount": 99.5, "currency": "EUR", "transaction_id": "T-1", "session_id": "s_ann"}
                await shop.tell("v_ann", "payment", 5, **sale)
            await shop.tell("v_bob", "payment", 6, amount=10, currency="USD")
            await shop.tell("v_bob", "payment", 7, amount=0.5, currency="EUR", event_id="last")
            await shop.until_told(2)
            yield shop


@promise("pixel.metrics.mint", "pixel.metrics.website-fixed", "pixel.metrics.range", "pixel.visitors.profile")
async def test_what_is_minted_is_taken_on_our_own_origin_and_reads_what_was_told(shop: Shop) -> None:
    days = {"website_id": shop.website, "from": str(shop.day), "to": str(shop.day)}
    minted = await shop.key.data("GET", "/pixel/metrics/p_top_pages", **days)
    browser = shop.product.client()

    assert minted["url"].startswith(f"{shop.product.url}/v0/pipes/p_top_pages.json?")
    answer = await browser.get(f"{minted['url']}&token={minted['token']}")
    pages = {row["path"]: row["visitors"] for row in answer.json()["data"]}
    assert (answer.status_code, pages) == (200, {"/pricing": 2, "/": 1})
    for reached in ("p_geo", "p_visitor_profile"):
        other = await browser.get(f"{shop.product.url}/v0/pipes/{reached}.json?token={minted['token']}")
        assert other.status_code == 403
    for fixed in ("workspace_id", "website_id"):
        foreign = await browser.get(f"{minted['url']}&token={minted['token']}&{fixed}=other")
        assert foreign.json().get("data", answer.json()["data"]) == answer.json()["data"]

    profile = await shop.key.data("GET", "/pixel/visitors/v_ann")
    (ann,) = (await browser.get(f"{profile['url']}?token={profile['token']}&visitor_id=v_bob")).json()["data"]
    assert (ann["visitor_id"], ann["sessions"], ann["payments"]) == ("v_ann", 1, 1)
    assert {"first_seen", "last_seen", "country", "device", "llm_engine"} <= ann.keys()
    assert (ann["llm_engine"], len(ann["recent_events"])) == ("chatgpt", 4)


async def test_every_face_reads_the_same_figures_and_what_has_to_be_known_of_them(shop: Shop) -> None:
    asked = shop.days | {"pipe": "p_top_pages", "websiteId": shop.website}

    answers = {name: (await call(shop.key, "query_metrics", asked)).data for name, call in FACES.items()}

    assert [row["path"] for row in answers["REST"]["rows"]] == ["/pricing", "/"]
    assert {json.dumps(answer["rows"]) for answer in answers.values()} == {json.dumps(answers["REST"]["rows"])}

    summary = await shop.asked("p_revenue_summary")
    (row,) = summary["rows"]
    assert (row["payments"], float(row["revenue"])) == (2, 100.0)  # told twice, counted once
    assert any(
        caveat.startswith("Payments in other currencies, not in the revenue: 1;") for caveat in summary["caveats"]
    )

    described = await shop.key.data("GET", "/analytics/metrics/p_attributed_revenue")
    (model,) = [each for each in described["parameters"] if each["name"] == "model"]
    assert len(model["choices"]) == 6
    for name in ("first_touch", "linear"):
        rows = (await shop.asked("p_attributed_revenue", model=name))["rows"]
        assert sum(float(each["revenue"]) for each in rows) == 100.0

    for path in ("' OR 1=1 --", "\\", "{{ 7*7 }}", "/pricing' UNION ALL SELECT", "%20"):
        assert (await shop.asked("p_top_pages", path=path))["rows"] == []


async def test_every_pipe_describes_itself_and_answers_its_example(shop: Shop) -> None:
    listed = await shop.key.data("GET", "/analytics/metrics")
    assert [row["pipe"] for row in listed] == list(PIPE_ALLOWLIST)
    fields = set(MetricQuery.model_fields)

    for row in listed:
        told = await shop.key.data("GET", f"/analytics/metrics/{row['pipe']}")
        assert told["columns"], row["pipe"]
        names = [each["name"] for each in told["parameters"]]
        assert (set(names) | told["example"].keys()) <= fields, row["pipe"]
        assert len(set(names)) == len(names), f"{row['pipe']}: two of its parameters have one name for callers"
        assert 20 < len(row["answers"]) < 300
        MetricQuery.model_validate(told["example"])

    checked = await shop.key.data("GET", f"/pixel/websites/{shop.website}/installation")
    assert (checked["status"], checked["last_event_at"][:10]) == ("stale", str(shop.day))
