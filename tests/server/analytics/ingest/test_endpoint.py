"""What the script sends: kept, dropped and counted, refused, and never more than text."""

import gzip
import ipaddress
import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.analytics.ingest.addresses import Addresses
from server.analytics.ingest.endpoint import MOST_BYTES
from tests.server.analytics.ingest.rig import CHROME, LOCAL, NOON, SHOP, Rig
from tools.errors import Unavailable
from tools.store.tables import websites


async def test_a_view_is_acknowledged_without_a_body_and_stored_with_what_can_be_derived(rig: Rig) -> None:
    answer = await rig.send(
        rig.event(
            u="https://www.shop.example/shoes?utm_source=google&utm_medium=cpc&gclid=secret-click&gad_campaignid=77",
            r="https://www.google.com/search?q=secret",
        )
    )

    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    (row,) = await rig.stored()
    assert row == {
        "workspace_id": "wsp_shop", "website_id": SHOP, "ts": "2026-11-22 12:00:00.000", "event_id": "e-1",
        "visitor_id": "v-1", "session_id": "s-1", "is_bot": 0, "ingest_ts": "2026-11-22 12:00:00.000",
        "url": "https://www.shop.example/shoes", "host": "www.shop.example", "path": "/shoes", "title": "Shoes",
        "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "", "utm_term": "", "utm_content": "",
        "click_id_type": "gclid", "click_id_hash": row["click_id_hash"], "campaign_platform": "google",
        "campaign_id": "77", "referrer": "https://www.google.com/search", "referrer_host": "www.google.com",
        "channel": "paid_search", "llm_engine": "", "country": "GB", "region": "", "city": "", "device": "desktop",
        "browser": "Chrome", "os": "Windows", "screen_w": 1280, "language": "de-DE",
    }  # fmt: skip
    assert b"secret" not in json.dumps(row).encode()
    assert "81.2.69.142" not in json.dumps(row)


