"""Shared fields take exactly what they describe."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tools.capability import Input
from tools.fields import (
    AccountId,
    Amount,
    ApprovalId,
    CampaignId,
    ChangeId,
    ConnectionId,
    Cursor,
    Limit,
    Platform,
    PlatformField,
    Since,
    Status,
    StatusField,
    number,
)


class Money(Input):
    amount: Amount


@given(st.decimals(min_value="0.01", max_value=1_000_000_000, places=2))
def test_an_amount_is_what_its_writer_typed(amount: Decimal) -> None:
    wire = number(amount)

    money = Money.model_validate({"amount": wire})

    assert money.amount == amount
    assert money.model_dump(mode="json") == {"amount": wire}


def test_an_amount_is_never_a_binary_neighbour() -> None:
    assert Money.model_validate({"amount": 0.1}).amount * 3 == Decimal("0.3")


@pytest.mark.parametrize(("value", "wire"), [("40", 40), ("40.00", 40), ("40.50", 40.5), ("0.1", 0.1), ("1E+3", 1000)])
def test_a_whole_amount_is_spelled_whole(value: str, wire: float) -> None:
    assert number(Decimal(value)) == wire
    assert isinstance(number(Decimal(value)), int) is (wire == int(wire))


@pytest.mark.parametrize(
    "amount",
    [0, -1, -0.0, float("nan"), float("inf"), -float("inf"), 1_000_000_001, 10**400, 1e300, "12", True, None, [], {}],
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount})


@pytest.mark.parametrize("day", ["2026-11-22", dt.date(2026, 11, 22)])
def test_a_day_is_a_day(day: object) -> None:
    assert TypeAdapter(Since).validate_python(day) == dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    "day",
    ["2026-11-31", "22.11.2026", "2026-11-22T00:00:00", "2026-1-2", "20261122", "", " 2026-11-22", "２０２６-11-22"],
)
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Since).validate_python(day)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (CampaignId, ["1", "120231", "a.b-c_D"], ["", "../1", "1/2", "1 2", "1\n", "x" * 65, "é", "1?x"]),
        (AccountId, ["act_1", "123-456-7890"], ["", "act/1", "a.b", "x" * 65, "act_1\n"]),
        (ConnectionId, ["con_Ab9"], ["con_", "con_a b", "key_1", "con_" + "x" * 41, "con_1\n", "CON_1"]),
        (ApprovalId, ["apr_Ab9"], ["apr_", "apr-1", "apr_1\n", "' OR 1=1"]),
        (ChangeId, ["chg_Ab9"], ["chg_", "con_1"]),
        (Cursor, ["", "x" * 2000], ["x" * 2001]),
    ],
)
def test_an_id_has_its_shape(kind: Any, good: list[str], bad: list[str]) -> None:
    adapter = TypeAdapter(kind)
    for value in good:
        assert adapter.validate_python(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_limit_is_between_one_and_five_hundred() -> None:
    adapter = TypeAdapter(Limit)
    assert [adapter.validate_python(limit) for limit in (1, 500)] == [1, 500]
    for limit in (0, 501, -1):
        with pytest.raises(ValidationError):
            adapter.validate_python(limit)


def test_members_come_by_their_wire_value_only() -> None:
    assert TypeAdapter(PlatformField).validate_python("meta", strict=True) is Platform.META
    assert TypeAdapter(StatusField).validate_python("ACTIVE", strict=True) is Status.ACTIVE
    for value in ("META", "active", "", 1, None):
        with pytest.raises(ValidationError):
            TypeAdapter(PlatformField).validate_python(value, strict=True)


def test_what_is_refused_says_what_would_do() -> None:
    with pytest.raises(ValidationError, match="a JSON number without quotes"):
        Money.model_validate({"amount": "12"})
    with pytest.raises(ValidationError, match="must be one of ACTIVE, PAUSED, ARCHIVED, UNKNOWN"):
        TypeAdapter(StatusField).validate_python("active")
