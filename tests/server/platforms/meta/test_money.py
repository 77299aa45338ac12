"""Money crosses the wire exactly, in every currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.platforms.meta.money import OFFSETS, to_major, to_minor
from tools.errors import InvalidArguments, PlatformFailure

currencies = st.sampled_from(sorted(OFFSETS))


@given(currencies, st.integers(min_value=1, max_value=10**14))
def test_minor_units_survive_the_way_out_and_back(currency: str, minor: int) -> None:
    assert to_minor(to_major(str(minor), currency), currency, field="daily_budget") == minor


@given(currencies, st.decimals(min_value="0.001", max_value=10**9, places=3))
def test_an_amount_is_sent_exactly_or_refused(currency: str, amount: Decimal) -> None:
    try:
        minor = to_minor(amount, currency, field="daily_budget")
    except InvalidArguments as refused:
        assert refused.details["problems"][0]["field"] == "daily_budget"
        assert amount % (Decimal(1) / OFFSETS[currency]) != 0
    else:
        assert Decimal(minor) / OFFSETS[currency] == amount


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("USD", "50", 5000),
        ("USD", "0.01", 1),
        ("JPY", "5000", 5000),
        ("HUF", "1200", 1200),
        ("TWD", "300", 300),
        ("BHD", "1.25", 125),
        ("JOD", "1.25", 125),
    ],
)
def test_offsets_are_metas_and_not_those_of_iso_4217(currency: str, amount: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency, field="daily_budget") == minor
    assert to_major(minor, currency) == Decimal(amount)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "100.5"), ("USD", "1.005"), ("BHD", "1.255")])
def test_more_decimals_than_the_currency_has_are_refused_rather_than_rounded(currency: str, amount: str) -> None:
    with pytest.raises(InvalidArguments, match="finer than Meta accepts") as refused:
        to_minor(Decimal(amount), currency, field="daily_budget")
    assert refused.value.fix


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_an_amount_that_is_no_budget_is_refused(amount: str) -> None:
    with pytest.raises(InvalidArguments, match="must be a positive amount"):
        to_minor(Decimal(amount), "USD", field="daily_budget")


@pytest.mark.parametrize("currency", ["QQQ", "", "usd"])
def test_an_unknown_currency_is_never_guessed(currency: str) -> None:
    with pytest.raises(PlatformFailure, match="not in Meta's table"):
        to_major("5000", currency)
    with pytest.raises(PlatformFailure, match="not in Meta's table"):
        to_minor(Decimal(50), currency, field="daily_budget")


def test_an_amount_that_is_no_number_is_a_clear_failure() -> None:
    with pytest.raises(PlatformFailure, match="not a number"):
        to_major("a lot", "USD")
