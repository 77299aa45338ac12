"""What pandas and plain integers say of revenue, customers, cohorts and spend, from the raw events."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from tests.server.analytics.pipes.asked import SESSION, Asked, money, rounded
from tests.server.analytics.pipes_revenue.expected_series import (
    Rows,
    days,
    floored,
    panel,
    periods,
    placed,
    views_since,
    with_customers,
)

SOLD = [*SESSION, "ts", "ms", "event_id", "kind", "amount", "customer", "payments", "other", "revenue"]


SPENT = [
    *("date", "t", "ours", "platform", "campaign_id", "campaign_name", "channel", "spend", "impressions", "clicks"),
    "claimed",
]


def ratio(part: float, whole: float) -> float | None:
    return None if whole == 0 else rounded(part / whole, 4)


def sales(asked: Asked) -> pd.DataFrame:
    """All of all time, each with whether it is its customer's first payment, and when that was."""
    return asked.once("sales", ("workspace_id", "website_id", "currency"), lambda: _sales(asked))


def _sales(asked: Asked) -> pd.DataFrame:
    paid = with_customers(asked, asked.owned("visitor_payments"))
    opening: dict[str, tuple[int, str, str]] = {}
    for row in paid[paid["kind"] != "refund"].itertuples():
        key = (row.ms, row.website_id, row.event_id)
        opening[row.customer] = min(opening.get(row.customer, key), key)
    own = list(zip(paid["ms"], paid["website_id"], paid["event_id"], strict=True))
    first = [opening.get(customer) for customer in paid["customer"]]
    opens = [a == b and kind != "refund" for a, b, kind in zip(own, first, paid["kind"], strict=True)]
    return paid[SOLD].assign(
        is_first=np.array(opens, dtype=bool), first_ms=np.array([key[0] if key else -1 for key in first], dtype="int64")
    )


def revenue_summary(asked: Asked) -> Rows:
    views, paid = asked.owned("pageviews"), sales(asked)
    sides = [("", asked.since, asked.until)]
    if asked.values.get("compare") != "0":
        sides.append(("_prev", asked.since_before, asked.since))
    found: dict[str, Any] = {"currency": asked.currency}
    for suffix, since, until in sides:
        seen = views[(views["ms"] >= since) & (views["ms"] < until)]["visitor_id"].nunique()
        figures = _summed(paid[(paid["ms"] >= since) & (paid["ms"] < until)], seen)
        found |= {name + suffix: figure for name, figure in figures.items()}
    return [found]


def _summed(paid: pd.DataFrame, visitors: int) -> dict[str, Any]:
    names = ("kind", "amount", "revenue", "customer", "other", "is_first")
    sold = list(zip(*(paid[name] for name in names), strict=True))
    ours = [each for each in sold if not each[4]]
    bought = [each for each in ours if each[0] != "refund"]
    refunded = [amount for kind, amount, *_ in ours if kind == "refund"]
    first = [amount for _, amount, *_, opens in ours if opens]
    revenue, customers = money(sum(each[2] for each in ours)), len({each[3] for each in bought})
    return {
        "revenue": revenue,
        "payments": len(bought),
        "subscriptions": sum(kind == "subscription" for kind, *_ in bought),
        "refunds": len(refunded),
        "refunded": money(sum(refunded)),
        "customers": customers,
        "new_customers": len(first),
        "new_customer_revenue": money(sum(first)),
        "other_currency_payments": len(sold) - len(ours),
        "visitors": visitors,
        "aov": ratio(revenue, len(bought)),
        "rpv": ratio(revenue, visitors),
        "conversion_rate": ratio(customers, visitors),
    }


def spend(asked: Asked, interval: str = "day") -> pd.DataFrame:
    frame = asked.owned("ad_spend_daily")
    day = [dt.date.fromisoformat(date) for date in frame["date"]]
    frame = frame.assign(
        t=[str(floored(each, interval)) for each in day],
        ours=frame["currency"] == asked.currency,
        claimed=[int(value * 10_000) for value in frame["conversion_value"]],
    )
    frame = frame[SPENT]
    return frame[np.array([asked.first <= each <= asked.last for each in day], dtype=bool)]


