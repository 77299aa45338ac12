"""A day of a shop's website, event by event, as rows of the datasources that take them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from server.sandbox.visits.people import Person, Weighted, person, rounded
from server.sandbox.visits.sources import Source, Sources

Row = dict[str, Any]
Event = tuple[str, datetime, Row]
"""Datasource, when, and the rest of the row."""

ZONE = ZoneInfo("America/Los_Angeles")
OUTAGE_AGO, OUTAGE_HOURS = 41, range(9, 15)
"""So many days before the history ends the website was down in these hours."""
REFUNDED_WITHIN = 14
"""Days after which no purchase of a day has anything more to tell."""
_MAY_RETURN = 250
"""Of a day's new visitors; those are who comes back later."""
_HOURS = Weighted([
    (hour, 0.12 + max(0.0, math.sin((hour - 6) / 18 * math.pi)) + 0.35 * (19 <= hour <= 22)) for hour in range(24)
])  # fmt: skip
_PRODUCTS = Weighted((
    (("trail-jacket", "Trail jacket", 129), 30), (("day-pack", "Day pack", 79), 34),
    (("wool-hat", "Wool hat", 29), 22), (("camp-stove", "Camp stove", 99), 14),
))  # fmt: skip
_BROWSED = ("/products", "/journal/how-to-layer", "/journal/ten-day-walks", "/guides/boot-fit", "/")
_TITLES = {
    "/": "Northwind Outlet", "/products": "All products", "/cart": "Your cart", "/checkout": "Checkout",
    "/thanks": "Thank you", "/journal/how-to-layer": "How to layer", "/journal/ten-day-walks": "Ten day walks",
    "/guides/boot-fit": "How a boot should fit",
} | {f"/products/{slug}": name for slug, name, _ in _PRODUCTS.values}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """What all events of one session share."""

    who: Person
    session_id: str
    source: Source
    host: str

    def shared(self, random: Random) -> Row:
        return {
            "event_id": f"{random.getrandbits(128):032x}",
            "visitor_id": self.who.visitor_id,
            "session_id": self.session_id,
        }


class Days:
    def __init__(self, sources: Sources, website_id: str, host: str) -> None:
        self._sources, self._website_id, self._host = sources, website_id, host

    def of(self, day: date, today: date) -> Iterator[Event]:
        """The same for a day whenever it is asked; of one that is not over, also what is still to come."""
        random = Random(f"{self._website_id}:{day}")  # noqa: S311  # repeatable on purpose, nothing secret
        first = 0
        down = OUTAGE_HOURS if (today - day).days == OUTAGE_AGO else range(0)
        for flow in self._sources.of(day, today):
            for _ in range(rounded(random, flow.sessions * random.uniform(0.94, 1.06))):
                who, first = self._visitor(random, day, first, flow.source.returning)
                hour = _HOURS.at(random.random())
                begun = datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)), ZONE)
                begun += timedelta(milliseconds=random.randrange(1000))
                visit = Visit(who, f"{random.getrandbits(128):032x}", flow.source, self._host)
                # Drawn in any case, so that the rest of the day stays what it is.
                events = list(_session(random, visit, begun.astimezone(UTC)))
                if hour not in down:
                    yield from events
        yield from self._crawled(random, day)

    def _visitor(self, random: Random, day: date, first: int, returning: float) -> tuple[Person, int]:
        if random.random() < returning:
            before = day - timedelta(days=1 + int(random.expovariate(1 / 9)))
            return person(self._website_id, before.isoformat(), random.randrange(_MAY_RETURN)), first
        return person(self._website_id, day.isoformat(), first), first + 1

    def _crawled(self, random: Random, day: date) -> Iterator[Event]:
        """Crawlers leave rows, too; no figure but the health check counts them."""
        for number in range(20):
            at = datetime.combine(day, time(random.randrange(24), random.randrange(60)), UTC)
            path = random.choice(_BROWSED)
            row = {
                "event_id": f"{random.getrandbits(128):032x}", "visitor_id": f"crawler-{number}", "is_bot": 1,
                "session_id": f"{random.getrandbits(128):032x}", "url": f"https://{self._host}{path}",
                "host": self._host, "path": path, "title": _TITLES[path], "channel": "direct", "country": "US",
                "device": "other", "browser": "GPTBot" if number % 2 else "Googlebot", "os": "Other",
            }  # fmt: skip
            yield "pageviews", at, row


