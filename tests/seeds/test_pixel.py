"""pixel-api § metrics, visitors, events and identify: each curl as it is written, and what the text beside it says."""

import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest

from tests.analytics import ADMIN_TOKEN, WORKSPACE_ID
from tests.app import Product, open_product
from tests.promises import promise
from tests.seeds.curl import curl
from tools.store.tables import visitor_traits
from tools.store.tenant import Rows

METRICS = (
    "curl 'https://admaxxer.com/api/v1/pixel/metrics/p_top_pages?website_id=admx_123&from=2026-04-01&to=2026-04-17' "
    "\\\n  -H 'Authorization: Bearer $KEY'"
)
EVENT = """curl -X POST https://admaxxer.com/api/v1/pixel/events \\
  -H 'Authorization: Bearer $KEY' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "website_id": "admx_123",
    "name": "payment",
    "visitor_id": "v_abc",
    "amount": 99.00,
    "currency": "USD"
  }'"""
IDENTIFY = """curl -X POST https://admaxxer.com/api/v1/pixel/identify \\
  -H 'Authorization: Bearer $KEY' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "website_id": "admx_123",
    "visitor_id": "v_abc",
    "external_id": "jane@example.com",
    "traits": { "plan": "pro" }
  }'"""
JANE = hashlib.sha256(b"jane@example.com").hexdigest()


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(tmp_path, analytics=True) as product:
        yield product


@pytest.fixture
async def website(product: Product) -> str:
    person = await product.person()
    made = await person.data("POST", "/pixel/websites", {"domain": "example.com", "name": "Main site"})
    return str(made["id"])


def claims(token: str) -> dict[str, Any]:
    told: dict[str, Any] = jwt.decode(token, ADMIN_TOKEN, algorithms=["HS256"])
    return told


@promise("pixel.metrics.curl", "pixel.metrics.mint", "pixel.metrics.website-fixed", "pixel.metrics.range")
async def test_the_documents_curl_mints_a_token_that_the_analytics_server_takes(product: Product, website: str) -> None:
    key = await product.key(["pixel:read"])
    before = dt.datetime.now(dt.UTC).timestamp()
    product.pipes.rows["p_top_pages"] = [{"path": "/", "visitors": 3}]

    answer = await curl(product, METRICS, key=key.key, website=website)

    after = dt.datetime.now(dt.UTC).timestamp()
    body = answer.json()
    assert (answer.status_code, body.keys()) == (200, {"data", "meta"})
    assert body["meta"]["request_id"].startswith("req_")
    data = body["data"]
    assert data.keys() == {"token", "pipe", "url", "expires_at"}
    assert data["url"].endswith("/v0/pipes/p_top_pages.json?from=2026-04-01&to=2026-04-17")
    told = claims(data["token"])
    (scope,) = told["scopes"]
    assert (scope["type"], scope["resource"]) == ("PIPES:READ", "p_top_pages")
    assert scope["fixed_params"] == {"workspace_id": product.home, "website_id": website}
    assert told["workspace_id"] == WORKSPACE_ID
    assert product.home in told["name"]
    assert int(before) + 120 <= told["exp"] <= int(after) + 120
    assert int(dt.datetime.fromisoformat(data["expires_at"]).timestamp()) == told["exp"]

    queried = await product.client().get(f"{data['url']}&token={data['token']}&workspace_id=wsp_other")

    assert queried.json()["data"] == [{"path": "/", "visitors": 3}]
    assert product.pipes.asked[-1] == (
        "p_top_pages",
        {"from": "2026-04-01", "to": "2026-04-17", "workspace_id": product.home, "website_id": website},
    )


@promise("pixel.metrics.pipes")
async def test_an_unknown_pipe_is_a_400_that_names_those_there_are(product: Product) -> None:
    key = await product.key(["pixel:read"])

    refused = await key.refusal(400, "GET", "/pixel/metrics/p_secret")

    assert refused["code"] == "invalid_pipe"
    assert {"p_top_pages", "p_metric_series"} < set(refused["details"]["allowed"])