@pytest.mark.parametrize(
    ("told", "datasource", "stored"),
    [
        (
            {"k": "custom", "n": "signup", "a": 12.5, "c": "eur", "p": {"plan": "pro", "seats": 3, "list": [1]}},
            "custom_goals",
            {"name": "signup", "value": "12.5000", "currency": "EUR", "props": '{"list":"[1]","plan":"pro","seats":3}',
             "host": "www.shop.example", "path": "/shoes"},
        ),
        (
            {"k": "payment", "a": 99, "c": "USD", "o": "T-1"},
            "visitor_payments",
            {"amount": "99.0000", "currency": "USD", "kind": "payment", "transaction_id": "T-1", "customer_sha256": ""},
        ),
        (
            {"k": "payment", "a": 0.1, "c": "JPY", "y": "refund"},
            "visitor_payments",
            {"amount": "0.1000", "currency": "JPY", "kind": "refund"},
        ),
        (
            {"k": "engagement", "g": "e-0", "e": 5250, "d": 80},
            "engagements",
            {"pageview_id": "e-0", "engaged_ms": 5250, "scroll": 80, "path": "/shoes"},
        ),
        (
            {"k": "identify", "m": " Jane@Example.com ", "q": {"plan": "pro", "name": "Jane"}},
            "visitor_identities",
            {"external_id_sha256": "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d",
             "traits": ["plan", "name"]},
        ),
    ],
)  # fmt: skip
async def test_each_kind_of_event_has_its_datasource(
    rig: Rig, told: dict[str, Any], datasource: str, stored: dict[str, Any]
) -> None:
    assert (await rig.send(rig.event(**told))).status_code == 202

    (row,) = await rig.stored(datasource)
    assert stored.items() <= row.items()
    assert "jane" not in json.dumps(row).lower()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'"text"', "invalid_event"),
        (b'{"w": NaN}', "invalid_json"),
        (b'{"w": "\\ud800"}', "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 4000, "invalid_json"),
        (b"{}", "invalid_event"),
        (b'{"w": 7}', "invalid_event"),
        (b'{"w": "admx_nobody"}', "unknown_website"),
        (b'{"w": "admx_\' OR 1=1"}', "unknown_website"),
    ],
)
async def test_what_is_no_event_is_dropped_and_counted(rig: Rig, body: bytes, reason: str) -> None:
    assert (await rig.post(body)).status_code == 202

    assert await rig.stored() == []
    assert {each.value: count for each, count in rig.drops.by_reason.items()} == {reason: 1}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"k": "purchase"}, "invalid_event"),
        ({"k": ["pageview"]}, "invalid_event"),
        ({"t": "now"}, "invalid_event"),
        ({"t": True}, "invalid_event"),
        ({"v": {"id": 1}}, "invalid_event"),
        ({"v": "v" * 129}, "invalid_event"),
        ({"k": "custom", "n": "  "}, "invalid_event"),
        ({"k": "custom", "n": "x", "p": [1]}, "invalid_event"),
        ({"k": "custom", "n": "x", "a": -1}, "invalid_amount"),
        ({"k": "identify"}, "invalid_event"),
        ({"k": "payment", "a": -5, "c": "USD"}, "invalid_amount"),
        ({"k": "payment", "a": 0, "c": "USD"}, "invalid_amount"),
        ({"k": "payment", "a": "5", "c": "USD"}, "invalid_amount"),
        ({"k": "payment", "a": 1e300, "c": "USD"}, "invalid_amount"),
        ({"k": "payment", "a": 5, "c": "DOGE"}, "invalid_amount"),
        ({"k": "payment", "a": 5}, "invalid_amount"),
        ({"k": "payment", "a": 5, "c": "USD", "y": "gift"}, "invalid_event"),
        ({"u": "https://evil.example/"}, "wrong_domain"),
        ({"u": "https://shop.example.evil.test/"}, "wrong_domain"),
        ({"u": "https://shop.example@evil.test/"}, "wrong_domain"),
        ({"u": "https://notshop.example/"}, "wrong_domain"),
        ({"u": "http://localhost:3000/"}, "wrong_domain"),
        ({"u": ""}, "wrong_domain"),
    ],
)
async def test_an_event_that_cannot_be_right_is_dropped_alone(rig: Rig, told: dict[str, Any], reason: str) -> None:
    good = rig.event(i="good")
    assert (await rig.send(rig.event(**told), good)).status_code == 202

    assert [row["event_id"] for row in await rig.stored()] == ["good"]
    assert {each.value: count for each, count in rig.drops.by_reason.items()} == {reason: 1}


@pytest.mark.parametrize(
    ("website", "url", "origin", "kept"),
    [
        (SHOP, "https://shop.example/", "https://shop.example", True),
        (SHOP, "https://SHOP.example:8443/", None, True),
        (SHOP, "https://deep.down.shop.example/", "https://deep.down.shop.example", True),
        (SHOP, "https://shop.example/", "https://evil.example", False),
        (SHOP, "https://shop.example/", "null", True),
        (SHOP, "", "https://shop.example", True),
        (LOCAL, "http://localhost:3000/", "http://localhost:3000", True),
        (LOCAL, "http://127.0.0.1:8000/demo/shop", None, True),
        (LOCAL, "http://[::1]:8000/", None, True),
        (LOCAL, "http://192.168.0.1/", None, False),
    ],
)
async def test_pages_of_the_website_alone_count(
    rig: Rig, website: str, url: str, origin: str | None, kept: bool
) -> None:
    await rig.send(rig.event(w=website, u=url), headers={"origin": origin} if origin else {})

    assert len(await rig.stored()) == int(kept)


