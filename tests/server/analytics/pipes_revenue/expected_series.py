"""What pandas says of figures over time, from the raw events."""

import datetime as dt
from typing import Any

import pandas as pd

from tests.server.analytics.pipes.asked import OF_SESSIONS, SESSION, Asked, money, rounded

Rows = list[dict[str, Any]]


def floored(day: dt.date, interval: str) -> dt.date:
    if interval == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def days(asked: Asked) -> list[dt.date]:
    return [asked.first + dt.timedelta(days=number) for number in range((asked.last - asked.first).days + 1)]


def periods(asked: Asked, interval: str) -> list[str]:
    if interval == "hour":
        return [asked.shown(ms)[:-4] for ms in range(asked.since, asked.until, 3_600_000)]
    return sorted({str(floored(day, interval)) for day in days(asked)})


def placed(asked: Asked, frame: pd.DataFrame, interval: str, *, before: bool = False) -> pd.DataFrame:
    """Rows of the range, or of the one before, with their period; those before with the one they are compared with."""
    length = asked.until - asked.since
    if interval == "hour":
        since = asked.since - length if before else asked.since
        found = frame[(frame["ms"] >= since) & (frame["ms"] < since + length)]
        return found.assign(
            t=[asked.shown(asked.since + (ms - since) // 3_600_000 * 3_600_000)[:-4] for ms in found["ms"]]
        )
    since, until = (asked.since_before, asked.since) if before else (asked.since, asked.until)
    found = frame[(frame["ms"] >= since) & (frame["ms"] < until)]
    shift = dt.timedelta(days=(asked.last - asked.first).days + 1 if before else 0)
    return found.assign(t=[str(floored(day + shift, interval)) for day in asked.day(found)])


def views_since(asked: Asked, since: int) -> pd.DataFrame:
    """Views from then to the end of the range, a session's first one first."""
    views = asked.owned("pageviews")
    return views[(views["ms"] >= since) & (views["ms"] < asked.until)].sort_values("seq")


def with_customers(asked: Asked, frame: pd.DataFrame) -> pd.DataFrame:
    paid = asked.paid(frame)
    known = paid["customer_sha256"].fillna("") != ""
    return paid.assign(customer=("c" + paid["customer_sha256"].fillna("")).where(known, "v" + paid["visitor_id"]))


def _figures(asked: Asked, metric: str, frame: pd.DataFrame) -> dict[str, Any]:
    """The metric by period, of rows that have theirs."""
    if metric in {"visitors", "pageviews", "goals"}:
        grouped = frame.groupby("t")
        counted = grouped["visitor_id"].nunique() if metric == "visitors" else grouped.size()
        return {str(t): int(n) for t, n in counted.items()}
    if metric in {"sessions", "bounce_rate", "avg_seconds"}:
        return _of_sessions(metric, frame)
    paid = with_customers(asked, frame)
    if metric == "customers":
        return {str(t): n for t, n in paid[paid["payments"] == 1].groupby("t")["customer"].nunique().items()}
    sums = paid.groupby("t")[["revenue", "payments"]].sum()
    if metric == "aov":
        return {
            str(t): None if row.payments == 0 else rounded(money(row.revenue) / row.payments, 4)
            for t, row in zip(sums.index, sums.itertuples(), strict=True)
        }
    return {str(t): money(n) if metric == "revenue" else int(n) for t, n in sums[metric].items()}


def _of_sessions(metric: str, frame: pd.DataFrame) -> dict[str, Any]:
    one = frame.groupby(["t", *SESSION])["ms"].agg(["size", "min", "max"])
    one = one.assign(bounced=one["size"] == 1, spent=one["max"] - one["min"])
    whole = one.groupby("t").agg(sessions=("size", "size"), bounced=("bounced", "sum"), spent=("spent", "sum"))
    return {
        str(t): {
            "sessions": row.sessions,
            "bounce_rate": rounded(row.bounced / row.sessions, 4),
            "avg_seconds": rounded(row.spent / row.sessions / 1000, 1),
        }[metric]
        for t, row in zip(whole.index, whole.itertuples(), strict=True)
    }


def metric_series(asked: Asked) -> Rows:
    metric, interval = asked.values["metric"], asked.values.get("interval", "day")
    of_visits = metric in {"visitors", "sessions", "pageviews", "bounce_rate", "avg_seconds"}
    name = "pageviews" if of_visits else "custom_goals" if metric == "goals" else "visitor_payments"
    frame = asked.owned(name)
    if metric == "goals" and "event" in asked.values:
        frame = frame[frame["name"] == asked.values["event"]]
    filtered = bool({*OF_SESSIONS, "path"} & asked.values.keys())
    now = placed(asked, frame, interval)
    figures = _figures(asked, metric, asked.in_sessions(now) if filtered else now)
    earlier = _figures(asked, metric, placed(asked, frame, interval, before=True))
    nothing = None if metric in {"bounce_rate", "avg_seconds", "aov"} else 0
    rows = [
        {"t": t, "value": figures.get(t, nothing), "previous_value": None if filtered else earlier.get(t, nothing)}
        for t in periods(asked, interval)
    ][:1000]
    if name != "visitor_payments":
        return rows
    others = asked.paid(now).groupby("t")["other"].sum()
    return [
        {**row, "other_currency_payments": int(others.get(row["t"], 0)), "currency": asked.currency} for row in rows
    ]


def revenue_series(asked: Asked) -> Rows:
    interval = asked.values.get("interval", "day")
    paid = with_customers(asked, placed(asked, asked.owned("visitor_payments"), interval))
    sold = dict(list(paid.groupby("t")))
    return [{"t": t, **_money_of(asked, sold.get(t, paid[:0]))} for t in periods(asked, interval)]


def _money_of(asked: Asked, paid: pd.DataFrame) -> dict[str, Any]:
    sold = list(zip(*(paid[name] for name in ("kind", "amount", "revenue", "customer", "other")), strict=True))
    ours = [(kind, amount, customer) for kind, amount, _, customer, other in sold if not other]
    refunds = [amount for kind, amount, _ in ours if kind == "refund"]
    count, revenue = len(ours) - len(refunds), money(sum(each[2] for each in sold))
    return {
        "revenue": revenue,
        "payments": count,
        "subscriptions": sum(kind == "subscription" for kind, *_ in ours),
        "refunds": len(refunds),
        "refunded": money(sum(refunds)),
        "customers": len({customer for kind, _, customer in ours if kind != "refund"}),
        "aov": None if count == 0 else rounded(revenue / count, 4),
        "other_currency_payments": len(sold) - len(ours),
        "currency": asked.currency,
    }


def channel_series(asked: Asked) -> Rows:
    interval = asked.values.get("interval", "day")
    views = placed(asked, asked.owned("pageviews"), interval).sort_values(["ms", "event_id"])
    first = views.groupby(["t", *SESSION], sort=False)[["channel"]].first().reset_index()
    paid = asked.paid(placed(asked, asked.owned("visitor_payments"), interval))
    paid["channel"] = _channels(asked, paid)
    names = sorted({*first["channel"], *paid["channel"]}, key=str.encode)
    return panel(
        asked, first, paid, [(t, name) for t in periods(asked, interval) for name in names], "channel", "channel"
    )


def _channels(asked: Asked, paid: pd.DataFrame) -> list[str]:
    """Of each the channel of the first view that its session had on its day, or of the day before where it had one."""
    views = asked.owned("pageviews").sort_values(["ms", "event_id"])
    on = views.assign(day=asked.day(views)).groupby([*SESSION, "day"], sort=False)["channel"].first().to_dict()
    keys = paid.assign(day=asked.day(paid))[[*SESSION, "day"]].itertuples(index=False, name=None)
    return [
        on.get((*session, day - dt.timedelta(days=1)), on.get((*session, day), "unattributed"))
        for *session, day in keys
    ]


def panel(
    asked: Asked, seen: pd.DataFrame, paid: pd.DataFrame, cells: list[tuple[str, str]], by: str, shown: str
) -> Rows:
    """One row a cell, of sessions that stand once in each."""
    counted = seen.groupby(["t", by])["visitor_id"].agg(["nunique", "size"]).to_dict("index")
    sums = paid.groupby(["t", by])[["payments", "revenue", "other"]].sum().to_dict("index")
    rows = []
    for t, name in cells[:1000]:
        here, sold = counted.get((t, name), {}), sums.get((t, name), {})
        rows.append(
            {
                "t": t,
                shown: name,
                "visitors": here.get("nunique", 0),
                "sessions": here.get("size", 0),
                "payments": sold.get("payments", 0),
                "revenue": money(sold.get("revenue", 0)),
                "other_currency_payments": sold.get("other", 0),
                "currency": asked.currency,
            }
        )
    return rows
