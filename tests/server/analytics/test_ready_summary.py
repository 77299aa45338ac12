"""What is told of sums is what the engine reckons from them, to the last digit."""

import random
from collections.abc import Iterator
from decimal import Decimal

import orjson

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.engine import Format
from server.analytics.ready.summary import summary

RECKONED = """
    SELECT
        f[1] AS visitors, f[2] AS sessions, f[3] AS pageviews, round(divideOrNull(f[3], f[2]), 2) AS views_per_session,
        round(divideOrNull(f[4], f[2]), 4) AS bounce_rate, round(divideOrNull(f[5], f[2]) / 1000, 1) AS avg_seconds,
        f[7] AS goals, f[8] AS payments, toDecimal128(earned, 4) AS revenue, f[9] AS other_currency_payments,
        round(divideOrNull(f[6], f[1]), 4) AS conversion_rate, round(divideOrNull(toFloat64(revenue), f[8]), 4) AS aov,
        round(divideOrNull(toFloat64(revenue), f[1]), 4) AS revenue_per_visitor
    FROM (SELECT arrayJoin({sums}) AS row, row.1 AS f, row.2 AS earned)"""
MOST = (3, 40, 1000, 10**6, 2**40)


def _sums() -> Iterator[tuple[list[int], str]]:
    """Small ones often meet halves of the last digit; nothing and what a float cannot hold are among them."""
    chance = random.Random(7)
    yield [0] * 9, "0"
    yield [1, 8, 1, 1, 50, 1, 1, 1, 1], "-0.0001"
    yield [3, 3, 3, 3, 3, 3, 3, 3, 3], "98765432109876543.2101"
    for number in range(3000):
        most = MOST[number % len(MOST)]
        earned = Decimal(chance.randint(-most * 100, most * 10_000)) / 10_000
        yield [chance.randint(0, most) for _ in range(9)], f"{earned.normalize():f}"


async def test_figures_are_what_the_engine_reckons(engine: ChdbEngine) -> None:
    sums = list(_sums())
    asked = RECKONED.format(sums="[" + ", ".join(f"({each}, '{earned}')" for each, earned in sums) + "]")
    reckoned = orjson.loads(await engine.query(asked, output=Format.JSON))

    for (these, revenue), (those, before), row, row_before in zip(
        sums, sums[1:], reckoned["data"], reckoned["data"][1:], strict=False
    ):
        found = {"these": these, "revenue": revenue, "those": those, "revenue_before": before}
        told = orjson.loads(summary(orjson.dumps({"data": [found]}), currency="EUR", compare=True))

        beside = {f"{name}_prev": value for name, value in row_before.items()}
        assert repr(told["data"][0]) == repr({**row, "currency": "EUR", **beside})  # 2 and 2.0 are not the same
        assert told["meta"][: len(row)] == reckoned["meta"]
        assert [column["name"] for column in told["meta"]] == [*told["data"][0]]


def test_revenue_keeps_every_digit() -> None:
    found = {"these": [], "revenue": "12345678901234567890.1234", "those": [], "revenue_before": "0"}

    told = summary(orjson.dumps({"data": [found]}), currency="EUR", compare=False)

    assert b'"revenue":12345678901234567890.1234,' in told
    assert b"_prev" not in told
