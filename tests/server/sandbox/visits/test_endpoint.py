"""The history of a made-up website: the same whenever it is asked, in the tables' columns, fitting its ads."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from server.analytics.datafiles.loading import load
from server.sandbox.app import create_app

NOW = dt.datetime(2026, 11, 20, 20, 0, tzinfo=dt.UTC)
PROJECT = Path(__file__).parents[4] / "server" / "analytics" / "project"
ASKED = {"website_id": "admx_1", "workspace_id": "wsp_1", "host": "outlet.example"}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def sandbox() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(now=lambda: NOW))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        yield client


def milliseconds(**ago: int) -> int:
    return int((NOW - dt.timedelta(**ago)).timestamp() * 1000)


async def visits(sandbox: httpx2.AsyncClient, **asked: Any) -> Rows:
    answer = await sandbox.get("/visits", params=ASKED | asked)
    assert answer.status_code == 200
    found: Rows = {}
    for line in answer.content.splitlines():
        for datasource, rows in orjson.loads(line).items():
            found.setdefault(datasource, []).extend(rows)
    return found


async def test_rows_have_the_columns_of_their_datasources(sandbox: httpx2.AsyncClient) -> None:
    columns = {name: {column.name for column in source.columns} for name, source in load(PROJECT).datasources.items()}
    for datasource, rows in (await visits(sandbox, after=milliseconds(days=3))).items():
        assert set().union(*rows) <= columns[datasource], datasource
        assert {(row["workspace_id"], row["website_id"]) for row in rows} == {("wsp_1", "admx_1")}


async def test_a_span_asked_in_pieces_is_the_span_asked_at_once(sandbox: httpx2.AsyncClient) -> None:
    first, then, whole = await asyncio.gather(
        visits(sandbox, after=milliseconds(days=3), until=milliseconds(days=2)),
        visits(sandbox, after=milliseconds(days=2)),
        visits(sandbox, after=milliseconds(days=3)),
    )
    for datasource, rows in whole.items():
        pieces = first.get(datasource, []) + then.get(datasource, [])
        assert sorted(row["event_id"] for row in pieces) == sorted(row["event_id"] for row in rows)
    assert len({row["event_id"] for row in whole["pageviews"]}) == len(whole["pageviews"])


async def test_its_story_is_told(sandbox: httpx2.AsyncClient) -> None:
    month = await visits(sandbox, after=milliseconds(days=45))
    payments = month["visitor_payments"]
    entries = [row for row in month["pageviews"] if row["channel"] == "ai"]
    by_hour = Counter(row["ts"][:13] for row in month["pageviews"] if not row.get("is_bot"))
    down = (NOW - dt.timedelta(days=41)).date()

    assert {row["kind"] for row in payments} == {"payment", "refund", "subscription"}
    assert {row["currency"] for row in payments} == {"USD", "CAD"}
    assert {row["llm_engine"] for row in entries} == {"chatgpt", "claude", "gemini", "perplexity"}
    early = sum(1 for row in entries if row["ts"] < str((NOW - dt.timedelta(days=23)).date()))
    assert len(entries) - early > early
    assert not [hour for hour in by_hour if hour.startswith(f"{down} 1") and int(hour[-2:]) in range(17, 20)]
    assert any(row.get("is_bot") for row in month["pageviews"])


async def test_visits_of_a_campaign_are_as_many_as_its_clicks_allow(sandbox: httpx2.AsyncClient) -> None:
    week = await visits(sandbox, after=milliseconds(days=8), until=milliseconds(days=1))
    google = (await sandbox.get("/")).json()["google"]
    grant = {"grant_type": "refresh_token", **{k: google[k] for k in ("client_id", "client_secret", "refresh_token")}}
    token = (await sandbox.post("/google/token", data=grant)).json()["access_token"]
    query = (
        "SELECT campaign.id, metrics.clicks FROM campaign "
        "WHERE segments.date BETWEEN '2026-11-12' AND '2026-11-19' AND campaign.name = 'Outlet | Brand'"
    )
    answer = await sandbox.post(
        "/google/v26/customers/4210007021/googleAds:search",
        json={"query": query},
        headers={"authorization": f"Bearer {token}", "login-customer-id": "4210007021"},
    )
    (row,) = answer.json()["results"]
    sessions = {row["session_id"] for row in week["pageviews"] if row.get("campaign_id") == "207021000001"}

    assert row["campaign"]["id"] == "207021000001"
    assert 0.5 * int(row["metrics"]["clicks"]) < len(sessions) <= int(row["metrics"]["clicks"])


@pytest.mark.parametrize("change", [{"website_id": None}, {"after": "yesterday"}, {"until": "9" * 30}])
async def test_what_it_does_not_understand_is_told(sandbox: httpx2.AsyncClient, change: dict[str, Any]) -> None:
    asked = {name: value for name, value in (ASKED | change).items() if value is not None}
    answer = await sandbox.get("/visits", params=asked)
    assert answer.status_code == 400
    assert "website_id" in answer.json()["error"]
