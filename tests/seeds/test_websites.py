"""pixel-api § websites, goals, alerts, reports and share-links: the routes and their keys, spelled as documented."""

import json
from typing import Any

import pytest

from tests.app import Caller, Product
from tests.promises import promise
from tests.seeds.curl import curl
from tools.store.engine import Transaction
from tools.store.tables import alerts, reports
from tools.store.tenant import Rows

CURL = "curl https://admaxxer.com/api/v1/pixel/websites -H 'Authorization: Bearer $KEY'"


@pytest.fixture
async def website(product: Product) -> dict[str, Any]:
    person = await product.person()
    made: dict[str, Any] = await person.data(
        "POST", "/pixel/websites", {"domain": "example.com", "name": "Main site", "currency": "USD"}
    )
    return made


@promise("pixel.websites.curl", "pixel.websites.list", "pixel.envelope")
async def test_the_documents_curl_lists_the_websites(product: Product, website: dict[str, Any]) -> None:
    key = await product.key(["pixel:read"])

    answer = await curl(product, CURL, key=key.key)

    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"data", "meta"}
    assert body["meta"]["request_id"].startswith("req_")
    (row,) = body["data"]
    assert (row["id"], row["domain"], row["name"]) == (website["id"], "example.com", "Main site")
    assert row["id"].startswith("admx_")
    assert row["createdAt"].endswith("Z")


@promise("pixel.websites.scope", "pixel.scopes")
@pytest.mark.parametrize("path", ["websites", "goals", "alerts", "reports", "share-links", "funnels"])
async def test_every_list_takes_pixel_read_and_says_so(product: Product, path: str) -> None:
    key, without = await product.key(["pixel:read"]), await product.key(["pixel:write", "ads:read"])

    refused = await without.refusal(403, "GET", f"/pixel/{path}")

    assert (refused["code"], refused["details"]["required"]) == ("insufficient_scope", "pixel:read")
    assert refused["details"]["available"] == ["ads:read", "pixel:write"]
    assert refused["meta"]["request_id"].startswith("req_")
    assert isinstance(await key.data("GET", f"/pixel/{path}"), list)
    nobody = Caller(product.client())
    assert (await nobody.refusal(401, "GET", f"/pixel/{path}"))["code"] == "missing_authorization"


@promise("pixel.goals.list", "pixel.share-links.list", "pixel.share-links.no-token")
async def test_lists_are_spelled_as_documented_and_filter_by_either_spelling(
    product: Product, website: dict[str, Any]
) -> None:
    person, key = await product.person(), await product.key(["pixel:read"])
    other = await person.data("POST", "/pixel/websites", {"domain": "example.net"})
    for site in (website, other):
        of = {"websiteId": site["id"], "name": site["domain"]}
        await person.data("POST", "/pixel/goals", of | {"selector": "event:signup"})
        token = (await person.data("POST", "/pixel/share-links", of | {"expires_days": 7}))["token"]

    for spelling in ("website_id", "websiteId"):
        (goal,) = await key.data("GET", "/pixel/goals", **{spelling: website["id"]})
        assert {"name", "selector", "created_at"} <= goal.keys()
        assert goal["name"] == "example.com"
        (link,) = await key.data("GET", "/pixel/share-links", **{spelling: other["id"]})
        assert {"token_prefix", "expires_at", "password_protected"} <= link.keys()
        assert token.startswith(link["token_prefix"])
        assert token not in json.dumps(link)


@promise("pixel.alerts.list", "pixel.reports.list")
async def test_rules_and_reports_are_spelled_as_documented(product: Product, website: dict[str, Any]) -> None:
    rows, of = Rows(product.house.store, product.home), {"website_id": website["id"], "created_at": 1}

    async def work(tx: Transaction) -> None:
        rule = {"id": "alr_1", "metric": "visitors", "threshold": "< 10", "channel": "email"}
        await tx.run(rows.insert(alerts, **rule, **of))
        report = {"id": "rep_1", "cadence": "weekly", "recipients": ["ada@example.com"], "last_sent_at": 1000}
        await tx.run(rows.insert(reports, **report, **of))

    await product.house.store.write(work)
    key = await product.key(["pixel:read"])

    (rule,) = await key.data("GET", "/pixel/alerts")
    (report,) = await key.data("GET", "/pixel/reports")

    assert (rule["metric"], rule["threshold"], rule["channel"]) == ("visitors", "< 10", "email")
    assert (report["cadence"], report["recipients"]) == ("weekly", ["ada@example.com"])
    assert report["last_sent_at"] == "1970-01-01T00:00:01Z"
