"""What is known about a website is asked once, and forgotten as soon as something written may have changed it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Engine, EngineUnavailable, Format

SHOP = {"workspace_id": "ws", "website_id": "shop"}
NINE = "2026-03-01 09:00:00.000"
SERIES = {**SHOP, "from": "2026-03-01", "to": "2026-03-01", "interval": "day"}
REVENUE = {**SERIES, "metric": "revenue"}
VISITORS = {**SERIES, "metric": "visitors"}
MONEY = ("p_traffic_sources", "p_referrers", "p_geo", "p_visitors_summary", "p_campaigns", "p_channel_series")


class Listening:
    """An engine that tells what it was asked, and does something while it is asked for what can be known."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sole = engine.sole
        self.asked: list[str] = []
        self.meanwhile = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def query(self, sql: str, **given: Any) -> bytes:
        self.asked.append(sql)
        answer: bytes = await self._engine.query(sql, **given)
        if len(self.asked) == 1:
            self.meanwhile.set()
            await asyncio.sleep(0)
        return answer


@pytest.fixture
def listening(engine: ChdbEngine) -> Listening:
    return Listening(engine)


@pytest.fixture
async def site(project: Project, listening: Any, database: str) -> AsyncIterator[Deployed]:
    """A shop with a view in the morning and one in the evening, whose rollups are made."""
    deployed = await Deployed.open(project, listening, database=database)
    await _views(deployed, ("v1", "2026-03-01 08:00:00.000"), ("v2", "2026-03-01 20:00:00.000"))
    await _paid(deployed, "USD")
    await _copied(deployed)
    yield deployed


async def _copied(deployed: Deployed) -> None:
    for copy in ("copy_visits", "copy_sessions"):
        await deployed.copy(copy)


async def _views(deployed: Deployed, *seen: tuple[str, str], **changed: Any) -> None:
    rows = [
        {**SHOP, "session_id": "s", "visitor_id": who, "event_id": f"{who} {ts}", "ts": ts, "ingest_ts": ts, **changed}
        for who, ts in seen
    ]
    await deployed.append("pageviews", b"\n".join(map(orjson.dumps, rows)))


async def _paid(deployed: Deployed, currency: str, *, times: int = 1) -> None:
    paid = {**SHOP, "ts": NINE, "ingest_ts": NINE, "visitor_id": "v1", "kind": "payment", "amount": "5"}
    each = [f"{currency} {number}" for number in range(times)]
    rows = [{**paid, "currency": currency, "event_id": name, "transaction_id": name} for name in each]
    await deployed.append("visitor_payments", b"\n".join(map(orjson.dumps, rows)))


async def _row(deployed: Deployed, asked: Mapping[str, str]) -> dict[str, Any]:
    answer = orjson.loads(await deployed.query("p_metric_series", asked, output=Format.JSON))
    row: dict[str, Any] = answer["data"][0]
    return row


async def test_the_cut_is_asked_once(site: Deployed, listening: Listening) -> None:
    first, second = await _row(site, VISITORS), await _row(site, VISITORS)

    assert first == second == {"t": "2026-03-01", "value": 2, "previous_value": 0}
    assert ["rollup_arrivals" in sql for sql in listening.asked] == [True, False, False]


async def test_what_is_known_is_of_the_type_that_the_subquery_has(
    site: Deployed, project: Project, listening: Listening
) -> None:
    asked = {**SHOP, "from": "2026-03-01", "to": "2026-03-01"}
    known = [orjson.loads(await site.query(pipe, asked, output=Format.JSON))["meta"] for pipe in MONEY]
    told = [sql for sql in listening.asked if "visitor_payments" in sql and "AS currency" in sql]
    listening.sole = False
    by_others = await Deployed.open(project, listening, database=site.database)

    assert [orjson.loads(await by_others.query(pipe, asked, output=Format.JSON))["meta"] for pipe in MONEY] == known
    assert any("CAST('USD' AS Nullable(String)) AS currency" in sql for sql in told)


async def test_each_website_and_all_of_them_are_known_apart(site: Deployed, listening: Listening) -> None:
    await _views(site, ("v9", "2026-03-01 21:00:00.000"), website_id="blog")
    of_all = {name: value for name, value in VISITORS.items() if name != "website_id"}
    values = [
        (await _row(site, asked))["value"]
        for asked in (VISITORS, {**VISITORS, "website_id": "blog"}, of_all, {**VISITORS, "workspace_id": "other"})
    ]

    assert values == [2, 1, 3, 0]
    assert sum("rollup_arrivals" in sql for sql in listening.asked) == 4


