"""The made-up past with what makes money hard to count: customers of many visitors, refunds, ties, late views."""

import datetime as dt
from decimal import Decimal
from random import Random

from tests.server.analytics.pipes.history import DAYS, FIRST, History, Row, history

LATE = "2026-02-20"
CAMPAIGNS = (
    ("google", "101", "Brand One", "paid_search", "USD"),
    ("google", "102", "brand-2", "paid_search", "EUR"),
    ("meta", "201", "Spring", "paid_social", "USD"),
    ("meta", "202", "märz'26", "paid_social", "USD"),  # links carry its name alone
    ("meta", "999", "Nothing came of it", "", "USD"),
)


def ledger() -> History:
    told = history()
    chance = Random(11)
    visits = [row for row in told.rows["pageviews"] if row["website_id"] == "shop"]
    late = [row for row in visits if row["workspace_id"] == "ws_b"][:6]
    told.rows["visitor_payments"] = payments = [_sale(row, chance) for row in told.rows["visitor_payments"]]
    for number in range(160):
        payments.append(_more(payments, visits, chance, number))
    told.rows["ad_spend_daily"] = [row for day in range(DAYS) for row in _spend(day, chance)]
    told.rows["pageviews"] += [_late(row, number) for number, row in enumerate(late)]
    return told


def _sale(row: Row, chance: Random) -> Row:
    known = chance.random() < 0.5
    customer = {"customer_sha256": f"{chance.randrange(25)}".rjust(64, "c")} if known else {}
    return {**row, **customer, "transaction_id": f"t{chance.randrange(40)}" if chance.random() < 0.7 else ""}


def _more(payments: list[Row], visits: list[Row], chance: Random, number: int) -> Row:
    """Sales at the very moment of a view or of another sale, long after any, or of a visitor nobody saw."""
    like = chance.choice(payments)
    seen = chance.choice(visits)
    moved = chance.choice((0, 0, 0, 86_400_000 * 29, 86_400_000 * 30, 86_400_000 * 31))
    at = dt.datetime.fromisoformat(seen["ts"]) + dt.timedelta(milliseconds=moved)
    who = {"visitor_id": seen["visitor_id"], "session_id": seen["session_id"], "ts": _time(at)}
    if chance.random() < 0.2:
        who = {"visitor_id": f"unseen{chance.randrange(5)}", "session_id": "", "ts": like["ts"]}
    where = {key: seen[key] for key in ("workspace_id", "website_id")}
    kind = chance.choice(("payment", "payment", "subscription", "refund", "refund"))
    amount = Decimal(chance.choice((0, 1, 3, 999_999, chance.randrange(1, 3_000_000)))) / 10_000
    row = {**like, **where, **who, "kind": kind, "amount": amount, "is_bot": seen["is_bot"], "ingest_ts": _time(at)}
    return {**row, "event_id": f"more{number:04}"}


def _spend(day: int, chance: Random) -> list[Row]:
    at = FIRST + dt.timedelta(days=day)
    return [
        {
            "workspace_id": workspace,
            "date": str(at.date()),
            "platform": platform,
            "account_id": "acct",
            "campaign_id": campaign,
            "campaign_name": name if day < 60 else f"{name} " * (campaign == "101") or name,
            "channel": channel,
            "currency": currency,
            "spend": Decimal(chance.choice((0, chance.randrange(900_000)))) / 10_000,
            "impressions": chance.randrange(5000),
            "clicks": chance.randrange(90),
            "conversion_value": Decimal(chance.randrange(2_000_000)) / 10_000,
            "ingest_ts": _time(at + dt.timedelta(days=1)),
        }
        for workspace in ("ws_a", "ws_b")
        for platform, campaign, name, channel, currency in CAMPAIGNS
        if chance.random() < 0.9
    ]


def _late(row: Row, number: int) -> Row:
    """A view of long ago, received only now: of a session before the rollup, and of one that nobody knew."""
    session = {} if number % 2 else {"session_id": f"late{number}"}
    at = {"ts": f"{LATE} 23:5{number}:00.000", "ingest_ts": "2026-03-20 10:00:00.000", "event_id": f"late{number}"}
    return {**row, **session, **at, "is_bot": 0}


def _time(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"
