"""Record what happened on a website, told by a server."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated
from uuid import NAMESPACE_URL, uuid4, uuid5

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tools import currencies
from tools.analytics import Event, Kind, PaymentKind, external_id_sha256
from tools.authority import Scope
from tools.capability import POST, Input, Output, Rate, Toolset, record
from tools.context import Context
from tools.errors import InvalidArguments
from tools.fields import AnyWebsite, ExternalId, Paid, Pairs, VisitorId, member
from tools.pixel.store import website

OLDEST, EARLIEST = dt.timedelta(days=5 * 366), dt.timedelta(days=1)
"""How far back an event may lie, and how far a clock may be ahead."""


class EventName(StrEnum):
    PAGEVIEW = "pageview"
    CUSTOM = "custom"
    PAYMENT = "payment"


_OF = {
    EventName.CUSTOM: frozenset({"event_name", "value", "currency", "props"}),
    EventName.PAYMENT: frozenset({"amount", "currency", "transaction_id", "kind", "external_id"}),
}
_NEEDED = {EventName.CUSTOM: ("event_name",), EventName.PAYMENT: ("amount", "currency")}


def _currency(text: str) -> str:
    if (code := text.upper()) not in currencies.CODES:
        raise ValueError("is no currency of ISO 4217, such as USD")
    return code


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("a moment looks like 2026-11-22T09:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError("needs a time zone, such as 2026-11-22T09:30:00Z")
    return found


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is no IP address") from None


class NewEvent(Input):
    website_id: Annotated[AnyWebsite, Field(description="Website id, from list_websites.")]
    name: Annotated[
        EventName, BeforeValidator(member(EventName)), Field(description="What happened; custom takes event_name.")
    ]
    visitor_id: (
        Annotated[VisitorId, Field(description="Who: as the script or you name them. A fresh UUID if left out.")] | None
    ) = None
    event_name: (
        Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S", description="custom: what you call it.")]
        | None
    ) = None
    amount: Annotated[
        Paid | None, Field(description="payment: major units of its currency; of a refund, what was given back.")
    ] = None
    currency: (
        Annotated[
            str,
            Field(min_length=3, max_length=3, description="payment, or a custom event's value: ISO 4217 code."),
            AfterValidator(_currency),
        ]
        | None
    ) = None
    transaction_id: (
        Annotated[str, Field(min_length=1, max_length=255, description="payment: your id of it; it counts once.")]
        | None
    ) = None
    kind: (
        Annotated[PaymentKind, BeforeValidator(member(PaymentKind)), Field(description="payment: payment if left out.")]
        | None
    ) = None
    external_id: (
        Annotated[ExternalId, Field(description="payment: the customer's e-mail or id. Only its SHA-256 is kept.")]
        | None
    ) = None
    value: Annotated[Paid | None, Field(description="custom: what it is worth.")] = None
    props: Annotated[Pairs | None, Field(description="custom: at most 50 properties.")] = None
    url: Annotated[str, Field(max_length=2048, description="Address of the page.")] | None = None
    referrer: Annotated[str, Field(max_length=2048, description="Address of the page before.")] | None = None
    title: Annotated[str, Field(max_length=500, description="Title of the page.")] | None = None
    session_id: (
        Annotated[str, Field(min_length=1, max_length=128, description="The visit, as the script names it.")] | None
    ) = None
    user_agent: Annotated[str, Field(max_length=1000, description="The visitor's browser, as it says.")] | None = None
    ip: (
        Annotated[
            str,
            Field(max_length=45, description="The visitor's IP address; the country is kept, never the address."),
            AfterValidator(_address),
        ]
        | None
    ) = None
    timestamp: (
        Annotated[
            dt.datetime,
            BeforeValidator(_moment),
            WithJsonSchema(
                {"type": "string", "format": "date-time", "description": "When it happened; now if left out."}
            ),
        ]
        | None
    ) = None
    event_id: (
        Annotated[str, Field(min_length=1, max_length=128, description="Your id of it: sent again, it counts once.")]
        | None
    ) = None


class RecordedEvent(Output):
    visitor_id: str
    event_id: str


@record(scope=Scope.PIXEL_WRITE, rest=POST("/pixel/events"), toolset=Toolset.ANALYTICS, rate=Rate.INGEST)
async def record_event(context: Context, new: NewEvent) -> RecordedEvent:
    """Record one pageview, custom event or payment of a visitor, told by a server. The answer comes once it is stored
    for good, and carries the visitor_id: yours, or a fresh UUID. Sent again with the same event_id, or a payment's
    transaction_id, it counts once. The IP address is never stored."""
    if problems := list(_problems(context, new)):
        told = "; ".join(f"{problem['field']} {problem['problem']}" for problem in problems[:3])
        raise InvalidArguments(
            f"This is no {new.name} event: {told}.", fix="Correct the fields in details.problems.", problems=problems
        )
    site = await website(context, new.website_id)
    visitor_id, event_id = new.visitor_id or str(uuid4()), new.event_id or _fresh_id(context)
    event = Event(
        kind=Kind(new.name),
        workspace_id=context.principal.workspace,
        website_id=site.id,
        visitor_id=visitor_id,
        event_id=event_id,
        at_ms=round(new.timestamp.timestamp() * 1000) if new.timestamp else None,
        session_id=new.session_id or "",
        url=new.url or "",
        referrer=new.referrer or "",
        title=new.title or "",
        ip=new.ip or "",
        user_agent=new.user_agent or "",
        name=new.event_name or "",
        value=new.value,
        props=new.props,
        amount=new.amount,
        currency=new.currency or "",
        payment=new.kind or PaymentKind.PAYMENT,
        transaction_id=new.transaction_id or "",
        external_id_sha256=external_id_sha256(new.external_id) if new.external_id else "",
    )
    await context.arrivals.accept([event])
    return RecordedEvent(visitor_id=visitor_id, event_id=event_id)


def _fresh_id(context: Context) -> str:
    """Under an idempotency key the same each time: what a process stored before it was killed counts once."""
    if context.claim is None:
        return str(uuid4())
    return str(uuid5(NAMESPACE_URL, f"{context.principal.workspace}/{context.principal.id}/{context.claim.key_digest}"))


def _problems(context: Context, new: NewEvent) -> Iterator[dict[str, str]]:
    taken = _OF.get(new.name, frozenset())
    others = frozenset().union(*_OF.values()) - taken
    for field in sorted(others & new.model_fields_set):
        yield {"field": field, "problem": f"is not for {new.name}; leave it out"}
    for field in _NEEDED.get(new.name, ()):
        if getattr(new, field) is None:
            yield {"field": field, "problem": f"is required for {new.name}"}
    for field in ("amount", "value"):
        amount = getattr(new, field)
        if amount is not None and new.currency and (problem := currencies.problem(amount, new.currency)):
            yield {"field": field, "problem": problem}
    if new.timestamp is not None and not -OLDEST < new.timestamp - context.clock() < EARLIEST:
        yield {"field": "timestamp", "problem": f"is not within {OLDEST.days} days back and {EARLIEST.days} ahead"}