async def test_a_website_of_another_workspace_is_a_404_wherever_it_is_named(product: Product) -> None:
    _, stranger = await product.second_workspace()
    theirs = (await stranger.data("POST", "/pixel/websites", {"domain": "example.net"}))["id"]
    key = await product.key(["pixel:read", "pixel:write"])
    event = {"website_id": theirs, "name": "payment", "amount": 1, "currency": "USD"}
    known = {"website_id": theirs, "visitor_id": "v_abc", "external_id": "jane@example.com"}

    for call in (
        key.refusal(404, "GET", "/pixel/metrics/p_top_pages", website_id=theirs),
        key.refusal(404, "GET", "/pixel/visitors/v_abc", website_id=theirs),
        key.refusal(404, "POST", "/pixel/events", event),
        key.refusal(404, "POST", "/pixel/identify", known),
    ):
        assert (await call)["code"] == "not_found"


@promise("pixel.visitors.mint")
async def test_a_visitors_token_reads_that_visitors_profile(product: Product) -> None:
    key = await product.key(["pixel:read"])

    data = await key.data("GET", "/pixel/visitors/v_abc")

    (scope,) = claims(data["token"])["scopes"]
    assert (scope["resource"], data["pipe"]) == ("p_visitor_profile", "p_visitor_profile")
    assert scope["fixed_params"] == {"workspace_id": product.home, "visitor_id": "v_abc"}


@promise("pixel.events.curl", "pixel.events.ingest", "pixel.events.visitor-id")
async def test_the_documents_curl_records_a_payment(product: Product, website: str) -> None:
    key = await product.key(["pixel:write"])

    answer = await curl(product, EVENT, key=key.key, website=website)

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["visitor_id"] == "v_abc"
    assert answer.json()["meta"]["request_id"].startswith("req_")
    (row,) = await product.pipes.arrived("visitor_payments")
    assert (row["workspace_id"], row["website_id"], row["visitor_id"]) == (product.home, website, "v_abc")
    assert (float(row["amount"]), row["currency"], row["kind"], row["is_bot"]) == (99.0, "USD", "payment", 0)


@promise("pixel.events.routing", "pixel.events.visitor-id")
async def test_each_name_goes_to_its_datasource_and_a_visitor_left_out_is_made_up(
    product: Product, website: str
) -> None:
    key = await product.key(["pixel:write"])
    of = {"website_id": website}

    view = await key.data("POST", "/pixel/events", of | {"name": "pageview", "url": "https://example.com/pricing"})
    await key.data("POST", "/pixel/events", of | {"name": "custom", "event_name": "signup", "props": {"plan": "pro"}})
    refused = await key.refusal(422, "POST", "/pixel/events", of | {"name": "purchase", "amount": 1})

    (row,) = await product.pipes.arrived("pageviews")
    assert row["path"] == "/pricing"
    assert view["visitor_id"] == str(UUID(view["visitor_id"])) == row["visitor_id"]
    (goal,) = await product.pipes.arrived("custom_goals")
    assert (goal["name"], json.loads(goal["props"])) == ("signup", {"plan": "pro"})
    (problem,) = refused["details"]["problems"]
    assert problem == {"field": "name", "problem": "must be one of pageview, custom, payment"}


@promise("pixel.identify.curl", "pixel.identify", "pixel.identify.hashed")
async def test_the_documents_curl_identifies_a_visitor_and_no_address_leaves_us(product: Product, website: str) -> None:
    key = await product.key(["pixel:write"])

    answer = await curl(product, IDENTIFY, key=key.key, website=website)

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"visitor_id": "v_abc", "external_id_sha256": JANE, "traits": ["plan"]}
    (row,) = await product.pipes.arrived("visitor_identities")
    assert (row["visitor_id"], row["external_id_sha256"], row["traits"]) == ("v_abc", JANE, ["plan"])
    assert "jane" not in json.dumps(product.pipes.appended)
    assert '"pro"' not in json.dumps(product.pipes.appended)
    rows = Rows(product.house.store, product.home)
    (kept,) = await rows.all(rows.select(visitor_traits))
    assert (kept.external_id_sha256, "pro" in kept.sealed_traits) == (JANE, False)
    assert "jane@example.com" not in repr(await product.audit_rows())
