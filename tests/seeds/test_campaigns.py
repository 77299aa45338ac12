"""developer-api § Campaigns and § Insights: the routes and parameters, spelled as documented."""

import datetime as dt
from typing import Any

import pytest

from tests.app import Caller, Product
from tests.promises import promise
from tools.store.tables import insights_cache
from tools.store.tenant import Rows

TODAY = dt.datetime.now(dt.UTC).date()
SINCE, UNTIL = str(TODAY - dt.timedelta(days=14)), str(TODAY - dt.timedelta(days=1))
METRICS = {"spend", "impressions", "clicks", "conversions", "roas", "ctr", "cpc"}


@pytest.fixture
async def person(product: Product) -> Caller:
    person = await product.person()
    await product.connect(person)
    return person


async def asked_upstream(product: Product, part: str) -> int:
    requests = (await product.sandbox.get("/log", params={"kind": "all"})).json()
    return len([one for one in requests if part in one["path"]])


@promise("dev.campaigns.list")
async def test_the_list_filters_by_platform_connection_and_status(person: Caller) -> None:
    everything = await person.data("GET", "/ads/campaigns")
    (connection,) = {row["connectionId"] for row in everything}

    active = await person.data("GET", "/ads/campaigns", platform="meta", connectionId=connection, status="ACTIVE")

    assert {row["status"] for row in everything} >= {"ACTIVE", "PAUSED", "ARCHIVED"}
    assert [row for row in everything if row["status"] == "ACTIVE"] == active
    assert all({"campaign_id", "connectionId"} <= row.keys() for row in active)
    assert await person.data("GET", "/ads/campaigns", platform="google") == []
    assert (await person.refusal(404, "GET", "/ads/campaigns", connectionId="con_none"))["code"] == "not_found"


@promise("dev.campaigns.list.cached")
async def test_a_repeated_list_is_answered_from_the_cache(product: Product, person: Caller) -> None:
    first = await person.data("GET", "/ads/campaigns", status="ACTIVE")
    asked = await asked_upstream(product, "campaigns")

    second = await person.data("GET", "/ads/campaigns", status="ACTIVE")

    assert second == first
    assert await asked_upstream(product, "campaigns") == asked


@promise("dev.campaigns.create", "dev.campaigns.create.paused")
async def test_a_created_campaign_is_paused_unless_told_otherwise(product: Product, person: Caller) -> None:
    account = product.known["accounts"][0]["id"]
    body = {"name": "Spring sale", "objective": "sales", "daily_budget": 25.5, "account_id": account}

    answer = await person("POST", "/ads/campaigns", body)

    made = answer.json()["data"]
    assert (answer.status_code, made["status"], made["daily_budget"]) == (201, "PAUSED", 25.5)
    (write,) = await product.writes_seen()
    assert (write["params"]["status"], write["params"]["daily_budget"]) == ("PAUSED", "2550")
    assert made in await person.data("GET", "/ads/campaigns", account_id=account)


@promise("dev.campaigns.create")
@pytest.mark.parametrize(
    ("field", "value"),
    [("objective", "fame"), ("daily_budget", 0), ("daily_budget", "25"), ("name", ""), ("status", "ARCHIVED")],
)
async def test_a_new_campaign_is_validated(product: Product, person: Caller, field: str, value: Any) -> None:
    body = {"name": "Spring sale", "objective": "sales", "daily_budget": 25, "account_id": "act_1"}

    refused = await person.refusal(422, "POST", "/ads/campaigns", body | {field: value})

    assert [problem["field"] for problem in refused["details"]["problems"]] == [field]
    assert await product.writes_seen() == []


@promise("dev.campaigns.update.partial", "dev.campaigns.audited")
@pytest.mark.parametrize("change", [{"name": "Renamed"}, {"daily_budget": 26}, {"status": "PAUSED"}])
async def test_what_is_not_sent_stays_untouched(product: Product, person: Caller, change: dict[str, Any]) -> None:
    rows = await person.data("GET", "/ads/campaigns", status="ACTIVE")
    before = next(row for row in rows if row.get("daily_budget", 0) >= 26)

    after = await person.data("PATCH", f"/ads/campaigns/{before['campaign_id']}", change)

    same = {name: value for name, value in before.items() if name not in change and name != "platform_status"}
    assert after | same | change == after
    (write,) = await product.writes_seen()
    assert {"name", "daily_budget", "status"} & write["params"].keys() == change.keys()
    (row,) = [row for row in await product.audit_rows() if row["action"] == "update_campaign"]
    assert (row["status"], row["via"]) == ("ok", "session")


