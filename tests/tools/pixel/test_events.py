"""What servers tell: each event once, durable before it is acknowledged, and refused where it cannot be right."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.promises import promise
from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import KEY, VIEWER, World, principal
from tools.analytics import ABSENT, Kind, PaymentKind, external_id_sha256
from tools.authority import Via
from tools.errors import IngestUnavailable

PAYMENT: dict[str, Any] = {
    "website_id": SITE, "name": "payment", "visitor_id": "v_abc", "amount": 99.0, "currency": "USD",
}  # fmt: skip
CUSTOM: dict[str, Any] = {"website_id": SITE, "name": "custom", "event_name": "signup"}
VIEW: dict[str, Any] = {"website_id": SITE, "name": "pageview", "url": "https://123.example.com/pricing"}


@pytest.fixture(autouse=True)
async def site(world: World) -> None:
    await add_site(world)


async def problems(world: World, sent: dict[str, Any]) -> dict[str, str]:
    error = await world.refusal(KEY, "record_event", **sent)
    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert world.arrivals.events == []
    return {each["field"]: each["problem"] for each in error.details["problems"]}


@pytest.mark.parametrize("website", [THEIRS, "admx_gone", "nonsense", "' OR 1=1"])
async def test_a_website_that_is_not_theirs_is_not_found(world: World, website: str) -> None:
    await add_site(world, THEIRS, "wsp_south")
    await add_site(world, "admx_gone", deleted_at=1)

    error = await world.refusal(KEY, "record_event", **(PAYMENT | {"website_id": website}))

    assert (error.code, error.status, world.arrivals.events) == ("not_found", 404, [])


@promise("pixel.events.ingest")
async def test_recording_takes_its_scope(world: World) -> None:
    reader = principal(via=Via.KEY, scopes=VIEWER.scopes)

    error = await world.refusal(reader, "record_event", **PAYMENT)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "pixel:write")


@promise("pixel.events.ingest", "pixel.events.routing")
@pytest.mark.parametrize(("sent", "kind"), [(VIEW, Kind.PAGEVIEW), (CUSTOM, Kind.CUSTOM), (PAYMENT, Kind.PAYMENT)])
async def test_each_name_is_an_event_of_its_kind(world: World, sent: dict[str, Any], kind: Kind) -> None:
    await world.call(KEY, "record_event", **sent)

    (event,) = world.arrivals.events
    assert (event.kind, event.workspace_id, event.website_id) == (kind, "wsp_north", SITE)


async def test_a_payment_is_told_to_the_cent(world: World) -> None:
    sent = PAYMENT | {
        "amount": 0.1, "currency": "eur", "transaction_id": "t-1", "kind": "refund", "external_id": "Jane@Example.com",
    }  # fmt: skip
    await world.call(KEY, "record_event", **sent)

    (event,) = world.arrivals.events
    assert (event.amount, event.currency, event.transaction_id) == (Decimal("0.1"), "EUR", "t-1")
    assert (event.payment, event.external_id_sha256) == (PaymentKind.REFUND, external_id_sha256("jane@example.com"))


async def test_everything_else_that_is_told_arrives(world: World) -> None:
    more = {
        "event_id": "e-1", "session_id": "s-1", "url": "https://123.example.com/a?utm_source=x", "title": "A",
        "referrer": "https://search.example/", "user_agent": "Mozilla/5.0", "ip": "2001:DB8::1",
        "timestamp": "2026-11-20T10:30:00+01:00",
    }  # fmt: skip
    answer = await world.call(KEY, "record_event", **CUSTOM, **more, value=12.5, props={"plan": "pro", "seats": 3})

    (event,) = world.arrivals.events
    assert (answer["event_id"], event.event_id, event.session_id) == ("e-1", "e-1", "s-1")
    assert (event.name, event.value, event.props) == ("signup", Decimal("12.5"), {"plan": "pro", "seats": 3})
    assert (event.url, event.referrer, event.title) == (more["url"], more["referrer"], "A")
    assert (event.user_agent, event.ip) == ("Mozilla/5.0", "2001:db8::1")
    assert event.at_ms == dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC).timestamp() * 1000


@promise("pixel.events.visitor-id")
async def test_the_visitor_is_the_one_that_was_sent_or_a_fresh_uuid(world: World) -> None:
    named = await world.call(KEY, "record_event", **PAYMENT)
    first, second = [await world.call(KEY, "record_event", **VIEW) for _ in range(2)]

    assert named["visitor_id"] == "v_abc"
    assert str(UUID(first["visitor_id"])) == first["visitor_id"] != second["visitor_id"]
    assert [event.visitor_id for event in world.arrivals.events] == ["v_abc", first["visitor_id"], second["visitor_id"]]
    assert len({event.event_id for event in world.arrivals.events}) == 3


@promise("pixel.events.routing")
@pytest.mark.parametrize("name", ["purchase", "Payment", "", "pageviews", "identify", "engagement"])
async def test_any_other_name_is_refused_with_the_three_there_are(world: World, name: str) -> None:
    assert await problems(world, PAYMENT | {"name": name}) == {"name": "must be one of pageview, custom, payment"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (PAYMENT | {"amount": -1}, "amount"),
        (PAYMENT | {"amount": -0.01}, "amount"),
        (PAYMENT | {"amount": float("nan")}, "amount"),
        (PAYMENT | {"amount": float("inf")}, "amount"),
        (PAYMENT | {"amount": "99"}, "amount"),
        (PAYMENT | {"amount": True}, "amount"),
        (PAYMENT | {"amount": 99.001}, "amount"),
        (PAYMENT | {"amount": 99.5, "currency": "JPY"}, "amount"),
        (PAYMENT | {"currency": "XTS"}, "currency"),
        (PAYMENT | {"currency": "BTC"}, "currency"),
        (PAYMENT | {"currency": "dollars"}, "currency"),
        (PAYMENT | {"kind": "gift"}, "kind"),
        (PAYMENT | {"event_name": "signup"}, "event_name"),
        (PAYMENT | {"props": {"a": "b"}}, "props"),
        ({name: value for name, value in PAYMENT.items() if name != "amount"}, "amount"),
        ({name: value for name, value in PAYMENT.items() if name != "currency"}, "currency"),
        ({"website_id": SITE, "name": "custom"}, "event_name"),
        (CUSTOM | {"event_name": " "}, "event_name"),
        (CUSTOM | {"value": 1.23456}, "value"),
        (CUSTOM | {"value": -1}, "value"),
        (CUSTOM | {"props": {"a": {"b": 1}}}, "props"),
        (CUSTOM | {"amount": 3}, "amount"),
        (VIEW | {"transaction_id": "t"}, "transaction_id"),
        (VIEW | {"timestamp": "2026-11-20"}, "timestamp"),
        (VIEW | {"timestamp": "2026-11-20T10:00:00"}, "timestamp"),
        (VIEW | {"timestamp": "2036-11-20T10:00:00Z"}, "timestamp"),
        (VIEW | {"timestamp": "1997-11-20T10:00:00Z"}, "timestamp"),
        (VIEW | {"ip": "300.1.1.1"}, "ip"),
        (VIEW | {"url": "x" * 2049}, "url"),
        (VIEW | {"url": "x" * 1_000_000}, "url"),
        (VIEW | {"visitor_id": ""}, "visitor_id"),
        (VIEW | {"visitor_id": 7}, "visitor_id"),
        (VIEW | {"event_id": "e" * 129}, "event_id"),
        (VIEW | {"workspace_id": "wsp_south"}, "workspace_id"),
    ],
)
async def test_what_cannot_be_right_is_named_and_nothing_arrives(
    world: World, sent: dict[str, Any], field: str
) -> None:
    assert set(await problems(world, sent)) == {field}


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE pageviews; --", "\\", "\u202egnp.exe", "🦊" * 40, "<script>", "{{ 7*7 }}", "a\tb\n"]
)
async def test_hostile_words_stay_words(world: World, text: str) -> None:
    await world.call(KEY, "record_event", **CUSTOM | {"event_name": text, "title": text, "props": {text[:60]: text}})

    (event,) = world.arrivals.events
    assert (event.name, event.title, event.props) == (text, text, {text[:60]: text})


async def test_what_is_not_durable_is_not_acknowledged(world: World) -> None:
    world.arrivals.failure = IngestUnavailable("The disk is full.", fix="Send it again.", retry_after=1)

    error = await world.refusal(KEY, "record_event", **PAYMENT)

    assert (error.code, error.status, error.retry_after) == ("ingest_unavailable", 503, 1)


async def test_where_there_is_no_store_nothing_is_acknowledged() -> None:
    with pytest.raises(IngestUnavailable):
        await ABSENT.accept([])


async def test_under_an_idempotency_key_it_arrives_once(world: World) -> None:
    capability = world.capability("record_event")
    sent = {name: value for name, value in PAYMENT.items() if name != "visitor_id"}

    first, again = [
        await world.door.invoke(capability, world.context(KEY), sent, idempotency_key="k-1") for _ in range(2)
    ]

    assert again.wire() == first.wire()
    assert len(world.arrivals.events) == 1


async def test_a_retry_after_an_answer_was_lost_names_the_same_event(world: World) -> None:
    """The first attempt stored it, and its outcome was never written: the process was killed in between."""
    capability = world.capability("record_event")

    async def accepted_then_lost(events: Any) -> None:
        world.arrivals.events += events
        raise IngestUnavailable("The answer was lost.", fix="Send it again.")

    accept, world.arrivals.accept = world.arrivals.accept, accepted_then_lost  # type: ignore[method-assign]  # the stand-in's
    with pytest.raises(IngestUnavailable):
        await world.door.invoke(capability, world.context(KEY), PAYMENT, idempotency_key="k-1")
    world.arrivals.accept = accept  # type: ignore[method-assign]  # as above
    await world.door.invoke(capability, world.context(KEY), PAYMENT, idempotency_key="k-1")

    first, second = world.arrivals.events
    assert first.event_id == second.event_id


async def test_a_minute_of_events_is_one_row_that_says_how_many_and_nothing_of_them(world: World) -> None:
    for _ in range(20):
        await world.call(KEY, "record_event", **PAYMENT, ip="203.0.113.9")
    await world.refusal(KEY, "record_event", **(PAYMENT | {"amount": -1}))
    assert [row for row in await world.audit_rows() if row["action"] == "record_event"] == []

    world.audit._end_minute()

    rows = [row for row in await world.audit_rows() if row["action"] == "record_event"]
    assert [(row["status"], json.loads(row["payload"])["count"]) for row in rows] == [
        ("ok", 20),
        ("invalid_arguments", 1),
    ]
    assert "203.0.113.9" not in repr(rows)


async def test_events_are_counted_by_themselves_and_not_against_the_keys_other_calls(world: World) -> None:
    slow = principal(via=Via.KEY, id="key_slow", rate=1)
    for _ in range(5):
        await world.call(slow, "record_event", **PAYMENT)

    assert (await world.call(slow, "whoami"))["workspaceId"] == "wsp_north"
