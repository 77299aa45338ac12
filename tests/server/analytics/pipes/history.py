"""A made-up past of three websites in two workspaces, the same on every machine, with what makes counting hard."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

Row = dict[str, Any]
FIRST = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)  # the clocks go forward on 8 March in New York, on 29 March in Berlin
DAYS = 86
SILENT = {dt.date(2026, 2, day) for day in range(10, 14)}
BUSY = dt.datetime(2026, 3, 14, 11, 48, tzinfo=dt.UTC)
UNPAID = "forum"  # nobody pays there
PATHS = ("/", "/pricing", "/signup", "/checkout", "/über uns", "/it's", "/a%20b", "/back\\slash", "/😀", "")
ENTRIES: tuple[Row, ...] = (
    {"channel": "direct"},
    {"channel": "organic_search", "referrer_host": "www.google.com"},
    {"channel": "organic_search", "referrer_host": "www.bing.com"},
    {"channel": "ai", "referrer_host": "chatgpt.com", "llm_engine": "chatgpt"},
    {"channel": "ai", "referrer_host": "www.perplexity.ai", "llm_engine": "perplexity", "utm_source": "perplexity"},
    {"channel": "referral", "referrer_host": "blog.example"},
    {"channel": "email", "utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "märz'26"},
    *(
        {
            "channel": "paid_search",
            "referrer_host": "www.google.com",
            "utm_source": "google",
            "utm_medium": "cpc",
            "utm_campaign": f"brand-{number}",
            "campaign_platform": "google",
            "campaign_id": f"10{number}",
            "click_id_type": "gclid",
        }
        for number in (1, 2)
    ),
    {
        "channel": "paid_social",
        "referrer_host": "l.facebook.com",
        "utm_source": "facebook",
        "utm_medium": "paid_social",
        "utm_campaign": "spring",
        "campaign_platform": "meta",
        "campaign_id": "201",
    },
)
WEBSITES = (("ws_a", "shop", 90), ("ws_a", "blog", 30), ("ws_b", "shop", 40), ("ws_b", UNPAID, 12))
GOALS = ("signup", "add_to_cart", 'a "näme"')
CURRENCIES = ("USD", "USD", "USD", "EUR", "JPY")


@dataclass(eq=False)
class History:
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, datasource: str, **row: Any) -> None:
        self.rows.setdefault(datasource, []).append(row)


def history() -> History:
    told = History()
    chance = Random(20260105)
    for workspace, website, visitors in WEBSITES:
        for number in range(visitors):
            # The same ids everywhere: whose they are is said by the workspace and the website alone.
            _visitor(told, chance, {"workspace_id": workspace, "website_id": website}, f"v{number:03}")
    _spend(told, chance)
    _drops(told, chance)
    bot = {"workspace_id": "ws_a", "website_id": "shop", "visitor_id": "a bot", "session_id": "a bot", "is_bot": 1}
    told.add("engagements", **bot, path="/", engaged_ms=1, scroll=1, pageview_id="its own")
    told.rows["engagements"][-1] |= _event(chance, BUSY + dt.timedelta(minutes=11))
    for hours in (1, 30):  # the evening of 15 March in Havana, and of 16 March
        at = dt.datetime(2026, 3, 16, 2, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
        who = {"workspace_id": "ws_b", "website_id": "shop", "visitor_id": "v000", "session_id": "late in the evening"}
        told.add("custom_goals", **who, name="signup", value=Decimal(7), currency="USD", props="{}", is_bot=0)
        told.rows["custom_goals"][-1] |= _event(chance, at)
    return told


def sent_again(told: History) -> Iterator[tuple[str, list[Row]]]:
    """What a retry brings a second and a third time, received later."""
    chance = Random(3)
    for datasource, rows in told.rows.items():
        for minutes in (1, 7):
            again = [row for row in rows if chance.random() < 0.06 or row.get("visitor_id") == "v017"]
            yield datasource, [{**row, "ingest_ts": _later(row["ingest_ts"], minutes)} for row in again]


def _visitor(told: History, chance: Random, where: Row, visitor: str) -> None:
    looks = {
        "country": chance.choice(("DE", "US", "FR", "IN", "")),
        "region": chance.choice(("", "BE", "CA")),
        "city": chance.choice(("", "Berlin", "Köln")),
        "device": chance.choice(("desktop", "mobile", "tablet")),
        "browser": chance.choice(("Chrome", "Safari", "Firefox")),
        "os": chance.choice(("macOS", "Windows", "iOS")),
        "screen_w": chance.choice((0, 390, 1280, 1920)),
        "language": chance.choice(("de", "en", "fr", "")),
        "is_bot": int(chance.random() < 0.06),
    }
    for number in range(chance.choice((1, 1, 2, 3, 5))):
        start = _start(chance, busy=number == 0 and chance.random() < 0.15)
        _session(told, chance, {**where, "visitor_id": visitor, "session_id": f"s{visitor}{number}"}, looks, start)
    if chance.random() < 0.3:
        for traits in (["plan"], ["plan", "company"])[: chance.randrange(1, 3)]:
            row = {"traits": traits, "external_id_sha256": f"{visitor}{len(traits)}".rjust(64, "0")}
            told.add("visitor_identities", **where, visitor_id=visitor, **row, **_event(chance, _start(chance)))


def _session(told: History, chance: Random, who: Row, looks: Row, at: dt.datetime) -> None:
    entry = chance.choice(ENTRIES)
    bot = looks["is_bot"]
    for number in range(chance.choice((1, 1, 2, 3, 4, 6))):
        path = PATHS[number] if number < 4 and chance.random() < 0.6 else chance.choice(PATHS)
        if chance.random() < 0.03:
            looks = {**looks, "country": "NL"}
        came = entry if number == 0 else {"channel": "direct"}
        view = {**who, "path": path, "host": "x.example", "title": f"{path} – {chance.randrange(3)}", **looks, **came}
        seen = _event(chance, at)
        told.add("pageviews", **view, **seen, url=f"https://x.example{path}")
        _attention(told, chance, {**who, "path": path, "is_bot": bot}, seen["event_id"], at)
        while chance.random() < 0.2:
            name, props = chance.choice(GOALS), json.dumps({"n": chance.randrange(9), "é": "'\\"})
            value = Decimal(chance.choice((0, chance.randrange(500_000), chance.randrange(500_000)))) / 10_000
            own = who if chance.random() < 0.9 else {**who, "session_id": f"elsewhere{chance.randrange(9)}"}
            row = {"name": name, "value": value, "currency": chance.choice(("", *CURRENCIES)), "props": props}
            told.add("custom_goals", **own, **row, is_bot=bot, **_event(chance, at))
        # None at all, a tie, or up to half an hour
        at += dt.timedelta(milliseconds=chance.choice((0, 1, chance.randrange(1_500_000), chance.randrange(1_500_000))))
    if who["website_id"] != UNPAID and chance.random() < 0.25:
        _payment(told, chance, {**who, "is_bot": bot}, at)


def _payment(told: History, chance: Random, who: Row, at: dt.datetime) -> None:
    kind = chance.choice(("payment", "payment", "payment", "subscription", "refund"))
    amount = Decimal(chance.randrange(1, 2_000_000)) / 10_000
    own = who if chance.random() < 0.8 else {**who, "session_id": "of the server"}
    row = {"kind": kind, "currency": chance.choice(CURRENCIES), "amount": amount, "transaction_id": f"t{at:%j%H%M}"}
    told.add("visitor_payments", **own, **row, **_event(chance, at))


def _attention(told: History, chance: Random, who: Row, view: str, at: dt.datetime) -> None:
    for number in range(chance.choice((0, 1, 1, 2))):
        row = {"engaged_ms": chance.randrange(20_000), "scroll": chance.randrange(101), "pageview_id": view}
        told.add("engagements", **who, **row, **_event(chance, at + dt.timedelta(seconds=15 * (number + 1))))


def _spend(told: History, chance: Random) -> None:
    campaigns = (("google", "101", "USD"), ("google", "102", "EUR"), ("meta", "201", "USD"), ("meta", "999", "USD"))
    for workspace in ("ws_a", "ws_b"):
        for day in range(DAYS):
            for platform, campaign, currency in campaigns:
                told.add(
                    "ad_spend_daily",
                    workspace_id=workspace,
                    date=str((FIRST + dt.timedelta(days=day)).date()),
                    platform=platform,
                    account_id="acct",
                    campaign_id=campaign,
                    campaign_name=f"Campaign {campaign}" + (" (new)" if day > 50 else ""),
                    channel="paid",
                    currency=currency,
                    spend=Decimal(chance.randrange(900_000)) / 10_000,
                    impressions=chance.randrange(5000),
                    clicks=chance.randrange(90),
                    ingest_ts=_time(FIRST + dt.timedelta(days=day + 1)),
                )


def _drops(told: History, chance: Random) -> None:
    for workspace, website in (("ws_a", "shop"), ("ws_a", "blog"), ("ws_a", "dropped_only"), ("ws_b", "shop")):
        for number in range(40):
            at = BUSY - dt.timedelta(hours=chance.randrange(60))
            row = {"reason": chance.choice(("rate_limited", "quarantined", "wrong_domain"))}
            batch = {"events": chance.randrange(1, 30), "batch_id": f"b{number}"}
            where = {"workspace_id": workspace, "website_id": website}
            told.add("ingest_drops", **where, ts=_time(at), ingest_ts=_time(at), **row, **batch)


def _start(chance: Random, *, busy: bool = False) -> dt.datetime:
    if busy:
        return BUSY + dt.timedelta(milliseconds=chance.randrange(900_000))
    while True:
        at = FIRST + dt.timedelta(milliseconds=chance.randrange(DAYS * 86_400_000))
        if at.date() not in SILENT:
            return at


def _event(chance: Random, at: dt.datetime) -> Row:
    received = at + dt.timedelta(milliseconds=chance.randrange(-2_000, 60_000))
    return {"ts": _time(at), "event_id": f"{chance.getrandbits(64):016x}", "ingest_ts": _time(received)}


def _time(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"


def _later(time: str, minutes: int) -> str:
    return _time(dt.datetime.fromisoformat(time).replace(tzinfo=dt.UTC) + dt.timedelta(minutes=minutes))
