"""A connection in words."""

import datetime as dt
from typing import Any

import pytest

from server.web.connections import STANDINGS, connection_card

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
ROW: dict[str, Any] = {
    "id": "con_1",
    "platform": "google",
    "name": "Northwind",
    "status": "connected",
    "decryptReadable": True,
    "accounts": [],
    "createdAt": "2026-11-01T09:00:00Z",
}


@pytest.mark.parametrize("status", ["connected", "reauth_required", "account_blocked", "unreachable"])
def test_every_status_has_words_and_every_bad_one_a_way_out(status: str) -> None:
    standing = connection_card(ROW | {"status": status}, NOW).standing

    assert standing is STANDINGS[status]
    assert bool(standing.meaning) is (standing.tone != "good")


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"expiresAt": "2026-11-22T09:00:01Z"}, "Connected"),
        ({"expiresAt": "2026-11-22T09:00:00Z"}, "Token expired"),
        ({"expiresAt": "2026-11-21T09:00:00Z", "decryptReadable": False}, "Cannot be read"),
        ({"status": "unreachable", "decryptReadable": False}, "Cannot be read"),
    ],
)
def test_what_stands_most_in_the_way_is_what_is_said(fields: dict[str, Any], label: str) -> None:
    assert connection_card(ROW | fields, NOW).standing.label == label


def test_what_the_platform_does_not_tell_stays_open() -> None:
    shown = connection_card(ROW, NOW)

    assert (shown.expires, shown.used, shown.platform) == (None, None, "Google Ads")