def _session(random: Random, visit: Visit, begun: datetime) -> Iterator[Event]:
    slug, _, price = _PRODUCTS.at(random.random())
    paths = _paths(random, visit.source, f"/products/{slug}")
    at, before = begun, visit.source.referrer
    for path in paths:
        url = f"https://{visit.host}{path}"
        view = _view(random, visit, path, url, before, entry=before == visit.source.referrer)
        yield "pageviews", at, view
        if path == "/cart":
            yield "custom_goals", at, _goal(random, visit, "add_to_cart", path, price, {"product": slug})
        if path == "/thanks":
            yield from _purchase(random, visit, at)
        seconds = 3 + random.expovariate(1 / 38)
        at += timedelta(seconds=round(seconds, 3))
        if len(paths) > 1:
            yield "engagements", at, _engagement(random, visit, view, round(seconds * 1000))
        before = url
    if random.random() < 0.016:
        yield "custom_goals", at, _goal(random, visit, "newsletter", paths[-1], 0, {"place": "footer"})


def _paths(random: Random, source: Source, product: str) -> list[str]:
    landing = random.choice(source.landing)
    if random.random() < source.buys:
        return [landing, *([product] if landing != product else []), "/cart", "/checkout", "/thanks"]
    if random.random() < source.bounce:
        return [landing]
    browsed = [landing, product]
    while random.random() < 0.42:
        browsed.append(random.choice(_BROWSED))
    if random.random() < 0.1:
        browsed += [product, "/cart"] + ["/checkout"] * (random.random() < 0.45)
    return [path for at, path in enumerate(browsed) if not at or path != browsed[at - 1]]


def _view(random: Random, visit: Visit, path: str, url: str, referrer: str, *, entry: bool) -> Row:
    source, who = visit.source, visit.who
    row = visit.shared(random) | {
        "url": url, "host": visit.host, "path": path, "title": _TITLES.get(path, path), "referrer": referrer,
        "referrer_host": referrer.split("/")[2].removeprefix("www.") if referrer else "", "channel": "direct",
        "country": who.country, "language": who.language, "device": who.device.device,
        "browser": who.device.browser, "os": who.device.os, "screen_w": who.device.screen_w,
    }  # fmt: skip
    if entry:
        row |= {f"utm_{name}": value for name, value in source.utm.items()}
        row |= {"channel": source.channel, "llm_engine": source.engine, "click_id_type": source.click_id}
        row |= {"campaign_platform": source.campaign[0], "campaign_id": source.campaign[1]}
        if source.click_id:
            row["click_id_hash"] = f"{random.getrandbits(256):064x}"
    return row


def _goal(random: Random, visit: Visit, name: str, path: str, value: float, props: dict[str, str]) -> Row:
    shown = ", ".join(f'"{key}": "{each}"' for key, each in props.items())
    return visit.shared(random) | {
        "name": name, "value": value, "currency": "USD" if value else "", "props": f"{{{shown}}}",
        "host": visit.host, "path": path, "channel": visit.source.channel,
    }  # fmt: skip


def _engagement(random: Random, visit: Visit, view: Row, milliseconds: int) -> Row:
    return visit.shared(random) | {
        "pageview_id": view["event_id"], "host": visit.host, "path": view["path"], "engaged_ms": milliseconds,
        "scroll": random.randrange(20, 101),
    }  # fmt: skip


def _purchase(random: Random, visit: Visit, at: datetime) -> Iterator[Event]:
    """Most in US dollars; some are sent back days later."""
    amount = round(visit.source.order * random.lognormvariate(-0.09, 0.42), 2)
    currency = "CAD" if visit.who.country == "CA" and random.random() < 0.4 else "USD"
    sold = visit.shared(random) | {
        "amount": amount, "currency": currency, "kind": "payment", "customer_sha256": visit.who.customer,
        "transaction_id": f"nw-{random.getrandbits(48):012x}",
    }  # fmt: skip
    yield "visitor_payments", at, sold
    known = {"event_id": f"{random.getrandbits(128):032x}", "visitor_id": visit.who.visitor_id}
    yield "visitor_identities", at, known | {"external_id_sha256": visit.who.customer, "traits": ["customer"]}
    if random.random() < 0.012:
        club = {"kind": "subscription", "amount": 9.0, "transaction_id": f"{sold['transaction_id']}-club"}
        yield "visitor_payments", at, sold | club | {"event_id": f"{random.getrandbits(128):032x}"}
    if random.random() < 0.04:
        later = at + timedelta(days=random.uniform(2, REFUNDED_WITHIN))
        back = {"kind": "refund", "event_id": f"{random.getrandbits(128):032x}"}
        yield "visitor_payments", later, sold | back
