"""Lifetime value and cohorts on real purchases: 23,570 customers of CDNOW, 1997 and 1998, beside pandas."""

import asyncio
import io
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Format, quoted

FILE = Path(__file__).parent / "cdnow" / "CDNOW_master.txt.xz"
ASKED = {"workspace_id": "ws", "website_id": "cdnow", "from": "1997-01-01", "to": "1998-12-31", "limit": "1000"}


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    text = lzma.decompress(FILE.read_bytes()).decode()
    frame = pd.read_csv(
        io.StringIO(text), sep=r"\s+", skiprows=1, names=["customer", "date", "cds", "dollars"], dtype=str
    )
    cents = frame["dollars"].str.replace(".", "", regex=False).astype("int64")
    day = pd.to_datetime(frame["date"], format="%Y%m%d", utc=True)
    return frame.assign(cents=cents, day=day, first=day.groupby(frame["customer"]).transform("min"))


@pytest.fixture(scope="module")
def cdnow(project: Project, engine: ChdbEngine, purchases: pd.DataFrame) -> Deployed:
    return asyncio.run(_sold(project, engine, purchases))


async def _sold(project: Project, engine: ChdbEngine, purchases: pd.DataFrame) -> Deployed:
    deployed = await Deployed.open(project, engine, database="cdnow")
    rows = purchases.assign(
        workspace_id="ws",
        website_id="cdnow",
        ts=purchases["day"].dt.strftime("%Y-%m-%d 00:00:00.000"),
        event_id=[f"{number:06}" for number in range(len(purchases))],
        visitor_id=purchases["customer"],
        amount=purchases["dollars"],
        currency="USD",
        ingest_ts="1999-01-01 00:00:00.000",
    )
    columns = ["workspace_id", "website_id", "ts", "event_id", "visitor_id", "amount", "currency", "ingest_ts"]
    body = rows[columns].to_json(orient="records", lines=True).encode()
    await engine.insert(quoted("cdnow", "visitor_payments"), body, columns=columns)
    return deployed


async def _asked(cdnow: Deployed, pipe: str, **further: str) -> pd.DataFrame:
    body = await cdnow.query(pipe, {**ASKED, **further}, output=Format.JSON)
    rows: list[dict[str, Any]] = orjson.loads(body)["data"]
    return pd.DataFrame(rows)


async def test_lifetime_value_equals_pandas(cdnow: Deployed, purchases: pd.DataFrame) -> None:
    age = (purchases["day"] - purchases["first"]).dt.days // 30 + 1
    cohort = purchases["first"].dt.strftime("%Y-%m-01")
    spent = (
        purchases.groupby([cohort, age])["cents"]
        .sum()
        .unstack(fill_value=0)
        .reindex(columns=range(1, 19), fill_value=0)
    )
    customers = purchases.groupby(cohort)["customer"].nunique()

    found = await _asked(cdnow, "p_ltv", horizon="540")

    assert found["complete"].all()
    _agrees(found, spent, customers)
    assert list(customers) == [7846, 8476, 7248]  # as published: of January, February and March


async def test_revenue_of_cohorts_equals_pandas(cdnow: Deployed, purchases: pd.DataFrame) -> None:
    first, now = purchases["first"], purchases["day"]
    since = (now.dt.year - first.dt.year) * 12 + now.dt.month - first.dt.month
    cohort = first.dt.strftime("%Y-%m-01")
    spent = (
        purchases.groupby([cohort, since])["cents"].sum().unstack(fill_value=0).reindex(columns=range(18), fill_value=0)
    )
    active = purchases.groupby([cohort, since])["customer"].nunique().unstack(fill_value=0)

    found = await _asked(cdnow, "p_cohort_revenue", horizon="17")

    _agrees(found, spent, purchases.groupby(cohort)["customer"].nunique())
    assert (found.pivot(index="cohort", columns="period", values="active")[list(active)] == active).all(axis=None)
    assert round(found["revenue"].sum() * 100) == purchases["cents"].sum()


def _agrees(found: pd.DataFrame, spent: pd.DataFrame, customers: "pd.Series[int]") -> None:
    """Cents a cohort and period, their sum so far, and that for each customer."""
    table = found.pivot(index="cohort", columns="period")
    assert list(table.index) == list(spent.index)
    assert (customers.to_numpy() == table["customers"].T).all(axis=None)
    assert ((table["revenue"] * 100).round().astype("int64") == spent).all(axis=None)
    assert ((table["cumulative"] * 100).round().astype("int64") == spent.cumsum(axis=1)).all(axis=None)
    value = np.round(spent.cumsum(axis=1) / 100 / customers.to_numpy()[:, None], 4)
    assert (table["ltv"] == value).all(axis=None)
