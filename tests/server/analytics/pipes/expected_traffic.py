"""What pipes of traffic are to answer, computed by pandas alone."""

from typing import Any

import pandas as pd

from tests.server.analytics.pipes.asked import SESSION, Asked, money, rate, rounded

Rows = list[dict[str, Any]]


def grouped(frame: pd.DataFrame, by: list[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    return [(key, part) for key, part in frame.groupby(by, sort=False, dropna=False)]


def attended(sessions: pd.DataFrame) -> float | None:
    return None if sessions.empty else rounded(int(sessions["duration_ms"].sum()) / len(sessions) / 1000, 1)


def bounced(sessions: pd.DataFrame) -> float | None:
    return rate(int((sessions["pageviews"] == 1).sum()), len(sessions))


def top_pages(asked: Asked) -> Rows:
    rows = []
    attention = asked.in_sessions(asked.within("engagements")) if _by_row(asked) else asked.within("engagements")
    views = asked.in_sessions(asked.within("pageviews")) if _by_row(asked) else asked.within("pageviews")
    for (path,), part in grouped(views, ["path"]):
        if asked.values.get("path", path) != path:
            continue
        entered = asked.sessions[asked.sessions["entry_page"] == path]
        engaged = int(attention[attention["path"] == path]["engaged_ms"].sum())
        rows.append(
            {
                "path": path,
                "visitors": part["visitor_id"].nunique(),
                "pageviews": len(part),
                "sessions": len(part[SESSION].drop_duplicates()),
                "entries": len(entered),
                "exits": int((asked.sessions["exit_page"] == path).sum()),
                "bounce_rate": bounced(entered),
                "avg_seconds": rounded(engaged / len(part) / 1000, 1),
            }
        )
    return sorted(rows, key=lambda row: (-row["visitors"], -row["pageviews"], row["path"]))


def _by_row(asked: Asked) -> bool:
    """A path alone chooses rows of the answer, and needs no sessions to do it."""
    return asked.filtered


def entry_exit(asked: Asked) -> Rows:
    rows = []
    views = asked.in_sessions(asked.within("pageviews"))
    for path in sorted({*asked.sessions["entry_page"], *asked.sessions["exit_page"]}):
        if asked.values.get("path", path) != path:
            continue
        entered = asked.sessions[asked.sessions["entry_page"] == path]
        exits, pageviews = int((asked.sessions["exit_page"] == path).sum()), int((views["path"] == path).sum())
        bounces = int((entered["pageviews"] == 1).sum())
        rows.append(
            {
                "path": path,
                "pageviews": pageviews,
                "entries": len(entered),
                "bounces": bounces,
                "bounce_rate": rate(bounces, len(entered)),
                "exits": exits,
                "exit_rate": rate(exits, pageviews),
            }
        )
    return sorted(rows, key=lambda row: (-row["entries"], -row["exits"], row["path"]))


def content(asked: Asked) -> Rows:
    rows = []
    told = asked.in_sessions(asked.within("engagements"))
    for (path,), part in grouped(asked.in_sessions(asked.within("pageviews")), ["path"]):
        if asked.values.get("path", path) != path:
            continue
        views = (
            told[told["path"] == path]
            .groupby(["website_id", "pageview_id"])
            .agg(engaged=("engaged_ms", "sum"), scroll=("scroll", "max"))
        )
        engaged = int(views["engaged"].sum())
        rows.append(
            {
                "path": path,
                "title": part.sort_values("seq")["title"].iloc[-1],
                "visitors": part["visitor_id"].nunique(),
                "pageviews": len(part),
                "engaged_seconds": rounded(engaged / 1000, 1),
                "avg_seconds": rounded(engaged / len(part) / 1000, 1),
                "avg_scroll": None if views.empty else rounded(int(views["scroll"].sum()) / len(views), 1),
                "read_rate": rate(int((views["scroll"] >= 75).sum()), len(views)),
            }
        )
    return sorted(rows, key=lambda row: (-row["visitors"], -row["pageviews"], row["path"]))


def referrers(asked: Asked) -> Rows:
    visits = asked.visits[asked.visits["pageviews"] > 0]
    rows = [
        {
            "referrer_host": host,
            "visitors": part["visitor_id"].nunique(),
            "sessions": len(part),
            "bounce_rate": bounced(part),
            "conversions": int(((part["goals"] > 0) | (part["payments"] > 0)).sum()),
            "revenue": money(part["revenue"].sum()),
            "other_currency_payments": int(part["other"].sum()),
            "currency": asked.currency,
        }
        for (host,), part in grouped(visits, ["referrer_host"])
    ]
    return sorted(rows, key=lambda row: (-row["visitors"], -row["sessions"], row["referrer_host"]))


def geo(asked: Asked) -> Rows:
    level = asked.values.get("level", "country")
    by = {"country": ["country"], "region": ["country", "region"], "city": ["country", "region", "city"]}[level]
    rows = []
    for key, part in grouped(asked.visits[asked.visits["pageviews"] > 0], by):
        country, region, city = (*key, "", "")[:3]
        rows.append(
            {
                "country": country,
                "region": region or None,
                "city": city or None,
                "visitors": part["visitor_id"].nunique(),
                "sessions": len(part),
                "revenue": money(part["revenue"].sum()),
                "other_currency_payments": int(part["other"].sum()),
                "currency": asked.currency,
            }
        )
    # What is not known stands last among equals.
    last = "\U0010ffff"
    return sorted(
        rows,
        key=lambda r: (-r["visitors"], -r["sessions"], r["country"], r["region"] or last, r["city"] or last),
    )


def devices(asked: Asked, dim: str = "device") -> Rows:
    column = {"screen": "screen_w"}.get(dim := asked.values.get("dim", dim), dim)
    rows = [
        {
            "name": str(name),
            "visitors": part["visitor_id"].nunique(),
            "sessions": len(part),
            "share": rate(len(part), len(asked.sessions)),
        }
        for (name,), part in grouped(asked.sessions, [column])
    ]
    return sorted(rows, key=lambda row: (-row["visitors"], -row["sessions"], row["name"]))


def tech(asked: Asked) -> Rows:
    return devices(asked, "browser")


def languages(asked: Asked) -> Rows:
    rows = [
        {"language": language, "visitors": part["visitor_id"].nunique(), "sessions": len(part)}
        for (language,), part in grouped(asked.sessions, ["language"])
    ]
    return sorted(rows, key=lambda row: (-row["visitors"], -row["sessions"], row["language"]))


def traffic_sources(asked: Asked) -> Rows:
    by = {
        "source": ["channel", "source", "utm_medium"],
        "campaign": ["channel", "source", "utm_medium", "utm_campaign"],
    }
    rows = []
    for key, part in grouped(asked.visits, by.get(asked.values.get("by", ""), ["channel"])):
        seen = part[part["pageviews"] > 0]
        rows.append(
            {
                **dict(zip(("channel", "source", "medium", "campaign"), (*key, "", "", "")[:4], strict=True)),
                "visitors": seen["visitor_id"].nunique(),
                "sessions": len(seen),
                "bounce_rate": bounced(seen),
                "avg_seconds": attended(seen),
                "goals": int(part["goals"].sum()),
                "payments": int(part["payments"].sum()),
                "revenue": money(part["revenue"].sum()),
                "other_currency_payments": int(part["other"].sum()),
                "currency": asked.currency,
            }
        )
    names = ("channel", "source", "medium", "campaign")
    order = lambda row: (-row["visitors"], -row["sessions"], -row["revenue"], *(row[name] for name in names))  # noqa: E731
    return sorted(rows, key=order)


def llm_traffic(asked: Asked) -> Rows:
    rows = []
    for (engine,), part in grouped(asked.visits[asked.visits["llm_engine"] != ""], ["llm_engine"]):
        landings = part["entry_page"].value_counts()
        rows.append(
            {
                "engine": engine,
                "visitors": part["visitor_id"].nunique(),
                "sessions": len(part),
                "pageviews": int(part["pageviews"].sum()),
                "top_landing": min(landings.items(), key=lambda pair: (-pair[1], pair[0]))[0],
                "goals": int(part["goals"].sum()),
                "payments": int(part["payments"].sum()),
                "revenue": money(part["revenue"].sum()),
                "other_currency_payments": int(part["other"].sum()),
                "share": rate(len(part), len(asked.sessions)),
                "currency": asked.currency,
            }
        )
    return sorted(rows, key=lambda row: (-row["visitors"], -row["sessions"], row["engine"]))


def campaigns(asked: Asked) -> Rows:
    visits = asked.visits
    chosen = visits[(visits["pageviews"] > 0) & ((visits["campaign_id"] != "") | (visits["utm_campaign"] != ""))]
    tags = [
        chosen[name].where(chosen["campaign_id"] == "", "") for name in ("utm_campaign", "utm_source", "utm_medium")
    ]
    chosen = chosen.assign(tag=tags[0], tag_source=tags[1], tag_medium=tags[2])
    currency, costs = _spent(asked)
    rows = []
    for key, part in grouped(chosen, ["campaign_platform", "campaign_id", "tag", "tag_source", "tag_medium"]):
        cost = costs.pop(key[:2], {})
        rows.append(_campaign(key[:2], part, cost, currency))
    if not asked.filtered and "website_id" not in asked.values:
        rows += [_campaign(key, chosen[:0], cost, currency) for key, cost in costs.items()]
    names = ("platform", "campaign_id", "campaign", "source", "medium")
    return sorted(
        rows,
        key=lambda r: (-r["revenue"], r["spend"] is None, -(r["spend"] or 0), -r["sessions"], *(r[n] for n in names)),
    )


def _campaign(key: tuple[Any, ...], part: pd.DataFrame, cost: dict[str, Any], currency: str) -> dict[str, Any]:
    revenue, spend = money(part["revenue"].sum()), cost.get("spend")
    least = {name: min(part[f"utm_{name}"], default="") for name in ("campaign", "source", "medium")}
    return {
        "platform": key[0],
        "campaign_id": key[1],
        **least,
        "campaign": cost.get("name") or least["campaign"],
        "visitors": part["visitor_id"].nunique(),
        "sessions": len(part),
        "bounce_rate": bounced(part),
        "goals": int(part["goals"].sum()),
        "payments": int(part["payments"].sum()),
        "revenue": revenue,
        "other_currency_payments": int(part["other"].sum()),
        "impressions": cost.get("impressions", 0),
        "clicks": cost.get("clicks", 0),
        "spend": spend,
        "roas": None if spend is None else rate(revenue, spend),
        "spend_currency": cost.get("paid_in", ""),
        "other_currency_spend_rows": cost.get("others", 0),
        "currency": currency,
    }


def _spent(asked: Asked) -> tuple[str, dict[tuple[Any, ...], dict[str, Any]]]:
    spend = asked.owned("ad_spend_daily")
    counts = spend["currency"].value_counts()
    currency = asked.currency or min(counts.items(), key=lambda pair: (-pair[1], pair[0]))[0]
    spend = spend[(spend["date"] >= str(asked.first)) & (spend["date"] <= str(asked.last))]
    costs = {
        key: {
            "name": part.sort_values("date")["campaign_name"].iloc[-1],
            "spend": money(part[ours]["spend"].sum()) if ours.any() else None,
            "paid_in": currency if ours.any() else part["currency"].max(),
            "others": int((~ours).sum()),
            "impressions": int(part["impressions"].sum()),
            "clicks": int(part["clicks"].sum()),
        }
        for key, part in grouped(spend, ["platform", "campaign_id"])
        for ours in [part["currency"] == currency]
    }
    return currency, costs
