"""What the script sends, read into events; whatever is wrong with one has a reason to be counted under."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import uuid4

from server.analytics.ingest.drops import Reason
from server.analytics.ingest.pages import page
from server.analytics.ingest.sites import Site
from server.analytics.ingest.times import BEHIND_MS, believed
from server.analytics.ingest.visitors import DailyVisitors
from tools.analytics import Event, Kind, PaymentKind, external_id_sha256
from tools.currencies import CODES

_PAGEVIEW = Kind.PAGEVIEW
_BY_NAME = {kind.value: kind for kind in Kind}
_PAYMENTS = {kind.value: kind for kind in PaymentKind}
_MOST_AMOUNT = 1_000_000_000
_MOST_ID = 128
_NULL = type(None)
_ANY = frozenset({str, int, float, bool, list, dict, _NULL})
_KINDS: Mapping[str, frozenset[type]] = {
    **dict.fromkeys("wkivsurhlgncoym", frozenset({str, _NULL})),
    **dict.fromkeys("txed", frozenset({int, float, _NULL})),  # a bool is none
    **dict.fromkeys("pq", frozenset({dict, _NULL})),
}
"""By key; what it is not of is dropped, null is as if it were left out, and an amount has a reason of its own."""
_NO_TEXT = frozenset(key for key, kinds in _KINDS.items() if str not in kinds)


class Dropped(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sender:
    """Of one request. `origin`: the host of the page that sent it, where the browser says so."""

    ip: str
    user_agent: str
    language: str
    origin: str
    now_ms: int


def read(told: Mapping[str, Any], site: Site, sender: Sender, visitors: DailyVisitors) -> Event:
    """Raises Dropped, and OSError where a visitor without cookies cannot be told from others."""
    for key, value in told.items():
        if type(value) is str:  # most are
            if key in _NO_TEXT:
                raise Dropped(Reason.INVALID_EVENT)
        elif type(value) not in _KINDS.get(key, _ANY):
            raise Dropped(Reason.INVALID_EVENT)
    text = told.get
    url: str = text("u") or ""
    host = page(url).host
    if not host == sender.origin == site.domain:  # as of most
        _check_domain(site, host, sender.origin)
    kind = _BY_NAME.get(text("k") or "")
    if kind is None:
        raise Dropped(Reason.INVALID_EVENT)
    at_ms = _whole(told, "t")
    visitor_id: str = text("v") or visitors.visitor(site.id, sender.ip, sender.user_agent, sender.now_ms)
    if len(visitor_id) > _MOST_ID:
        raise Dropped(Reason.INVALID_EVENT)
    event = Event(
        kind=kind,
        workspace_id=site.workspace_id,
        website_id=site.id,
        visitor_id=visitor_id,
        event_id=text("i") or str(uuid4()),
        at_ms=at_ms if believed(at_ms, sender.now_ms, behind_ms=BEHIND_MS) else None,
        session_id=text("s") or "",
        url=url,
        referrer=text("r") or "",
        title=text("h") or "",
        language=text("l") or sender.language,
        screen_width=_whole(told, "x"),
        ip=sender.ip,
        # A test that drives a browser on one's own machine is no crawler.
        user_agent=sender.user_agent.replace("Headless", "") if site.tried_at(host) else sender.user_agent,
    )
    if kind is not _PAGEVIEW:
        _complete(event, told)
    return event


def _complete(event: Event, told: Mapping[str, Any]) -> None:
    """With what is of its kind alone."""
    match event.kind:
        case Kind.ENGAGEMENT:
            event.pageview_id = told.get("g") or ""
            event.engaged_ms, event.scroll = _whole(told, "e"), _whole(told, "d")
        case Kind.CUSTOM:
            event.name, event.value = (told.get("n") or "").strip(), _amount(told)
            if not event.name:
                raise Dropped(Reason.INVALID_EVENT)
            if event.value is not None and event.value < 0:
                raise Dropped(Reason.INVALID_AMOUNT)
            event.currency, event.props = _currency(told), told.get("p")
        case Kind.PAYMENT:
            amount, currency = _amount(told), _currency(told)
            if not amount or amount < 0 or not currency:
                raise Dropped(Reason.INVALID_AMOUNT)
            payment = _PAYMENTS.get(told.get("y") or "payment")
            if payment is None:
                raise Dropped(Reason.INVALID_EVENT)
            event.amount, event.currency, event.payment = amount, currency, payment
            event.transaction_id = told.get("o") or ""
        case Kind.IDENTIFY:
            if not (external_id := (told.get("m") or "").strip()):
                raise Dropped(Reason.INVALID_EVENT)
            # What the traits are is for POST /pixel/identify, which has a key: anybody could send them here.
            event.external_id_sha256, event.traits = external_id_sha256(external_id), tuple(told.get("q") or ())


def _check_domain(site: Site, host: str, origin: str) -> None:
    """The page's own word, and the browser's where it gives one."""
    if not (host or origin) or (host and not site.has(host)) or (origin and not site.has(origin)):
        raise Dropped(Reason.WRONG_DOMAIN)


def _whole(told: Mapping[str, Any], key: str) -> int:
    value: int | float | None = told.get(key)
    if type(value) is int:
        return value
    return int(value) if value and isfinite(value) else 0


def _amount(told: Mapping[str, Any]) -> Decimal | None:
    value = told.get("a")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value > _MOST_AMOUNT:
        raise Dropped(Reason.INVALID_AMOUNT)
    return Decimal(repr(value))


def _currency(told: Mapping[str, Any]) -> str:
    currency = (told.get("c") or "").strip().upper()
    if currency and currency not in CODES:
        raise Dropped(Reason.INVALID_AMOUNT)
    return currency