async def test_a_deleted_website_takes_nothing_more(rig: Rig) -> None:
    await rig.send(rig.event())
    await rig.database.write(lambda tx: tx.run(websites.update().where(websites.c.id == SHOP).values(deleted_at=1)))
    rig.sites._known.clear()  # on a shared database an answer holds for seconds
    await rig.send(rig.event(i="e-2"))

    assert [row["event_id"] for row in await rig.stored()] == ["e-1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("OPTIONS", "/e", 204), ("GET", "/e", 405), ("PUT", "/e", 405), ("POST", "/e/other", 404), ("POST", "/e/", 202)],
)
async def test_it_answers_post_and_a_preflight(rig: Rig, method: str, path: str, status: int) -> None:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=rig.endpoint), base_url="https://in.adwright.test"
    ) as client:
        answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_more_than_8_kilobytes_are_too_large_announced_or_not(rig: Rig) -> None:
    fits = json.dumps(rig.event(h="")).encode()
    fits = fits.replace(b'"h": ""', b'"h": "' + b"x" * (MOST_BYTES - len(fits)) + b'"')

    async def in_parts() -> Any:
        yield b" "
        yield fits

    assert (await rig.post(fits)).status_code == 202
    assert (await rig.post(fits + b" ")).status_code == 413
    assert (await rig.post(in_parts())).status_code == 413
    assert len(await rig.stored()) == 1


async def test_packed_bodies_are_not_unpacked(rig: Rig) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)[:MOST_BYTES]

    assert (await rig.post(bomb, headers={"content-encoding": "gzip"})).status_code == 415


async def test_twenty_events_in_one_request_and_no_more(rig: Rig) -> None:
    await rig.send(*(rig.event(i=f"e-{number}", h="") for number in range(22)))

    assert len(await rig.stored()) == 20
    assert sum(rig.drops.by_reason.values()) == 2


async def test_who_sends_too_much_is_dropped_and_others_are_not(rig: Rig) -> None:
    rig.per_address, rig.per_website = 3, 5
    rig.open_endpoint()
    for number in range(5):
        assert (await rig.send(rig.event(i=f"a-{number}"), ip="2001:db8::1")).status_code == 202
    await rig.send(rig.event(i="neighbour"), ip="2001:db8::2")  # of the same household
    for number in range(4):
        await rig.send(rig.event(i=f"b-{number}"), ip="198.51.100.7")

    assert [row["event_id"] for row in await rig.stored()] == ["a-0", "a-1", "a-2", "b-0", "b-1"]
    assert {each.value: count for each, count in rig.drops.by_reason.items()} == {"too_many": 5}

    rig.clock.ms += 60_001
    await rig.send(rig.event(i="later"), ip="2001:db8::1")
    assert (await rig.stored())[-1]["event_id"] == "later"


async def test_where_events_cannot_be_made_durable_the_sender_keeps_them(rig: Rig) -> None:
    await rig.spool.close()

    answer = await rig.send(rig.event())

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_store_that_is_away_is_no_business_of_the_sender(rig: Rig) -> None:
    rig.store.failure = Unavailable("away")

    assert (await rig.send(rig.event())).status_code == 202
    assert [row["event_id"] for row in await rig.stored()] == ["e-1"]


async def test_drops_reach_the_store_by_website_minute_and_reason(rig: Rig) -> None:
    await rig.send(rig.event(k="?"), rig.event(k="?"), rig.event(w="admx_other"))
    rig.clock.ms += 61_000
    await rig.send(rig.event(k="?"))
    first, second = rig.drops.take(), rig.drops.take()

    told = [(row["website_id"], row["ts"], row["reason"], row["events"]) for _, row in first]
    assert sorted(told) == [
        ("", "2026-11-22 12:00:00.000", "unknown_website", 1),
        (SHOP, "2026-11-22 12:00:00.000", "invalid_event", 2),
        (SHOP, "2026-11-22 12:01:00.000", "invalid_event", 1),
    ]
    assert second == []


async def test_bots_are_marked_and_not_dropped(rig: Rig) -> None:
    await rig.send(rig.event(i="bot"), headers={"user-agent": "Mozilla/5.0 (compatible; GPTBot/1.2)"})
    await rig.send(rig.event(i="nameless"), headers={"user-agent": ""})
    await rig.send(rig.event(i="person"))

    assert [row["is_bot"] for row in await rig.stored()] == [1, 1, 0]


async def test_a_driven_browser_is_a_visitor_where_a_website_is_tried_out(rig: Rig) -> None:
    driven = {"user-agent": CHROME.replace("Chrome/", "HeadlessChrome/")}
    for number, url in enumerate(("http://localhost:3000/", "https://local.example/")):
        await rig.send(rig.event(w=LOCAL, i=f"e-{number}", u=url), headers=driven)

    assert [(row["is_bot"], row["browser"]) for row in await rig.stored()] == [(0, "Chrome"), (1, "HeadlessChrome")]


