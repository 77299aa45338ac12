"""Events of a server as rows: their keys, times and bounds."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import server.analytics.ingest.drops as drops
from server.analytics.datafiles.loading import load
from server.analytics.ingest.rows import Enricher, language
from server.analytics.ingest.times import stamp
from tests.server.analytics.ingest.rig import CHROME, COUNTRIES, NOON
from tools.analytics import Event, Kind, PaymentKind

PROJECT = Path(drops.__file__).parents[1] / "project"
DAY = 86_400_000


@pytest.fixture(autouse=True)
def loaded() -> None:
    COUNTRIES.load()


def event(kind: Kind = Kind.PAGEVIEW, **more: Any) -> Event:
    known: dict[str, Any] = {
        "workspace_id": "wsp_1", "website_id": "admx_1", "visitor_id": "v-1", "event_id": "e-1", "at_ms": NOON,
        "url": "https://shop.example/", "user_agent": CHROME,
    }  # fmt: skip
    return Event(kind=kind, **(known | more))


def row(told: Event, enricher: Enricher | None = None, now: int = NOON) -> dict[str, Any]:
    return (enricher or Enricher(COUNTRIES)).row(told, now, stamp(now))[1]


def test_every_row_has_the_columns_of_its_datasource() -> None:
    datasources = load(PROJECT).datasources

    for kind in Kind:
        datasource, built = Enricher(COUNTRIES).row(event(kind, amount=Decimal(1), currency="EUR"), NOON, stamp(NOON))
        made_by_the_store = {"session"}  # a hash of others
        assert built.keys() == {column.name for column in datasources[datasource].columns} - made_by_the_store
    counted = drops.Drops(lambda: NOON)
    counted.count(drops.Reason.TOO_MANY)
    ((datasource, built),) = counted.take()
    assert built.keys() == {column.name for column in datasources[datasource].columns}


def test_a_transaction_counts_once_whatever_its_event_is_called() -> None:
    paid = event(Kind.PAYMENT, amount=Decimal(9), currency="EUR", transaction_id="T-1")

    assert row(paid)["event_id"] == row(replace(paid, event_id="other", visitor_id="v-2"))["event_id"]
    for other in (
        replace(paid, transaction_id="T-2"),
        replace(paid, website_id="admx_2"),
        replace(paid, payment=PaymentKind.REFUND),
    ):
        assert row(other)["event_id"] != row(paid)["event_id"]
    assert row(replace(paid, transaction_id=""))["event_id"] == "e-1"


def test_an_event_without_a_time_counts_when_it_came_first() -> None:
    enricher, told = Enricher(COUNTRIES), event(at_ms=None)

    assert [row(told, enricher, NOON + late)["ts"] for late in (0, 5_000, 3_600_000)] == [stamp(NOON)] * 3


def test_an_event_without_a_time_counts_when_its_id_was_made() -> None:
    made = NOON - 60_000
    identifier = f"{made >> 16:08x}-{made & 0xFFFF:04x}-7000-8000-000000000000"

    assert row(event(at_ms=None, event_id=identifier))["ts"] == stamp(made)
    assert row(event(at_ms=None, event_id="zzzzzzzz-zzzz-7000-8000-000000000000"))["ts"] == stamp(NOON)


def test_a_server_tells_of_the_past_and_not_of_the_future() -> None:
    assert row(event(at_ms=NOON - 400 * DAY))["ts"] == stamp(NOON - 400 * DAY)
    assert row(event(at_ms=NOON + 400 * DAY))["ts"] == stamp(NOON)
    assert row(event(at_ms=-1_969 * 365 * DAY))["ts"] == stamp(NOON)


def test_a_server_that_does_not_name_the_browser_is_no_bot() -> None:
    assert row(event(user_agent=""))["is_bot"] == 0


def test_an_event_without_a_session_joins_the_visitors_last() -> None:
    enricher = Enricher(COUNTRIES)
    seen = row(event(session_id="s-1"), enricher)

    def paid(minutes: int) -> str:
        now = NOON + minutes * 60_000
        told = event(Kind.PAYMENT, event_id=f"p-{minutes}", amount=Decimal(1), at_ms=now)
        return str(row(told, enricher, now)["session_id"])

    assert seen["session_id"] == paid(20) == paid(45) == "s-1"
    new = paid(80)
    assert new not in ("", "s-1")
    assert paid(90) == new
    assert row(event(visitor_id="v-2"), enricher)["session_id"] not in ("s-1", new)


@pytest.mark.parametrize(
    "text", ["'", '"', "\\", "\x00", "\n\t", "\ud800", "👩‍👩‍👧", "\u202eabc", "x" * 1_000_000, "<b>", "--"]
)
@pytest.mark.parametrize("kind", list(Kind))
def test_any_text_in_any_field_can_be_stored_and_is_short(kind: Kind, text: str) -> None:
    fields = (
        "visitor_id", "event_id", "session_id", "url", "referrer", "title", "language", "ip", "user_agent", "name",
        "transaction_id", "pageview_id",
    )  # fmt: skip
    built = row(event(kind, **dict.fromkeys(fields, text), props={text: text}, traits=(text,)))

    assert len(json.dumps(built).encode()) < 20_000
    json.dumps(built, ensure_ascii=False).encode("utf-8")


def test_addresses_of_people_are_masked_wherever_a_page_puts_them() -> None:
    told = event(
        url="https://shop.example/u/jane%40mail.example/x?utm_term=jane@mail.example&email=jane@mail.example",
        referrer="https://blog.example/?q=jane@mail.example",
        title="Welcome jane@mail.example!",
    )
    goal = event(Kind.CUSTOM, name="signup", props={"who": "jane@mail.example", "@handle": "see @jane"})

    assert "jane" not in json.dumps(row(told))
    assert json.loads(row(goal)["props"]) == {"who": "[email]", "@handle": "see @jane"}


def test_numbers_are_kept_within_their_columns() -> None:
    built = row(event(screen_width=10**9))
    engaged = row(event(Kind.ENGAGEMENT, engaged_ms=10**12, scroll=-5))

    assert (built["screen_w"], engaged["engaged_ms"], engaged["scroll"]) == (65_535, 86_400_000, 0)
    assert row(event(Kind.PAYMENT, amount=Decimal("0.123456"), currency="EUR"))["amount"] == "0.1235"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("de-de", "de-DE"), ("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("fr-FR,fr;q=0.9", "fr-FR"), ("pt_BR", "pt-BR"),
        ("", ""), ("*", ""), ("<script>", ""), ("x" * 5000, ""),
    ],
)  # fmt: skip
def test_languages_are_spelled_alike(said: str, kept: str) -> None:
    assert language(said) == kept