@promise("dev.campaigns.delete")
async def test_deleting_pauses_and_can_be_undone(person: Caller) -> None:
    before = next(row for row in await person.data("GET", "/ads/campaigns", status="ACTIVE") if "daily_budget" in row)
    path = f"/ads/campaigns/{before['campaign_id']}"

    deleted = await person.data("DELETE", path)
    (change,) = await person.data("GET", "/changes")
    undo = await person.refusal(202, "POST", f"/changes/{change['id']}/undo")  # going live takes the typed amount
    amount = undo["approval"]["plan"]["amountRequired"]
    undone = await person.data("POST", f"/approvals/{undo['approval']['id']}/approve", {"amount": amount})

    assert deleted["status"] == "PAUSED"
    assert (change["undoable"], undone["status"]) == (True, "done")
    after = next(row for row in await person.data("GET", "/ads/campaigns") if row["campaign_id"] in path)
    assert after == before


@promise("dev.insights.metrics", "dev.insights.params")
async def test_insights_take_the_documented_parameters_and_answer_the_metrics(person: Caller) -> None:
    campaign = (await person.data("GET", "/ads/campaigns", status="ACTIVE"))[0]

    whole = await person.data("GET", "/ads/insights", platform="meta", since=SINCE, until=UNTIL)
    one = await person.data("GET", "/ads/insights", since=SINCE, until=UNTIL, campaignId=campaign["campaign_id"])

    assert {row["currency"] for row in whole["totals"]} == {"USD", "EUR", "JPY"}
    assert all(row.keys() >= METRICS for row in whole["rows"] + whole["totals"])
    (row,) = one["rows"]
    (total,) = [row for row in whole["totals"] if row["currency"] == campaign["currency"]]
    assert 0 < row["spend"] < total["spend"]
    assert row["ctr"] == pytest.approx(row["clicks"] / row["impressions"], abs=1e-4)
    assert (whole["since"], whole["until"]) == (SINCE, UNTIL)


@promise("dev.insights.breakdown")
async def test_every_breakdown_adds_up_to_the_same(person: Caller) -> None:
    whole = await person.data("GET", "/ads/insights", since=SINCE, until=UNTIL)
    expected = {row["currency"]: row["spend"] for row in whole["totals"]}

    for breakdown in ("day", "campaign", "platform"):
        found = await person.data("GET", "/ads/insights", since=SINCE, until=UNTIL, breakdown=breakdown)
        named = "campaign_id" if breakdown == "campaign" else breakdown
        assert all(named in row for row in found["rows"])
        for currency, spend in expected.items():
            mine = [row["spend"] for row in found["rows"] if row["currency"] == currency]
            assert sum(mine) == pytest.approx(spend, abs=0.005)
    refused = await person.refusal(422, "GET", "/ads/insights", breakdown="hour")
    assert refused["details"]["problems"][0]["field"] == "breakdown"


@promise("dev.insights.cache")
async def test_insights_are_asked_once_in_15_minutes_and_again_after_them(product: Product, person: Caller) -> None:
    query = {"since": SINCE, "until": UNTIL, "breakdown": "campaign"}
    first = await person.data("GET", "/ads/insights", **query)
    asked = await asked_upstream(product, "insights")

    same = await person.data("GET", "/ads/insights", **query)
    assert (first.pop("cache")["hit"], same.pop("cache")["hit"]) == (False, True)
    assert (same, await asked_upstream(product, "insights")) == (first, asked)

    await person.data("GET", "/ads/insights", since=SINCE, until=SINCE, breakdown="campaign")
    shifted = await asked_upstream(product, "insights")
    assert shifted > asked

    await sixteen_minutes_pass(product)
    await person.data("GET", "/ads/insights", **query)
    assert await asked_upstream(product, "insights") > shifted


async def sixteen_minutes_pass(product: Product) -> None:
    await product.house.door.keeping.settled()
    rows = Rows(product.house.store, product.home)
    aged = rows.update(insights_cache).values(expires_at=insights_cache.c.expires_at - 16 * 60_000)

    async def work(tx: Any) -> None:
        await tx.run(aged)

    await product.house.store.write(work)