async def test_the_address_behind_a_trusted_proxy_is_the_visitors(rig: Rig) -> None:
    rig.open_endpoint(Addresses([ipaddress.ip_network("10.0.0.0/8")]))
    for number, (ip, said) in enumerate(
        [
            ("10.0.0.1", "89.160.20.112, 81.2.69.142, 10.2.3.4"),
            ("89.160.20.112", "81.2.69.142"),  # no proxy of ours: what it says is nobody's word
            ("10.0.0.1", "nonsense"),
        ]
    ):
        await rig.send(rig.event(i=str(number)), ip=ip, headers={"x-forwarded-for": said})

    assert [row["country"] for row in await rig.stored()] == ["GB", "SE", ""]


async def test_visitors_without_cookies_are_told_apart_for_a_day(rig: Rig) -> None:
    async def visitor(ip: str, **more: Any) -> str:
        await rig.send(rig.event(v="", i=f"{ip}-{rig.clock.ms}-{more}", t=rig.clock.ms, **more), ip=ip)
        return str((await rig.stored())[-1]["visitor_id"])

    first = await visitor("81.2.69.142")
    assert len(first) == 32
    assert await visitor("81.2.69.142") == first
    assert await visitor("81.2.69.143") != first
    assert await visitor("81.2.69.142", w=LOCAL, u="https://local.example/") != first
    salt = {path.name: path.read_bytes() for path in rig.spool.directory.glob("salt-*")}
    rig.open_endpoint()  # as after a restart
    assert await visitor("81.2.69.142") == first
    rig.clock.ms += 24 * 3_600_000
    assert await visitor("81.2.69.142") != first
    assert salt.keys() == {"salt-2026-11-22"}
    assert {path.name for path in rig.spool.directory.glob("salt-*")} == {"salt-2026-11-23"}


@pytest.mark.parametrize(
    ("told_ms", "counted"),
    [
        (NOON - 3_600_000, "2026-11-22 11:00:00.000"),  # kept in a browser for an hour
        (NOON + 60_000, "2026-11-22 12:01:00.000"),  # a clock a minute ahead
        (NOON + 10 * 60_000, "2026-11-22 12:00:00.000"),
        (NOON - 3 * 365 * 86_400_000, "2026-11-22 12:00:00.000"),
        (0, "2026-11-22 12:00:00.000"),
        (-(10**18), "2026-11-22 12:00:00.000"),
        (10**300, "2026-11-22 12:00:00.000"),
    ],
)
async def test_a_clock_that_cannot_be_right_counts_now_and_a_retry_then(rig: Rig, told_ms: int, counted: str) -> None:
    await rig.send(rig.event(t=told_ms))
    rig.clock.ms += 90_000
    await rig.send(rig.event(t=told_ms))

    assert [(row["ts"], row["event_id"]) for row in await rig.stored()] == [(counted, "e-1")] * 2


NASTY = [
    "'; DROP TABLE pageviews; --",
    "\\",
    "\x00",
    "<script>alert(1)</script>",
    "\u202eevil",
    "👩‍👩‍👧",
    "%00",
    "{{x}}",
    "\n",
]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.sampled_from(NASTY), st.text(max_size=400)), field=st.sampled_from("isurhlngomcykq"))
async def test_hostile_text_stays_text_in_every_field(rig: Rig, text: str, field: str) -> None:
    told = rig.event(k="custom", n="goal", p={text[:100]: text}) | {field: text}
    body = json.dumps(told).encode()
    if len(body) > MOST_BYTES:
        return

    assert (await rig.post(body)).status_code == 202
    rows = [*await rig.stored(), *await rig.stored("custom_goals"), *await rig.stored("engagements")]
    for row in rows:
        json.dumps(row).encode()
        assert all("\x00" not in str(value) and "\u202e" not in str(value) for value in row.values())
