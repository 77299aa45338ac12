"""What pipes of visitors and of what they do are to answer, computed by pandas and plain loops alone."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pandas as pd

from tests.server.analytics.pipes.asked import Asked, money, most_frequent, rate, rounded
from tests.server.analytics.pipes.expected_traffic import Rows, attended, bounced, grouped

DAY = 86_400_000


def realtime_visitors(asked: Asked) -> Rows:
    minutes = int(asked.values.get("minutes", "5"))
    last = asked.at // 60_000 * 60_000
    seen = pd.concat([asked.owned(name)[["ms", "visitor_id"]] for name in ("pageviews", "engagements")])
    starts = [last - 60_000 * back for back in reversed(range(minutes))]
    now = seen[(seen["ms"] >= starts[0]) & (seen["ms"] < last + 60_000)]
    return [
        {
            "t": asked.shown(start)[:19],
            "visitors": now[now["ms"] // 60_000 * 60_000 == start]["visitor_id"].nunique(),
            "visitors_now": now["visitor_id"].nunique(),
        }
        for start in starts
    ]


def goal_conversions(asked: Asked) -> Rows:
    goals = asked.in_sessions(asked.within("custom_goals"))
    own = most_frequent(asked.owned("visitor_payments")["currency"])
    if not own:
        valued = asked.owned("custom_goals")
        own = most_frequent(valued[(valued["value"] != 0) & (valued["currency"] != "")]["currency"])
    kept = asked.currency if "currency" in asked.values else own
    ours = goals["currency"].replace("", own) == kept
    goals = goals.assign(worth=goals["value"].where(ours, 0), other=~ours & (goals["value"] != 0))
    rows = [
        {
            "goal": name,
            "completions": len(part),
            "visitors": part["visitor_id"].nunique(),
            "conversion_rate": rate(part["visitor_id"].nunique(), asked.sessions["visitor_id"].nunique()),
            "value": money(part["worth"].sum()),
            "other_currency_completions": int(part["other"].sum()),
            "currency": kept,
        }
        for (name,), part in grouped(goals, ["name"])
        if asked.values.get("goal", name) == name
    ]
    return sorted(rows, key=lambda row: (-row["completions"], row["goal"]))


def sessions_list(asked: Asked) -> Rows:
    visits = asked.visits[asked.visits["pageviews"] > 0]
    if visitor := asked.values.get("visitor_id"):
        visits = visits[visits["visitor_id"] == visitor]
    visits = visits.assign(late=-visits["started"]).sort_values(["late", "visitor_id", "session_id", "website_id"])
    return [
        {
            "session_id": visit["session_id"],
            "visitor_id": visit["visitor_id"],
            "started": asked.shown(int(visit["started"])),
            "ended": asked.shown(int(visit["ended"])),
            "duration_s": rounded(visit["duration_ms"] / 1000, 1),
            **{name: visit[name] for name in ("pageviews", "entry_page", "exit_page", "channel", "source", "country")},
            **{name: visit[name] for name in ("device", "goals")},
            "revenue": money(visit["revenue"]),
            "other_currency_payments": visit["other"],
            "currency": asked.currency,
        }
        for visit in visits.to_dict("records")
    ]


def _events(asked: Asked) -> list[dict[str, Any]]:
    """All that a visitor did, the latest first."""
    kinds: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
        "pageviews": lambda e: ("pageview", e["path"], 0, ""),
        "custom_goals": lambda e: ("goal", e["name"], e["value"], e["currency"]),
        "visitor_payments": lambda e: (e["kind"], e["transaction_id"], e["amount"], e["currency"]),
        "visitor_identities": lambda e: ("identified", ", ".join(e["traits"]), 0, ""),
    }
    events = []
    for name, told in kinds.items():
        frame = asked.owned(name)
        for event in frame[frame["visitor_id"] == asked.values["visitor_id"]].to_dict("records"):
            kind, label, value, currency = told(event)
            session = event.get("session_id", "")
            key = (event["ms"], event["event_id"], kind)
            events.append(
                {"key": key, "session": session, "kind": kind, "label": label, "value": value, "in": currency}
            )
    return sorted(events, key=lambda event: event["key"], reverse=True)


def visitor_timeline(asked: Asked) -> Rows:
    events = _events(asked)
    begun: dict[str, int] = {}
    for event in events:
        if event["session"]:
            begun[event["session"]] = event["key"][0]
    numbers = {session: n for n, (_, session) in enumerate(sorted((at, s) for s, at in begun.items()), start=1)}
    since = asked.since if "from" in asked.values else 0
    return [
        {
            "ts": asked.shown(event["key"][0]),
            "kind": event["kind"],
            "label": event["label"],
            "value": money(event["value"]),
            "currency": event["in"],
            "session_no": numbers.get(event["session"], 0),
        }
        for event in events
        if since <= event["key"][0] < asked.until
    ]


def visitor_profile(asked: Asked) -> Rows:
    events, visitor = _events(asked), asked.values["visitor_id"]
    if not events:
        return []
    views = asked.owned("pageviews")
    views = views[views["visitor_id"] == visitor].sort_values("seq").to_dict("records")
    known = asked.owned("visitor_identities")
    known = known[known["visitor_id"] == visitor]
    latest, first = (views[-1], views[0]) if views else (defaultdict(str), defaultdict(str))
    engines = [view["llm_engine"] for view in views if view["llm_engine"]]
    payments = asked.owned("visitor_payments")
    paid = asked.paid(payments[payments["visitor_id"] == visitor])
    kinds = Counter(event["kind"] for event in events)
    return [
        {
            "visitor_id": visitor,
            "first_seen": asked.shown(events[-1]["key"][0]),
            "last_seen": asked.shown(events[0]["key"][0]),
            "sessions": len({event["session"] for event in events} - {""}),
            "pageviews": len(views),
            "country": latest["country"],
            "region": latest["region"] or None,
            "city": latest["city"] or None,
            **{name: latest[name] for name in ("device", "browser", "os", "language")},
            "first_channel": first["channel"],
            "first_referrer_host": first["referrer_host"],
            "first_page": first["path"],
            "llm_engine": engines[-1] if engines else "",
            "goals": kinds["goal"],
            "payments": int(paid["payments"].sum()),
            "revenue": money(paid["revenue"].sum()),
            "other_currency_payments": int(paid["other"].sum()),
            "currency": asked.currency,
            "identified": int(len(known) > 0),
            "traits": sorted(set(itertools.chain.from_iterable(known["traits"]))),
            "recent_events": [
                {
                    "ts": asked.shown(event["key"][0]),
                    "kind": event["kind"],
                    "label": event["label"],
                    "value": money(event["value"]),
                    "currency": event["in"],
                }
                for event in events[:20]
            ],
        }
    ]


def events_catalog(asked: Asked) -> Rows:
    rows = []
    for (name,), part in grouped(asked.owned("custom_goals"), ["name"]):
        part = part.sort_values(["ms", "event_id"])
        rows.append(
            {
                "name": name,
                "first_seen": asked.shown(part["ms"].min()),
                "last_seen": asked.shown(part["ms"].max()),
                "count_24h": int(((part["ms"] > asked.at - DAY) & (part["ms"] <= asked.at)).sum()),
                "count": len(part),
                "sample_props": part["props"].iloc[-1],
            }
        )
    return sorted(rows, key=lambda row: (-row["count"], row["name"]))


def pixel_healthcheck(asked: Asked) -> Rows:
    names = ("pageviews", "custom_goals", "visitor_payments", "engagements")
    columns = ["website_id", "ms", "received_ms", "is_bot"]
    events = pd.concat([asked.owned(name, bots=True)[columns] for name in names])
    drops = asked.owned("ingest_drops")
    drops = drops[(drops["ms"] > asked.at - DAY) & (drops["ms"] <= asked.at)]
    people = events[events["is_bot"] == 0]
    day = events[(events["ms"] > asked.at - DAY) & (events["ms"] <= asked.at)]
    websites = {*people["website_id"], *day["website_id"], *drops["website_id"]}
    if "website_id" in asked.values:
        websites.add(asked.values["website_id"])
    rows = []
    for website in sorted(websites):
        ever = people[people["website_id"] == website]["ms"]
        part = day[day["website_id"] == website]
        real = part[part["is_bot"] == 0]
        by_reason = drops[drops["website_id"] == website].groupby("reason")["events"].sum().to_dict()
        lag = max(0, (part["received_ms"] - part["ms"]).max()) if len(part) else 0
        rows.append(
            {
                "website_id": website,
                "last_event_at": None if ever.empty else asked.shown(ever.max()),
                "events_5m": int((real["ms"] > asked.at - 300_000).sum()),
                "events_24h": len(real),
                "bots_24h": len(part) - len(real),
                "quarantined_24h": by_reason.get("quarantined", 0),
                "dropped_24h": sum(by_reason.values()),
                "drops_24h": [{"reason": reason, "events": n} for reason, n in sorted(by_reason.items())],
                "max_lag_s": rounded(lag / 1000, 1),
                "status": "ok" if len(real) else "never" if ever.empty else "silent",
            }
        )
    return rows


def visitors_summary(asked: Asked) -> Rows:
    goals, payments = asked.within("custom_goals"), asked.within("visitor_payments")
    row = _figures(asked.visits_of(asked.sessions, goals, payments))
    row["currency"] = asked.currency
    if asked.values.get("compare", "1") != "0":
        before = [asked.within(n, before=True) for n in ("pageviews", "custom_goals", "visitor_payments")]
        sessions = asked.sessions_of(before[0], before[1])
        row |= {f"{name}_prev": x for name, x in _figures(asked.visits_of(sessions, *before[1:])).items()}
    return [row]


def _figures(visits: pd.DataFrame) -> dict[str, Any]:
    seen = visits[visits["pageviews"] > 0]
    visitors, payments, revenue = (
        seen["visitor_id"].nunique(),
        int(visits["payments"].sum()),
        money(visits["revenue"].sum()),
    )
    converted = seen[(seen["goals"] > 0) | (seen["payments"] > 0)]["visitor_id"].nunique()
    return {
        "visitors": visitors,
        "sessions": len(seen),
        "pageviews": int(seen["pageviews"].sum()),
        "views_per_session": None if seen.empty else rounded(int(seen["pageviews"].sum()) / len(seen), 2),
        "bounce_rate": bounced(seen),
        "avg_seconds": attended(seen),
        "goals": int(visits["goals"].sum()),
        "payments": payments,
        "revenue": revenue,
        "other_currency_payments": int(visits["other"].sum()),
        "conversion_rate": rate(converted, visitors),
        "aov": rate(revenue, payments),
        "revenue_per_visitor": rate(revenue, visitors),
    }


def new_vs_returning(asked: Asked) -> Rows:
    visits = asked.visits[asked.visits["pageviews"] > 0]
    views = asked.owned("pageviews")
    been = set(views[views["ms"] < asked.since]["visitor_id"])
    visits = visits.assign(kind=["returning" if visitor in been else "new" for visitor in visits["visitor_id"]])
    return [
        {
            "kind": kind,
            "visitors": part["visitor_id"].nunique(),
            "sessions": len(part),
            "pageviews": int(part["pageviews"].sum()),
            "bounce_rate": bounced(part),
            "avg_seconds": attended(part),
            "goals": int(part["goals"].sum()),
            "payments": int(part["payments"].sum()),
            "revenue": money(part["revenue"].sum()),
            "other_currency_payments": int(part["other"].sum()),
            "share": rate(part["visitor_id"].nunique(), visits["visitor_id"].nunique()),
            "currency": asked.currency,
        }
        for (kind,), part in sorted(grouped(visits, ["kind"]), key=lambda pair: pair[0])
    ]
