"""Our table of currencies, held against another's."""

from decimal import Decimal

import pycountry
import pytest

from tools.currencies import CODES, problem

NO_CURRENCY = "X" * 3
NOT_PAID_WITH = frozenset(
    "BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA".split()  # noqa: SIM905 - one is readable
) | {NO_CURRENCY}


def test_the_table_has_every_currency_that_people_pay_in() -> None:
    listed = {currency.alpha_3 for currency in pycountry.currencies} - NOT_PAID_WITH

    assert listed - CODES == set()
    assert CODES - listed <= {"BGN"}  # withdrawn in 2026; payments of before are told in it
    assert not {"XAU", "XDR", "XTS", NO_CURRENCY, "CLF", "BTC", "DEM"} & CODES


@pytest.mark.parametrize(
    ("amount", "currency", "found"),
    [
        ("99.00", "USD", None),
        ("99.001", "USD", "has more decimals than USD, which has 2"),
        ("1200", "JPY", None),
        ("1200.5", "JPY", "has more decimals than JPY, which has none"),
        ("1.125", "KWD", None),
    ],
)
def test_an_amount_is_no_finer_than_its_currency(amount: str, currency: str, found: str | None) -> None:
    assert problem(Decimal(amount), currency) == found