async def test_what_comes_after_the_cut_leaves_it_known(site: Deployed, listening: Listening) -> None:
    await _row(site, VISITORS)
    await _views(site, ("v3", "2026-03-01 21:00:00.000"))

    assert (await _row(site, VISITORS))["value"] == 3
    assert sum("rollup_arrivals" in sql for sql in listening.asked) == 1


@pytest.mark.parametrize(
    "moment", ["2026-03-01 10:00:00.000", "2026-03-01T10:00:00Z", "2026-03-01 12:00:00+02:00"], ids=str
)
async def test_what_comes_late_is_in_the_next_answer(site: Deployed, moment: str) -> None:
    """However its moment is written."""
    before = await _row(site, VISITORS)
    await _views(site, ("v3", "2026-03-01 21:00:00.000"))
    await _views(site, ("v4", moment), ingest_ts="2026-03-01 21:00:00.000")

    assert (before["value"], (await _row(site, VISITORS))["value"]) == (2, 4)


async def test_a_rollup_made_anew_makes_the_cut_unknown(site: Deployed, listening: Listening) -> None:
    await _row(site, VISITORS)
    await _copied(site)

    assert (await _row(site, VISITORS))["value"] == 2
    assert sum("rollup_arrivals" in sql for sql in listening.asked) == 2


async def test_the_currency_is_known_until_somebody_pays(site: Deployed, listening: Listening) -> None:
    told = [(await _row(site, REVENUE))["currency"] for _ in range(2)]
    asked = len(listening.asked)
    await _paid(site, "EUR", times=2)
    told.append((await _row(site, REVENUE))["currency"])

    assert (told, asked) == (["USD", "USD", "EUR"], 3)


async def test_the_currency_asked_for_is_the_answers(site: Deployed) -> None:
    await _row(site, REVENUE)

    assert (await _row(site, {**REVENUE, "currency": "eur"}))["currency"] == "EUR"


async def test_a_hostile_currency_stays_text(site: Deployed) -> None:
    hostile = "U'\\"
    await _paid(site, hostile, times=3)

    assert (await _row(site, REVENUE))["currency"] == hostile


async def test_what_was_written_while_it_was_asked_is_not_forgotten(site: Deployed, listening: Listening) -> None:
    """The answer of before is used once, by whom it was asked for, and not kept."""
    asking = asyncio.create_task(_row(site, VISITORS))
    await listening.meanwhile.wait()
    site._known.written("pageviews", {("ws", "shop"): "2026-03-01 07:00:00.000"})
    await asking
    await _row(site, VISITORS)

    assert sum("rollup_arrivals" in sql for sql in listening.asked) == 2


async def test_an_insert_that_failed_may_have_written(site: Deployed, listening: Any) -> None:
    await _row(site, VISITORS)

    async def cut_off(table: str, rows: bytes, *, columns: Any) -> None:
        await listening._engine.insert(table, rows, columns=columns)
        raise EngineUnavailable("cut off")

    listening.insert = cut_off
    with contextlib.suppress(EngineUnavailable):
        await _views(site, ("v4", "2026-03-01 10:00:00.000"), ingest_ts="2026-03-01 21:00:00.000")

    assert (await _row(site, VISITORS))["value"] == 3


async def test_an_insert_that_nobody_waits_for_any_more_is_noticed_when_it_is_over(
    site: Deployed, listening: Any
) -> None:
    under_way, goes_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(table: str, rows: bytes, *, columns: Any) -> None:
        under_way.set()
        await goes_on.wait()
        await listening._engine.insert(table, rows, columns=columns)
        over.set()

    listening.insert = slow
    late = _views(site, ("v4", "2026-03-01 10:00:00.000"), ingest_ts="2026-03-01 21:00:00.000")
    appending = asyncio.create_task(late)
    await under_way.wait()
    appending.cancel()
    before = await _row(site, VISITORS)
    goes_on.set()
    await asyncio.wait_for(over.wait(), 10)  # for ever, where the writing was stopped

    assert (before["value"], (await _row(site, VISITORS))["value"]) == (2, 3)


async def test_nothing_is_known_of_a_store_that_others_write_to(
    project: Project, listening: Any, database: str
) -> None:
    listening.sole = False
    deployed = await Deployed.open(project, listening, database=database)

    await _row(deployed, VISITORS)

    assert len(listening.asked) == 1


async def test_a_website_named_twice_is_none_that_is_known(site: Deployed, listening: Listening) -> None:
    answer = await site.query("p_metric_series", {**VISITORS, "website_id": ["shop", "blog"]}, output=Format.JSON)

    assert (orjson.loads(answer)["rows"], len(listening.asked)) == (1, 1)
