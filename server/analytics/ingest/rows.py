"""From an event to the row of its datasource, with all that can be derived derived: pure but for what it is given."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

import orjson

from server.analytics.ingest.agents import agent
from server.analytics.ingest.channels import origin
from server.analytics.ingest.countries import Countries
from server.analytics.ingest.pages import page, referrer
from server.analytics.ingest.text import clean, hashed, identifier
from server.analytics.ingest.times import BEHIND_MS, believed, minted_ms, stamp
from server.analytics.ingest.visits import FirstTimes, Visits
from tools.analytics import Event, Kind

Row = dict[str, Any]

# A member of an enum costs more to look up than to compare.
_PAGEVIEW, _IDENTIFY, _PAYMENT = Kind.PAGEVIEW, Kind.IDENTIFY, Kind.PAYMENT

_SCALE = Decimal("0.0001")
_MOST_TITLE, _MOST_NAME, _MOST_PROPERTY, _MOST_PROPERTIES = 500, 100, 255, 50
_MOST_ENGAGED_MS = 24 * 3_600_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Enricher:
    def __init__(self, countries: Countries) -> None:
        self._countries = countries
        self._visits = Visits()
        self._first = FirstTimes()

    def row(self, event: Event, now_ms: int, ingest_ts: str) -> tuple[str, Row]:
        """The datasource and its row. `ingest_ts`: now, spelled once for all that came together."""
        kind = event.kind
        datasource, build = _BUILDERS[kind]
        event_id, at_ms = self._key(event, now_ms)
        visitor_id = identifier(event.visitor_id)
        row: Row = {
            "workspace_id": event.workspace_id,
            "website_id": event.website_id,
            "ts": stamp(at_ms),
            "event_id": event_id,
            "visitor_id": visitor_id,
        }
        if kind is not _IDENTIFY:
            row["session_id"] = self._visits.session(event.website_id, visitor_id, identifier(event.session_id), at_ms)
            row["is_bot"] = int(agent(event.user_agent).is_bot)
        row["ingest_ts"] = ingest_ts
        if kind is _PAGEVIEW:
            row["country"] = self._countries.of(event.ip) if event.ip else ""
        build(row, event)
        return datasource, row

    def _key(self, event: Event, now_ms: int) -> tuple[str, int]:
        event_id = _payment_id(event) if event.transaction_id and event.kind is _PAYMENT else event.event_id
        event_id = identifier(event_id)
        first = self._first.known(event.website_id, event_id)
        if first is not None:
            return event_id, first
        if event.at_ms is not None:
            if believed(event.at_ms, now_ms):
                return event_id, event.at_ms
        else:
            minted = minted_ms(event_id)
            if minted is not None and believed(minted, now_ms, behind_ms=BEHIND_MS):
                return event_id, minted
        self._first.keep(event.website_id, event_id, now_ms)
        return event_id, now_ms


def _payment_id(event: Event) -> str:
    """Of the transaction, whoever tells of it and as often as it is told."""
    told = f"{event.website_id}|{event.payment.value}|{event.transaction_id}"
    return f"txn_{hashed(told)[:32]}"


def _pageview(row: Row, event: Event) -> None:
    at, came_from, by = page(event.url), referrer(event.referrer), agent(event.user_agent)
    row["url"], row["host"], row["path"], row["click_id_hash"], campaign = at
    (
        row["utm_source"], row["utm_medium"], row["utm_campaign"], row["utm_term"], row["utm_content"],
        row["click_id_type"], row["campaign_platform"], row["campaign_id"],
    ) = campaign  # fmt: skip
    row["title"] = clean(event.title, _MOST_TITLE)
    row["referrer"], row["referrer_host"] = came_from.url, came_from.host
    row["channel"], row["llm_engine"] = origin(at, came_from)
    row["region"] = row["city"] = ""
    row["device"], row["browser"], row["os"] = by.device, by.browser, by.os
    row["screen_w"] = min(max(event.screen_width, 0), 65_535)
    row["language"] = language(event.language)


def _goal(row: Row, event: Event) -> None:
    at = page(event.url)
    row["name"] = clean(event.name, _MOST_NAME)
    row["value"] = _money(event.value)
    row["currency"] = event.currency
    row["props"] = _properties(event.props) if event.props else "{}"
    row["host"], row["path"] = at.host, at.path
    row["channel"] = origin(at, referrer(event.referrer)).channel if event.url or event.referrer else ""


def _payment(row: Row, event: Event) -> None:
    row["amount"] = _money(event.amount)
    row["currency"] = event.currency
    row["kind"] = event.payment.value
    row["transaction_id"] = identifier(event.transaction_id, 255)
    row["customer_sha256"] = event.external_id_sha256


def _engagement(row: Row, event: Event) -> None:
    at = page(event.url)
    row["pageview_id"] = identifier(event.pageview_id)
    row["host"], row["path"] = at.host, at.path
    row["engaged_ms"] = min(max(event.engaged_ms, 0), _MOST_ENGAGED_MS)
    row["scroll"] = min(max(event.scroll, 0), 100)


def _identity(row: Row, event: Event) -> None:
    row["external_id_sha256"] = event.external_id_sha256
    row["traits"] = [clean(name, _MOST_NAME) for name in event.traits[:_MOST_PROPERTIES]]


_BUILDERS: Mapping[Kind, tuple[str, Callable[[Row, Event], None]]] = {
    Kind.PAGEVIEW: ("pageviews", _pageview),
    Kind.CUSTOM: ("custom_goals", _goal),
    Kind.PAYMENT: ("visitor_payments", _payment),
    Kind.ENGAGEMENT: ("engagements", _engagement),
    Kind.IDENTIFY: ("visitor_identities", _identity),
}


def _money(amount: Decimal | None) -> str:
    """As text: a JSON number would be read as a binary fraction on its way."""
    return "0" if amount is None else format(amount.quantize(_SCALE, ROUND_HALF_EVEN), "f")


def _properties(props: Mapping[str, Any]) -> str:
    """A flat object of text, numbers and booleans; what is nested is kept as the JSON it is."""
    kept = {clean(str(name), _MOST_NAME): _property(value) for name, value in list(props.items())[:_MOST_PROPERTIES]}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _property(value: Any) -> Any:
    if isinstance(value, bool | int) or value is None:
        return value if value is None or abs(value) < 1 << 63 else str(value)
    if isinstance(value, float | Decimal):
        return float(value)
    if not isinstance(value, str):
        value = orjson.dumps(value, default=str).decode()
    return clean(value, _MOST_PROPERTY)


@lru_cache(2048)
def language(text: str) -> str:
    """The first of a header's or a browser's languages, spelled en or en-US; '' for anything else."""
    tag = text.partition(",")[0].partition(";")[0].strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        return ""
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.capitalize() for part in rest)])