def mer(asked: Asked) -> Rows:
    interval = asked.values.get("interval", "day")
    sold, spent = placed(asked, sales(asked), interval), spend(asked, interval)
    by_period = dict(list(sold.groupby("t")))
    rows = []
    for t in periods(asked, interval):
        figures, cost = _summed(by_period.get(t, sold[:0]), 0), spent[spent["t"] == t]
        ours = cost[cost["ours"]]
        total = money(ours["spend"].sum())
        rows.append(
            {
                "t": t,
                "spend": total,
                "revenue": figures["revenue"],
                "mer": ratio(figures["revenue"], total),
                "new_customer_revenue": figures["new_customer_revenue"],
                "amer": ratio(figures["new_customer_revenue"], total),
                "cac": ratio(total, figures["customers"]),
                "ncac": ratio(total, figures["new_customers"]),
                "roas": ratio(money(ours["claimed"].sum()), total),
                "payments": figures["payments"],
                "customers": figures["customers"],
                "new_customers": figures["new_customers"],
                "other_currency_payments": figures["other_currency_payments"],
                "other_currency_spend_rows": len(cost) - len(ours),
                "currency": asked.currency,
            }
        )
    return rows


def members(asked: Asked) -> pd.DataFrame:
    """What customers of the cohorts asked for brought from their first payment on."""
    paid = sales(asked)
    paid = paid[(paid["first_ms"] >= 0)]
    begun = asked.day(paid.assign(ts=pd.to_datetime(paid["first_ms"], unit="ms", utc=True)))
    paid = paid.assign(begun=list(begun))
    return paid[np.array([asked.first <= day <= asked.last for day in paid["begun"]], dtype=bool)]


