"""Micros and back, to the last digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.platforms.google.money import to_major, to_micros
from tools.errors import InvalidArguments, PlatformFailure


@given(st.integers(1, 10**12).map(lambda cents: Decimal(cents) / 100))
def test_what_is_sent_comes_back(amount: Decimal) -> None:
    assert to_major(to_micros(amount, field="daily_budget")) == amount


@pytest.mark.parametrize(
    ("micros", "shown"),
    [("12340000", "12.34"), ("5000000000", "5000"), ("1", "0.000001"), (None, "0"), ("0", "0"), ("100000000", "100")],
)
def test_amounts_are_exact_and_written_plainly(micros: str | None, shown: str) -> None:
    assert str(to_major(micros)).replace("1E-6", "0.000001") == shown


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10.005", "NaN", "Infinity"])
def test_an_amount_that_cannot_be_sent_names_the_field(amount: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        to_micros(Decimal(amount), field="daily_budget")
    assert refused.value.details["problems"][0]["field"] == "daily_budget"


@pytest.mark.parametrize("micros", ["1.5", "many", "1e6", ["1"]])
def test_an_amount_that_cannot_be_read_is_a_failure(micros: object) -> None:
    with pytest.raises(PlatformFailure, match="not in micros") as failed:
        to_major(micros)
    assert failed.value.fix