def ltv(asked: Asked) -> Rows:
    paid = members(asked)
    paid = paid.assign(cohort=[str(floored(day, "month")) for day in paid["begun"]])
    rows = []
    for cohort, group in paid.groupby("cohort"):
        customers, later = group["customer"].nunique(), group[group["ms"] >= group["first_ms"]]
        age = (later["ms"] - later["first_ms"]) // (30 * 86_400_000) + 1
        for period in range(1, -(-int(asked.values.get("horizon", "360")) // 30) + 1):
            total = money(later[age <= period]["revenue"].sum())
            rows.append(
                {
                    "cohort": cohort,
                    "period": period,
                    "days": period * 30,
                    "customers": customers,
                    "revenue": money(later[age == period]["revenue"].sum()),
                    "cumulative": total,
                    "ltv": rounded(total / customers, 4),
                    "other_currency_payments": int(later[age == period]["other"].sum()),
                    "currency": asked.currency,
                }
            )
    return rows


def cohort_revenue(asked: Asked) -> Rows:
    by = asked.values.get("period", "month")
    paid = members(asked)
    paid = paid[paid["ms"] >= paid["first_ms"]]
    cohorts = [floored(day, by) for day in paid["begun"]]
    now = [floored(day, by) for day in asked.day(paid)]
    since = [_between(a, b, by) for a, b in zip(cohorts, now, strict=True)]
    paid = paid.assign(cohort=[str(day) for day in cohorts], since=since)
    rows = []
    for cohort, group in paid.groupby("cohort"):
        customers = group["customer"].nunique()
        for period in range(int(asked.values.get("horizon", "12")) + 1):
            mine, total = group[group["since"] == period], money(group[group["since"] <= period]["revenue"].sum())
            rows.append(
                {
                    "cohort": cohort,
                    "period": period,
                    "customers": customers,
                    "active": mine[mine["payments"] == 1]["customer"].nunique(),
                    "revenue": money(mine["revenue"].sum()),
                    "cumulative": total,
                    "ltv": rounded(total / customers, 4),
                    "other_currency_payments": int(mine["other"].sum()),
                    "currency": asked.currency,
                }
            )
    return rows


def _between(first: dt.date, later: dt.date, by: str) -> int:
    if by == "week":
        return (later - first).days // 7
    return (later.year - first.year) * 12 + later.month - first.month


def mmm_input(asked: Asked) -> Rows:
    interval, by = asked.values.get("interval", "week"), asked.values.get("by", "channel")
    spent = spend(asked, interval)
    names = {
        "platform": spent["platform"],
        "campaign": spent["platform"] + ":" + spent["campaign_id"],
        "channel": spent["channel"].where(spent["channel"] != "", spent["platform"]),
    }
    spent = spent.assign(name=names[by])
    sold = asked.paid(placed(asked, asked.owned("visitor_payments"), interval))
    rows = []
    for t in sorted({str(floored(day, interval)) for day in days(asked)}):
        paid = sold[sold["t"] == t]
        for name in sorted(set(spent["name"])):
            cost = spent[(spent["t"] == t) & (spent["name"] == name)]
            ours = cost[cost["ours"]]
            rows.append(
                {
                    "t": t,
                    "channel": name,
                    "spend": money(ours["spend"].sum()),
                    "impressions": int(ours["impressions"].sum()),
                    "clicks": int(ours["clicks"].sum()),
                    "revenue": money(paid["revenue"].sum()),
                    "payments": int(paid["payments"].sum()),
                    "other_currency_payments": int(paid["other"].sum()),
                    "other_currency_spend_rows": len(cost) - len(ours),
                    "currency": asked.currency,
                }
            )
    return rows[:1000]


def forecast_input(asked: Asked) -> Rows:
    interval = asked.values.get("interval", "day")
    views, sold = placed(asked, asked.owned("pageviews"), interval), placed(asked, sales(asked), interval)
    spent, by_period = spend(asked, interval), dict(list(sold.groupby("t")))
    rows = []
    for t in periods(asked, interval):
        seen, paid, cost = (
            views[views["t"] == t],
            _summed(by_period.get(t, sold[:0]), 0),
            spent[spent["t"] == t],
        )
        rows.append(
            {
                "t": t,
                "revenue": paid["revenue"],
                "payments": paid["payments"],
                "new_customers": paid["new_customers"],
                "visitors": seen["visitor_id"].nunique(),
                "sessions": len(seen[SESSION].drop_duplicates()),
                "spend": money(cost[cost["ours"]]["spend"].sum()),
                "other_currency_payments": paid["other_currency_payments"],
                "other_currency_spend_rows": int((~cost["ours"]).sum()),
                "currency": asked.currency,
            }
        )
    return rows


def incrementality_input(asked: Asked) -> Rows:
    interval, unit = asked.values.get("interval", "day"), asked.values.get("unit", "country")
    views = views_since(asked, asked.since - 86_400_000)
    places = {
        "country": views["country"],
        "channel": views["channel"],
        "region": (views["country"] + "-" + views["region"]).where(views["region"] != "", ""),
        "city": (views["country"] + "-" + views["region"] + "-" + views["city"]).where(views["city"] != "", ""),
    }
    place = views.assign(place=places[unit]).groupby(SESSION, sort=False)["place"].first()
    seen = placed(asked, asked.owned("pageviews"), interval)[["t", *SESSION]].drop_duplicates()
    seen["place"] = [place[key] for key in seen[SESSION].itertuples(index=False, name=None)]
    sold = asked.paid(placed(asked, asked.owned("visitor_payments"), interval))
    sold["place"] = [place.get(key, "") for key in sold[SESSION].itertuples(index=False, name=None)]
    names = sorted({*seen["place"], *sold["place"]}, key=str.encode)
    return panel(asked, seen, sold, [(t, name) for t in periods(asked, interval) for name in names], "place", "unit")
